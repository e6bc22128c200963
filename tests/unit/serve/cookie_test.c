/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The vectors of RFC 9018 appendix A, and how long what is valid. */
#include "serve/cookie.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"

static const struct cookie_secrets secrets = {
	.current = { 0xe5, 0xe9, 0x73, 0xe5, 0xa6, 0xb2, 0xa4, 0x3f, 0x48, 0xe7, 0xdc, 0x84, 0x9e,
	    0x37, 0xbf, 0xcf },
};
static const struct cookie_secrets later = {
	.current = { 0x44, 0x55, 0x36, 0xbc, 0xd2, 0x51, 0x32, 0x98, 0x07, 0x5a, 0x5d, 0x37, 0x96,
	    0x63, 0xc9, 0x62 },
};

static struct addr
address(const char *text)
{
	struct addr a;

	assert_int_equal(addr_ip_parse(&a, text, AF_UNSPEC), 0);
	return a;
}

static void
test_vectors(UNUSED void **state)
{
	static const struct {
		const struct cookie_secrets *secrets;
		const char *ip;
		uint32_t now_s;
		uint8_t cookie[COOKIE_LEN];
	} rows[] = {
		/* A.1 */
		{ &secrets, "198.51.100.100", 1559731985,
		    { 0x24, 0x64, 0xc4, 0xab, 0xcf, 0x10, 0xc9, 0x57, 1, 0, 0, 0, 0x5c, 0xf7, 0x9f,
			0x11, 0x1f, 0x81, 0x30, 0xc3, 0xee, 0xe2, 0x94, 0x80 } },
		/* A.4 */
		{ &later, "2001:db8:220:1:59de:d0f4:8769:82b8", 1559741961,
		    { 0x22, 0x68, 0x1a, 0xb9, 0x7d, 0x52, 0xc2, 0x98, 1, 0, 0, 0, 0x5c, 0xf7, 0xc6,
			0x09, 0xa6, 0xbb, 0x79, 0xd1, 0x66, 0x25, 0x50, 0x7a } },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct addr peer = address(rows[i].ip);
		uint8_t out[COOKIE_LEN];

		cookie_make(rows[i].secrets, rows[i].cookie, &peer, rows[i].now_s, out);
		assert_memory_equal(out, rows[i].cookie, COOKIE_LEN);
		assert_int_equal(
		    cookie_check(rows[i].secrets, rows[i].cookie, COOKIE_LEN, &peer, rows[i].now_s),
		    COOKIE_GOOD);
	}
}

static void
test_age(UNUSED void **state)
{
	static const struct {
		int32_t after_s;
		enum cookie_verdict want;
	} rows[] = {
		{ -301, COOKIE_UNKNOWN },
		{ -300, COOKIE_GOOD },
		{ 1800, COOKIE_GOOD },
		{ 1801, COOKIE_AGED },
		{ 3600, COOKIE_AGED },
		{ 3601, COOKIE_UNKNOWN },
	};
	const struct addr peer = address("192.0.2.1");
	const uint32_t made_s = UINT32_MAX - 100; /* the clock of 32 bits turns over */
	uint8_t cookie[COOKIE_LEN];

	cookie_make(&secrets, (const uint8_t *)"12345678", &peer, made_s, cookie);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(cookie_check(&secrets, cookie, COOKIE_LEN, &peer,
				     made_s + (uint32_t)rows[i].after_s),
		    rows[i].want);
}

static void
test_forged(UNUSED void **state)
{
	const struct addr peer = address("192.0.2.1"), other = address("192.0.2.2");
	uint8_t cookie[COOKIE_LEN];

	cookie_make(&secrets, (const uint8_t *)"12345678", &peer, 1000, cookie);
	assert_int_equal(cookie_check(&secrets, cookie, COOKIE_LEN, &other, 1000), COOKIE_UNKNOWN);
	assert_int_equal(
	    cookie_check(&secrets, cookie, COOKIE_CLIENT_LEN, &peer, 1000), COOKIE_UNKNOWN);
	assert_int_equal(
	    cookie_check(&secrets, cookie, COOKIE_LEN - 1, &peer, 1000), COOKIE_UNKNOWN);
	for (size_t i = 0; i < COOKIE_LEN; i++) {
		cookie[i] ^= 1;
		assert_int_equal(
		    cookie_check(&secrets, cookie, COOKIE_LEN, &peer, 1000), COOKIE_UNKNOWN);
		cookie[i] ^= 1;
	}
	assert_int_equal(cookie_check(&secrets, cookie, COOKIE_LEN, &peer, 1000), COOKIE_GOOD);
}

static void
test_rollover(UNUSED void **state)
{
	struct cookie_secrets both = later;
	const struct addr peer = address("192.0.2.1");
	uint8_t cookie[COOKIE_LEN];

	cookie_make(&secrets, (const uint8_t *)"12345678", &peer, 1000, cookie);
	assert_int_equal(cookie_check(&both, cookie, COOKIE_LEN, &peer, 1000), COOKIE_UNKNOWN);
	memcpy(both.previous, secrets.current, sizeof(both.previous));
	both.has_previous = true;
	assert_int_equal(cookie_check(&both, cookie, COOKIE_LEN, &peer, 1000), COOKIE_AGED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_age),
		cmocka_unit_test(test_forged),
		cmocka_unit_test(test_rollover),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
