/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tape -- which resolver asked for which domain, and when: from the workers to the tree's thread.
 *
 *	worker 0  --tape_put-->  [ ring ]  \
 *	worker 1  --tape_put-->  [ ring ]   >--tape_drain, in order of time--> learn
 *	worker 2  --tape_put-->  [ ring ]  /
 *
 * A ring has one writer and one reader, so a sighting is a few plain stores: no lock, no
 * allocation, no atomic read-modify-write. A full ring drops what comes and says so. What is
 * learned from the order of one resolver's queries needs all workers' together: the kernel spreads
 * them by source port.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

struct tape_sighting {
	uint64_t key;    /* of the resolver */
	uint64_t place;  /* where it counts as being: the first 64 bits of its position */
	uint32_t at_ms;  /* of a clock that only goes forward; wraps */
	uint32_t ttl_s;  /* it was given */
	uint32_t domain; /* the reader's number for it */
	uint16_t class;  /* which variant of the domain's answers it got */
	uint8_t family;  /* of `place` */
};

#define TAPE_LENGTH 8192 /* sightings of one worker between two drains */

/* Head and tail each on a line of their own: the two threads meet only where they must. */
struct tape_ring {
	_Alignas(64) uint32_t head; /* the worker's: where it writes next */
	uint32_t dropped;           /* the worker's */
	_Alignas(64) uint32_t tail; /* the reader's: up to where it has read */
	uint32_t told;              /* of `dropped`, the reader's */
	struct tape_sighting sightings[TAPE_LENGTH];
};

struct tape {
	uint32_t magic;
#define TAPE_MAGIC 0x7a9e0001u
	unsigned workers;
	struct tape_ring rings[];
};

struct tape *tape_new(unsigned workers);
void tape_free(struct tape **t);

/* The worker's own thread. */
static inline void
tape_put(struct tape *t, unsigned worker, const struct tape_sighting *s)
{
	struct tape_ring *r = &t->rings[worker];

	if (UNLIKELY(r->head - __atomic_load_n(&r->tail, __ATOMIC_ACQUIRE) == TAPE_LENGTH)) {
		__atomic_store_n(&r->dropped, r->dropped + 1, __ATOMIC_RELAXED);
		return;
	}
	r->sightings[r->head % TAPE_LENGTH] = *s;
	__atomic_store_n(&r->head, r->head + 1, __ATOMIC_RELEASE);
}

/* Visit everything that is there, oldest first. False: something was dropped since the last time.
 */
bool tape_drain(struct tape *t, void (*visit)(void *arg, const struct tape_sighting *s), void *arg);
