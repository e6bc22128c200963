/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "probe/schedule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/rand.h"

#define JOBS 1000u

static int
by_value(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Of n evenly spread places no two neighbours are farther apart than 3 times the ideal. */
static void
assert_even(uint64_t *due, size_t n, uint32_t interval_ms)
{
	uint64_t widest;

	qsort(due, n, sizeof(*due), by_value);
	widest = due[0] + interval_ms - due[n - 1];
	for (size_t i = 1; i < n; i++) {
		if (due[i] - due[i - 1] > widest)
			widest = due[i] - due[i - 1];
	}
	assert_true(widest <= 3 * interval_ms / n + 1);
	assert_true(due[n - 1] - due[0] < interval_ms);
}

/* A thousand jobs start in one moment; a round later they are spread, and then they stay so. */
static void
test_jobs_are_spread(void **state)
{
	static const uint32_t intervals[] = { 100, 1000, 5000, 3600000 };

	(void)state;
	for (size_t i = 0; i < sizeof(intervals) / sizeof(intervals[0]); i++) {
		for (uint64_t stride = 1; stride <= 3; stride++) {
			const struct schedule_rhythm r = { intervals[i], 50, 200 };
			const uint64_t start_ms = 123456789;
			uint64_t due[JOBS], again[JOBS];

			for (uint64_t n = 0; n < JOBS; n++) {
				const uint64_t spread = schedule_spread(n * stride);

				due[n] = schedule_next(&r, spread, start_ms, 0, false);
				again[n] = schedule_next(&r, spread, due[n], 5, false);
				assert_in_range(due[n], start_ms + 1, start_ms + intervals[i]);
				assert_int_equal(again[n], due[n] + intervals[i]);
			}
			assert_even(due, JOBS, intervals[i]);
		}
	}
}

/*
 * Whatever happens, as long as no probe outlasts its interval: the next one begins after the end
 * of the last, and no later than an interval after its start.
 */
static void
test_gap_is_never_longer_than_the_interval(void **state)
{
	struct rand_state rand;

	(void)state;
	rand_seed(&rand, 1);
	for (int i = 0; i < 1000; i++) {
		const uint32_t interval_ms = (uint32_t)(100 + rand_below(&rand, 5000));
		const struct schedule_rhythm r = { interval_ms, interval_ms - 1,
			(uint32_t)rand_below(&rand, 6000) };
		const uint64_t spread = rand_next(&rand);
		uint64_t at_ms = rand_below(&rand, 1000000);

		for (int probe = 0; probe < 100; probe++) {
			const uint64_t spent_ms = rand_below(&rand, interval_ms);
			const bool doubt = rand_below(&rand, 4) == 0;
			const uint64_t next_ms = schedule_next(&r, spread, at_ms, spent_ms, doubt);

			assert_true(next_ms > at_ms);
			assert_true(next_ms >= at_ms + spent_ms);
			assert_true(next_ms <= at_ms + interval_ms);
			at_ms = next_ms;
		}
	}
}

/* Back from anywhere within a few probes, even if each takes nearly the whole interval. */
static void
test_slot_is_found_again(void **state)
{
	struct rand_state rand;

	(void)state;
	rand_seed(&rand, 2);
	for (int i = 0; i < 1000; i++) {
		const struct schedule_rhythm r = { 1000, 900, 200 };
		const uint64_t spread = rand_next(&rand), spent_ms = rand_below(&rand, 900);
		uint64_t at_ms = rand_below(&rand, 100000), next_ms;
		int probes = 0;

		for (;; at_ms = next_ms) {
			next_ms = schedule_next(&r, spread, at_ms, spent_ms, false);
			if (next_ms == at_ms + 1000 &&
			    schedule_next(&r, spread, next_ms, spent_ms, false) == next_ms + 1000)
				break;
			assert_true(++probes < 12);
		}
	}
}

static void
test_rechecks(void **state)
{
	const struct schedule_rhythm r = { 5000, 2000, 200 }, slow = { 1000, 900, 3000 };

	(void)state;
	assert_int_equal(schedule_next(&r, 7, 100000, 1, true), 100200);
	assert_int_equal(schedule_next(&r, 7, 100000, 200, true), 100200);
	assert_int_equal(schedule_next(&r, 7, 100000, 2001, true), 102001);
	assert_int_equal(schedule_next(&slow, 7, 100000, 1, true), 101000);
}

/* A stalled machine: nothing is made up for, and not all start in one moment. */
static void
test_overrun_waits_for_the_slot(void **state)
{
	const struct schedule_rhythm r = { 1000, 900, 200 };
	uint64_t due[JOBS];

	(void)state;
	for (uint64_t n = 0; n < JOBS; n++) {
		due[n] = schedule_next(&r, schedule_spread(n), 50000 + n, 1000000, false);
		assert_in_range(due[n], 1050000 + n, 1050000 + n + 1000);
	}
	qsort(due, JOBS, sizeof(*due), by_value);
	assert_true(due[JOBS - 1] - due[0] > 900);
}

static void
test_retries_are_soon_and_apart(void **state)
{
	const struct schedule_rhythm r = { 5000, 2000, 200 }, quick = { 100, 50, 10 };
	uint64_t due[JOBS];

	(void)state;
	for (uint64_t n = 0; n < JOBS; n++) {
		due[n] = schedule_retry(&r, schedule_spread(n), 70000);
		assert_in_range(due[n], 70100, 70400);
		assert_in_range(schedule_retry(&quick, schedule_spread(n), 70000), 70001, 70150);
	}
	assert_even(due, JOBS, 250);
}

static void
test_pace(void **state)
{
	struct schedule_pace p = { 0 };

	(void)state;
	for (uint64_t n = 0; n < 10000; n++)
		assert_int_equal(schedule_pace(&p, 80000), 80000 + n / 5);
	assert_int_equal(schedule_pace(&p, 90000), 90000); /* nothing is saved up */
	for (int n = 1; n < 5; n++)
		assert_int_equal(schedule_pace(&p, 90000), 90000);
	assert_int_equal(schedule_pace(&p, 90000), 90001);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_jobs_are_spread),
		cmocka_unit_test(test_gap_is_never_longer_than_the_interval),
		cmocka_unit_test(test_slot_is_found_again),
		cmocka_unit_test(test_rechecks),
		cmocka_unit_test(test_overrun_waits_for_the_slot),
		cmocka_unit_test(test_retries_are_soon_and_apart),
		cmocka_unit_test(test_pace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
