/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/rand.h"
#include "steer/learn.h"

/* A resolver as they come: how it keeps answers, and its caches. */
struct habit {
	const char *name;
	double stretch_s, cap_s, prefetch; /* 0: does not; prefetch: part of the TTL */
	unsigned caches;
	bool whole_seconds;
	double jitter_ms;
};

static const struct habit habits[] = {
	{ .name = "exact", .caches = 1 },
	{ .name = "network", .caches = 1, .jitter_ms = 5 },
	{ .name = "seconds", .caches = 1, .whole_seconds = true, .jitter_ms = 5 },
	{ .name = "stretch", .caches = 1, .stretch_s = 300 },
	{ .name = "stretch s", .caches = 1, .stretch_s = 300, .whole_seconds = true },
	{ .name = "cap", .caches = 1, .cap_s = 25 },
	{ .name = "cap s", .caches = 1, .cap_s = 25, .whole_seconds = true },
	{ .name = "prefetch", .caches = 1, .prefetch = 0.1 },
	{ .name = "two", .caches = 2, .whole_seconds = true, .jitter_ms = 5 },
	{ .name = "farm", .caches = 5, .whole_seconds = true, .jitter_ms = 5 },
	{ .name = "big farm", .caches = 40 },
};

static void
hear(struct learn *l, uint64_t key, uint32_t at_ms, uint32_t ttl_s)
{
	learn_heard(l, &(struct tape_sighting){ .key = key, .at_ms = at_ms, .ttl_s = ttl_s });
}

static double
unit(struct rand_state *r)
{
	return ((double)(rand_next(r) >> 11) + 0.5) * 0x1p-53;
}

static double
keeps(const struct habit *h, double now, double ttl)
{
	double until;

	if (h->stretch_s > ttl)
		ttl = h->stretch_s;
	if (h->cap_s > 0 && h->cap_s < ttl)
		ttl = h->cap_s;
	ttl *= 1 - h->prefetch;
	until = now + ttl;
	return h->whole_seconds ? floor(now + 0.37) + ttl - 0.37 : until;
}

static int
later(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Its queries for so long, as the server sees them; returns how many. */
static size_t
play(const struct habit *h, double rate, double ttl, double duration, struct rand_state *r,
    double *times, size_t room)
{
	size_t n = 0;

	for (unsigned c = 0; c < h->caches; c++) {
		double now = unit(r) * ttl;

		for (;;) {
			now += -log(unit(r)) * h->caches / rate;
			if (now >= duration || n == room)
				break;
			times[n++] = now + h->jitter_ms / 1000 * (unit(r) + unit(r));
			now = keeps(h, now, ttl);
		}
	}
	qsort(times, n, sizeof(*times), later);
	return n;
}

static double
learned(const struct habit *h, double rate, double ttl, double duration, uint64_t seed)
{
	static double times[200000];
	struct rand_state r;
	struct learn l;
	double found = 0;

	rand_seed(&r, seed);
	learn_init(&l);

	const size_t n = play(h, rate, ttl, duration, &r, times, 200000);

	for (size_t i = 0; i < n; i++)
		hear(&l, 1, (uint32_t)(times[i] * 1000), (uint32_t)ttl);
	LEARN_EACH(&l, e)
	found = learn_rate(e, (uint32_t)(duration * 1000), NULL);
	learn_fini(&l);
	return found;
}

/* Mean over some seeds of what is learned in two hours, as a multiple of the truth. */
static double
measured(const struct habit *h, double rate)
{
	double sum = 0;

	for (uint64_t seed = 1; seed <= 20; seed++)
		sum += learned(h, rate, 60, 7200, seed) / rate / 20;
	return sum;
}

static void
assert_near(const char *what, double rate, double got, double low, double high)
{
	if (got < low || got > high)
		fail_msg("%s at %g/s: learned %.3f of the truth", what, rate, got);
}

/* From one client in 100 s to 100 a second: the number of queries differs by a factor of 2.7, what
 * is learned by 10,000. */
static void
test_plain(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		for (double rate = 0.01; rate < 200; rate *= 10)
			assert_near(habits[i].name, rate, measured(&habits[i], rate), 0.85, 1.45);
	}
}

static void
test_several_caches(void **state)
{
	(void)state;
	for (size_t i = 8; i < 10; i++) {
		for (double rate = 0.01; rate < 200; rate *= 10)
			assert_near(habits[i].name, rate, measured(&habits[i], rate), 0.85, 1.6);
	}
	/* More caches than it can follow: the queries count, 40 in 60 s and idle time. */
	assert_near("big farm", 100, measured(&habits[10], 100) * 100, 0.6, 0.7);
}

/* Who does not honour TTLs is known within a factor of three. */
static void
test_own_ways(void **state)
{
	(void)state;
	for (size_t i = 3; i < 8; i++) {
		for (double rate = 0.01; rate < 200; rate *= 10)
			assert_near(habits[i].name, rate, measured(&habits[i], rate), 0.33, 3);
	}
}

/* What one has learned of is soon known to have fallen silent. */
static void
test_silence(void **state)
{
	struct learn l;

	(void)state;
	learn_init(&l);
	for (uint32_t i = 0; i < 100; i++)
		hear(&l, 7, i * 60100, 60);
	LEARN_EACH(&l, e)
	{
		const uint32_t last = 99 * 60100;

		assert_near("busy", 10, learn_rate(e, last + 60000, NULL) / 10, 0.9, 1.1);
		assert_true(learn_rate(e, last + 60000 + 600000, NULL) < 0.2);
	}
	learn_fini(&l);
}

/* After a loss nothing is concluded from what was before it. */
static void
test_missed(void **state)
{
	struct learn l;

	(void)state;
	learn_init(&l);
	for (uint32_t i = 0; i < 100; i++)
		hear(&l, 7, i * 60100, 60);
	learn_missed(&l);
	for (uint32_t i = 200; i < 300; i++)
		hear(&l, 7, i * 60100, 60);
	LEARN_EACH(&l, e)
	assert_near("busy", 10, learn_rate(e, 299 * 60100, NULL) / 10, 0.9, 1.1);
	learn_fini(&l);
}

/* Strangers by the million push out each other, never who has a seat. */
static void
test_flood(void **state)
{
	struct rand_state r;
	struct learn l;
	unsigned kept = 0;

	(void)state;
	rand_seed(&r, 3);
	learn_init(&l);
	for (uint32_t i = 0; i < 40; i++) {
		for (uint64_t k = 1; k <= 100; k++)
			hear(&l, k * 0x9e3779b97f4a7c15, i * 61000, 60);
		LEARN_EACH(&l, e)
		e->seat = i == 4 || e->seat != 0;
		for (int k = 0; k < 20000 && i >= 5; k++)
			hear(&l, rand_next(&r) | 1, i * 61000, 60);
	}
	assert_true(learn_count(&l) <= LEARN_MAX);
	LEARN_EACH(&l, e)
	kept += e->key * 0xf1de83e19937733d <= 100 && e->rounds_n > 8;
	assert_int_equal(kept, 100);
	learn_fini(&l);
}

/* More resolvers than places: everybody gets a turn, and those who are here stand for all. */
static void
test_crowded(void **state)
{
	static bool seen[3 * LEARN_MAX + 1];
	const uint32_t crowd = 3 * LEARN_MAX;
	unsigned judged = 0;
	struct learn l;

	(void)state;
	learn_init(&l);
	for (uint32_t now_ms = 0; now_ms < 3 * 3600000; now_ms += 61000) {
		for (uint32_t k = 1; k <= crowd; k++)
			hear(&l, k * 0x9e3779b97f4a7c15,
			    now_ms + (uint32_t)((uint64_t)k * 60000 / crowd), 60);
		LEARN_EACH(&l, e)
		seen[e->key * 0xf1de83e19937733d] |= e->rounds_n > 0 || e->n >= 4;
	}
	for (uint32_t k = 1; k <= crowd; k++)
		judged += seen[k];
	assert_true(judged > crowd * 0.9);
	assert_true(fabs(learn_scale(&l) - 3) < 0.6);
	learn_fini(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_several_caches),
		cmocka_unit_test(test_own_ways),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_missed),
		cmocka_unit_test(test_flood),
		cmocka_unit_test(test_crowded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
