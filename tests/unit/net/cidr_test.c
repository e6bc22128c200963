/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/cidr.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void
texts(void **state)
{
	static const char *const rows[][2] = { { "any", "any" }, { "192.0.2.1", "192.0.2.1" },
		{ "192.0.2.1/32", "192.0.2.1" }, { "192.0.2.0/24", "192.0.2.0/24" },
		{ "0.0.0.0/0", "0.0.0.0/0" }, { "2001:DB8:0::/32", "2001:db8::/32" },
		{ "::1", "::1" }, { "2001:db8::1/128", "2001:db8::1" } };
	static const char *const bad[] = { "", "/", "192.0.2.1/24", "192.0.2.0/33", "192.0.2.0/",
		"192.0.2.0/-1", "192.0.2.0/24x", "2001:db8::1/64", "ns.example", "ANY",
		"192.0.2.0/0024" };
	char text[CIDR_TEXT_SIZE];
	struct cidr c;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(cidr_parse(&c, rows[i][0]), 0);
		assert_string_equal(cidr_text(&c, text), rows[i][1]);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(cidr_parse(&c, bad[i]), -EINVAL);
}

static bool
holds(const char *range, const char *ip)
{
	struct addr a;
	struct cidr c;

	assert_int_equal(cidr_parse(&c, range), 0);
	assert_int_equal(addr_ip_parse(&a, ip, AF_UNSPEC), 0);
	return cidr_holds(&c, &a);
}

static void
members(void **state)
{
	(void)state;
	assert_true(holds("any", "192.0.2.1"));
	assert_true(holds("any", "2001:db8::1"));
	assert_true(holds("192.0.2.0/25", "192.0.2.127"));
	assert_false(holds("192.0.2.0/25", "192.0.2.128"));
	assert_true(holds("0.0.0.0/0", "203.0.113.1"));
	assert_false(holds("0.0.0.0/0", "2001:db8::1"));
	assert_true(holds("2001:db8::/33", "2001:db8:7fff::1"));
	assert_false(holds("2001:db8::/33", "2001:db8:8000::1"));
	assert_true(holds("192.0.2.0/24", "::ffff:192.0.2.9"));
	assert_true(holds("::1", "::1"));
	assert_false(holds("::1", "::2"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts),
		cmocka_unit_test(members),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
