/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/objname.h"

#include "spec.h"

static void
good(void **state)
{
	(void)state;
	assert_null(objname_fault("dc-a"));
	assert_null(objname_fault("DC_a.1:80*"));
	assert_null(objname_fault("北京-电信"));
	assert_null(objname_fault("münchen"));
	assert_null(objname_fault("москва"));
	assert_null(
	    objname_fault("0123456789012345678901234567890123456789012345678901234567890123"));
	assert_null(
	    objname_fault("京京京京京京京京京京京京京京京京京京京京京京京京京京京京京京京京"
			  "京京京京京京京京京京京京京京京京京京京京京京京京京京京京京京京京"));
}

static void
bad(void **state)
{
	static const char *const names[] = { "a b", "a/b", "a\tb",
		"a\xc2\xa0"
		"b",
		"a\xe2\x80\x8b"
		"b", /* zero width space */
		"\xff", "\xc3", "\xc0\xaf", "\xed\xa0\x80", "\xf5\x80\x80\x80", "a\"",
		"\xe3\x80\x80" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		assert_string_equal(
		    objname_fault(names[i]), "contains a character that names may not have");
	assert_string_equal(objname_fault(""), "must not be empty");
	assert_string_equal(
	    objname_fault("01234567890123456789012345678901234567890123456789012345678901234"),
	    "is longer than 64 characters");
}

static void
printable(void **state)
{
	(void)state;
	assert_true(objname_is_printable("a \xc3\xa9", 4));
	assert_false(objname_is_printable("a\nb", 3));
	assert_false(objname_is_printable("\x7f", 1));
	assert_false(objname_is_printable("\xc2\x85", 2));
	assert_false(objname_is_printable("a\0b", 3));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good),
		cmocka_unit_test(bad),
		cmocka_unit_test(printable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
