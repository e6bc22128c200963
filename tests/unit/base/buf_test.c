/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
test_numbers_in_network_order(void **state)
{
	static const uint8_t expected[] = { 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09,
		0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f };
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	buf_put_u8(&b, 0x01);
	buf_put_u16(&b, 0x0203);
	buf_put_u32(&b, 0x04050607);
	buf_put_u64(&b, UINT64_C(0x08090a0b0c0d0e0f));
	assert_int_equal(b.len, sizeof(expected));
	assert_memory_equal(b.data, expected, sizeof(expected));

	struct buf_reader r = { .data = b.data, .len = b.len };

	assert_int_equal(buf_read_u8(&r), 0x01);
	assert_int_equal(buf_read_u16(&r), 0x0203);
	assert_int_equal(buf_read_u32(&r), 0x04050607);
	assert_true(buf_read_u64(&r) == UINT64_C(0x08090a0b0c0d0e0f));
	assert_false(r.bad);
	assert_int_equal(r.pos, r.len);
	buf_fini(&b);
}

static void
test_reading_past_the_end_is_bad_for_good(void **state)
{
	struct buf_reader r = { .data = (const uint8_t *)"\1\2\3", .len = 3 };

	(void)state;
	assert_int_equal(buf_read_u32(&r), 0);
	assert_true(r.bad);
	assert_int_equal(buf_read_u8(&r), 0); /* though a byte is there */

	r = (struct buf_reader){ .data = (const uint8_t *)"\1\2\3", .len = 3 };
	assert_memory_equal(buf_read_bytes(&r, 3), "\1\2\3", 3);
	assert_non_null(buf_read_bytes(&r, 0));
	assert_null(buf_read_bytes(&r, SIZE_MAX));
	assert_true(r.bad);
}

static void
test_overflow_sticks_and_changes_nothing(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 4);
	buf_puts(&b, "abc");
	buf_put_u16(&b, 1);
	assert_true(b.overflow);
	buf_put_u8(&b, 'd'); /* would fit, but the writer is lost already */
	assert_string_equal(buf_str(&b), "abc");
	buf_printf(&b, "x");
	assert_string_equal(buf_str(&b), "abc");

	buf_clear(&b);
	assert_false(b.overflow);
	buf_printf(&b, "%d", 1234);
	assert_false(b.overflow);
	assert_string_equal(buf_str(&b), "1234"); /* the NUL does not count */
	buf_put(&b, "", SIZE_MAX);
	assert_true(b.overflow);
	buf_fini(&b);
}

static void
test_empty(void **state)
{
	struct buf b;
	size_t len = 1;

	(void)state;
	buf_init(&b, 0);
	assert_string_equal(buf_str(&b), "");
	buf_put(&b, NULL, 0);
	buf_drop(&b, 1);
	assert_false(b.overflow);

	uint8_t *data = buf_take(&b, &len);

	assert_non_null(data);
	assert_int_equal(len, 0);
	free(data);
	buf_fini(&b);
}

static void
test_grow_drop_and_take(void **state)
{
	struct buf b;
	size_t len;

	(void)state;
	buf_init(&b, 1u << 20);
	for (int i = 0; i < 10000; i++)
		buf_printf(&b, "%d,", i);
	assert_memory_equal(b.data, "0,1,2,", 6);
	buf_drop(&b, 4);
	assert_memory_equal(b.data, "2,3,4,", 6);
	len = b.len;
	buf_drop(&b, 0);
	assert_int_equal(b.len, len);

	char *text = (char *)buf_take(&b, &len);

	assert_int_equal(strlen(text), len);
	assert_string_equal(text + len - 5, "9999,");
	free(text);
	assert_int_equal(b.len, 0);
	buf_puts(&b, "again");
	assert_string_equal(buf_str(&b), "again");
	buf_drop(&b, 100);
	assert_string_equal(buf_str(&b), "");
	buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers_in_network_order),
		cmocka_unit_test(test_reading_past_the_end_is_bad_for_good),
		cmocka_unit_test(test_overflow_sticks_and_changes_nothing),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_grow_drop_and_take),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
