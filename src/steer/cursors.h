/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cursors -- what moves with every query: positions in the sequences, one cache line per worker.
 *
 * A domain has one set of cursors, and each of its pool links another. They outlive plans, so that
 * compiling anew leaves the sequences where they were. A line belongs to its worker alone: plain
 * loads and stores.
 */
#pragma once

#define URCU_API_MAP
#include <urcu/urcu-qsbr.h>

#include <stdint.h>

#include "base/check.h"

struct cursor {
	_Alignas(64) uint64_t u; /* position of the weighted sequence in the circle of 2^64 */
	uint64_t turn;           /* rotations so far */
};

struct cursors {
	uint32_t magic;
#define CURSORS_MAGIC 0xc0250125u
	unsigned workers;
	struct rcu_head rcu;
	struct cursor lines[];
};

/* Positions follow from `seed` and `sub`, spread evenly over the workers so that they do not march
 * in step. */
struct cursors *cursors_new(const char *seed, const char *sub, unsigned workers);
/* A private copy of worker 0's line, as the only worker. */
struct cursors *cursors_copy(const struct cursors *c);
void cursors_free(struct cursors **c);   /* no reader may be left */
void cursors_retire(struct cursors **c); /* free after a grace period */

static inline struct cursor *
cursors_at(struct cursors *c, unsigned worker)
{
	OBJ_CHECK(c, CURSORS_MAGIC);
	CHECK(worker < c->workers);
	return &c->lines[worker];
}
