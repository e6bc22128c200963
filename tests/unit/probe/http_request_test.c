/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "probe/http_request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define OWN "User-Agent: OpenGTM/" GTM_VERSION "\r\nAccept: */*\r\n"
#define END "Connection: close\r\n\r\n"

static void
assert_request(
    const struct http_spec *http, const char *target, const char *host, const char *expected)
{
	struct addr a;
	size_t len;

	assert_int_equal(addr_parse(&a, target, 0), 0);
	char *text = http_request_text(http, &a, host, false, &len);

	assert_int_equal(len, strlen(expected));
	assert_memory_equal(text, expected, len);
	free(text);
}

static void
test_hosts(void **state)
{
	static const struct http_spec none = { 0 }, named = { .host = "www.example.com" };

	(void)state;
	assert_request(
	    &none, "192.0.2.1:80", "a.example", "GET / HTTP/1.1\r\nHost: a.example\r\n" OWN END);
	assert_request(&none, "192.0.2.1:8080", "a.example",
	    "GET / HTTP/1.1\r\nHost: a.example:8080\r\n" OWN END);
	assert_request(&none, "[2001:db8::1]:80", "2001:db8::1",
	    "GET / HTTP/1.1\r\nHost: [2001:db8::1]\r\n" OWN END);
	assert_request(&none, "[2001:db8::1]:81", NULL,
	    "GET / HTTP/1.1\r\nHost: [2001:db8::1]:81\r\n" OWN END);
	assert_request(&named, "192.0.2.1:8080", "a.example",
	    "GET / HTTP/1.1\r\nHost: www.example.com\r\n" OWN END);
}

/* Also what a check on the way should have refused does not break the request. */
static void
test_options(void **state)
{
	struct field_label headers[] = {
		{ "X-Token", "abc def" },
		{ "user-agent", "probe/9" },
		{ "Connection", "keep-alive" },
		{ "Evil", "x\r\nInjected: y" },
		{ "Bad Name", "x" },
		{ "Host", "other.example" },
	};
	const struct http_spec http = {
		.method = "HEAD",
		.path = "/health z?a=\xc3\xa4%20\r",
		.headers = { headers, ARRAY_LEN(headers) },
	};
	const struct http_spec odd = { .method = "G T", .path = "x", .host = "a\nb" };

	(void)state;
	assert_request(&http, "192.0.2.1:80", "a.example",
	    "HEAD /health%20z?a=%C3%A4%20%0D HTTP/1.1\r\nAccept: */*\r\nX-Token: abc def\r\n"
	    "user-agent: probe/9\r\nHost: other.example\r\n" END);
	assert_request(
	    &odd, "192.0.2.1:80", "a.example", "GET /x HTTP/1.1\r\nHost: a.example\r\n" OWN END);
}

static void
assert_expects(const char **texts, size_t n_texts, const struct recipe_range *expected, size_t n)
{
	const struct http_spec http = { .expect_status = { texts, n_texts } };
	size_t got;
	const struct recipe_range *ranges = http_request_expect(&http, &got);

	assert_int_equal(got, n);
	assert_memory_equal(ranges, expected, n * sizeof(*ranges));
	if (ranges != &recipe_usual)
		free((void *)(uintptr_t)ranges);
}

static void
test_expected_statuses(void **state)
{
	const char *good[] = { "200", "301-302", "404" };
	const char *bad[] = { "", "2xx", "200-", "-200", "200-299x", "2000", "200 299" };
	const struct recipe_range ranges[] = { { 200, 200 }, { 301, 302 }, { 404, 404 } };
	const struct recipe_range usual = { 200, 399 };

	(void)state;
	assert_expects(good, ARRAY_LEN(good), ranges, ARRAY_LEN(ranges));
	assert_expects(NULL, 0, &usual, 1);
	assert_expects(bad, ARRAY_LEN(bad), &usual, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_expected_statuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
