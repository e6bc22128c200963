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
 * Pure; thread: the owner's. What all may do together is counted in one place, by any thread.
 */
#pragma once

#include <stdatomic.h>
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

struct caps_all {
	struct caps_rate rate;
	_Atomic(uint64_t) next_us;
};

struct caps {
	struct caps_all *all; /* outlives it */
	struct caps_rate host;
	struct caps_host hosts[CAPS_HOSTS];
};

/* Probes a second; 0 = no cap. */
void caps_all_init(struct caps_all *a, uint32_t rate);
void caps_init(struct caps *c, struct caps_all *all, uint32_t host_rate);
/* Monotonic time in us at which a probe of this IP may start; `now_us` when there is no need to
 * wait. */
uint64_t caps_reserve(struct caps *c, const struct addr *ip, uint64_t now_us);
/* One more of this IP, if that is possible without waiting. */
bool caps_take(struct caps *c, const struct addr *ip, uint64_t now_us);
