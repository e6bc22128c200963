/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/wheel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/rand.h"

/*
 * The oracle knows what is pending from its own notes and looks at all of it on every shot: what
 * fires must be due, and nothing else that was due earlier may still wait.
 */
#define TIMERS 200

struct item {
	struct wheel_timer timer;
	bool pending;
	bool late; /* set during this very advance for a time that was past: not before the next */
	uint64_t due_ms; /* when it must fire: at the time of setting, if set late */
};

static struct wheel wheel;
static struct item items[TIMERS];
static struct rand_state rng;
static uint64_t tick_ms;   /* of the last shot or the last advance */
static uint64_t target_ms; /* of the running advance */
static bool advancing;
static size_t shots;

/* Delays of every magnitude, and now and then a past time. */
static uint64_t
random_due(void)
{
	const uint64_t delay = rand_next(&rng) >> (20 + rand_below(&rng, 44));

	if (rand_below(&rng, 10) == 0)
		return tick_ms - rand_below(&rng, tick_ms + 1);
	return tick_ms + delay;
}

static void
set(struct item *it, uint64_t due_ms)
{
	wheel_set(&wheel, &it->timer, due_ms);
	it->pending = true;
	it->late = advancing && due_ms <= tick_ms;
	it->due_ms = due_ms > tick_ms ? due_ms : tick_ms;
}

static void
cancel(struct item *it)
{
	wheel_cancel(&wheel, &it->timer);
	it->pending = false;
	assert_false(wheel_pending(&it->timer));
}

static void
disturb(size_t times)
{
	for (size_t i = 0; i < times; i++) {
		struct item *it = &items[rand_below(&rng, TIMERS)];

		if (rand_below(&rng, 3) == 0)
			cancel(it);
		else
			set(it, random_due());
	}
}

static void
fired(struct wheel_timer *t)
{
	struct item *it = container_of(t, struct item, timer);

	shots++;
	assert_true(advancing);
	assert_false(wheel_pending(t));
	assert_true(it->pending && !it->late);
	assert_true(it->due_ms <= target_ms);
	assert_true(it->due_ms >= tick_ms);
	for (size_t i = 0; i < TIMERS; i++)
		assert_false(items[i].pending && !items[i].late && items[i].due_ms < it->due_ms);
	tick_ms = it->due_ms;
	it->pending = false;
	disturb(rand_below(&rng, 3));
}

static void
advance(uint64_t to_ms)
{
	for (size_t i = 0; i < TIMERS; i++) {
		if (items[i].late)
			items[i].due_ms = tick_ms;
		items[i].late = false;
	}
	target_ms = to_ms;
	advancing = true;
	wheel_advance(&wheel, to_ms);
	advancing = false;
	tick_ms = to_ms;
}

static void
check_after_advance(void)
{
	uint64_t earliest = WHEEL_NEVER;
	size_t count = 0;

	for (size_t i = 0; i < TIMERS; i++) {
		assert_int_equal(wheel_pending(&items[i].timer), items[i].pending);
		if (!items[i].pending)
			continue;
		count++;
		assert_true(items[i].late || items[i].due_ms > tick_ms);
		if (items[i].late)
			earliest = tick_ms;
		else if (items[i].due_ms < earliest)
			earliest = items[i].due_ms;
	}
	assert_int_equal(wheel.count, count);

	const uint64_t next = wheel_next(&wheel, tick_ms);

	if (earliest == WHEEL_NEVER)
		assert_true(next == WHEEL_NEVER);
	else if (earliest / WHEEL_SLOTS == tick_ms / WHEEL_SLOTS)
		assert_true(next == earliest - tick_ms);
	else
		assert_true(next > 0 && next <= earliest - tick_ms);
}

static void
test_against_the_oracle(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 20; seed++) {
		rand_seed(&rng, seed);
		memset(items, 0, sizeof(items));
		tick_ms = rand_next(&rng) >> rand_below(&rng, 64) >> 2;
		wheel_init(&wheel, tick_ms);
		for (size_t i = 0; i < TIMERS; i++)
			wheel_timer_init(&items[i].timer, fired);

		for (int round = 0; round < 400; round++) {
			disturb(rand_below(&rng, 10));
			advance(tick_ms + (rand_next(&rng) >> (30 + rand_below(&rng, 34))));
			check_after_advance();
		}
		wheel_fini(&wheel);
		assert_int_equal(wheel.count, 0);
	}
	assert_true(shots > 5000);
}

static void
hit(struct wheel_timer *t)
{
	(void)t;
	shots++;
}

/* Sleeping as wheel_next says: one wake-up per level at most, and the last one on the tick. */
static void
test_sleeping_by_next_meets_the_tick(void **state)
{
	struct wheel_timer t;

	(void)state;
	rand_seed(&rng, 7);
	wheel_timer_init(&t, hit);
	for (int i = 0; i < 2000; i++) {
		const uint64_t start_ms = rand_next(&rng) >> 1 >> rand_below(&rng, 63);
		const uint64_t due_ms = start_ms + (rand_next(&rng) >> 1 >> rand_below(&rng, 63));
		uint64_t now_ms = start_ms;
		int sleeps = 0;

		shots = 0;
		wheel_init(&wheel, start_ms);
		wheel_set(&wheel, &t, due_ms);
		while (shots == 0) {
			now_ms += wheel_next(&wheel, now_ms);
			assert_true(now_ms <= due_ms);
			wheel_advance(&wheel, now_ms);
			assert_true(++sleeps <= WHEEL_LEVELS);
		}
		assert_true(now_ms == due_ms);
		assert_true(wheel_next(&wheel, now_ms) == WHEEL_NEVER);
		wheel_fini(&wheel);
	}
}

static void
again_at_once(struct wheel_timer *t)
{
	shots++;
	wheel_set(&wheel, t, 0);
}

/* A timer that sets itself for now must not hold advance captive. */
static void
test_no_delay_is_once_per_advance(void **state)
{
	struct wheel_timer t;

	(void)state;
	shots = 0;
	wheel_init(&wheel, 1000);
	wheel_timer_init(&t, again_at_once);
	wheel_set(&wheel, &t, 1000);
	for (size_t i = 1; i <= 5; i++) {
		assert_int_equal(wheel_next(&wheel, 1000), 0);
		wheel_advance(&wheel, 1000);
		assert_int_equal(shots, i);
	}
	wheel_fini(&wheel);
	assert_false(wheel_pending(&t));
}

static void
every_10_ms(struct wheel_timer *t)
{
	shots++;
	wheel_set(&wheel, t, t->due_ms + 10);
}

/* A period keeps its count over a stall. */
static void
test_a_period_catches_up(void **state)
{
	struct wheel_timer t;

	(void)state;
	shots = 0;
	wheel_init(&wheel, 5);
	wheel_timer_init(&t, every_10_ms);
	wheel_set(&wheel, &t, 10);
	wheel_advance(&wheel, 100000);
	assert_int_equal(shots, 10000);
	assert_int_equal(wheel_next(&wheel, 100000), 10);
	wheel_fini(&wheel);
}

static void
test_time_does_not_go_back(void **state)
{
	struct wheel_timer t;

	(void)state;
	shots = 0;
	wheel_init(&wheel, 5000);
	wheel_timer_init(&t, hit);
	wheel_set(&wheel, &t, 5010);
	wheel_advance(&wheel, 4000);
	assert_int_equal(shots, 0);
	assert_int_equal(wheel_next(&wheel, 4000), 1010);
	assert_int_equal(wheel_next(&wheel, 6000), 0);
	wheel_advance(&wheel, 5010);
	assert_int_equal(shots, 1);
	wheel_fini(&wheel);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_against_the_oracle),
		cmocka_unit_test(test_sleeping_by_next_meets_the_tick),
		cmocka_unit_test(test_no_delay_is_once_per_advance),
		cmocka_unit_test(test_a_period_catches_up),
		cmocka_unit_test(test_time_does_not_go_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
