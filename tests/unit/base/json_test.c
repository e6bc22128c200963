/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
test_what_goes_in_comes_out(void **state)
{
	static const char *const texts[] = {
		"{\"b\":1,\"a\":[true,false,null],\"c\":\"\xc3\xa9\"}",
		"{\"zulu\":0.1,\"alpha\":1e300,\"n\":-9223372036854775808}",
		"[]",
		"\"text\"",
		"12",
		"null",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct diag d;

		diag_init(&d);
		json_t *j = json_parse(texts[i], strlen(texts[i]), &d);

		if (j == NULL)
			fail_msg("%s: %s", texts[i], diag_text(&d));
		char *text = json_text(j);

		assert_string_equal(text, texts[i]);
		free(text);
		json_decref(j);
		diag_fini(&d);
	}
}

static void
test_refused_with_the_place(void **state)
{
	static const struct {
		const char *text, *where;
	} cases[] = {
		{ "{\"a\":1,\n \"a\":2}", "line 2, " },
		{ "{} x", "line 1, column 4" },
		{ "[NaN]", "line 1, column " },
		{ "[1,]", "line 1, column 4" },
		{ "['a']", "line 1, column " },
		{ "[01]", "line 1, column " },
		{ "[\"\xff\"]", "line 1, " },
		{ "[99999999999999999999]", "line 1, " },
		{ "[1e999]", "line 1, " },
		{ "[\"\\u0000\"]", "line 1, " },
		{ "// no\n[]", "line 1, " },
		{ "", "line 1, " },
		{ "{\n\n\"a\":", "line 3, " },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct diag d;

		diag_init(&d);
		assert_null(json_parse(cases[i].text, strlen(cases[i].text), &d));
		assert_int_equal(d.code, DIAG_INVALID);
		if (strncmp(d.first->where, cases[i].where, strlen(cases[i].where)) != 0)
			fail_msg("'%s': %s", cases[i].text, diag_text(&d));
		assert_true(strlen(d.first->detail) > 0);
		diag_fini(&d);
	}
}

/* `depth` arrays in each other, the innermost holding brackets in a string. */
static char *
nested(size_t depth)
{
	static const char inner[] = "\"[[{{\\\"[\"";
	char *text = calloc(1, 2 * depth + sizeof(inner));

	memset(text, '[', depth);
	memcpy(text + depth, inner, sizeof(inner) - 1);
	memset(text + depth + sizeof(inner) - 1, ']', depth);
	return text;
}

static void
test_nesting(void **state)
{
	struct diag d;

	(void)state;
	diag_init(&d);
	for (size_t depth = 63; depth <= 66; depth++) {
		char *text = nested(depth);
		json_t *j = json_parse(text, strlen(text), &d);

		assert_int_equal(j != NULL, depth <= 64);
		json_decref(j);
		free(text);
	}
	assert_string_equal(d.first->where, "line 1, column 65");
	assert_string_equal(d.first->detail, "nested deeper than 64 levels");
	diag_fini(&d);
}

static void
test_only_the_given_bytes_count(void **state)
{
	struct diag d;

	(void)state;
	diag_init(&d);
	json_t *j = json_parse("[1]garbage", 3, &d);

	assert_non_null(j);
	json_decref(j);
	assert_null(json_parse("[1]\0", 4, &d));
	diag_fini(&d);
}

static void
test_pretty(void **state)
{
	json_t *j = json_pack("{s:[i,i]}", "a", 1, 2);
	char *text = json_pretty(j);

	(void)state;
	assert_string_equal(text, "{\n  \"a\": [\n    1,\n    2\n  ]\n}");
	free(text);
	json_decref(j);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_goes_in_comes_out),
		cmocka_unit_test(test_refused_with_the_place),
		cmocka_unit_test(test_nesting),
		cmocka_unit_test(test_only_the_given_bytes_count),
		cmocka_unit_test(test_pretty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
