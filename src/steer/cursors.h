/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cursors -- what moves with every query: positions in the sequences, one cache line per worker.
 *
 * A domain has one set of cursors, and each of its pool links another. They outlive plans, so that
 * compiling anew leaves the sequences where they were. A line belongs to its worker alone: plain
 * loads and stores.
 */
#pragma once

#include <stdint.h>

struct cursor {
	_Alignas(64) uint64_t u; /* position of the weighted sequence in the circle of 2^64 */
	uint64_t turn;           /* rotations so far */
};

struct cursors;

/* Positions follow from `seed` and `sub`, spread evenly over the workers so that they do not march
 * in step. */
struct cursors *cursors_new(const char *seed, const char *sub, unsigned workers);
/* A private copy of worker 0's line, as the only worker. */
struct cursors *cursors_copy(const struct cursors *c);
void cursors_free(struct cursors **c);   /* no reader may be left */
void cursors_retire(struct cursors **c); /* free after a grace period */

struct cursor *cursors_at(struct cursors *c, unsigned worker);
