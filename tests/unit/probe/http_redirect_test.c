/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "probe/http_redirect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/attr.h"

#define OTHER "redirect to another host is not followed"
#define BAD   "redirect to what is not a http or https URL"

static const struct {
	const char *location, *why;
	bool secure;
	unsigned port;
	const char *path;
} rows[] = {
	{ "/x?y#z", NULL, false, 8080, "/x?y" },
	{ "x", NULL, false, 8080, "/a/x" },
	{ "?q", NULL, false, 8080, "/a/b?q" },
	{ "//www.Example.com/x", NULL, false, 80, "/x" },
	{ "https://www.example.com", NULL, true, 443, "/" },
	{ "HTTPS://www.example.com:8443/x", NULL, true, 8443, "/x" },
	{ "http://[2001:db8::1]:81/x", NULL, false, 81, "/x" },
	{ "http://2001:db8::1/", OTHER, false, 0, "" },
	{ "http://www.example.com:65536/", BAD, false, 0, "" },
	{ "http://www.example.com:8a/", BAD, false, 0, "" },
	{ "http://www.example.com@evil/", BAD, false, 0, "" },
	{ "http://www.example.com.evil/", OTHER, false, 0, "" },
	{ "http:///x", OTHER, false, 0, "" },
	{ "javascript:alert", BAD, false, 0, "" },
};

static void
test_places(void **state)
{
	const struct http_place from = { false, 8080, "/a/b?c=/d" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char location[HTTP_REDIRECT_MAX], room[2 * HTTP_REDIRECT_MAX];
		struct http_place to;

		snprintf(location, sizeof(location), "%s", rows[i].location);

		const char *why =
		    http_redirect(&from, "www.example.com", "2001:db8::1", location, room, &to);

		if (rows[i].why != NULL) {
			assert_string_equal(why, rows[i].why);
			continue;
		}
		assert_null(why);
		assert_int_equal(to.secure, rows[i].secure);
		assert_int_equal(to.port, rows[i].port);
		assert_string_equal(to.path, rows[i].path);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
