/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * probe -- one attempt on one target: its socket, how far it got, and what it found.
 *
 *	          .-- READ, WRITE: waits until its socket is ready
 *	start ----+-- PASS
 *	          +-- FAIL, with a cause named by layer
 *	          `-- STARVED: this machine had no descriptor or port left. No outcome at all:
 *	              our own want says nothing about the target
 *
 * The steps common to all protocols over TCP. No loop, no timer: those are the runner's.
 */
#pragma once

#include <stdint.h>

#include "probe/http_reply.h"
#include "probe/recipe.h"

enum probe_step { PROBE_READ, PROBE_WRITE, PROBE_PASS, PROBE_FAIL, PROBE_STARVED };

struct probe {
	const struct recipe *recipe;
	int fd;                             /* -1 = none */
	uint64_t start_us;                  /* monotonic */
	uint64_t connect_us, first_byte_us; /* since the start; 0 = not got there */
	const char *cause;                  /* static; "" unless failed */
	const char *text;                   /* static; for people */
	uint16_t status;                    /* http: what came, 0 = none */
	size_t sent;                        /* http: octets of the request */
	struct http_reply reply;            /* http */
};

void probe_init(struct probe *p); /* no socket */
/* Begin with the recipe's protocol. */
enum probe_step probe_begin(struct probe *p, const struct recipe *r);
void probe_close(struct probe *p); /* with a reset; harmless without socket */

/* For the protocols. */
enum probe_step probe_connect(struct probe *p);
enum probe_step probe_connected(struct probe *p); /* writable: PASS, or why not */
enum probe_step probe_fail(struct probe *p, const char *cause, const char *text);
enum probe_step probe_error(struct probe *p, int error); /* a positive errno */
void probe_first_byte(struct probe *p);
/* For the runner: time is up. */
enum probe_step probe_late(struct probe *p);
