/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/check.h"
#include "steer/tape.h"

struct seen {
	uint32_t count, last_ms;
	uint64_t sum;
};

static void
see(void *arg, const struct tape_sighting *s)
{
	struct seen *seen = arg;

	assert_true((int32_t)(s->at_ms - seen->last_ms) >= 0 || seen->count == 0);
	seen->last_ms = s->at_ms;
	seen->count++;
	seen->sum += s->key;
}

/* Three workers' sightings come out as one sequence, also where the clock wraps. */
static void
test_order(void **state)
{
	struct tape *t = tape_new(3);
	struct seen seen = { 0 };

	(void)state;
	for (uint32_t i = 0; i < 3000; i++)
		tape_put(t, i * 7 % 3, &(struct tape_sighting){ .key = i, .at_ms = i - 1000 });
	assert_true(tape_drain(t, see, &seen));
	assert_int_equal(seen.count, 3000);
	assert_int_equal(seen.sum, 2999 * 3000 / 2);
	assert_true(tape_drain(t, see, &seen));
	assert_int_equal(seen.count, 3000);
	tape_free(&t);
}

/* What does not fit is dropped and told, once. */
static void
test_full(void **state)
{
	struct tape *t = tape_new(1);
	struct seen seen = { 0 };

	(void)state;
	for (uint32_t i = 0; i < TAPE_LENGTH + 5; i++)
		tape_put(t, 0, &(struct tape_sighting){ .key = 1, .at_ms = i });
	assert_false(tape_drain(t, see, &seen));
	assert_int_equal(seen.count, TAPE_LENGTH);
	assert_true(tape_drain(t, see, &seen));
	tape_put(t, 0, &(struct tape_sighting){ .key = 1, .at_ms = TAPE_LENGTH + 6 });
	assert_true(tape_drain(t, see, &seen));
	assert_int_equal(seen.count, TAPE_LENGTH + 1);
	tape_free(&t);
}

#define PUTS 1000000u

static void *
put(void *arg)
{
	struct tape *t = arg;

	for (uint32_t i = 0; i < PUTS;) {
		const uint32_t dropped = t->rings[0].dropped;

		tape_put(t, 0, &(struct tape_sighting){ .key = i, .at_ms = i, .ttl_s = i });
		i += t->rings[0].dropped == dropped; /* full: once more */
	}
	return NULL;
}

static void
see_whole(void *arg, const struct tape_sighting *s)
{
	struct seen *seen = arg;

	CHECK(s->key == s->at_ms && s->at_ms == s->ttl_s);
	CHECK(seen->count == 0 || s->at_ms == seen->last_ms + 1);
	seen->last_ms = s->at_ms;
	seen->count++;
}

/* While the worker writes: never half a sighting, never one twice, none lost. */
static void
test_threads(void **state)
{
	struct tape *t = tape_new(1);
	struct seen seen = { 0 };
	pthread_t thread;

	(void)state;
	CHECK(pthread_create(&thread, NULL, put, t) == 0);
	while (seen.count < PUTS)
		(void)tape_drain(t, see_whole, &seen);
	pthread_join(thread, NULL);
	assert_int_equal(seen.count, PUTS);
	tape_free(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
