/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "serve/rrl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/thread.h"

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

/* -- many threads -- */

#define THREADS 4
#define ASKED   50000

static unsigned asked; /* by all: the clock that they share */

struct flood {
	struct rrl *r;
	unsigned passed, slipped;
};

static void *
flood(void *arg)
{
	const struct rrl_options o = { 100, 2, 24, 56 };
	const struct addr peer = address("192.0.2.1");
	struct flood *f = arg;

	for (unsigned i = 0; i < ASKED; i++) {
		/* Time goes on by half a second while they ask. */
		const unsigned n = __atomic_fetch_add(&asked, 1, __ATOMIC_RELAXED);
		const enum rrl_verdict v = rrl_check(
		    f->r, &o, &peer, RRL_ANSWER, name, 5000 + n / (THREADS * ASKED / 500));

		f->passed += v == RRL_PASS;
		f->slipped += v == RRL_SLIP;
	}
	return NULL;
}

/* What a prefix may have, it may have once, whatever workers its queries come to. */
static void
test_one_limit_for_all_workers(UNUSED void **state)
{
	struct flood floods[THREADS];
	pthread_t threads[THREADS];
	struct rrl *r = rrl_new();
	unsigned passed = 0, slipped = 0;

	for (unsigned i = 0; i < THREADS; i++) {
		floods[i] = (struct flood){ r, 0, 0 };
		thread_start(&threads[i], "flood", flood, &floods[i]);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		thread_join(threads[i]);
		passed += floods[i].passed;
		slipped += floods[i].slipped;
	}
	assert_in_range(passed, 148, 150); /* a full bucket, and half a second */
	assert_int_equal(slipped, (THREADS * ASKED - passed + 1) / 2);
	rrl_free(&r);
}

/* Two at once for the same place, and for the same bucket. */
static void *
many_clients(void *arg)
{
	struct flood *f = arg;
	char ip[32];

	for (unsigned i = 0; i < 200000; i++) {
		snprintf(ip, sizeof(ip), "%u.%u.%u.1", 1 + i / 65536, i / 256 % 256, i % 256);
		f->passed += passes(f->r, ip, RRL_ANSWER, name, i / 100, 1);
	}
	return NULL;
}

static void
test_newcomers_of_many_threads(UNUSED void **state)
{
	struct flood floods[THREADS];
	pthread_t threads[THREADS];
	struct rrl *r = rrl_new();

	for (unsigned i = 0; i < THREADS; i++) {
		floods[i] = (struct flood){ r, 0, 0 };
		thread_start(&threads[i], "flood", many_clients, &floods[i]);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		thread_join(threads[i]);
		/* Four of each, five may; but two clients may have the same hash, once in a while.
		 */
		assert_in_range(floods[i].passed, 200000 - 20, 200000);
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
		cmocka_unit_test(test_one_limit_for_all_workers),
		cmocka_unit_test(test_newcomers_of_many_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
