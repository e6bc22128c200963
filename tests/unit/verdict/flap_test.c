/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "verdict/flap.h"

/* 3 failures take a check down, 2 passes bring it back. */
static const struct flap_rule rule32 = { .fall = 3, .rise = 2 };

/* outcomes: '+' pass, '-' fail; edges: 'U' went up, 'D' went down, '.' steady */
static const struct {
	const char *story;
	enum flap_verdict start;
	const char *outcomes, *edges;
} stories[] = {
	{ "a single failure is forgiven", FLAP_UP, "-+-+", "...." },
	{ "a pass wipes the streak", FLAP_UP, "--+--", "....." },
	{ "the third failure in a row is the edge", FLAP_UP, "---", "..D" },
	{ "the edge is told once", FLAP_UP, "------", "..D..." },
	{ "two passes bring it back", FLAP_DOWN, "++", ".U" },
	{ "one pass is not a recovery", FLAP_DOWN, "+-+-", "...." },
	{ "down and up again", FLAP_UP, "---++", "..D.U" },
	{ "the first pass ends the unknown", FLAP_UNKNOWN, "+---", "U..D" },
	{ "one failure is not yet a verdict", FLAP_UNKNOWN, "--+", "..U" },
	{ "unknown goes down like up does", FLAP_UNKNOWN, "---+", "..D." },
};

static char
letter(enum flap_edge e)
{
	return e == FLAP_WENT_UP ? 'U' : e == FLAP_WENT_DOWN ? 'D' : '.';
}

static void
test_stories(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(stories); i++) {
		char got[16] = "";
		struct flap f;

		flap_init(&f, stories[i].start);
		for (size_t j = 0; stories[i].outcomes[j] != '\0'; j++)
			got[j] = letter(flap_feed(&f, &rule32, stories[i].outcomes[j] == '+'));
		if (strcmp(got, stories[i].edges) != 0)
			fail_msg("%s: got %s", stories[i].story, got);
	}
}

/* The slow, obvious definition: at every step look back over the equal outcomes that led here. */
static enum flap_verdict
step_oracle(enum flap_verdict v, const struct flap_rule *rule, unsigned history, int i)
{
	const bool pass = history >> i & 1;
	int same = 0;

	for (int j = i; j >= 0 && (history >> j & 1) == pass; j--)
		same++;
	if (pass)
		return v == FLAP_UNKNOWN || (v == FLAP_DOWN && same >= rule->rise) ? FLAP_UP : v;
	return v != FLAP_DOWN && same >= rule->fall ? FLAP_DOWN : v;
}

static void
try_history(enum flap_verdict start, const struct flap_rule *rule, unsigned history)
{
	enum flap_verdict want = start;
	struct flap f;

	flap_init(&f, start);
	for (int i = 0; i < 16; i++) {
		const enum flap_verdict before = want;
		const bool pass = history >> i & 1;
		const enum flap_edge edge = flap_feed(&f, rule, pass);

		want = step_oracle(want, rule, history, i);
		if (f.verdict != want)
			fail_msg("start %d rule %u/%u history %x step %d", start, rule->fall,
			    rule->rise, history, i);
		assert_int_equal(edge, want == before    ? FLAP_STEADY
				       : want == FLAP_UP ? FLAP_WENT_UP
							 : FLAP_WENT_DOWN);
		/* Doubt is an outcome that contradicts the verdict as it stands. */
		assert_int_equal(flap_doubts(&f), want != (pass ? FLAP_UP : FLAP_DOWN));
	}
}

static void
test_every_history(void **state)
{
	static const struct flap_rule rules[] = { { 1, 1 }, { 3, 2 }, { 2, 5 }, { 10, 1 },
		{ 1, 10 } };

	(void)state;
	for (size_t r = 0; r < ARRAY_LEN(rules); r++)
		for (int start = FLAP_UNKNOWN; start <= FLAP_DOWN; start++)
			for (unsigned history = 0; history < 1u << 16; history++)
				try_history((enum flap_verdict)start, &rules[r], history);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stories),
		cmocka_unit_test(test_every_history),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
