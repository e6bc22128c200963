/* SPDX-License-Identifier: GPL-3.0-or-later */
/* round_robin: every member in every answer, rotated by one each query: 123, 312, 231. plan_answer
 * does the turning. */
#include "steer/strategy.h"

void
pick_round_robin_pools(struct compile *c, const struct compile_input *in)
{
	compile_leaf(c, &PICK_WHOLE, in->cursors);
	for (size_t i = 0; i < in->count; i++)
		strategy_table[in->pools[i].strategy].in_union(c, &in->pools[i]);
}

void
pick_round_robin_share(
    struct compile *c, const struct compile_pool *pool, const struct pick_share *share)
{
	compile_leaf(c, share, pool->cursors);
	pick_round_robin_union(c, pool);
}

void
pick_round_robin_union(struct compile *c, const struct compile_pool *pool)
{
	for (size_t i = 0; i < pool->count; i++)
		compile_slot(c, &pool->members[i]);
}
