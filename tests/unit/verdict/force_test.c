/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/rand.h"
#include "verdict/force.h"

#define END     60 /* the time that is looked at */
#define WINDOWS 4

/* The slow, obvious definition: go through the occurrences one by one. */
static int64_t
open_until(const struct force_window *w, int64_t now)
{
	for (int64_t k = 0; k <= END; k++) {
		const int64_t starts = w->starts_ms + k * w->every_ms;
		const int64_t ends = w->ends_ms + k * w->every_ms;

		if (starts <= now && now < ends)
			return ends;
		if (w->every_ms == 0)
			break;
	}
	return -1;
}

static struct force_verdict
oracle(const struct force_override *o, const struct force_window *w, size_t n, int64_t now)
{
	static const enum force caution[] = { FORCE_DOWN, FORCE_DRAIN, FORCE_HOLD, FORCE_UP };

	if (o->force != FORCE_NONE && o->until_ms > now)
		return (struct force_verdict){ o->force, FORCE_BY_OVERRIDE, o->until_ms, 0 };
	for (size_t c = 0; c < ARRAY_LEN(caution); c++) {
		for (size_t i = 0; i < n; i++) {
			const int64_t until = open_until(&w[i], now);

			if (until >= 0 && w[i].force == caution[c])
				return (struct force_verdict){ caution[c], (int)i, until, 0 };
		}
	}
	return (struct force_verdict){ FORCE_NONE, FORCE_BY_OVERRIDE, INT64_MAX, 0 };
}

static void
compare(const struct force_override *o, const struct force_window *w, size_t n)
{
	int64_t quiet_until = -1;
	struct force_verdict was = { 0 };

	for (int64_t now = 0; now < END; now++) {
		const struct force_verdict got = force_at(o, w, n, now);
		const struct force_verdict want = oracle(o, w, n, now);

		assert_int_equal(got.force, want.force);
		assert_int_equal(got.by, want.by);
		assert_true(got.until_ms == want.until_ms);
		assert_true(got.next_ms > now);
		/* What was promised to stay, stayed. */
		if (now < quiet_until)
			assert_true(got.force == was.force && got.by == was.by &&
				    got.until_ms == was.until_ms);
		was = got;
		quiet_until = got.next_ms;
	}
}

/* One window of every shape with every override. */
static void
test_every_window(void **state)
{
	(void)state;
	for (int64_t starts = 0; starts < 12; starts++)
		for (int64_t len = 1; len < 12; len++)
			for (int64_t every = 0; every < 16; every++)
				for (int64_t until = 0; until < 14; until++) {
					const struct force_window w = { starts, starts + len, every,
						FORCE_DRAIN };
					const struct force_override o = { until == 0 ? FORCE_NONE
										     : FORCE_UP,
						until == 13 ? INT64_MAX : until };

					if (every == 0 || every >= len)
						compare(&o, &w, 1);
				}
}

static void
test_random(void **state)
{
	struct rand_state dice;

	(void)state;
	rand_seed(&dice, 11);
	for (int round = 0; round < 20000; round++) {
		struct force_window w[WINDOWS];
		const size_t n = rand_below(&dice, WINDOWS + 1);
		const struct force_override o = {
			.force = rand_below(&dice, 3) > 0 ? FORCE_NONE
							  : (enum force)(1 + rand_below(&dice, 4)),
			.until_ms =
			    rand_below(&dice, 4) == 0 ? INT64_MAX : (int64_t)rand_below(&dice, END),
		};

		for (size_t i = 0; i < n; i++) {
			const int64_t starts = (int64_t)rand_below(&dice, END);
			const int64_t len = 1 + (int64_t)rand_below(&dice, 20);

			w[i] = (struct force_window){
				.starts_ms = starts,
				.ends_ms = starts + len,
				.every_ms =
				    rand_below(&dice, 2) ? len + (int64_t)rand_below(&dice, 9) : 0,
				.force = (enum force)(1 + rand_below(&dice, 4)),
			};
		}
		compare(&o, w, n);
	}
}

/* Far from zero nothing overflows. */
static void
test_real_times(void **state)
{
	const struct force_override none = { .force = FORCE_NONE };
	const struct force_window w = { 1764000000000, 1764000600000, 604800000, FORCE_HOLD };
	struct force_verdict v;

	(void)state;
	v = force_at(&none, &w, 1, 1764000000000 + 52 * INT64_C(604800000) + 1);
	assert_int_equal(v.force, FORCE_HOLD);
	assert_true(v.until_ms == 1764000600000 + 52 * INT64_C(604800000));
	v = force_at(&none, &w, 1, 253402300799000);
	assert_true(v.next_ms > 253402300799000);
	v = force_at(&none, &w, 1, 0);
	assert_int_equal(v.force, FORCE_NONE);
	assert_true(v.next_ms == 1764000000000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_window),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_real_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
