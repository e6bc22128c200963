/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/base64.h"

static void
decodes(void **state)
{
	static const struct {
		const char *text, *bytes;
	} rows[] = { /* RFC 4648 section 10 */
		{ "", "" }, { "Zg==", "f" }, { "Zm8=", "fo" }, { "Zm9v", "foo" },
		{ "Zm9vYg==", "foob" }, { "Zm9vYmE=", "fooba" }, { "Zm9vYmFy", "foobar" },
		{ "+/+/", "\xfb\xff\xbf" }
	};
	uint8_t out[16];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const int len = base64_decode(rows[i].text, out, sizeof(out));

		assert_int_equal(len, strlen(rows[i].bytes));
		assert_memory_equal(out, rows[i].bytes, (size_t)len);
	}
}

static void
refuses(void **state)
{
	static const char *const rows[] = { "Z", "Zg",
		"Zg=", "Zh==", "Zm9=", "Zg==Zg==", "Z===", "====", "Zm9v\n", "Zm 9v", "Zm-_",
		"Zm9v=" };
	uint8_t out[16];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(base64_decode(rows[i], out, sizeof(out)), -EINVAL);
	assert_int_equal(base64_decode("Zm9vYmFy", out, 5), -ENOSPC);
	assert_int_equal(base64_decode("Zm9vYmE=", out, 5), 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decodes),
		cmocka_unit_test(refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
