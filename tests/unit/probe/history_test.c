/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "probe/history.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "probe/lag.h"
#include "probe/reason.h"

static double
number(const json_t *o, const char *key)
{
	return json_number_value(json_object_get(o, key));
}

static void
test_what_goes_in_comes_out(void **state UNUSED)
{
	struct history h = { 0 };
	const struct observation o = {
		.at_ms = 1764111180123,
		.connect_us = 1,
		.tls_us = 1000,
		.first_byte_us = 60000000,
		.total_us = UINT32_MAX,
		.status = 503,
		.reason = reason_of("http_status", ""),
	};

	history_add(&h, &o);

	json_t *list = history_json(&h), *got = json_array_get(list, 0);

	assert_int_equal(json_array_size(list), 1);
	assert_string_equal(
	    json_string_value(json_object_get(got, "at")), "2025-11-25T22:53:00.123Z");
	assert_string_equal(json_string_value(json_object_get(got, "cause")), "http_status");
	assert_string_equal(json_string_value(json_object_get(got, "text")), "status 503");
	assert_true(json_is_false(json_object_get(got, "passed")));
	assert_true(json_is_null(json_object_get(got, "resolve")));
	assert_true(number(got, "connect") > 0); /* got there, however fast */
	assert_true(number(got, "tls") == 1.0);
	assert_true(number(got, "first_byte") == 60000.0);
	assert_true(number(got, "total") > 60000.0);
	json_decref(list);
}

static void
test_the_last_sixteen_newest_first(void **state UNUSED)
{
	struct history h = { 0 };

	for (uint32_t i = 1; i <= 40; i++)
		history_add(&h,
		    &(struct observation){
			.total_us = i * 4000, .passed = i % 2 == 0, .reason = reason_of("", "x") });

	json_t *list = history_json(&h), *o;
	size_t i;

	assert_int_equal(json_array_size(list), HISTORY_MAX);
	json_array_foreach(list, i, o)
	{
		assert_true(number(o, "total") == (double)(40 - i) * 4);
		assert_int_equal(json_is_true(json_object_get(o, "passed")), (40 - i) % 2 == 0);
	}
	json_decref(list);
}

static void
test_reasons_are_told_apart(void **state UNUSED)
{
	static const char a[] = "one", b[] = "two";
	const uint16_t x = reason_of(a, b), y = reason_of(b, a);

	assert_int_not_equal(x, y);
	assert_int_equal(reason_of(a, b), x);
	assert_ptr_equal(reason_at(y).cause, b);
	assert_ptr_equal(reason_at(y).text, a);
}

static void
test_lag_is_counted_up_to_its_bound(void **state UNUSED)
{
	struct lag l = { 0 };
	const uint64_t late_us[] = { 0, 500, 501, 20000, 20001, UINT64_C(1) << 40 };

	for (size_t i = 0; i < ARRAY_LEN(late_us); i++)
		lag_add(&l, late_us[i]);

	json_t *j = lag_json(&l), *buckets = json_object_get(j, "histogram"), *b;
	size_t i;

	assert_int_equal(json_integer_value(json_object_get(j, "count")), 6);
	json_array_foreach(buckets, i, b)
	{
		const json_t *bound = json_array_get(b, 0);
		const json_int_t n = json_integer_value(json_array_get(b, 1));

		if (json_is_null(bound))
			assert_int_equal(n, 6);
		else if (json_real_value(bound) == 0.0005)
			assert_int_equal(n, 2);
		else if (json_real_value(bound) == 0.02)
			assert_int_equal(n, 4);
	}
	json_decref(j);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_goes_in_comes_out),
		cmocka_unit_test(test_the_last_sixteen_newest_first),
		cmocka_unit_test(test_reasons_are_told_apart),
		cmocka_unit_test(test_lag_is_counted_up_to_its_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
