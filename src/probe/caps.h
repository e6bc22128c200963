/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * caps -- how many probes a second may go out, in all and to one host.
 *
 *	want to start now --> caps_reserve --> may start at ...   (its place is taken)
 *
 * A cap delays, it never fails: who comes too early is told when his turn is, in the order of
 * asking. A burst of a few probes passes (a leaky bucket with some room).
 *
 * Hosts are remembered only while they are busy: a table of fixed size in which an entry whose time
 * is over counts as free. When it is full of busy hosts a further one goes uncapped.
 *
 * Pure; thread: the owner's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "net/addr.h"

#define CAPS_HOSTS 8192

struct caps_rate {
	uint64_t gap_us;   /* between two; 0 = no cap */
	uint64_t slack_us; /* how far ahead of its time one may go */
};

struct caps_host {
	uint64_t key; /* hash of the IP */
	uint64_t next_us;
};

struct caps {
	struct caps_rate all, host;
	uint64_t next_us; /* of all */
	struct caps_host hosts[CAPS_HOSTS];
};

/* Probes a second; 0 = no cap. Zeroes the rest. */
void caps_init(struct caps *c, uint32_t all, uint32_t host);
/* Monotonic time in us at which a probe of this IP may start; `now_us` when there is no need to
 * wait. */
uint64_t caps_reserve(struct caps *c, const struct addr *ip, uint64_t now_us);
/* One more of this IP, if that is possible without waiting. */
bool caps_take(struct caps *c, const struct addr *ip, uint64_t now_us);
