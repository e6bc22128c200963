/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "feed/forward.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void
check(const char *peer, bool tcp, const char *message)
{
	struct forward in = { .id = 0xdeadbeef, .tcp = tcp }, out;
	struct buf b;

	buf_init(&b, 1000);
	if (peer != NULL)
		assert_int_equal(addr_parse(&in.peer, peer, 0), 0);
	in.message = (const uint8_t *)message;
	in.len = strlen(message);
	forward_put(&b, &in);
	assert_int_equal(forward_take(b.data, b.len, &out), 0);
	assert_int_equal(out.id, in.id);
	assert_int_equal(out.tcp, tcp);
	assert_true(addr_equal(&in.peer, &out.peer));
	assert_int_equal(out.len, in.len);
	assert_memory_equal(out.message, in.message, in.len);
	for (size_t n = 0; n < b.len - in.len; n++)
		assert_int_equal(forward_take(b.data, n, &out), -EINVAL);
	buf_fini(&b);
}

static void
test_there_and_back(void **state UNUSED)
{
	check("192.0.2.1:53", false, "a message");
	check("[2001:db8::1]:5353", true, "");
	check(NULL, true, "from nowhere");
}

static void
test_odd_heads_are_refused(void **state UNUSED)
{
	static const uint8_t transport[] = { 0, 0, 0, 1, 2, 0, 0, 0 };
	static const uint8_t family[] = { 0, 0, 0, 1, 0, 5, 1, 2, 3, 4, 5, 0, 0 };
	struct forward f;

	assert_int_equal(forward_take(transport, sizeof(transport), &f), -EINVAL);
	assert_int_equal(forward_take(family, sizeof(family), &f), -EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_odd_heads_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
