/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The oracle keeps every transition there ever was and lives through every tick; the unit is asked
 * only when something happens, when it wants to be, and at random moments between.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/rand.h"
#include "verdict/damp.h"

#define TICKS  600
#define ROUNDS 3000

struct oracle {
	bool up, held, held_up;
	bool turned[TICKS]; /* a transition at that tick */
	int64_t began, length, last_length;
};

static int
count(const struct oracle *o, int64_t after, int64_t to)
{
	int n = 0;

	for (int64_t t = after + 1 < 0 ? 0 : after + 1; t <= to; t++)
		n += o->turned[t];
	return n;
}

/* The window that ends now has more than are fine. */
static bool
too_many(const struct oracle *o, const struct damp_rule *r, int64_t now)
{
	return count(o, now - r->window_ms, now) > (int)r->transitions;
}

static int64_t
longer(const struct oracle *o, const struct damp_rule *r)
{
	const int64_t twice = o->last_length == 0 ? r->hold_ms : 2 * o->last_length;

	return twice > r->hold_max_ms ? r->hold_max_ms : twice;
}

static void
oracle_tick(struct oracle *o, const struct damp_rule *r, bool up, bool up_is_safer, int64_t now)
{
	if (o->held && now == o->began + o->length) {
		/* What comes at this tick comes after the end. */
		const int during = count(o, o->began, now - 1);
		const int recent = count(o, now - r->window_ms, now - 1);

		if (during > 0 && recent > (int)r->transitions) {
			o->began = now;
			o->length = o->last_length = longer(o, r);
		} else {
			o->held = false;
		}
	}
	if (!o->held && count(o, now - r->window_ms, now - 1) == 0)
		o->last_length = 0;
	o->turned[now] = now > 0 && up != o->up;
	o->up = up;
	if (o->turned[now] && !o->held && too_many(o, r, now)) {
		o->held = true;
		o->held_up = up_is_safer;
		o->began = now;
		o->length = o->last_length = longer(o, r);
	}
}

/* A new life out of what was remembered. */
static void
restart(struct damp *d)
{
	char text[DAMP_TEXT_SIZE], again[DAMP_TEXT_SIZE];

	damp_text(d, text);
	memset(d, 0xaa, sizeof(*d));
	assert_int_equal(damp_parse(d, text), 0);
	assert_string_equal(damp_text(d, again), text);
}

static void
live(struct rand_state *dice, const struct damp_rule *r, int pace)
{
	struct oracle o = { 0 };
	struct damp d = { 0 };
	bool up = true, says = true;
	int changes = 0, raw = 0, turned = 0;

	for (int64_t now = 0; now < TICKS; now++) {
		const bool turns =
		    now > 0 && (pace == 0      ? now % 2 == 0
				   : pace == 1 ? now % 200 < 50
					       : rand_below(dice, (uint64_t)pace) == 0);
		const bool safer = rand_below(dice, 2);
		const bool due = damp_due(&d, r) <= now;
		enum damp_news news = DAMP_NO_NEWS;
		const bool held = d.held;

		up ^= turns;
		raw += turns;
		oracle_tick(&o, r, up, safer, now);
		if (now == 0 || turns || due || rand_below(dice, 4) == 0)
			news = damp_feed(&d, r, up, safer, now);
		if (now > 0 && rand_below(dice, 9) == 0)
			restart(&d);

		assert_int_equal(d.held, o.held);
		assert_int_equal(damp_says_up(&d), o.held ? o.held_up : o.up);
		assert_int_equal(news == DAMP_RELEASED, held && !d.held);
		if (d.held)
			assert_true(d.until_ms == o.began + o.length);
		if (d.held && held && news == DAMP_NO_NEWS)
			assert_int_equal(damp_says_up(&d), says); /* nothing gets through */
		assert_true(damp_due(&d, r) > now);
		assert_int_equal(damp_waits(&d), o.held && !o.held_up && o.up);
		if (damp_waits(&d) && rand_below(dice, 5) == 0) {
			damp_turn(&d);
			o.held_up = true;
			assert_true(damp_says_up(&d));
			turned++;
		}
		changes += now > 0 && damp_says_up(&d) != says;
		says = damp_says_up(&d);
	}
	/* Never more than came in, but for those asked for. */
	assert_true(changes <= raw + turned);
}

static void
test_against_oracle(void **state)
{
	struct rand_state dice;

	(void)state;
	rand_seed(&dice, 5);
	for (int round = 0; round < ROUNDS; round++) {
		const struct damp_rule r = {
			.transitions = 1 + (uint32_t)rand_below(&dice, 6),
			.window_ms = 5 + (uint32_t)rand_below(&dice, 60),
			.hold_ms = 1 + (uint32_t)rand_below(&dice, 9),
			.hold_max_ms = 9 + (uint32_t)rand_below(&dice, 50),
		};

		live(&dice, &r, (int)rand_below(&dice, 30));
	}
}

static void
feed(struct damp *d, const struct damp_rule *r, bool up, bool up_is_safer, int64_t now)
{
	const enum damp_news ignored = damp_feed(d, r, up, up_is_safer, now);

	(void)ignored;
}

static const struct damp_rule six = { 6, 600000, 60000, 600000 };

/* With the defaults, up and down every two seconds: held for as long as it goes on. */
static void
test_endless_flapping(void **state)
{
	struct damp d = { 0 };
	int changes = 0;
	bool says = true, up = true;
	int64_t now = 1000;

	(void)state;
	assert_int_equal(damp_feed(&d, &six, true, false, now), DAMP_NO_NEWS);
	for (int i = 0; i < 3600; i++) {
		now += 2000;
		up = !up;

		const enum damp_news news = damp_feed(&d, &six, up, false, now);

		assert_int_equal(news == DAMP_HELD, i == 6);
		changes += damp_says_up(&d) != says;
		says = damp_says_up(&d);
	}
	assert_int_equal(changes, 7);
	assert_true(d.held && !d.held_up);
	assert_int_equal(d.hold_ms, 600000);

	/* It has calmed down: released at the end of the hold, and forgotten a window later. */
	while (d.held) {
		now = damp_due(&d, &six);
		feed(&d, &six, up, false, now);
	}
	assert_true(damp_says_up(&d) == up);
	now = damp_due(&d, &six) > now ? damp_due(&d, &six) : now;
	feed(&d, &six, up, false, now);
	assert_true(damp_due(&d, &six) == INT64_MAX);
	assert_int_equal(d.hold_ms, 0);
}

/* As slow as is fine: six in any window of ten minutes. */
static void
test_slow_changes_pass(void **state)
{
	struct damp d = { 0 };
	bool up = true;

	(void)state;
	feed(&d, &six, true, false, 0);
	for (int i = 1; i < 1000; i++) {
		up = !up;
		assert_int_equal(damp_feed(&d, &six, up, false, i * 100000), DAMP_NO_NEWS);
		assert_true(damp_says_up(&d) == up);
	}
}

static void
test_off(void **state)
{
	const struct damp_rule off = { 0, 600000, 60000, 600000 };
	struct damp d = { 0 };
	bool up = true;

	(void)state;
	for (int i = 0; i < 100; i++, up = !up) {
		assert_int_equal(damp_feed(&d, &off, up, true, i), DAMP_NO_NEWS);
		assert_true(damp_says_up(&d) == up && damp_due(&d, &off) == INT64_MAX);
	}
	/* Switched off while held. */
	for (int i = 0; i < 20; i++, up = !up)
		feed(&d, &six, up, false, 1000 + i);
	assert_true(d.held);
	assert_int_equal(damp_feed(&d, &off, true, false, 2000), DAMP_RELEASED);
	assert_true(damp_says_up(&d));
}

/* More transitions than there can be. */
#define MANY                                                                                       \
	"up - 0 5 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 "  \
	"30 31 32"

static void
test_memory_of_nonsense(void **state)
{
	static const char *const texts[] = { "", "up", "up - 1", "up - x 5", "up - 0 5 six",
		"up down 0 5", MANY };
	struct damp d;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		assert_true(damp_parse(&d, texts[i]) < 0);
		assert_true(!d.known && !d.held && d.n == 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_against_oracle),
		cmocka_unit_test(test_endless_flapping),
		cmocka_unit_test(test_slow_changes_pass),
		cmocka_unit_test(test_off),
		cmocka_unit_test(test_memory_of_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
