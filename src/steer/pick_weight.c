/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "steer/pick_weight.h"

#include "base/attr.h"
#include "base/check.h"
#include "steer/mix.h"
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

/* Weight 0 stands by: it answers only if all weights are 0, and then they are equal. */
size_t
pick_weight_arrange(struct candidate *c, size_t n, int64_t current)
{
	size_t kept = 0;

	(void)current;
	for (size_t i = 0; i < n; i++) {
		if (c[i].weight > 0)
			c[kept++] = c[i];
	}
	if (kept > 0)
		return kept;
	for (size_t i = 0; i < n; i++)
		c[i].weight = 1;
	return n;
}

/* -- several distinct ones -- */

/* Where interval i begins. */
static uint64_t
start(const struct pick_circle *c, uint32_t i)
{
	return i == 0 ? c->lo : c->last[i - 1] + 1;
}

/* The j-th further draw of answer number `turn`: a sequence of its own, so that the draws of one
 * answer (the first goes by `step`) do not march in step; beyond the table of steps, scattered. */
static uint64_t
further(uint64_t turn, uint32_t j, uint64_t step)
{
	if (j >= ARRAY_LEN(steps))
		return mix(turn ^ mix(j));
	return mix(j) + turn * (steps[j] == step ? steps[0] : steps[j]);
}

/* `x`, a place among what the `n` chosen intervals (rising) leave over, as a place on the circle.
 */
static uint64_t
skip(const struct pick_circle *c, const uint32_t *chosen, uint32_t n, uint64_t x)
{
	uint64_t at = c->lo + x;

	for (uint32_t i = 0; i < n && at >= start(c, chosen[i]); i++)
		at += c->last[chosen[i]] - start(c, chosen[i]) + 1;
	return at;
}

/* Insert `pick` into the rising list. */
static void
remember(uint32_t *chosen, uint32_t n, uint32_t pick)
{
	for (; n > 0 && chosen[n - 1] > pick; n--)
		chosen[n] = chosen[n - 1];
	chosen[n] = pick;
}

void
pick_weight_several(
    const struct pick_circle *c, uint64_t u, uint64_t turn, uint32_t take, uint32_t *out)
{
	pick_u128 left = (pick_u128)c->last[c->count - 1] - c->lo + 1;
	uint32_t chosen[PICK_SEVERAL_MAX];

	CHECK(take <= c->count && take <= PICK_SEVERAL_MAX);
	for (uint32_t j = 0; j < take; j++) {
		const uint64_t x = (uint64_t)(further(turn, j, c->step) * left >> 64);

		out[j] = pick_weight_find(c->last, c->count, j == 0 ? u : skip(c, chosen, j, x));
		remember(chosen, j, out[j]);
		left -= c->last[out[j]] - start(c, out[j]) + (pick_u128)1;
	}
}
