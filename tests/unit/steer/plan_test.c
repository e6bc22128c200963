/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Exactness of the sequences, on plans compiled by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "model/nouns.h"
#include "steer/compile.h"
#include "steer/plan_types.h"

#define MEMBERS 300
#define A       1
#define CNAME   5

/* Members 0.. with record 10.0.x.y, numbered by tag. */
static struct compile_member members[MEMBERS];
static char values[MEMBERS][16];
static uint8_t rdatas[MEMBERS][4];
static struct cursors *cursors[8];

static int
setup(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < MEMBERS; i++) {
		snprintf(values[i], sizeof(values[i]), "10.0.%u.%u", i / 256, i % 256);
		memcpy(rdatas[i], (uint8_t[]){ 10, 0, (uint8_t)(i / 256), (uint8_t)i }, 4);
		members[i] = (struct compile_member){
			.value = values[i],
			.rdata = rdatas[i],
			.rdlen = 4,
			.rrtype = A,
			.weight = 1,
			.order = i + 1,
			.tag = i,
		};
	}
	for (size_t i = 0; i < ARRAY_LEN(cursors); i++)
		cursors[i] = cursors_new("www.example.com/A", values[i], 4);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cursors); i++)
		cursors_free(&cursors[i]);
	return 0;
}

static uint32_t
tag_of(const struct plan_rr *rr)
{
	return (uint32_t)(rr->tail[PLAN_RR_RDATA + 2] << 8 | rr->tail[PLAN_RR_RDATA + 3]);
}

static const struct position anywhere;

static size_t
answer(const struct plan *p, unsigned worker, const struct plan_rr *out[PLAN_MAX_ANSWER])
{
	unsigned scope;
	const size_t n = plan_answer(p, worker, &anywhere, out, &scope);

	assert_int_equal(scope, 0);
	return n;
}

static uint32_t
first(const struct plan *p, unsigned worker)
{
	const struct plan_rr *out[PLAN_MAX_ANSWER];

	assert_true(answer(p, worker, out) >= 1);
	return tag_of(out[0]);
}

static struct compile_pool
pool_of(int strategy, uint32_t weight, size_t from, size_t count, unsigned ordinal)
{
	static const char *const names[] = { "p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7" };

	return (struct compile_pool){
		.name = names[ordinal],
		.strategy = strategy,
		.weight = weight,
		.order = ordinal + 1,
		.members = &members[from],
		.count = count,
		.current = -1,
		.cursors = cursors[ordinal + 1],
		.ordinal = ordinal,
	};
}

static struct plan *
plan_with(int strategy, struct compile_pool *pools, size_t count, struct cursors *of_domain,
    uint32_t max_answers)
{
	const struct compile_variant v = {
		.strategy = strategy,
		.pools = pools,
		.count = count,
		.current = -1,
		.cursors = of_domain,
	};
	const struct compile_input in = {
		.ttl_s = 60,
		.rrtype = A,
		.max_answers = max_answers,
		.variants = &v,
		.n_variants = 1,
	};

	return compile_plan(&in);
}

static struct plan *
plan_of(int strategy, struct compile_pool *pools, size_t count)
{
	return plan_with(strategy, pools, count, cursors[0], 0);
}

/* -- weights -- */

#define SET_MAX 8
static const struct {
	uint32_t n, weights[SET_MAX];
} sets[] = {
	{ 2, { 1, 1 } },
	{ 2, { 1, 2 } },
	{ 2, { 70, 30 } },
	{ 2, { 1, 99 } },
	{ 3, { 1, 1, 1 } },
	{ 3, { 5, 3, 2 } },
	{ 3, { 8, 5, 3 } }, /* Fibonacci: the golden ratio's own neighbours */
	{ 4, { 10, 20, 30, 40 } },
	{ 5, { 1, 1, 1, 1, 1 } },
	{ 4, { 65535, 1, 65534, 2 } },
	{ 8, { 1, 2, 3, 5, 8, 13, 21, 34 } },
	{ 7, { 100, 0, 7, 7, 0, 65535, 9999 } },
	{ 2, { 34, 55 } },
};

static double
load_weights(size_t set)
{
	double sum = 0;

	for (uint32_t i = 0; i < sets[set].n; i++)
		sum += members[i].weight = sets[set].weights[i];
	return sum;
}

static void
reset_weights(void)
{
	for (size_t i = 0; i < MEMBERS; i++)
		members[i].weight = 1;
}

/* |count - share| of every member, at every n. Only the member drawn moves up; the others sink by
 * their share. */
static double
worst_gap(const struct plan *p, const double *shares, uint32_t n_members, uint32_t n)
{
	double gap[MEMBERS] = { 0 }, worst = 0;

	for (uint32_t i = 0; i < n; i++) {
		gap[first(p, 0)] += 1;
		for (uint32_t m = 0; m < n_members; m++) {
			gap[m] -= shares[m];
			if (gap[m] > worst || -gap[m] > worst)
				worst = gap[m] < 0 ? -gap[m] : gap[m];
		}
	}
	return worst;
}

static void
test_weights_are_exact_at_any_moment(void **state)
{
	(void)state;
	for (size_t set = 0; set < ARRAY_LEN(sets); set++) {
		const double sum = load_weights(set);
		struct compile_pool pool = pool_of(STRATEGY_WEIGHT, 1, 0, sets[set].n, 0);
		struct plan *p = plan_of(STRATEGY_SEQUENCE, &pool, 1);
		double shares[SET_MAX];

		for (uint32_t i = 0; i < sets[set].n; i++)
			shares[i] = members[i].weight / sum;

		const double gap = worst_gap(p, shares, sets[set].n, 1000000);

		if (gap > 6)
			fail_msg("set %zu: a member is %f answers off", set, gap);
		plan_free(&p);
	}
	reset_weights();
}

#define STRIDE_ANSWERS 200000
#define STRIDES        64

/* Clients that ask in step see the ratio too: every stride, every phase-0 sub-sequence. */
static double
worst_stride(const struct plan *p, const double *shares, uint32_t n_members)
{
	static uint16_t seen[STRIDE_ANSWERS];
	double worst = 0;

	for (uint32_t i = 0; i < STRIDE_ANSWERS; i++)
		seen[i] = (uint16_t)first(p, 0);
	for (uint32_t stride = 1; stride <= STRIDES; stride++) {
		uint32_t counts[MEMBERS] = { 0 }, n = 0;

		for (uint32_t i = 0; i < STRIDE_ANSWERS; i += stride, n++)
			counts[seen[i]]++;
		for (uint32_t m = 0; m < n_members; m++) {
			const double off = counts[m] / (double)n - shares[m];

			worst = off > worst ? off : -off > worst ? -off : worst;
		}
	}
	return worst;
}

static void
test_weights_hold_for_clients_in_step(void **state)
{
	(void)state;
	for (size_t set = 0; set < ARRAY_LEN(sets); set++) {
		const double sum = load_weights(set);
		struct compile_pool pool = pool_of(STRATEGY_WEIGHT, 1, 0, sets[set].n, 0);
		struct plan *p = plan_of(STRATEGY_SEQUENCE, &pool, 1);
		double shares[SET_MAX];

		for (uint32_t i = 0; i < sets[set].n; i++)
			shares[i] = members[i].weight / sum;

		const double off = worst_stride(p, shares, sets[set].n);

		if (off > 0.01)
			fail_msg("set %zu: some stride is %.2f points off", set, off * 100);
		plan_free(&p);
	}
	reset_weights();
}

/* Pools 3:1:0 of addresses 2:1, 1:1:2, 1: pools and addresses exact at once, the standby pool
 * silent. */
static void
test_weight_within_weight(void **state)
{
	static const uint32_t weights[] = { 2, 1, 1, 1, 2, 1 };
	static const double shares[] = { .5, .25, .0625, .0625, .125, 0 };
	struct compile_pool pools[3];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(weights); i++)
		members[i].weight = weights[i];
	pools[0] = pool_of(STRATEGY_WEIGHT, 3, 0, 2, 0);
	pools[1] = pool_of(STRATEGY_WEIGHT, 1, 2, 3, 1);
	pools[2] = pool_of(STRATEGY_WEIGHT, 0, 5, 1, 2);

	struct plan *p = plan_of(STRATEGY_WEIGHT, pools, 3);

	assert_true(worst_gap(p, shares, 6, 1000000) <= 6);
	assert_true(worst_stride(p, shares, 6) <= 0.01);
	plan_free(&p);
	reset_weights();
}

/* Nested draws are unavoidable in a union; every step of the table must be nearly as even. */
static void
test_every_nested_step(void **state)
{
	static const double shares[] = { 1 / 6.0, 2 / 6.0, 3 / 6.0 };

	(void)state;
	for (uint32_t i = 0; i < 3; i++)
		members[i].weight = i + 1;
	for (unsigned ordinal = 0; ordinal < 8; ordinal++) {
		struct compile_pool pool = pool_of(STRATEGY_WEIGHT, 1, 0, 3, 0);

		pool.ordinal = ordinal;

		struct plan *p = plan_of(STRATEGY_ROUND_ROBIN, &pool, 1);

		const double gap = worst_gap(p, shares, 3, 1000000);
		const double off = worst_stride(p, shares, 3);

		plan_free(&p);
		if (gap > 8 || off > 0.015)
			fail_msg("step %u: %.2f answers, %.2f points off", ordinal, gap, off * 100);
	}
	reset_weights();
}

/* Two weighted pools under round_robin: each pair of picks comes as often as if they were
 * independent. */
static void
test_nested_draws_are_independent(void **state)
{
	const struct plan_rr *out[PLAN_MAX_ANSWER];
	struct compile_pool pools[] = { pool_of(STRATEGY_WEIGHT, 1, 0, 2, 0),
		pool_of(STRATEGY_WEIGHT, 1, 2, 2, 1) };
	struct plan *p = plan_of(STRATEGY_ROUND_ROBIN, pools, 2);
	uint32_t pairs[4][4] = { { 0 } };

	(void)state;
	for (uint32_t i = 0; i < 40000; i++) {
		assert_int_equal(answer(p, 0, out), 2);
		pairs[tag_of(out[0])][tag_of(out[1])]++;
	}
	for (uint32_t a = 0; a < 2; a++)
		for (uint32_t b = 2; b < 4; b++) {
			assert_in_range(pairs[a][b], 4800, 5200);
			assert_in_range(pairs[b][a], 4800, 5200);
		}
	plan_free(&p);
}

static void
add_up(void *arg, uint32_t tag, double probability)
{
	(void)tag;
	*(double *)arg += probability;
}

static void
test_largest_weights(void **state)
{
	double shares[MEMBERS], p_sum = 0;
	struct compile_pool pools[7];

	(void)state;
	for (size_t i = 0; i < MEMBERS; i++) {
		members[i].weight = 65535;
		shares[i] = i < 280 ? 1 / 280.0 : 0;
	}
	for (unsigned i = 0; i < 7; i++)
		pools[i] = pool_of(STRATEGY_WEIGHT, 65535, i * 40, 40, i);

	struct plan *p = plan_of(STRATEGY_WEIGHT, pools, 7);

	assert_true(worst_gap(p, shares, 280, 100000) <= 6);
	/* 7 pools' intervals, then those of their addresses: without gap or overlap. */
	assert_int_equal(p->last[6], UINT64_MAX);
	assert_int_equal(p->last[7 + 279], UINT64_MAX);
	for (size_t i = 1; i < 280; i++)
		assert_true(p->last[7 + i] > p->last[7 + i - 1]);
	plan_shares(p, 0, NULL, add_up, &p_sum);
	assert_true(p_sum > 1 - 1e-9 && p_sum < 1 + 1e-9);
	plan_free(&p);
	reset_weights();
}

static void
test_standby_members_share_when_alone(void **state)
{
	static const double shares[] = { .5, .5 };

	(void)state;
	members[0].weight = members[1].weight = 0;

	struct compile_pool pool = pool_of(STRATEGY_WEIGHT, 0, 0, 2, 0);
	struct plan *p = plan_of(STRATEGY_WEIGHT, &pool, 1);

	assert_true(worst_gap(p, shares, 2, 10000) <= 6);
	plan_free(&p);
	reset_weights();
}

static void
test_workers_do_not_march_in_step(void **state)
{
	struct compile_pool pool = pool_of(STRATEGY_WEIGHT, 1, 0, 4, 0);
	struct plan *p = plan_of(STRATEGY_SEQUENCE, &pool, 1);
	uint32_t together[4] = { 0 };

	(void)state;
	for (unsigned w = 0; w < 4; w++)
		together[first(p, w)]++;
	for (int i = 0; i < 4; i++)
		assert_int_equal(together[i], 1);
	plan_free(&p);
}

/* -- round robin -- */

static void
expect(const struct plan *p, const char *answers)
{
	const struct plan_rr *out[PLAN_MAX_ANSWER];
	char got[64];
	size_t len = 0;

	for (size_t q = 0; q < 4; q++) {
		const size_t n = answer(p, 0, out);

		for (size_t i = 0; i < n; i++)
			got[len++] = (char)('1' + tag_of(out[i]));
		got[len++] = ' ';
	}
	got[len - 1] = '\0';
	assert_string_equal(got, answers);
}

static void
test_rotation(void **state)
{
	struct compile_pool pool = pool_of(STRATEGY_ROUND_ROBIN, 1, 0, 3, 6);
	struct plan *p = plan_of(STRATEGY_WEIGHT, &pool, 1);

	(void)state;
	expect(p, "123 312 231 123");
	plan_free(&p);
}

/* All of the first pool, the one of the second; a value in both pools comes once. */
static void
test_union_of_pools(void **state)
{
	struct compile_pool pools[] = { pool_of(STRATEGY_ROUND_ROBIN, 1, 0, 2, 0),
		pool_of(STRATEGY_SEQUENCE, 1, 2, 2, 1), pool_of(STRATEGY_ROUND_ROBIN, 1, 0, 1, 2) };
	struct cursors *own = cursors_new("union", "", 1);
	struct plan *p = plan_with(STRATEGY_ROUND_ROBIN, pools, 3, own, 0);

	(void)state;
	expect(p, "123 312 231 123");
	plan_free(&p);
	pools[1].current = 1;
	p = plan_with(STRATEGY_ROUND_ROBIN, pools, 3, own, 0);
	expect(p, "412 241 124 412");
	plan_free(&p);
	cursors_free(&own);
}

static void
test_a_large_union_is_cut(void **state)
{
	const struct plan_rr *out[PLAN_MAX_ANSWER];
	struct compile_pool pool = pool_of(STRATEGY_ROUND_ROBIN, 1, 0, MEMBERS, 0);
	struct plan *p = plan_of(STRATEGY_ROUND_ROBIN, &pool, 1);
	uint32_t firsts[MEMBERS] = { 0 };

	(void)state;
	for (int i = 0; i < MEMBERS; i++) {
		assert_int_equal(answer(p, 0, out), PLAN_MAX_ANSWER);
		firsts[tag_of(out[0])]++;
	}
	for (int i = 0; i < MEMBERS; i++)
		assert_int_equal(firsts[i], 1);
	plan_free(&p);
}

static void
test_one_cname_whatever_the_strategy(void **state)
{
	const struct plan_rr *out[PLAN_MAX_ANSWER];

	(void)state;
	for (int i = 0; i < 3; i++)
		members[i].rrtype = CNAME;
	for (int of_domain = STRATEGY_ROUND_ROBIN; of_domain <= STRATEGY_HASH; of_domain++)
		for (int of_pool = STRATEGY_ROUND_ROBIN; of_pool <= STRATEGY_HASH; of_pool++) {
			struct compile_pool pool = pool_of(of_pool, 1, 0, 3, 0);
			struct plan *p = plan_of(of_domain, &pool, 1);

			assert_int_equal(plan_rrtype(p), CNAME);
			for (int i = 0; i < 9; i++) {
				assert_int_equal(answer(p, 0, out), 1);
				assert_int_equal(plan_rr_type(out[0]), CNAME);
			}
			plan_free(&p);
		}
	for (int i = 0; i < 3; i++)
		members[i].rrtype = A;
}

/* -- several records, each of them another -- */

/* By the definition: draw, leave out, draw again; over all orders. Chances that i is in. */
static double
chance_in(const double *w, uint32_t n, uint32_t mask, uint32_t take, uint32_t i)
{
	double sum = 0, in = 0;

	if (take == 0)
		return 0;
	for (uint32_t k = 0; k < n; k++)
		sum += mask >> k & 1 ? 0 : w[k];
	for (uint32_t k = 0; k < n; k++) {
		if (mask >> k & 1 || w[k] == 0)
			continue;
		in += w[k] / sum * (k == i ? 1 : chance_in(w, n, mask | 1u << k, take - 1, i));
	}
	return in;
}

#define SEVERAL_ANSWERS 200000

static void
test_several_by_weight(void **state)
{
	const struct plan_rr *out[PLAN_MAX_ANSWER];

	(void)state;
	for (size_t set = 2; set < ARRAY_LEN(sets); set++) {
		const double sum = load_weights(set);
		const uint32_t n = sets[set].n;
		double w[SET_MAX], leads[SET_MAX] = { 0 }, in[SET_MAX] = { 0 };
		uint32_t with_weight = 0;

		for (uint32_t i = 0; i < n; i++) {
			w[i] = members[i].weight / sum;
			with_weight += w[i] > 0;
		}
		for (uint32_t take = 2; take <= with_weight + 1; take++) {
			struct compile_pool pool = pool_of(STRATEGY_WEIGHT, 1, 0, n, 0);

			pool.max_answers = take;

			struct plan *p = plan_of(STRATEGY_SEQUENCE, &pool, 1);

			memset(leads, 0, sizeof(leads));
			memset(in, 0, sizeof(in));
			for (uint32_t q = 0; q < SEVERAL_ANSWERS; q++) {
				const size_t got = answer(p, 0, out);
				uint32_t mask = 0;

				assert_int_equal(got, take < with_weight ? take : with_weight);
				for (size_t k = 0; k < got; k++) {
					assert_false(mask >> tag_of(out[k]) & 1);
					mask |= 1u << tag_of(out[k]);
					in[tag_of(out[k])] += 1.0 / SEVERAL_ANSWERS;
				}
				leads[tag_of(out[0])] += 1.0 / SEVERAL_ANSWERS;
			}
			for (uint32_t i = 0; i < n; i++) {
				const double expected = chance_in(w, n, 0, take, i);

				/* the first is exact; the others are as even as the sequences */
				assert_true(leads[i] - w[i] < 5e-5 && w[i] - leads[i] < 5e-5);
				if (in[i] - expected > 2e-3 || expected - in[i] > 2e-3)
					fail_msg("set %zu take %u member %u: in %f, not %f", set,
					    take, i, in[i], expected);
			}
			plan_free(&p);
		}
	}
	reset_weights();
}

static void
keep_shares(void *arg, uint32_t tag, double probability)
{
	((double *)arg)[tag] += probability;
}

/* What plan_shares says of a list in which a weighted pool has several places, against counting. */
static void
test_shares_of_a_list(void **state)
{
	static const uint32_t weights[] = { 5, 3, 2, 1, 1, 1, 1 };
	double told[MEMBERS] = { 0 };
	uint32_t leads[MEMBERS] = { 0 };
	struct compile_pool pools[] = { pool_of(STRATEGY_WEIGHT, 1, 0, 4, 0),
		pool_of(STRATEGY_ROUND_ROBIN, 1, 4, 3, 1), pool_of(STRATEGY_HASH, 1, 7, 3, 2) };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(weights); i++)
		members[i].weight = weights[i];
	pools[0].max_answers = 2;
	pools[1].max_answers = 2;

	struct plan *p = plan_of(STRATEGY_ROUND_ROBIN, pools, 2);

	plan_shares(p, 0, NULL, keep_shares, told);
	for (uint32_t q = 0; q < SEVERAL_ANSWERS; q++)
		leads[first(p, 0)]++;
	for (uint32_t i = 0; i < 7; i++) {
		const double off = leads[i] / (double)SEVERAL_ANSWERS - told[i];

		if (off > 2e-3 || off < -2e-3)
			fail_msg("member %u leads %f off what is told, %f", i, off, told[i]);
	}
	plan_free(&p);
	reset_weights();
}

static void
test_max_answers_of_a_domain(void **state)
{
	const struct plan_rr *out[PLAN_MAX_ANSWER];
	struct compile_pool pools[] = { pool_of(STRATEGY_ROUND_ROBIN, 1, 0, 4, 0),
		pool_of(STRATEGY_ROUND_ROBIN, 1, 4, 4, 1) };
	uint32_t leads[8] = { 0 };
	struct plan *p = plan_with(STRATEGY_ROUND_ROBIN, pools, 2, cursors[0], 3);

	(void)state;
	for (int q = 0; q < 80; q++) {
		assert_int_equal(answer(p, 0, out), 3);
		leads[tag_of(out[0])]++;
		for (size_t k = 1; k < 3; k++)
			assert_int_equal(tag_of(out[k]), (tag_of(out[k - 1]) + 1) % 8);
	}
	for (int i = 0; i < 8; i++)
		assert_int_equal(leads[i], 10);
	plan_free(&p);
	p = plan_with(STRATEGY_WEIGHT, pools, 2, cursors[0], 3);
	assert_int_equal(answer(p, 0, out), 3);
	plan_free(&p);
}

/* The current one first, the others by order: standbys stay behind. */
static void
test_several_in_sequence(void **state)
{
	struct compile_pool pool = pool_of(STRATEGY_SEQUENCE, 1, 0, 4, 0);

	(void)state;
	pool.max_answers = 3;
	pool.current = 2;

	struct plan *p = plan_of(STRATEGY_SEQUENCE, &pool, 1);

	expect(p, "312 312 312 312");
	plan_free(&p);
}

/* -- sticky -- */

static struct position
client(uint32_t i)
{
	return (
	    struct position){ .hi = (uint64_t)(i * 2654435761u) << 32, .family = 4, .bits = 32 };
}

static uint32_t
pick_for(const struct plan *p, const struct position *at)
{
	const struct plan_rr *out[PLAN_MAX_ANSWER];
	unsigned scope;

	assert_int_equal(plan_answer(p, 0, at, out, &scope), 1);
	assert_int_equal(scope, at->family == 4 ? PICK_HASH_V4_BITS : PICK_HASH_V6_BITS);
	return tag_of(out[0]);
}

#define CLIENTS 100000

/* Nobody moves but those of the member that left, and they spread by weight. */
static void
test_hash_moves_nobody_else(void **state)
{
	static const uint32_t weights[] = { 1, 2, 3, 4, 0 };
	uint32_t counts[5] = { 0 }, heirs[5] = { 0 };
	struct compile_pool all = pool_of(STRATEGY_HASH, 1, 0, 5, 0);
	struct compile_pool rest = pool_of(STRATEGY_HASH, 1, 1, 4, 0);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(weights); i++)
		members[i].weight = weights[i];

	struct plan *before = plan_of(STRATEGY_WEIGHT, &all, 1);
	struct plan *after = plan_of(STRATEGY_WEIGHT, &rest, 1);

	for (uint32_t i = 0; i < CLIENTS; i++) {
		const struct position at = client(i);
		const uint32_t was = pick_for(before, &at), is = pick_for(after, &at);

		counts[was]++;
		if (was != 0)
			assert_int_equal(is, was);
		else
			heirs[is]++;
		assert_int_equal(pick_for(before, &at), was);
	}
	for (uint32_t i = 0; i < 5; i++) {
		const double off = counts[i] / (double)CLIENTS - weights[i] / 10.0;
		const double of_heirs = heirs[i] / (double)counts[0] - weights[i] / 9.0;

		assert_true(off < 0.006 && off > -0.006);
		assert_true(i == 0 || (of_heirs < 0.02 && of_heirs > -0.02));
	}
	plan_free(&before);
	plan_free(&after);
	reset_weights();
}

/* A weight that grows only attracts. */
static void
test_hash_weight_only_attracts(void **state)
{
	struct compile_pool pool = pool_of(STRATEGY_HASH, 1, 0, 3, 0);
	uint32_t moved = 0;

	(void)state;

	struct plan *before = plan_of(STRATEGY_WEIGHT, &pool, 1);

	members[1].weight = 2;

	struct plan *after = plan_of(STRATEGY_WEIGHT, &pool, 1);

	for (uint32_t i = 0; i < CLIENTS; i++) {
		const struct position at = client(i);
		const uint32_t was = pick_for(before, &at), is = pick_for(after, &at);

		assert_true(is == was || is == 1);
		moved += is != was;
	}
	/* from 1/3 to 1/2 of all */
	assert_in_range(moved, CLIENTS / 6 - CLIENTS / 100, CLIENTS / 6 + CLIENTS / 100);
	plan_free(&before);
	plan_free(&after);
	reset_weights();
}

/* The prefix decides, not the address; both families; at both levels at once. */
static void
test_hash_by_prefix(void **state)
{
	struct compile_pool pools[] = { pool_of(STRATEGY_HASH, 1, 0, 3, 0),
		pool_of(STRATEGY_HASH, 2, 3, 3, 1) };
	struct plan *p = plan_of(STRATEGY_HASH, pools, 2);
	uint32_t seen = 0;

	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		struct position at = { .hi = (uint64_t)i << 40 | 1, .family = 4, .bits = 32 };
		const uint32_t pick = pick_for(p, &at);

		seen |= 1u << pick;
		at.hi += (uint64_t)254 << 32;
		assert_int_equal(pick_for(p, &at), pick);
		at = (struct position){ .hi = (uint64_t)i << 8, .family = 6, .bits = 128 };

		const uint32_t six = pick_for(p, &at);

		at.hi += 255;
		at.lo = 77;
		assert_int_equal(pick_for(p, &at), six);
	}
	assert_int_equal(seen, 63);
	plan_free(&p);
}

/* Among one there is nothing to be sticky about. */
static void
test_hash_of_one_asks_nobody(void **state)
{
	struct compile_pool pool = pool_of(STRATEGY_HASH, 1, 0, 1, 0);
	struct plan *p = plan_of(STRATEGY_HASH, &pool, 1);

	(void)state;
	assert_int_equal(plan_client(p), PLAN_ANYBODY);
	assert_int_equal(first(p, 0), 0);
	plan_free(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_workers_do_not_march_in_step),
		cmocka_unit_test(test_rotation),
		cmocka_unit_test(test_weights_are_exact_at_any_moment),
		cmocka_unit_test(test_weights_hold_for_clients_in_step),
		cmocka_unit_test(test_weight_within_weight),
		cmocka_unit_test(test_every_nested_step),
		cmocka_unit_test(test_nested_draws_are_independent),
		cmocka_unit_test(test_largest_weights),
		cmocka_unit_test(test_standby_members_share_when_alone),
		cmocka_unit_test(test_union_of_pools),
		cmocka_unit_test(test_a_large_union_is_cut),
		cmocka_unit_test(test_one_cname_whatever_the_strategy),
		cmocka_unit_test(test_several_by_weight),
		cmocka_unit_test(test_shares_of_a_list),
		cmocka_unit_test(test_max_answers_of_a_domain),
		cmocka_unit_test(test_several_in_sequence),
		cmocka_unit_test(test_hash_moves_nobody_else),
		cmocka_unit_test(test_hash_weight_only_attracts),
		cmocka_unit_test(test_hash_by_prefix),
		cmocka_unit_test(test_hash_of_one_asks_nobody),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
