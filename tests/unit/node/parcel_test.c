/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "node/parcel.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void
test_lengths(void **state)
{
	uint8_t data[64] = { 0 };
	struct parcel f;

	(void)state;
	for (size_t len = 0; len < 40; len++) {
		parcel_head(7, len, data);
		/* Not before all of it is there. */
		for (size_t have = 0; have < PARCEL_HEADER + len; have++)
			assert_int_equal(parcel_take(data, have, 41, &f), 0);
		assert_int_equal(parcel_take(data, PARCEL_HEADER + len, 41, &f), 1);
		assert_int_equal(parcel_take(data, sizeof(data), 41, &f), 1);
		assert_int_equal(f.type, 7);
		assert_int_equal(f.len, len);
		assert_int_equal(f.whole, PARCEL_HEADER + len);
		assert_ptr_equal(f.body, data + PARCEL_HEADER);
		/* Too long is known from its first four octets. */
		if (len > 0)
			assert_int_equal(parcel_take(data, 4, len, &f), -EINVAL);
	}
	memset(data, 0, 4);
	assert_int_equal(parcel_take(data, 4, 41, &f), -EINVAL);
	memset(data, 0xff, 4);
	assert_int_equal(parcel_take(data, 4, 1u << 30, &f), -EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_lengths) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
