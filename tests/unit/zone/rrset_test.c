/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "zone/rrset.h"

#define DATA(s) (const uint8_t *)(s), sizeof(s) - 1

static void
sorted_without_twins(void **state)
{
	struct rrset *s = rrset_new(16, 60, DATA("\0\2bb\0\1c\0\2bb\0\0\0\1b"));
	struct rrset *t = rrset_new(16, 60, DATA("\0\1c\0\0\0\1b\0\2bb"));
	uint32_t pos = 0;
	uint16_t len;

	(void)state;
	assert_int_equal(s->count, 4);
	assert_non_null(rrset_next(s, &pos, &len));
	assert_int_equal(len, 0);
	assert_memory_equal(rrset_next(s, &pos, &len), "b", 1);
	assert_memory_equal(rrset_next(s, &pos, &len), "bb", 2);
	assert_int_equal(len, 2);
	assert_memory_equal(rrset_next(s, &pos, &len), "c", 1);
	assert_null(rrset_next(s, &pos, &len));
	assert_true(rrset_equal(s, t));
	t->ttl_s++;
	assert_false(rrset_equal(s, t));
	rrset_free(&s);
	rrset_free(&t);
	assert_null(s);
}

static void
malformed(void **state)
{
	(void)state;
	assert_null(rrset_new(1, 1, DATA("")));
	assert_null(rrset_new(1, 1, DATA("\0")));
	assert_null(rrset_new(1, 1, DATA("\0\2a")));
	assert_null(rrset_new(1, 1, DATA("\0\1ab")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sorted_without_twins),
		cmocka_unit_test(malformed),
	};

	return cmocka_run_group_tests_name("rrset", tests, NULL, NULL);
}
