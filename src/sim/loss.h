/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * loss -- one probe of a living target, over a way that loses packets: does it pass, and when?
 *
 * What probe/runner.h does, and the kernel under it, in virtual time:
 *	datagrams   sent again each eighth of the timeout; a packet and its answer must both arrive
 *	TCP         a SYN each eighth, as long as no connection stands, and one more at half time;
 * the kernel repeats each of them every second data        the kernel repeats them after 200, 600,
 * 1400 ... ms, each way for itself Acknowledgements and the target's own repetition of its SYN-ACK
 * are left out: they would help.
 *
 * Pure; repeatable by the state of `r`.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/rand.h"

struct template_spec;

/* How a check's probes go over the wire. */
struct loss_way {
	uint32_t timeout_ms, repeat_ms; /* repeat 0: nothing is said twice, but by the kernel */
	bool datagram;
	uint8_t round_trips;  /* over the connection, once it stands */
	uint8_t packets;      /* of a ping with more than one: nothing is repeated ... */
	uint8_t loss_percent; /* ... and so many lost are too many */
	bool sure;            /* nothing of it goes over the wire */
};

#define LOSS_FAILED UINT32_MAX

struct loss_way loss_way_of(const struct template_spec *t, bool repeat);
/* `rate`: of all packets, 0..1, each way. How long it takes in ms (0: nothing was lost; the way
 * itself takes no time), or LOSS_FAILED. */
uint32_t loss_probe(const struct loss_way *w, double rate, struct rand_state *r);
