/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *text;
	const char *canonical; /* NULL = refused */
} cases[] = {
	{ "127.0.0.1:5300", "127.0.0.1:5300" },
	{ "127.0.0.1", "127.0.0.1:53" },
	{ "[::1]:5300", "[::1]:5300" },
	{ "[::1]", "[::1]:53" },
	{ "::1", "[::1]:53" },
	{ "::", "[::]:53" },
	{ "0.0.0.0:0", "0.0.0.0:0" },
	{ "2001:DB8:0:0:0:0:0:53", "[2001:db8::53]:53" },
	{ "::ffff:192.0.2.1", "[::ffff:192.0.2.1]:53" },
	{ "192.0.2.1:65535", "192.0.2.1:65535" },
	{ "192.0.2.1:65536", NULL },
	{ "192.0.2.1:", NULL },
	{ "192.0.2.1:+53", NULL },
	{ "192.0.2.1:53 ", NULL },
	{ "192.0.2.1:000053", NULL },
	{ "192.0.2", NULL },
	{ "192.0.2.01", NULL },
	{ "[192.0.2.1]:53", NULL },
	{ "[::1", NULL },
	{ "[::1]53", NULL },
	{ "[::1]:", NULL },
	{ "[]:53", NULL },
	{ ":53", NULL },
	{ "localhost:53", NULL },
	{ "", NULL },
	{ "[1111:1111:1111:1111:1111:1111:1111:1111:1111:1111]:53", NULL },
};

static void
test_parse(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char text[ADDR_TEXT_SIZE];
		struct addr a;
		const int error = addr_parse(&a, cases[i].text, 53);

		if (cases[i].canonical == NULL) {
			assert_int_equal(error, -EINVAL);
			assert_int_equal(addr_family(&a), AF_UNSPEC);
			continue;
		}
		assert_int_equal(error, 0);
		assert_string_equal(addr_text(&a, text), cases[i].canonical);
	}
}

/* All that a byte may be, at each place: the text is inet_ntop's. */
static void
test_ipv4_text(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4 * 256; i++) {
		uint8_t ip[4] = { 9, 99, 100, 255 };
		char text[ADDR_TEXT_SIZE], want[ADDR_TEXT_SIZE];
		struct addr a;

		ip[i / 256] = (uint8_t)i;
		addr_ip_set(&a, AF_INET, ip, 53);
		inet_ntop(AF_INET, ip, want, sizeof(want));
		assert_string_equal(addr_ip_text(&a, text), want);
	}
}

static void
test_longest_text_fits(void **state)
{
	char text[ADDR_TEXT_SIZE];
	struct addr a;

	(void)state;
	assert_int_equal(addr_parse(&a, "[1111:1111:1111:1111:1111:1111:1111:1111]:65535", 53), 0);
	assert_string_equal(addr_text(&a, text), "[1111:1111:1111:1111:1111:1111:1111:1111]:65535");
}

static void
test_ip_parse_keeps_to_the_family(void **state)
{
	char text[ADDR_TEXT_SIZE];
	struct addr a;

	(void)state;
	assert_int_equal(addr_ip_parse(&a, "192.0.2.1", AF_INET), 0);
	assert_string_equal(addr_ip_text(&a, text), "192.0.2.1");
	assert_int_equal(addr_ip_parse(&a, "192.0.2.1", AF_INET6), -EINVAL);
	assert_int_equal(addr_ip_parse(&a, "2001:db8::1", AF_INET), -EINVAL);
	assert_int_equal(addr_ip_parse(&a, "2001:db8::1", AF_UNSPEC), 0);
	assert_string_equal(addr_ip_text(&a, text), "2001:db8::1");
	assert_int_equal(addr_ip_parse(&a, "[2001:db8::1]", AF_UNSPEC), -EINVAL);
}

/* In ascending order: every earlier is smaller than every later. */
static void
test_order_and_hash(void **state)
{
	static const char *const ascending[] = { "9.0.0.1:1", "10.0.0.1:1", "10.0.0.1:2",
		"10.0.0.2:1", "[::]:1", "[::1]:1", "[2001:db8::1]:53" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ascending); i++) {
		for (size_t j = 0; j < ARRAY_LEN(ascending); j++) {
			struct addr a, b;

			assert_int_equal(addr_parse(&a, ascending[i], 0), 0);
			assert_int_equal(addr_parse(&b, ascending[j], 0), 0);
			const int order = addr_compare(&a, &b);

			assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
			assert_int_equal(addr_equal(&a, &b), i == j);
			assert_int_equal(addr_hash(&a) == addr_hash(&b), i == j);
			if (addr_ip_equal(&a, &b))
				assert_true(addr_ip_hash(&a) == addr_ip_hash(&b));
		}
	}
}

static void
test_kernel_and_wire_forms_agree(void **state)
{
	static const uint8_t ip4[] = { 192, 0, 2, 1 };
	struct sockaddr_storage dirty;
	struct addr a, b, none;
	size_t len;

	(void)state;
	addr_ip_set(&a, AF_INET, ip4, 53);
	memset(&dirty, 0xff, sizeof(dirty));
	memcpy(&dirty, &a.in4, sizeof(a.in4));
	addr_set(&b, (struct sockaddr *)&dirty, sizeof(dirty));
	assert_true(addr_equal(&a, &b));
	assert_int_equal(b.len, sizeof(struct sockaddr_in));
	assert_memory_equal(addr_ip(&b, &len), ip4, 4);
	assert_int_equal(len, 4);
	assert_int_equal(addr_port(&b), 53);

	dirty.ss_family = AF_UNIX;
	addr_set(&none, (struct sockaddr *)&dirty, sizeof(dirty));
	assert_int_equal(addr_family(&none), AF_UNSPEC);
	assert_null(addr_ip(&none, &len));
	assert_false(addr_is_any(&none));
}

static void
test_any(void **state)
{
	struct addr a;

	(void)state;
	assert_int_equal(addr_parse(&a, "0.0.0.0", 53), 0);
	assert_true(addr_is_any(&a));
	assert_int_equal(addr_parse(&a, "::", 53), 0);
	assert_true(addr_is_any(&a));
	assert_int_equal(addr_parse(&a, "::1", 53), 0);
	assert_false(addr_is_any(&a));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_ipv4_text),
		cmocka_unit_test(test_longest_text_fits),
		cmocka_unit_test(test_ip_parse_keeps_to_the_family),
		cmocka_unit_test(test_order_and_hash),
		cmocka_unit_test(test_kernel_and_wire_forms_agree),
		cmocka_unit_test(test_any),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
