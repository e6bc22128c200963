/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "probe/caps.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/attr.h"

static struct caps caps, other;
static struct caps_all all;

static void
init(uint32_t all_rate, uint32_t host_rate)
{
	caps_all_init(&all, all_rate);
	caps_init(&caps, &all, host_rate);
	caps_init(&other, &all, host_rate);
}

static struct addr
host(uint32_t n)
{
	const uint8_t ip[4] = { 127, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n };
	struct addr a;

	addr_ip_set(&a, AF_INET, ip, 80);
	return a;
}

/* Whoever asks at whatever times: no window of any length holds more than burst + rate * length,
 * nobody goes before he asked, and the order of asking is kept. */
static void
test_a_host_never_gets_more_than_its_rate(void **state UNUSED)
{
	enum { N = 5000, RATE = 100, BURST = 20 };
	static uint64_t at[N];
	const struct addr a = host(1);
	uint64_t now = 1000000;

	srand(7);
	init(0, RATE);
	for (int i = 0; i < N; i++) {
		now += (uint64_t)(rand() % 12000);
		at[i] = caps_reserve(&caps, &a, now);
		assert_true(at[i] >= now);
		assert_true(i == 0 || at[i] >= at[i - 1]);
	}
	for (int from = 0; from < N; from++) {
		for (int to = from + BURST; to < N; to += 97)
			assert_true((uint64_t)(to - from + 1 - BURST) * 1000000 / RATE <=
				    at[to] - at[from] + 1000000 / RATE);
	}
}

static void
test_slow_enough_is_not_delayed(void **state UNUSED)
{
	const struct addr a = host(1);

	init(1000, 100);
	for (uint64_t now = 1; now < 10000000; now += 10000)
		assert_int_equal(caps_reserve(&caps, &a, now), now);
}

static void
test_hosts_do_not_share(void **state UNUSED)
{
	const struct addr a = host(1), b = host(2);
	uint64_t last = 0;

	init(0, 10);
	for (int i = 0; i < 100; i++)
		last = caps_reserve(&caps, &a, 5);
	assert_true(last > 1000000);
	assert_int_equal(caps_reserve(&caps, &b, 5), 5);
}

static void
test_all_together_have_a_cap(void **state UNUSED)
{
	uint64_t last = 0;

	init(10000, 0);
	for (uint32_t i = 0; i < 11000; i++) {
		const struct addr a = host(i);

		last = caps_reserve(&caps, &a, 5);
	}
	assert_in_range(last, 900000, 1100000); /* 1,000 at once, 10,000 in a second */
}

/* Two threads, each with hosts of its own: what all may is for both together. */
static void
test_threads_share_what_all_may(void **state UNUSED)
{
	uint64_t last = 0;

	init(10000, 0);
	for (uint32_t i = 0; i < 11000; i++) {
		const struct addr a = host(i);

		last = caps_reserve(i % 2 ? &caps : &other, &a, 5);
	}
	assert_in_range(last, 900000, 1100000);
}

/* An extra one goes now or not at all, and who goes leaves less for the others. */
static void
test_who_need_not_wait(void **state UNUSED)
{
	const struct addr a = host(1), b = host(2);
	unsigned gone = 0;

	init(0, 10);
	while (gone < 100 && caps_take(&caps, &a, 5))
		gone++;
	assert_int_equal(gone, 20); /* at once */
	assert_true(caps_take(&caps, &b, 5));
	assert_in_range(caps_reserve(&caps, &a, 5), 90000, 110000);
	assert_false(caps_take(&caps, &a, 150000));
	assert_true(caps_take(&caps, &a, 300000));
	init(10, 0);
	for (gone = 0; gone < 2000 && caps_take(&caps, &a, 5);)
		gone++;
	assert_int_equal(gone, 1000);
	assert_false(caps_take(&other, &b, 5));
}

/* More busy hosts than the table holds: the rest goes uncapped rather than wait for others. */
static void
test_a_full_table_delays_nobody_else(void **state UNUSED)
{
	init(0, 10);
	for (uint32_t i = 0; i < 4 * CAPS_HOSTS; i++) {
		const struct addr a = host(i);

		assert_int_equal(caps_reserve(&caps, &a, 5), 5);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_host_never_gets_more_than_its_rate),
		cmocka_unit_test(test_slow_enough_is_not_delayed),
		cmocka_unit_test(test_hosts_do_not_share),
		cmocka_unit_test(test_all_together_have_a_cap),
		cmocka_unit_test(test_threads_share_what_all_may),
		cmocka_unit_test(test_who_need_not_wait),
		cmocka_unit_test(test_a_full_table_delays_nobody_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
