/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * script -- a program run as a probe: no shell, nothing inherited, never longer than it may.
 *
 *	script_start --> fd readable: output or its end --> script_step --> over, with its exit
 *status script_end: kill -9 of all it started
 *
 * It gets the arguments it is given, an environment of PATH alone, stdin from /dev/null, one pipe
 * for stdout and stderr, a process group of its own, no other descriptor, no new privileges; and
 * nobody's uid when we are root.
 *
 * Thread: the probe thread alone starts and ends scripts.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/buf.h"

#define SCRIPT_OUTPUT_MAX 4096 /* octets kept; more is read over */

struct script {
	int fd;          /* to wait for: readable whenever there is something to do */
	int out, pid_fd; /* private; -1 = none */
	pid_t pid;
	bool ended; /* it has, or we never started it */
	int status; /* then: 0..255, or 256 + the signal that ended it */
};

/* 0, or a negative errno: nothing was started. `argv` ends with NULL. */
MUST_USE int script_start(struct script *s, const char *path, char *const argv[]);
/* Take what there is to take; true when it has ended. */
bool script_step(struct script *s, struct buf *output);
/* Whatever it or its children still do ends now. */
void script_end(struct script *s);
