/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/duration.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rand.h"

static const struct {
	const char *text;
	uint64_t ms;
} both_ways[] = {
	{ "0s", 0 },
	{ "1ms", 1 },
	{ "200ms", 200 },
	{ "1500ms", 1500 },
	{ "5s", 5000 },
	{ "90s", 90000 },
	{ "1m", 60000 },
	{ "90m", 5400000 },
	{ "1h", 3600000 },
	{ "24h", 86400000 },
	{ "87600h", UINT64_C(315360000000) },
};

static const struct {
	const char *text;
	uint64_t ms;
	int error;
} parsed[] = {
	{ "1m30s", 90000, 0 },
	{ "1h1m1s1ms", 3661001, 0 },
	{ "60s", 60000, 0 },
	{ "007s", 7000, 0 },
	{ "0ms", 0, 0 },
	{ "87599h3600s", UINT64_C(315360000000), 0 },
	{ "0", 0, -EINVAL },
	{ "", 0, -EINVAL },
	{ "5", 0, -EINVAL },
	{ "s", 0, -EINVAL },
	{ "5 s", 0, -EINVAL },
	{ " 5s", 0, -EINVAL },
	{ "5s ", 0, -EINVAL },
	{ "-5s", 0, -EINVAL },
	{ "+5s", 0, -EINVAL },
	{ "1.5s", 0, -EINVAL },
	{ "5S", 0, -EINVAL },
	{ "7d", 604800000, 0 },
	{ "1d12h", 129600000, 0 },
	{ "3651d", 0, -ERANGE },
	{ "1h1d", 0, -EINVAL },
	{ "5D", 0, -EINVAL },
	{ "5sm", 0, -EINVAL },
	{ "5mss", 0, -EINVAL },
	{ "5s1m", 0, -EINVAL },
	{ "5s5s", 0, -EINVAL },
	{ "5s5", 0, -EINVAL },
	{ "87600h1ms", 0, -ERANGE },
	{ "87601h", 0, -ERANGE },
	{ "18446744073709551616ms", 0, -ERANGE },
	{ "99999999999999999999999999999999999h1m", 0, -ERANGE },
	{ "99999999999999999999999999999999999h1", 0, -EINVAL },
};

static void
test_both_ways(void **state)
{
	char text[DURATION_TEXT_SIZE];
	uint64_t ms;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(both_ways); i++) {
		assert_string_equal(duration_text(both_ways[i].ms, text), both_ways[i].text);
		assert_int_equal(duration_parse(both_ways[i].text, &ms), 0);
		assert_true(ms == both_ways[i].ms);
	}
}

static void
test_parse(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(parsed); i++) {
		uint64_t ms = 0;
		const int error = duration_parse(parsed[i].text, &ms);

		if (error != parsed[i].error || ms != parsed[i].ms)
			fail_msg("'%s': %d, %" PRIu64, parsed[i].text, error, ms);
	}
}

static void
test_random_ones_come_back(void **state)
{
	struct rand_state r;
	char text[DURATION_TEXT_SIZE];

	(void)state;
	rand_seed(&r, 1);
	for (int i = 0; i < 20000; i++) {
		const uint64_t told = rand_next(&r) % UINT64_C(315360000000);
		uint64_t ms;

		assert_int_equal(duration_parse(duration_text(told, text), &ms), 0);
		assert_true(ms == told);
	}
	duration_text(UINT64_MAX, text);
	assert_string_equal(text, "18446744073709551615ms");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_ways),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_random_ones_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
