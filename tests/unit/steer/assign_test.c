/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/rand.h"
#include "steer/assign.h"

#define LEAVES 12
#define LOADS  300

struct hall {
	struct assign a;
	struct assign_leaf leaves[LEAVES];
	struct assign_load loads[LOADS];
	double splits[ASSIGN_SPLITS * LEAVES];
};

static double
unit(struct rand_state *r)
{
	return (double)(rand_next(r) >> 11) * 0x1p-53;
}

static void
set_weights(struct hall *h, const double *weights, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += weights[i];
	for (size_t i = 0; i < n; i++)
		h->leaves[i] = (struct assign_leaf){ .id = i + 100, .weight = weights[i] / sum };
	h->a.n_leaves = n;
}

/* n resolvers after Zipf, which have `part` of the traffic. */
static void
set_loads(struct hall *h, size_t n, double skew, double part)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += pow((double)i + 1, -skew);
	for (size_t i = 0; i < n; i++)
		h->loads[i] =
		    (struct assign_load){ .share = part * pow((double)i + 1, -skew) / sum };
	h->a.n_loads = n;
}

static void
open_hall(struct hall *h)
{
	*h = (struct hall){ 0 };
	h->a.leaves = h->leaves;
	h->a.loads = h->loads;
	h->a.splits = h->splits;
}

/* What the loads add up to, leaf by leaf, written as plainly as can be. */
static double
worst_off(const struct hall *h)
{
	double load[LEAVES] = { 0 }, light = 1, worst = 0;

	for (size_t k = 0; k < h->a.n_loads; k++) {
		const struct assign_load *l = &h->loads[k];

		if (l->leaf == ASSIGN_SPLIT && l->split == ASSIGN_SPLITS)
			continue;
		light -= l->share;
		if (l->leaf != ASSIGN_SPLIT)
			load[l->leaf] += l->share;
		for (size_t i = 0; l->leaf == ASSIGN_SPLIT && i < h->a.n_leaves; i++)
			load[i] += l->share * h->splits[l->split * h->a.n_leaves + i];
	}
	for (size_t i = 0; i < h->a.n_leaves; i++)
		worst =
		    fmax(worst, fabs(load[i] + light * h->leaves[i].room - h->leaves[i].weight));
	return worst;
}

/* Does one sit on more than the room it has? Then its leaf is off by a tenth of the weight at most.
 */
static bool
leans(const struct hall *h)
{
	bool leans = false;

	for (size_t i = 0; i < h->a.n_leaves; i++) {
		double load = 0;

		for (size_t k = 0; k < h->a.n_loads; k++)
			load += h->loads[k].leaf == i ? h->loads[k].share : 0;
		assert_true(load <= h->leaves[i].weight * 1.1 + 1e-9);
		leans |= load > h->leaves[i].weight + 1e-9;
	}
	return leans;
}

/* With homes for nobody the totals come out at the weights, whatever they are. */
static void
test_exact(void **state)
{
	struct rand_state r;
	struct hall h;

	(void)state;
	rand_seed(&r, 1);
	for (int i = 0; i < 5000; i++) {
		const size_t leaves = 1 + rand_below(&r, LEAVES);
		double weights[LEAVES];

		open_hall(&h);
		for (size_t k = 0; k < leaves; k++)
			weights[k] = 1 + (double)rand_below(&r, 20);
		set_weights(&h, weights, leaves);
		set_loads(&h, rand_below(&r, LOADS + 1), 2 * unit(&r), 0.99 * unit(&r));
		assign(&h.a);

		const double off = worst_off(&h);

		assert_true(off < (leans(&h) ? 0.1 : 1e-9));
		assert_true(fabs(off - assign_error(&h.a)) < 1e-12);
		for (size_t k = 0; k < h.a.n_splits; k++) {
			double sum = 0;

			for (size_t m = 0; m < leaves; m++)
				sum += h.splits[k * leaves + m];
			assert_true(fabs(sum - 1) < 1e-9);
		}
	}
}

/* Loads wander: as long as nobody has to move nobody does, and the error stays within what is
 * tolerated. */
static void
test_calm(void **state)
{
	static const double weights[] = { 4, 3, 2, 1 };
	struct rand_state r;
	struct hall h;
	unsigned moves = 0;

	(void)state;
	rand_seed(&r, 2);
	open_hall(&h);
	set_weights(&h, weights, 4);
	set_loads(&h, 200, 1, 0.8);
	assign(&h.a);
	for (int round = 0; round < 200; round++) {
		uint64_t seats[LOADS];

		for (size_t k = 0; k < 200; k++) {
			seats[k] = h.loads[k].seat;
			h.loads[k].share *= 0.998 + 0.004 * unit(&r);
		}
		assign(&h.a);
		for (size_t k = 0; k < 200; k++)
			moves += seats[k] != h.loads[k].seat;
		assert_true(worst_off(&h) < 4 * 0.012);
	}
	assert_true(moves < 40); /* of 40,000 */

	/* Nothing changes: nothing moves. */
	struct assign_load before[LOADS];

	memcpy(before, h.loads, sizeof(before));
	assign(&h.a);
	assert_memory_equal(before, h.loads, sizeof(before));
}

/* A leaf dies: only its guests move. It comes back: they return, and all is as before. */
static void
test_failure(void **state)
{
	struct rand_state r;

	(void)state;
	rand_seed(&r, 3);
	for (int i = 0; i < 1000; i++) {
		struct hall h;
		struct assign_load before[LOADS];
		struct assign_leaf all[LEAVES];
		double weights[LEAVES];
		const size_t leaves = 2 + rand_below(&r, LEAVES - 1), dead = rand_below(&r, leaves);
		size_t n = 0;

		open_hall(&h);
		for (size_t k = 0; k < leaves; k++)
			weights[k] = 1 + (double)rand_below(&r, 5);
		set_weights(&h, weights, leaves);
		set_loads(&h, 1 + rand_below(&r, LOADS), 1.2 * unit(&r), 0.9 * unit(&r));
		assign(&h.a);
		memcpy(before, h.loads, sizeof(before));
		memcpy(all, h.leaves, sizeof(all));

		for (size_t k = 0; k < leaves; k++) {
			if (k == dead)
				continue;
			h.leaves[n] = all[k];
			h.leaves[n++].weight /= 1 - all[dead].weight;
		}
		h.a.n_leaves = n;
		for (int again = 0; again < 3; again++)
			assign(&h.a);
		assert_true(worst_off(&h) < 0.1);
		for (size_t k = 0; k < h.a.n_loads; k++) {
			if (before[k].seat != 0 && before[k].seat != all[dead].id)
				assert_int_equal(h.loads[k].seat, before[k].seat);
			assert_int_not_equal(h.loads[k].seat, all[dead].id);
		}

		memcpy(h.leaves, all, sizeof(all));
		h.a.n_leaves = leaves;
		assign(&h.a);
		for (size_t k = 0; k < h.a.n_loads; k++) {
			if (before[k].seat != 0)
				assert_int_equal(h.loads[k].seat, before[k].seat);
		}
	}
}

/* A patchwork that must split what a new packing would seat is packed anew, if that is allowed. */
static void
test_repack(void **state)
{
	static const double weights[] = { 1, 1 };
	struct hall h;

	(void)state;
	open_hall(&h);
	set_weights(&h, weights, 2);
	set_loads(&h, 40, 0, 0.6);
	assign(&h.a);
	h.loads[40] = (struct assign_load){ .share = 0.35 };
	h.a.n_loads = 41;
	assign(&h.a);
	assert_int_equal(h.loads[40].leaf, ASSIGN_SPLIT);
	assert_int_equal(h.a.n_splits, 1);
	assert_false(h.a.repacked);
	h.a.may_repack = true;
	assign(&h.a);
	assert_true(h.a.repacked);
	assert_int_not_equal(h.loads[40].leaf, ASSIGN_SPLIT);
	assert_true(worst_off(&h) < 1e-9);
	assign(&h.a);
	assert_false(h.a.repacked);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exact),
		cmocka_unit_test(test_calm),
		cmocka_unit_test(test_failure),
		cmocka_unit_test(test_repack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
