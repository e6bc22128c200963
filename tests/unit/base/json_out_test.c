/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/json_out.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"

static void
test_members_in_order(void **state UNUSED)
{
	struct json_out o;
	struct buf b;

	buf_init(&b, SIZE_MAX);
	json_out_init(&o, &b);
	json_out_open(&o, NULL, '{');
	json_out_text(&o, "a", "one");
	json_out_open(&o, "list", '[');
	json_out_number(&o, NULL, 0);
	json_out_number(&o, NULL, INT64_MIN);
	json_out_open(&o, NULL, '{');
	json_out_close(&o, '}');
	json_out_close(&o, ']');
	json_out_text(&o, "none", NULL);
	json_out_json(&o, "ready", "{\"made\":true}");
	json_out_number(&o, "n", 65535);
	json_out_close(&o, '}');
	assert_string_equal(buf_str(&b),
	    "{\"a\":\"one\",\"list\":[0,-9223372036854775808,{}],\"none\":null,"
	    "\"ready\":{\"made\":true},\"n\":65535}");
	buf_fini(&b);
}

/* Whatever text there is, a reader gets it back. */
static void
test_any_text_comes_back(void **state UNUSED)
{
	static const char *const texts[] = { "", "\"", "\\", "a\"b\\c",
		"line\nbreak\ttab\r\x01\x1f", "\xc3\xa9\xe2\x82\xac", "/", "\x7f", "ends with \"" };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct json_out o;
		struct buf b;

		buf_init(&b, SIZE_MAX);
		json_out_init(&o, &b);
		json_out_text(&o, NULL, texts[i]);

		json_t *j = json_loads(buf_str(&b), JSON_DECODE_ANY, NULL);

		assert_non_null(j);
		assert_string_equal(json_string_value(j), texts[i]);
		json_decref(j);
		buf_fini(&b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members_in_order),
		cmocka_unit_test(test_any_text_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
