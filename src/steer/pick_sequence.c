/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sequence: the member with the smallest order; the first in the list where orders are equal.
 * `current` is where a non-preemptive sequence stays; the tree has seen to it that it is available.
 */
#include "steer/strategy.h"

#include "base/check.h"

void
pick_sequence_pools(struct compile *c, const struct compile_input *in)
{
	size_t best = 0;

	for (size_t i = 1; i < in->count; i++) {
		if (in->pools[i].order < in->pools[best].order)
			best = i;
	}
	if (in->current >= 0)
		best = (size_t)in->current;
	CHECK(best < in->count);
	strategy_table[in->pools[best].strategy].in_share(c, &in->pools[best], &PICK_WHOLE);
}

static const struct compile_member *
choose(const struct compile_pool *pool)
{
	size_t best = 0;

	for (size_t i = 1; i < pool->count; i++) {
		if (pool->members[i].order < pool->members[best].order)
			best = i;
	}
	if (pool->current >= 0)
		best = (size_t)pool->current;
	CHECK(best < pool->count);
	return &pool->members[best];
}

void
pick_sequence_share(
    struct compile *c, const struct compile_pool *pool, const struct pick_share *share)
{
	compile_leaf(c, share, pool->cursors);
	compile_slot(c, choose(pool));
}

void
pick_sequence_union(struct compile *c, const struct compile_pool *pool)
{
	compile_slot(c, choose(pool));
}
