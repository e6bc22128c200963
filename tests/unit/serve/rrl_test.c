/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "serve/rrl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/attr.h"

static const struct rrl_options options = { 5, 2, 24, 56 };
static const uint8_t *const name = (const uint8_t *)"\1a";

static struct addr
address(const char *text)
{
	struct addr a;

	assert_int_equal(addr_ip_parse(&a, text, AF_UNSPEC), 0);
	return a;
}

/* How many of `n` answers at one instant pass. */
static unsigned
passes(struct rrl *r, const char *ip, enum rrl_kind kind, const uint8_t *source, uint32_t now_ms,
    unsigned n)
{
	const struct addr peer = address(ip);
	unsigned passed = 0;

	for (; n > 0; n--)
		passed += rrl_check(r, &options, &peer, kind, source, now_ms) == RRL_PASS;
	return passed;
}

static void
test_rate(UNUSED void **state)
{
	struct rrl *r = rrl_new();
	const uint32_t start = UINT32_MAX - 500; /* across the turn of the clock */

	assert_int_equal(passes(r, "192.0.2.1", RRL_ANSWER, name, start, 20), 5);
	assert_int_equal(passes(r, "192.0.2.1", RRL_ANSWER, name, start + 199, 20), 0);
	assert_int_equal(passes(r, "192.0.2.1", RRL_ANSWER, name, start + 400, 20), 2);
	assert_int_equal(passes(r, "192.0.2.1", RRL_ANSWER, name, start + 60000, 20), 5);
	rrl_free(&r);
	assert_null(r);
}

static void
test_what_shares(UNUSED void **state)
{
	struct rrl *r = rrl_new();

	assert_int_equal(passes(r, "192.0.2.1", RRL_ANSWER, name, 0, 9), 5);
	assert_int_equal(passes(r, "192.0.2.200", RRL_ANSWER, name, 0, 9), 0);
	assert_int_equal(passes(r, "192.0.3.1", RRL_ANSWER, name, 0, 9), 5);
	assert_int_equal(passes(r, "192.0.2.1", RRL_NXDOMAIN, name, 0, 9), 5);
	assert_int_equal(passes(r, "192.0.2.1", RRL_ANSWER, (const uint8_t *)"\1b", 0, 9), 5);
	assert_int_equal(passes(r, "192.0.2.1", RRL_ERROR, NULL, 0, 9), 5);
	assert_int_equal(passes(r, "2001:db8:0:1::1", RRL_ANSWER, name, 0, 9), 5);
	assert_int_equal(passes(r, "2001:db8:0:ff::2", RRL_ANSWER, name, 0, 9), 0);
	assert_int_equal(passes(r, "2001:db8:0:100::1", RRL_ANSWER, name, 0, 9), 5);
	rrl_free(&r);
}

static void
test_slip(UNUSED void **state)
{
	static const struct {
		uint32_t slip;
		unsigned slips; /* of 12 */
	} rows[] = { { 0, 0 }, { 1, 12 }, { 2, 6 }, { 3, 4 } };
	const struct addr peer = address("192.0.2.1");

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct rrl_options o = { 1, rows[i].slip, 24, 56 };
		struct rrl *r = rrl_new();
		unsigned slips = 0;

		assert_int_equal(rrl_check(r, &o, &peer, RRL_ANSWER, name, 0), RRL_PASS);
		for (unsigned n = 0; n < 12; n++)
			slips += rrl_check(r, &o, &peer, RRL_ANSWER, name, 0) == RRL_SLIP;
		assert_int_equal(slips, rows[i].slips);
		rrl_free(&r);
	}
}

/* Many more clients than buckets: a newcomer is never limited for what others did. */
static void
test_full(UNUSED void **state)
{
	struct rrl *r = rrl_new();
	char ip[32];

	for (unsigned i = 0; i < 300000; i++) {
		snprintf(ip, sizeof(ip), "%u.%u.%u.1", 1 + i / 65536, i / 256 % 256, i % 256);
		assert_int_equal(passes(r, ip, RRL_ANSWER, name, i / 100, 1), 1);
	}
	rrl_free(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rate),
		cmocka_unit_test(test_what_shares),
		cmocka_unit_test(test_slip),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
