/* SPDX-License-Identifier: GPL-3.0-or-later */
/* demo_server -- a gtmd of our own in a directory of its own, on ports that were free. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/diag.h"

struct demo_server {
	char *dir;    /* removed at the end */
	char *socket; /* DIR/control.sock */
	char *log;    /* DIR/gtmd.log */
	uint16_t dns_port, api_port;
	pid_t pid;
};

/* `gtmd` NULL: beside this program. `config`: a file for it, or NULL. 0 when started (not ready
 * yet), or -EINVAL with problems. */
MUST_USE int
demo_server_start(struct demo_server *s, const char *gtmd, const char *config, struct diag *d);
bool demo_server_runs(struct demo_server *s);
/* SIGTERM, wait, remove the directory; SIGKILL after 5 s. Returns whether it ended by itself with
 * 0. */
bool demo_server_stop(struct demo_server *s);
