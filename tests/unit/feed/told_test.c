/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "feed/told.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
test_a_status_there_and_back(void **state UNUSED)
{
	const struct told_status in = { KIND_DOMAIN, "www.example.com/A", "{\"health\":\"ok\"}" };
	struct told_status out;
	struct buf b;

	buf_init(&b, 1000);
	told_put_status(&b, &in);
	assert_int_equal(told_take_status(b.data, b.len, &out), 0);
	assert_int_equal(out.kind, in.kind);
	assert_string_equal(out.name, in.name);
	assert_string_equal(out.status, in.status);
	for (size_t n = 0; n < b.len; n++) {
		/* Of its own size, so that reading beyond is found. */
		uint8_t *part = malloc(n + 1);

		memcpy(part, b.data, n);
		assert_int_equal(told_take_status(part, n, &out), -EINVAL);
		free(part);
	}
	buf_put_u8(&b, 0);
	assert_int_equal(told_take_status(b.data, b.len, &out), -EINVAL);
	b.data[0] = 255;
	assert_int_equal(told_take_status(b.data, b.len - 1, &out), -EINVAL);
	buf_fini(&b);
}

static void
check_event(const struct told_event *in)
{
	struct told_event out;
	struct buf b;

	buf_init(&b, 1000);
	told_put_event(&b, in);
	assert_int_equal(told_take_event(b.data, b.len, &out), 0);
	assert_int_equal(out.at_ms, in->at_ms);
	assert_string_equal(out.kind, in->kind);
	assert_string_equal(out.severity, in->severity);
	assert_string_equal(out.text, in->text);
	if (in->object == NULL) {
		assert_null(out.object);
		assert_null(out.object_kind);
		assert_null(out.data);
	} else {
		assert_string_equal(out.object, in->object);
		assert_string_equal(out.object_kind, in->object_kind);
		assert_string_equal(out.data, in->data);
	}
	for (size_t n = 0; n < b.len; n++)
		assert_int_equal(told_take_event(b.data, n, &out), -EINVAL);
	buf_fini(&b);
}

static void
test_an_event_there_and_back(void **state UNUSED)
{
	check_event(&(struct told_event){
	    1234567890123, "address.down", "address", "a1", "warning", "a1 is down", "{}" });
	check_event(&(struct told_event){
	    .at_ms = -1, .kind = "xdp.serving", .severity = "info", .text = "" });
}

static void
test_half_an_object_is_refused(void **state UNUSED)
{
	const struct told_event in = {
		.kind = "k", .object_kind = "address", .severity = "info", .text = "t"
	};
	struct told_event out;
	struct buf b;

	buf_init(&b, 1000);
	told_put_event(&b, &in);
	assert_int_equal(told_take_event(b.data, b.len, &out), -EINVAL);
	buf_fini(&b);
}

static void
test_a_text_ends_where_it_says(void **state UNUSED)
{
	static const uint8_t inside[] = { 5, 0, 0, 0, 3, 'a', 0, 0, 0, 0, 0, 3, '{', '}', 0 };
	static const uint8_t open[] = { 5, 0, 0, 0, 2, 'a', 'b', 0, 0, 0, 3, '{', '}', 0 };
	struct told_status out;

	assert_int_equal(told_take_status(inside, sizeof(inside), &out), -EINVAL);
	assert_int_equal(told_take_status(open, sizeof(open), &out), -EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_status_there_and_back),
		cmocka_unit_test(test_an_event_there_and_back),
		cmocka_unit_test(test_half_an_object_is_refused),
		cmocka_unit_test(test_a_text_ends_where_it_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
