/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "steer/pick_weight.h"

#include "base/attr.h"
#include "base/check.h"
#include "steer/strategy.h"

void
pick_cut_init(struct pick_cut *cut, const struct pick_share *whole, uint64_t sum, size_t count)
{
	*cut = (struct pick_cut){
		.whole = *whole,
		.total = sum > 0 ? sum : count,
		.standby = sum == 0,
	};
	/* width (at most 2^64) * sum must fit in 128 bits, and a weight of 1 must keep a width. */
	CHECK(cut->total > 0 && cut->total <= UINT32_MAX);
}

/* Cuts are computed from the start of the whole, so that rounding (below 2^-63) does not add up and
 * the end is exact. */
static pick_u128
point(const struct pick_cut *cut)
{
	return cut->whole.lo + (cut->whole.hi - cut->whole.lo) * cut->done / cut->total;
}

bool
pick_cut_next(struct pick_cut *cut, uint32_t weight, struct pick_share *part)
{
	if (cut->standby)
		weight = 1;
	if (weight == 0)
		return false;
	part->lo = point(cut);
	cut->done += weight;
	CHECK(cut->done <= cut->total);
	part->hi = point(cut);
	return part->hi > part->lo;
}

/*
 * Fractions of the golden ratio, sqrt(2), (3+sqrt(26))/5, sqrt(30)/4, sqrt(10)/2, sqrt(6)/4,
 * sqrt(3)/3, sqrt(13)/5. With 1 they are independent over the rationals, so the nested draws of one
 * answer do not march in step; and n * |n * step| stays above 0.27 (golden: 0.38), so each is
 * nearly as even as the golden ratio.
 */
static const uint64_t steps[] = {
	0x9e3779b97f4a7c15,
	0x6a09e667f3bcc909,
	0x9eab77f41bff84e1,
	0x5e8add236a58ef09,
	0x94c583ada5b52921,
	0x9cc470a0490973e9,
	0x93cd3a2c8198e269,
	0xb89aae826f0c7c07,
};

uint64_t
pick_weight_step(unsigned i)
{
	return steps[i % ARRAY_LEN(steps)];
}

void
pick_weight_pools(struct compile *c, const struct compile_input *in)
{
	struct pick_share part;
	struct pick_cut cut;
	uint64_t sum = 0;

	for (size_t i = 0; i < in->count; i++)
		sum += in->pools[i].weight;
	pick_cut_init(&cut, &PICK_WHOLE, sum, in->count);
	for (size_t i = 0; i < in->count; i++) {
		const struct compile_pool *pool = &in->pools[i];

		if (pick_cut_next(&cut, pool->weight, &part))
			strategy_table[pool->strategy].in_share(c, pool, &part);
	}
}

void
pick_weight_share(
    struct compile *c, const struct compile_pool *pool, const struct pick_share *share)
{
	struct pick_share part;
	struct pick_cut cut;
	uint64_t sum = 0;

	for (size_t i = 0; i < pool->count; i++)
		sum += pool->members[i].weight;
	pick_cut_init(&cut, share, sum, pool->count);
	for (size_t i = 0; i < pool->count; i++) {
		if (!pick_cut_next(&cut, pool->members[i].weight, &part))
			continue;
		compile_leaf(c, &part, pool->cursors);
		compile_slot(c, &pool->members[i]);
	}
}

void
pick_weight_union(struct compile *c, const struct compile_pool *pool)
{
	compile_drawn_slot(c, pool);
}
