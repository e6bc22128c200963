/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "verdict/health.h"

#define SMALL 24u

/* A threshold as a fraction of the whole (count = false) or an absolute number of parts. */
struct threshold {
	struct healthy_when rule;
	uint32_t num, den; /* of the whole; den 0: num is a count */
};

/* num/den <= ok/total in lowest terms first, so that the comparison shares nothing with the code
 * under test. */
static uint32_t
gcd(uint32_t a, uint32_t b)
{
	return b == 0 ? a : gcd(b, a % b);
}

static bool
met_oracle(const struct threshold *t, uint32_t ok, uint32_t total)
{
	if (t->den == 0)
		return !(ok < t->num);

	const uint32_t g = gcd(ok, total), h = gcd(t->num, t->den);

	return (ok / g) * (t->den / h) >= (t->num / h) * (total / g);
}

static void
try_rule(const struct threshold *t)
{
	const struct healthy_when *rule = &t->rule;

	assert_int_equal(health_address(rule, 0, 0, 0), HEALTH_OK_NO_MONITOR);
	assert_int_equal(health_pool(rule, 0, 0), HEALTH_EXCEPTIONAL);
	for (uint32_t total = 1; total <= SMALL; total++) {
		for (uint32_t ok = 0; ok <= total; ok++) {
			const bool met = met_oracle(t, ok, total);
			const enum health want = ok == total ? HEALTH_OK
						 : met       ? HEALTH_OK_ALERT
							     : HEALTH_EXCEPTIONAL;

			assert_int_equal(health_met(rule, ok, total), met);
			assert_int_equal(health_pool(rule, ok, total), want);
			for (uint32_t unknown = 0; unknown <= ok; unknown++)
				assert_int_equal(health_address(rule, ok, unknown, total),
				    unknown == total ? HEALTH_UNKNOWN : want);
		}
	}
}

static void
test_small_counts(void **state)
{
	static const struct threshold plain[] = {
		{ { HEALTHY_ANY_OK, 0 }, 1, 0 },
		{ { HEALTHY_P30_OK, 0 }, 3, 10 },
		{ { HEALTHY_P50_OK, 0 }, 1, 2 },
		{ { HEALTHY_P70_OK, 0 }, 7, 10 },
		{ { HEALTHY_ALL_OK, 0 }, 1, 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(plain); i++)
		try_rule(&plain[i]);
	for (uint32_t n = 1; n <= SMALL + 2; n++)
		try_rule(&(struct threshold){ { HEALTHY_AT_LEAST, n }, n, 0 });
	for (uint32_t p = 1; p <= 100; p++)
		try_rule(&(struct threshold){ { HEALTHY_PERCENT, p }, p, 100 });
}

static void
test_domain(void **state)
{
	(void)state;
	assert_int_equal(health_domain(0, 0), HEALTH_EXCEPTIONAL);
	for (uint32_t total = 1; total <= SMALL; total++)
		for (uint32_t up = 0; up <= total; up++)
			assert_int_equal(health_domain(up, total), up == 0      ? HEALTH_EXCEPTIONAL
								   : up < total ? HEALTH_OK_ALERT
										: HEALTH_OK);
}

/* Counts near 2^32 must not wrap. */
static void
test_large_counts(void **state)
{
	const struct healthy_when p70 = { .kind = HEALTHY_P70_OK };

	(void)state;
	assert_true(health_met(&p70, 3006477107u, UINT32_MAX));
	assert_false(health_met(&p70, 3006477106u, UINT32_MAX));
}

static void
test_words(void **state)
{
	(void)state;
	assert_string_equal(health_words[HEALTH_OK_ALERT], "ok_alert");
	assert_string_equal(health_words[HEALTH_OK_NO_MONITOR], "ok_no_monitor");
	assert_null(health_words[HEALTH_OK_NO_MONITOR + 1]);
	assert_string_equal(healthy_words[HEALTHY_ALL_OK], "all_ok");
	assert_null(healthy_words[HEALTHY_ALL_OK + 1]);
	for (int h = HEALTH_UNKNOWN; h <= HEALTH_OK_NO_MONITOR; h++)
		assert_int_equal(health_is_available((enum health)h),
		    strcmp(health_words[h], "exceptional") != 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_small_counts),
		cmocka_unit_test(test_domain),
		cmocka_unit_test(test_large_counts),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
