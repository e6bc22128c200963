/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/rand.h"

static const struct {
	const char *text;
	int64_t ms;
} both_ways[] = {
	{ "1970-01-01T00:00:00.000Z", 0 },
	{ "1970-01-01T00:00:00.001Z", 1 },
	{ "1969-12-31T23:59:59.999Z", -1 },
	{ "2026-11-22T10:00:00.123Z", INT64_C(1795341600123) },
	{ "2000-02-29T23:59:59.999Z", INT64_C(951868799999) },
	{ "9999-12-31T23:59:59.999Z", INT64_C(253402300799999) },
};

static const struct {
	const char *text;
	const char *canonical;
} accepted[] = {
	{ "2026-11-22T10:00:00Z", "2026-11-22T10:00:00.000Z" },
	{ "2026-11-22T10:00:00.5Z", "2026-11-22T10:00:00.500Z" },
	{ "2026-11-22T10:00:00.123999Z", "2026-11-22T10:00:00.123Z" },
	{ "2026-11-22T10:00:00+08:00", "2026-11-22T02:00:00.000Z" },
	{ "2026-11-22T10:00:00.5-00:30", "2026-11-22T10:30:00.500Z" },
};

static const char *const refused[] = {
	"",
	"now",
	"2026-11-22",
	"2026-11-22T10:00:00",
	"2026-11-22 10:00:00Z",
	"2026-11-22T10:00:00z",
	"2026-11-22T10:00:00.Z",
	"2026-11-22T10:00:00Z ",
	" 2026-11-22T10:00:00Z",
	"2026-13-01T00:00:00Z",
	"2026-00-01T00:00:00Z",
	"2026-02-29T00:00:00Z",
	"2026-11-00T00:00:00Z",
	"2026-11-22T24:00:00Z",
	"2026-11-22T10:60:00Z",
	"2026-11-22T10:00:60Z",
	"2026-11-22T10:00:00+8:00",
	"2026-11-22T10:00:00+24:00",
	"2026-11-22T10:00:00+08:00x",
	"+026-11-22T10:00:00Z",
};

static void
test_both_ways(void **state)
{
	char text[CLOCK_TEXT_SIZE];
	int64_t ms;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(both_ways); i++) {
		assert_string_equal(clock_text(both_ways[i].ms, text), both_ways[i].text);
		assert_int_equal(clock_parse(both_ways[i].text, &ms), 0);
		assert_true(ms == both_ways[i].ms);
	}
}

static void
test_accepted(void **state)
{
	char text[CLOCK_TEXT_SIZE];
	int64_t ms;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(accepted); i++) {
		assert_int_equal(clock_parse(accepted[i].text, &ms), 0);
		assert_string_equal(clock_text(ms, text), accepted[i].canonical);
	}
}

static void
test_refused(void **state)
{
	int64_t ms;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		if (clock_parse(refused[i], &ms) != -EINVAL)
			fail_msg("'%s' was taken as %" PRId64, refused[i], ms);
	}
}

static void
test_random_times_come_back(void **state)
{
	struct rand_state r;

	(void)state;
	rand_seed(&r, 1);
	for (int i = 0; i < 20000; i++) {
		const int64_t told = (int64_t)rand_below(&r, UINT64_C(253402300800000));
		char text[CLOCK_TEXT_SIZE];
		int64_t ms;

		assert_int_equal(clock_parse(clock_text(told, text), &ms), 0);
		assert_true(ms == told);
	}
}

static void
test_clocks_run(void **state)
{
	const uint64_t us = clock_mono_us();

	(void)state;
	assert_true(clock_mono_us() >= us);
	assert_true(clock_mono_ms() >= us / 1000);
	assert_true(clock_real_ms() > both_ways[4].ms);
}

static void
test_far_times_fit(void **state)
{
	char text[CLOCK_TEXT_SIZE];

	(void)state;
	assert_true(strlen(clock_text(INT64_MAX, text)) < sizeof(text));
	assert_true(strlen(clock_text(INT64_MIN, text)) < sizeof(text));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_ways),
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_random_times_come_back),
		cmocka_unit_test(test_clocks_run),
		cmocka_unit_test(test_far_times_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
