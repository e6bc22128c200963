/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/pattern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/escape.h"

static void
test_escapes(void **state)
{
	static const char *const bad[] = { "\\q", "\\", "\\x4", "\\xg0" };
	char out[64];

	(void)state;
	assert_int_equal(escape_decode("a\\r\\n\\t\\0\\\\\\x41\\xfF", out), 8);
	assert_memory_equal(out, "a\r\n\t\0\\A\xff", 8);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_true(escape_decode(bad[i], out) < 0);
	assert_int_equal(escape_pattern("^\\.\\r\\x2e\\x41\\\\n\\w$", out), 0);
	assert_string_equal(out, "^\\.\r\\.A\\\\n\\w$");
	assert_true(escape_pattern("\\x00", out) < 0);
	assert_true(escape_pattern("\\x4", out) < 0);
}

static void
test_refusals(void **state)
{
	static const char *const rows[][2] = {
		{ "(a", "Unmatched ( or \\(" },
		{ "[a", "Unmatched [, [^, [:, [., or [=" },
		{ "(a)\\1", "back-references are not allowed" },
		{ "(a{40}){40}", "repeat counts multiply to more than 1000" },
		{ "a{99999999999}", "repeat counts multiply to more than 1000" },
		{ "a\\x0", "\\x needs two hexadecimal digits, not 00" },
	};
	char why[PATTERN_WHY_SIZE], large[PATTERN_MAX + 2];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_true(pattern_check(rows[i][0], why) < 0);
		assert_string_equal(why, rows[i][1]);
		assert_null(pattern_get(rows[i][0]));
	}
	memset(large, 'a', sizeof(large));
	large[sizeof(large) - 1] = '\0';
	assert_true(pattern_check(large, why) < 0);
	assert_string_equal(why, "is longer than 255 bytes");
	assert_int_equal(pattern_check("[{1000}]{9}\\{99999}[^]{999999}]", why), 0);
}

static void
test_matches(void **state)
{
	struct pattern *p = pattern_get("^a[^b]b\\r\\n"), *twin = pattern_get("^a[^b]b\\r\\n");

	(void)state;
	assert_ptr_equal(p, twin);
	pattern_put(&twin);
	assert_null(twin);
	assert_true(pattern_match(p, "a\0b\r\nrest", 10));
	assert_false(pattern_match(p, "a\0b\r\n", 4));
	assert_false(pattern_match(p, "xa\0b\r\n", 6));
	assert_false(pattern_match(p, NULL, 0));
	pattern_put(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_matches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
