/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/rand.h"
#include "verdict/panel.h"

#define NODES  4
#define CHECKS 5
#define STEPS  20000

/* What a panel should say, by looking at everything after every step. */
struct oracle {
	struct {
		bool there, heard;
		uint64_t heard_ms;
	} nodes[NODES];
	struct {
		bool there, stale;
		struct panel_rule rule;
		enum flap_verdict verdict, votes[NODES];
		bool late[NODES];
	} checks[CHECKS];
};

struct world {
	struct panel *panel;
	struct panel_node *nodes[NODES];
	struct panel_check *checks[CHECKS];
	struct oracle want;
	enum flap_verdict told[CHECKS]; /* by hooks */
	bool stale[CHECKS];
	int numbers[NODES > CHECKS ? NODES : CHECKS];
	uint64_t now_ms;
};

static void
tell_verdict(void *arg, void *owner, enum flap_verdict v)
{
	struct world *w = arg;
	const int i = *(int *)owner;

	assert_int_not_equal(w->told[i], v); /* only changes */
	w->told[i] = v;
}

static void
tell_stale(void *arg, void *owner, bool stale)
{
	struct world *w = arg;
	const int i = *(int *)owner;

	assert_int_not_equal(w->stale[i], stale);
	w->stale[i] = stale;
}

/* Node 0 is ours. */
static bool
is_fresh(const struct world *w, int c, int n, uint64_t now_ms)
{
	const struct oracle *o = &w->want;

	return o->nodes[n].there && !o->checks[c].late[n] &&
	       (n == 0 || (o->nodes[n].heard &&
			      now_ms - o->nodes[n].heard_ms < o->checks[c].rule.fresh_ms));
}

static void
judge(struct world *w)
{
	for (int c = 0; c < CHECKS; c++) {
		unsigned fresh = 0, down = 0, any = 0;

		for (int n = 0; n < NODES; n++) {
			const enum flap_verdict v = w->want.checks[c].votes[n];

			any += v != FLAP_UNKNOWN;
			if (v == FLAP_UNKNOWN || !is_fresh(w, c, n, w->now_ms))
				continue;
			fresh++;
			down += v == FLAP_DOWN;
		}
		w->want.checks[c].stale = any > 0 && fresh == 0;
		if (fresh > 0)
			w->want.checks[c].verdict =
			    down > 0 && down * 100 >= w->want.checks[c].rule.failure_rate * fresh
				? FLAP_DOWN
				: FLAP_UP;
	}
}

static void
compare(const struct world *w)
{
	size_t stale = 0, differ = 0;

	for (int c = 0; c < CHECKS; c++) {
		bool says[3] = { false };

		if (!w->want.checks[c].there)
			continue;
		assert_int_equal(panel_verdict(w->checks[c]), w->want.checks[c].verdict);
		assert_int_equal(w->told[c], w->want.checks[c].verdict);
		assert_int_equal(w->stale[c], w->want.checks[c].stale);
		stale += w->want.checks[c].stale;
		for (int n = 0; n < NODES; n++) {
			const enum flap_verdict v = w->want.checks[c].votes[n];

			says[v] |= v != FLAP_UNKNOWN && is_fresh(w, c, n, w->now_ms);
			if (w->want.nodes[n].there)
				assert_int_equal(panel_vote_of(w->checks[c], w->nodes[n]), v);
		}
		differ += says[FLAP_UP] && says[FLAP_DOWN];
	}
	assert_int_equal(panel_counts(w->panel).stale, stale);
	assert_int_equal(panel_counts(w->panel).differ, differ);
	for (int n = 0; n < NODES; n++) {
		unsigned votes = 0, down = 0;

		for (int c = 0; c < CHECKS; c++) {
			votes += w->want.checks[c].votes[n] != FLAP_UNKNOWN;
			down += w->want.checks[c].votes[n] == FLAP_DOWN;
		}
		if (!w->want.nodes[n].there)
			continue;
		assert_int_equal(panel_node_votes(w->nodes[n]).fresh, votes);
		assert_int_equal(panel_node_votes(w->nodes[n]).down, down);
	}
}

/* The first moment at which time alone ends a vote that now counts but for being late. */
static uint64_t
next_end(const struct world *w)
{
	uint64_t at = PANEL_NEVER;

	for (int c = 0; c < CHECKS; c++)
		for (int n = 1; n < NODES; n++) {
			if (w->want.checks[c].votes[n] == FLAP_UNKNOWN || !w->want.nodes[n].heard)
				continue;

			const uint64_t end =
			    w->want.nodes[n].heard_ms + w->want.checks[c].rule.fresh_ms;

			if (end > w->now_ms && end < at)
				at = end;
		}
	return at;
}

static struct panel_rule
some_rule(struct rand_state *r)
{
	static const uint32_t rates[] = { 0, 1, 33, 34, 50, 67, 100 };

	return (struct panel_rule){ .failure_rate = rates[rand_below(r, ARRAY_LEN(rates))],
		.fresh_ms = 100 * (1 + rand_below(r, 3)) };
}

static void
come_or_go(struct world *w, struct rand_state *r, int n, int c)
{
	if (rand_below(r, 2) == 0 && n > 0) {
		if (w->want.nodes[n].there) {
			memset(&w->want.nodes[n], 0, sizeof(w->want.nodes[n]));
			for (int i = 0; i < CHECKS; i++) {
				w->want.checks[i].votes[n] = FLAP_UNKNOWN;
				w->want.checks[i].late[n] = false;
			}
			panel_leave(w->panel, &w->nodes[n]);
		} else {
			w->want.nodes[n].there = true;
			w->nodes[n] = panel_join(w->panel, &w->numbers[n], false);
		}
		return;
	}
	if (w->want.checks[c].there) {
		panel_drop(w->panel, &w->checks[c]);
		memset(&w->want.checks[c], 0, sizeof(w->want.checks[c]));
		return;
	}

	const enum flap_verdict held = (enum flap_verdict)rand_below(r, 3);

	w->want.checks[c].there = true;
	w->want.checks[c].rule = some_rule(r);
	w->want.checks[c].verdict = w->told[c] = held;
	w->stale[c] = false;
	w->checks[c] = panel_add(w->panel, &w->numbers[c], &w->want.checks[c].rule, held);
}

static void
act(struct world *w, struct rand_state *r)
{
	const int n = (int)rand_below(r, NODES), c = (int)rand_below(r, CHECKS);
	const uint64_t what = rand_below(r, 20);

	if (what == 0) {
		come_or_go(w, r, n, c);
	} else if (what < 6 && w->want.nodes[n].there) {
		panel_heard(w->panel, w->nodes[n], w->now_ms);
		w->want.nodes[n].heard = true;
		w->want.nodes[n].heard_ms = w->now_ms;
	} else if (what == 6 && w->want.checks[c].there) {
		w->want.checks[c].rule = some_rule(r);
		panel_rule(w->panel, w->checks[c], &w->want.checks[c].rule, w->now_ms);
	} else if (w->want.nodes[n].there && w->want.checks[c].there) {
		if (what < 10) {
			const bool late = rand_below(r, 2) == 0;

			panel_late(w->panel, w->checks[c], w->nodes[n], late);
			w->want.checks[c].late[n] =
			    late && w->want.checks[c].votes[n] != FLAP_UNKNOWN;
			return;
		}
		w->want.checks[c].votes[n] = (enum flap_verdict)rand_below(r, 3);
		w->want.checks[c].late[n] = false;
		panel_vote(
		    w->panel, w->checks[c], w->nodes[n], w->want.checks[c].votes[n], w->now_ms);
	}
}

static void
test_random(void **state)
{
	struct rand_state r;

	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct world w = { .now_ms = 1000 };
		const struct panel_hooks hooks = { &w, tell_verdict, tell_stale };

		rand_seed(&r, seed);
		for (int i = 0; i < (int)ARRAY_LEN(w.numbers); i++)
			w.numbers[i] = i;
		w.panel = panel_new(&hooks);
		w.nodes[0] = panel_join(w.panel, &w.numbers[0], true);
		w.want.nodes[0].there = true;
		for (int step = 0; step < STEPS; step++) {
			const uint64_t end = next_end(&w);

			/* Never later than needed; earlier only for what ends nothing (late). */
			assert_true(panel_due(w.panel) == end);
			w.now_ms +=
			    rand_below(&r, 8) == 0 ? rand_below(&r, 400) : rand_below(&r, 10);
			panel_tick(w.panel, w.now_ms);
			judge(&w);
			compare(&w);
			act(&w, &r);
			judge(&w);
			compare(&w);
		}
		panel_free(&w.panel);
	}
}

/* A stall: two nodes' votes end in the same tick. Nobody's is believed for having been looked at
 * last. */
static void
test_all_end_at_once(void **state)
{
	struct world w = { 0 };
	const struct panel_hooks hooks = { &w, tell_verdict, tell_stale };
	const struct panel_rule rule = { 50, 100 };

	(void)state;
	w.panel = panel_new(&hooks);
	w.nodes[0] = panel_join(w.panel, &w.numbers[0], false);
	w.nodes[1] = panel_join(w.panel, &w.numbers[0], false);
	w.nodes[2] = panel_join(w.panel, &w.numbers[0], false);
	w.checks[0] = panel_add(w.panel, &w.numbers[0], &rule, FLAP_UNKNOWN);
	for (int n = 0; n < 3; n++) {
		panel_heard(w.panel, w.nodes[n], 10 + (uint64_t)n);
		panel_vote(w.panel, w.checks[0], w.nodes[n], n == 2 ? FLAP_DOWN : FLAP_UP, 20);
	}
	assert_int_equal(w.told[0], FLAP_UP);
	assert_int_equal(panel_due(w.panel), 110);
	panel_tick(w.panel, 500);
	assert_int_equal(w.told[0], FLAP_UP);
	assert_true(w.stale[0]);
	assert_true(panel_due(w.panel) == PANEL_NEVER);
	panel_heard(w.panel, w.nodes[2], 501);
	assert_int_equal(w.told[0], FLAP_DOWN);
	assert_false(w.stale[0]);
	/* Two votes at once: nobody hears of what holds in between. */
	panel_suspend(w.checks[0]);
	panel_heard(w.panel, w.nodes[0], 502);
	panel_heard(w.panel, w.nodes[1], 502);
	panel_vote(w.panel, w.checks[0], w.nodes[2], FLAP_UP, 502);
	panel_vote(w.panel, w.checks[0], w.nodes[2], FLAP_DOWN, 502);
	assert_int_equal(w.told[0], FLAP_DOWN);
	panel_resume(w.panel, w.checks[0]);
	assert_int_equal(w.told[0], FLAP_UP);
	panel_free(&w.panel);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_all_end_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
