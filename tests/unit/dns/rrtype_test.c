/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dns/rrtype.h"

/* Every number reads back from its text: the table is sorted and has no twins. */
static void
all_round_trip(void **state)
{
	(void)state;
	for (unsigned type = 0; type <= UINT16_MAX; type++) {
		char text[RRTYPE_TEXT_SIZE];
		uint16_t back = 0;

		assert_int_equal(rrtype_parse(rrtype_text((uint16_t)type, text), &back), 0);
		assert_int_equal(back, type);
	}
}

static void
parse(void **state)
{
	uint16_t type = 0;

	(void)state;
	assert_int_equal(rrtype_parse("aaaa", &type), 0);
	assert_int_equal(type, RRTYPE_AAAA);
	assert_int_equal(rrtype_parse("type65", &type), 0);
	assert_int_equal(type, RRTYPE_HTTPS);
	assert_int_equal(rrtype_parse("TYPE", &type), -EINVAL);
	assert_int_equal(rrtype_parse("TYPE65536", &type), -EINVAL);
	assert_int_equal(rrtype_parse("TYPE1x", &type), -EINVAL);
	assert_int_equal(rrtype_parse("NOPE", &type), -EINVAL);
	assert_int_equal(rrtype_parse("", &type), -EINVAL);
}

static void
layout(void **state)
{
	(void)state;
	assert_int_equal(rrtype_compressible(RRTYPE_MX).fixed, 2);
	assert_int_equal(rrtype_compressible(RRTYPE_SOA).names, 2);
	assert_int_equal(rrtype_compressible(RRTYPE_SRV).names, 0);
	assert_int_equal(rrtype_compressible(RRTYPE_DNAME).names, 0);
	assert_int_equal(rrtype_additional(RRTYPE_NS), 0);
	assert_int_equal(rrtype_additional(RRTYPE_SRV), 6);
	assert_int_equal(rrtype_additional(RRTYPE_HTTPS), 2);
	assert_int_equal(rrtype_additional(RRTYPE_TXT), -1);
	assert_int_equal(rrtype_additional(4711), -1);
	assert_true(rrtype_is_meta(RRTYPE_ANY));
	assert_true(rrtype_is_meta(RRTYPE_OPT));
	assert_false(rrtype_is_meta(RRTYPE_CAA));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_round_trip),
		cmocka_unit_test(parse),
		cmocka_unit_test(layout),
	};

	return cmocka_run_group_tests_name("rrtype", tests, NULL, NULL);
}
