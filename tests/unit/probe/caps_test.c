/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "probe/caps.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/attr.h"

static struct caps caps;

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
	caps_init(&caps, 0, RATE);
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

	caps_init(&caps, 1000, 100);
	for (uint64_t now = 1; now < 10000000; now += 10000)
		assert_int_equal(caps_reserve(&caps, &a, now), now);
}

static void
test_hosts_do_not_share(void **state UNUSED)
{
	const struct addr a = host(1), b = host(2);
	uint64_t last = 0;

	caps_init(&caps, 0, 10);
	for (int i = 0; i < 100; i++)
		last = caps_reserve(&caps, &a, 5);
	assert_true(last > 1000000);
	assert_int_equal(caps_reserve(&caps, &b, 5), 5);
}

static void
test_all_together_have_a_cap(void **state UNUSED)
{
	uint64_t last = 0;

	caps_init(&caps, 10000, 0);
	for (uint32_t i = 0; i < 11000; i++) {
		const struct addr a = host(i);

		last = caps_reserve(&caps, &a, 5);
	}
	assert_in_range(last, 900000, 1100000); /* 1,000 at once, 10,000 in a second */
}

/* More busy hosts than the table holds: the rest goes uncapped rather than wait for others. */
static void
test_a_full_table_delays_nobody_else(void **state UNUSED)
{
	caps_init(&caps, 0, 10);
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
		cmocka_unit_test(test_a_full_table_delays_nobody_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
