/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pick_weight -- exactly proportional choice by a Kronecker sequence.
 *
 *	u += step (mod 2^64)          |--- A: 3 ---|- B: 1 -|     the circle of 2^64, cut by weight
 *	                                    ^ u
 *
 * With the golden ratio as step the points of any run of queries lie as evenly as points can
 * (three-distance theorem), so each interval is hit in proportion to its width, at every moment and
 * for every sub-sequence. Cutting an interval again keeps that true for the parts: weight within
 * weight needs a single u.
 *
 * Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

__extension__ typedef unsigned __int128 pick_u128; /* no ISO C type is wide enough for 2^64 */

/* The part [lo, hi) of the circle; hi is at most 2^64. */
struct pick_share {
	pick_u128 lo, hi;
};
#define PICK_WHOLE ((struct pick_share){ .lo = 0, .hi = (pick_u128)1 << 64 })

/* Cuts a share by weights, one after the other. Weight 0 stands by: it counts only if all weights
 * are 0. */
struct pick_cut {
	struct pick_share whole;
	uint64_t total, done;
	bool standby;
};
/* `sum`: of the weights; `count`: how many there are. */
void
pick_cut_init(struct pick_cut *cut, const struct pick_share *whole, uint64_t sum, size_t count);
/* The next one's part; false if it has none. */
MUST_USE bool pick_cut_next(struct pick_cut *cut, uint32_t weight, struct pick_share *part);

/* `count` intervals of the circle: the first begins at `lo`, interval i ends with `last[i]`. */
struct pick_circle {
	const uint64_t *last;
	uint64_t lo;
	uint32_t count;
	uint64_t step; /* of u */
};

/*
 * `take` distinct ones (at most `count` and PICK_SEVERAL_MAX), as indexes: the first one holds u,
 * each further one is drawn in proportion among those that are left. `turn` counts the answers.
 * O(take * (take + log count)).
 */
#define PICK_SEVERAL_MAX 256
void pick_weight_several(
    const struct pick_circle *c, uint64_t u, uint64_t turn, uint32_t take, uint32_t *out);

/* Step of sequence `i`: 0 is the golden ratio; the others are independent of it and of each other.
 */
uint64_t pick_weight_step(unsigned i);

/* The interval that holds u: `last[i]` is the last point of interval i, so the final one is 2^64
 * - 1. n >= 1. */
static inline uint32_t
pick_weight_find(const uint64_t *last, uint32_t n, uint64_t u)
{
	uint32_t at = 0;

	while (n > 1) {
		const uint32_t half = n / 2;

		at = u > last[at + half - 1] ? at + half : at;
		n -= half;
	}
	return at;
}
