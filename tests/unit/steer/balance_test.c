/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * balance traffic in a whole tree: resolvers that honour TTLs ask, millisecond by millisecond of a
 * clock that is only counted, and the tree learns as it does in the engine.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/rand.h"
#include "dns/rrtype.h"
#include "steer/steered_types.h"
#include "world.h"

#define RESOLVERS 200
#define SITES     4
#define NAME      "www.example.com"
#define MINUTE    60000u

struct resolver {
	struct position at;
	double rate; /* clients a second */
	uint64_t due_us;
	unsigned holds; /* the last byte of the record it has; 0: none */
	uint32_t ttl_s;
	uint64_t until_ms;
};

struct street {
	struct world w;
	struct resolver r[RESOLVERS];
	struct rand_state rand;
	double rate; /* of all */
	uint32_t now_ms;
	unsigned moves; /* answers that differ from the one before, of the first ten */
	unsigned asked; /* answers, of the first ten */
};

static double
unit(struct rand_state *r)
{
	return ((double)(rand_next(r) >> 11) + 0.5) * 0x1p-53;
}

/* Pools p1.. with 192.0.2.1.. and the weights 4 3 2 1. */
static void
build(struct world *w, const char *more)
{
	world_put(w, KIND_ZONE, "example.com", "{}");
	world_put(w, KIND_TEMPLATE, "t", "{'protocol':'tcp'}");
	for (int i = 1; i <= SITES; i++) {
		char name[2][8];

		snprintf(name[0], sizeof(name[0]), "a%d", i);
		snprintf(name[1], sizeof(name[1]), "p%d", i);
		world_put(w, KIND_ADDRESS, name[0],
		    "{'type':'ipv4','value':'192.0.2.%d','checks':[{'template':'t','port':80}]}",
		    i);
		world_put(
		    w, KIND_POOL, name[1], "{'type':'ipv4','addresses':[{'address':'a%d'}]}", i);
	}
	world_put(w, KIND_DOMAIN, NAME "/A",
	    "{'enabled':true,'strategy':'weight',%s'pools':[{'pool':'p1','weight':4},"
	    "{'pool':'p2','weight':3},{'pool':'p3','weight':2},{'pool':'p4','weight':1}]}",
	    more);
	world_apply(w);
}

/* Resolver i has clients in proportion to 1 / i; 1000 a second in all. */
static void
open_street(struct street *s, const char *more)
{
	double sum = 0;

	*s = (struct street){ .rate = 1000 };
	world_init(&s->w, 1);
	build(&s->w, more);
	rand_seed(&s->rand, 11);
	for (int i = 0; i < RESOLVERS; i++)
		sum += 1.0 / (i + 1);
	for (unsigned i = 0; i < RESOLVERS; i++) {
		const uint8_t ip[4] = { 10, (uint8_t)i, 7, 53 };

		s->r[i].at = position_of_prefix(4, ip, 32);
		s->r[i].rate = s->rate / (i + 1) / sum;
		s->r[i].due_us = (uint64_t)(60e6 * unit(&s->rand));
	}
}

static unsigned
ask(struct street *s, const struct position *from, uint32_t now_ms, uint32_t *ttl_s)
{
	const struct plan *p = world_plan(&s->w, NAME, RRTYPE_A);
	const struct plan_asker asker = { .resolver = from, .now_ms = now_ms };
	const struct plan_rr *out[PLAN_MAX_ANSWER];
	unsigned scope;
	const size_t n = plan_is_balanced(p) ? plan_answer_to(p, 0, from, &asker, out, &scope)
					     : plan_answer(p, 0, from, out, &scope);

	CHECK(n == 1);
	*ttl_s = plan_rr_ttl(out[0]);
	return out[0]->tail[out[0]->len - 1];
}

static void
step(struct street *s, unsigned i)
{
	struct resolver *r = &s->r[i];
	const unsigned had = r->holds;
	const uint32_t now_ms = (uint32_t)(r->due_us / 1000);

	r->holds = ask(s, &r->at, now_ms, &r->ttl_s);
	r->until_ms = now_ms + r->ttl_s * 1000;
	r->due_us += (uint64_t)(r->ttl_s * 1e6 - log(unit(&s->rand)) / r->rate * 1e6);
	if (i < 10) {
		s->moves += had != 0 && had != r->holds;
		s->asked++;
	}
}

/* A moment goes by. */
static void
pass(struct street *s)
{
	s->now_ms += TREE_LEARN_MS;
	for (unsigned i = 0; i < RESOLVERS; i++) {
		while (s->r[i].due_us < (uint64_t)s->now_ms * 1000)
			step(s, i);
	}
	tree_learn(s->w.tree, s->now_ms);
}

static void
pass_minutes(struct street *s, unsigned minutes)
{
	for (unsigned i = 0; i < minutes * (MINUTE / TREE_LEARN_MS); i++)
		pass(s);
}

/* Most by which the clients on a site differ from its weight, in the mean of each of some minutes.
 */
static double
worst_minute(struct street *s, unsigned minutes)
{
	static const double weights[SITES] = { 0.4, 0.3, 0.2, 0.1 };
	double worst = 0;

	for (unsigned m = 0; m < minutes; m++) {
		double on[SITES + 1] = { 0 }, all = 0;

		for (unsigned k = 0; k < MINUTE / TREE_LEARN_MS; k++) {
			pass(s);
			for (unsigned i = 0; i < RESOLVERS; i++) {
				if (s->r[i].until_ms <= s->now_ms)
					continue;
				on[s->r[i].holds] += s->r[i].rate;
				all += s->r[i].rate;
			}
		}
		for (int i = 0; i < SITES; i++)
			worst = fmax(worst, fabs(on[i + 1] / all - weights[i]));
	}
	return worst;
}

static void
close_street(struct street *s)
{
	world_fini(&s->w);
}

/* What the whole is about: with plain weights a site may have twice its part for a minute; after
 * half an hour of learning none is far off. */
static void
test_learns(void **state)
{
	struct street s;
	double plain;

	(void)state;
	open_street(&s, "'ttl':60,");
	pass_minutes(&s, 30);
	plain = worst_minute(&s, 60);
	close_street(&s);
	assert_true(plain > 0.12);

	open_street(&s, "'ttl':60,'balance':'traffic',");
	pass_minutes(&s, 30);
	assert_true(worst_minute(&s, 60) < plain / 3);
	close_street(&s);

	open_street(&s, "'ttl':60,'ttl_min':5,'balance':'traffic',");
	pass_minutes(&s, 15);
	assert_true(worst_minute(&s, 60) < plain / 3);
	close_street(&s);
}

/* Once known, the ten with the most clients stay where they are. */
static void
test_calm(void **state)
{
	struct street s;

	(void)state;
	open_street(&s, "'ttl':30,'balance':'traffic',");
	pass_minutes(&s, 90);
	s.moves = s.asked = 0;
	pass_minutes(&s, 60);
	assert_true(s.asked > 1000);
	assert_true(s.moves * 50 < s.asked);
	close_street(&s);
}

/* A site dies: not one answer more with it, nobody else moves, and when it is back so are its own.
 */
static void
test_failure(void **state)
{
	struct street s;
	unsigned before[10], kept = 0, home = 0, away = 0;

	(void)state;
	open_street(&s, "'ttl':30,'balance':'traffic',");
	pass_minutes(&s, 60);
	for (int i = 0; i < 10; i++)
		before[i] = s.r[i].holds;

	const unsigned dead = before[0];
	char key[32];

	snprintf(key, sizeof(key), "t/192.0.2.%u/80", dead);
	world_verdict(&s.w, key, 'D');
	for (int k = 0; k < 3000; k++) {
		uint32_t ttl_s;
		const struct position anyone = {
			.hi = rand_next(&s.rand), .family = 4, .bits = 32
		};

		assert_int_not_equal(
		    ask(&s, k % 2 == 0 ? &anyone : &s.r[k % 10].at, s.now_ms, &ttl_s), dead);
	}
	pass_minutes(&s, 3);
	for (int i = 0; i < 10; i++) {
		assert_int_not_equal(s.r[i].holds, dead);
		kept += before[i] != dead && s.r[i].holds == before[i];
		away += before[i] == dead;
	}
	assert_true(away >= 1 && kept >= 9 - away);

	world_verdict(&s.w, key, 'U');
	pass_minutes(&s, 3);
	for (int i = 0; i < 10; i++)
		home += s.r[i].holds == before[i];
	assert_true(home >= 9);
	close_street(&s);
}

/* The more traffic the shorter, by halves, down to ttl_min and not below. */
static void
test_ttl(void **state)
{
	struct street s;
	uint32_t ttl_s;

	(void)state;
	open_street(&s, "'ttl':60,'ttl_min':10,'balance':'traffic',");
	pass_minutes(&s, 60);
	for (unsigned i = 0; i < RESOLVERS; i++) {
		(void)ask(&s, &s.r[i].at, s.now_ms, &ttl_s);
		assert_true(ttl_s == 60 || ttl_s == 30 || ttl_s == 15);
		if (i == 0)
			assert_int_equal(ttl_s, 15);
		if (i >= 40)
			assert_int_equal(ttl_s, 60);
	}
	close_street(&s);
}

/* Taken away while everybody asks, and given again. */
static void
test_switching(void **state)
{
	struct street s;

	(void)state;
	open_street(&s, "'balance':'traffic',");
	pass_minutes(&s, 20);
	build(&s.w, "");
	assert_false(plan_is_balanced(world_plan(&s.w, NAME, RRTYPE_A)));
	pass_minutes(&s, 2);
	build(&s.w, "'balance':'traffic',");
	assert_true(plan_is_balanced(world_plan(&s.w, NAME, RRTYPE_A)));
	pass_minutes(&s, 2);
	world_delete(&s.w, KIND_DOMAIN, NAME "/A");
	world_apply(&s.w);
	tree_learn(s.w.tree, s.now_ms);
	assert_null(world_plan(&s.w, NAME, RRTYPE_A));
	close_street(&s);
}

/* -- any configuration: an answer to a known resolver is one the plan could have given to anybody
 * there -- */

struct allowed {
	const struct plan *p;
	bool may[256]; /* by the last byte of the record */
};

static void
allow(void *arg, uint32_t tag, double probability)
{
	struct allowed *a = arg;

	for (uint32_t i = 0; probability > 0; i++) {
		if (a->p->items[i].tag != tag)
			continue;

		const struct plan_rr *rr = (const void *)(a->p->records + a->p->items[i].rr);

		a->may[rr->tail[rr->len - 1]] = true;
		return;
	}
}

static void
put_anything(struct world *w, struct rand_state *r)
{
	static const char *const strategies[] = { "weight", "weight", "weight", "round_robin",
		"sequence", "hash", "source_nearest" };
	struct buf links;

	buf_init(&links, 65536);
	for (unsigned i = 0; i < 6; i++) {
		char name[8];
		struct buf members;

		buf_init(&members, 65536);
		for (unsigned k = 0; k < 3; k++)
			buf_printf(&members, "%s{'address':'a%u','weight':%u%s}", k > 0 ? "," : "",
			    i * 3 + k, (unsigned)rand_below(r, 5),
			    rand_below(r, 4) == 0 ? ",'lines':['east']" : "");
		snprintf(name, sizeof(name), "p%u", i);
		world_put(w, KIND_POOL, name, "{'type':'ipv4','strategy':'%s','addresses':[%s]}",
		    strategies[rand_below(r, 7)], buf_str(&members));
		buf_printf(&links, "%s{'pool':'p%u','weight':%u%s}", i > 0 ? "," : "", i,
		    (unsigned)rand_below(r, 9),
		    rand_below(r, 3) == 0 ? ",'lines':['west','default']" : "");
		buf_fini(&members);
	}
	world_put(w, KIND_DOMAIN, NAME "/A",
	    "{'enabled':true,'strategy':'%s','balance':'traffic','ttl':16,'ttl_min':2,'pools':[%s]"
	    "}",
	    strategies[rand_below(r, 7)], buf_str(&links));
	buf_fini(&links);
	world_apply(w);
}

static void
check_answer(struct world *w, const struct position *from, uint32_t now_ms)
{
	const struct plan *p = world_plan(w, NAME, RRTYPE_A);
	const struct plan_asker asker = { .resolver = from, .now_ms = now_ms };
	const struct plan_rr *out[PLAN_MAX_ANSWER];
	struct allowed a = { .p = p };
	unsigned scope, ignored;
	const size_t n = plan_answer_to(p, 0, from, &asker, out, &scope);
	const uint32_t variant = p->chart == NULL ? 0 : chart_find(p->chart, from, &ignored);

	assert_true(n >= 1);
	plan_shares(p, variant, from, allow, &a);
	assert_true(a.may[out[0]->tail[out[0]->len - 1]]);
	assert_true(plan_rr_ttl(out[0]) >= 2 && plan_rr_ttl(out[0]) <= 16);
}

static void
test_anything(void **state)
{
	struct rand_state r;
	struct world w;
	uint32_t now_ms = 0;
	unsigned seated = 0, split = 0;

	(void)state;
	rand_seed(&r, 5);
	world_init(&w, 1);
	world_put(&w, KIND_ZONE, "example.com", "{}");
	world_put(&w, KIND_TEMPLATE, "t", "{'protocol':'tcp'}");
	world_put(&w, KIND_LINE, "west", "{'cidrs':['10.0.0.0/9']}");
	world_put(&w, KIND_LINE, "east", "{'cidrs':['10.192.0.0/10']}");
	for (unsigned i = 0; i < 18; i++) {
		char name[8];

		snprintf(name, sizeof(name), "a%u", i);
		world_put(&w, KIND_ADDRESS, name,
		    "{'type':'ipv4','value':'192.0.2.%u','checks':[{'template':'t','port':80}]}",
		    i + 1);
	}
	put_anything(&w, &r);
	for (int round = 0; round < 3000; round++) {
		if (rand_below(&r, 40) == 0)
			put_anything(&w, &r);
		if (rand_below(&r, 4) == 0) {
			char key[32];

			snprintf(
			    key, sizeof(key), "t/192.0.2.%u/80", 1 + (unsigned)rand_below(&r, 18));
			if (strmap_find(&w.wanted, key) != NULL)
				world_verdict(&w, key, rand_below(&r, 3) == 0 ? 'D' : 'U');
		}
		/* A handful ask so regularly that they become known; the clock goes in steps of
		 * their TTL. */
		for (unsigned k = 0; k < 12; k++) {
			const uint8_t ip[4] = { 10, (uint8_t)(k * 21), (uint8_t)k, 9 };
			const struct position at = position_of_prefix(4, ip, 32);

			check_answer(&w, &at, now_ms + k * 10 + (uint32_t)rand_below(&r, 5));
		}
		now_ms += 2000;
		tree_learn(w.tree, now_ms);
		seated += balance_view(world_plan(&w, NAME, RRTYPE_A)->balance).seated > 0;
		split += balance_view(world_plan(&w, NAME, RRTYPE_A)->balance).split > 0;
	}
	assert_true(seated > 300 && split > 30);
	world_fini(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_learns),
		cmocka_unit_test(test_calm),
		cmocka_unit_test(test_failure),
		cmocka_unit_test(test_ttl),
		cmocka_unit_test(test_switching),
		cmocka_unit_test(test_anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
