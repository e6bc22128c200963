/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Random models under random edits, verdicts, overrides and maintenance windows, while time goes
 * by. After every step the tree is compared with an oracle that knows nothing of marks, counts,
 * plans or what is due: it recomputes everything from the specs, rule by rule.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/rand.h"
#include "dns/rrtype.h"
#include "steer/live.h"
#include "steer/plan_types.h"
#include "world.h"

#ifdef __SANITIZE_ADDRESS__
#define STEPS 6000
#else
#define STEPS 42000
#endif

#define ADDRESSES 10
#define VALUES    8 /* addresses 8 and 9 have the values of 0 and 1 */
#define POOLS     5
#define DOMAINS   4
#define TEMPLATES 2
#define PORTS     2

struct member {
	int target;
	uint32_t weight, order;
};

/* What is imposed, the most cautious last. */
enum imposed { NOTHING, UP, DRAIN, DOWN };

struct override {
	enum imposed state; /* NOTHING: there is none */
	int64_t until;
};

struct address {
	struct override override;
	enum imposed imposed; /* by the oracle */
	bool enabled, manual, manual_up;
	bool checks[TEMPLATES][PORTS];
	int rule;
	/* by the oracle */
	enum health health;
	bool available;
};

struct group { /* a pool or a domain */
	struct override override;
	enum imposed imposed; /* by the oracle */
	bool exists, enabled, sticky;
	int strategy, rule;
	struct member members[ADDRESSES];
	int n;
	int current; /* target a non-preemptive sequence is on; -1 */
	/* by the oracle */
	enum health health;
	bool available;
};

#define WINDOWS 3
struct window {
	bool exists;
	enum imposed state;
	int64_t starts, ends, every;
	bool address[ADDRESSES], pool[POOLS], domain[DOMAINS];
};

static struct window windows[WINDOWS];
static struct address addresses[ADDRESSES];
static struct group pools[POOLS], domains[DOMAINS];
static char verdicts[VALUES][TEMPLATES][PORTS]; /* 'U', 'D', '?'; 0: not wanted */
static struct rand_state dice;
static struct world w;

static const struct {
	const char *json;
	struct healthy_when when;
} rules[] = {
	{ "'any_ok'", { HEALTHY_ANY_OK, 0 } },
	{ "'p50_ok'", { HEALTHY_P50_OK, 0 } },
	{ "'all_ok'", { HEALTHY_ALL_OK, 0 } },
	{ "{'at_least':2}", { HEALTHY_AT_LEAST, 2 } },
	{ "{'percent':34}", { HEALTHY_PERCENT, 34 } },
};

static int
roll(int sides)
{
	return (int)rand_below(&dice, (uint64_t)sides);
}

static int
value_of(int address)
{
	return address % VALUES;
}

/* -- telling the tree -- */

static const char *
word(bool yes)
{
	return yes ? "true" : "false";
}

static void
put_address(int i)
{
	const struct address *a = &addresses[i];
	char name[16], checks[256] = "";
	size_t len = 0;

	for (int t = 0; t < TEMPLATES; t++)
		for (int p = 0; p < PORTS; p++)
			if (a->checks[t][p])
				len +=
				    (size_t)sprintf(checks + len, "%s{'template':'t%d','port':%d}",
					len > 0 ? "," : "", t, 80 + p);
	snprintf(name, sizeof(name), "a%d", i);
	world_put(&w, KIND_ADDRESS, name,
	    "{'type':'ipv4','value':'192.0.2.%d','enabled':%s,'mode':'%s','manual_state':'%s',"
	    "'checks':[%s],'healthy_when':%s,'damping':{'transitions':0}}",
	    value_of(i), word(a->enabled), a->manual ? "manual" : "auto",
	    a->manual_up ? "available" : "unavailable", checks, rules[a->rule].json);
}

static void
put_group(enum kind kind, const char *name, const struct group *g)
{
	static const char *const strategies[] = { "round_robin", "weight", "sequence" };
	const bool pool = kind == KIND_POOL;
	struct buf b;

	buf_init(&b, 65536);
	for (int i = 0; i < g->n; i++)
		buf_printf(&b, "%s{'%s':'%s%d','weight':%u,'order':%u}", i > 0 ? "," : "",
		    pool ? "address" : "pool", pool ? "a" : "p", g->members[i].target,
		    g->members[i].weight, g->members[i].order);
	world_put(&w, kind, name,
	    "{'enabled':%s,'strategy':'%s','sequence_mode':'%s','%s':[%s]%s%s}", word(g->enabled),
	    strategies[g->strategy], g->sticky ? "non_preemptive" : "preemptive",
	    pool ? "addresses" : "pools", buf_str(&b), pool ? ",'type':'ipv4','healthy_when':" : "",
	    pool ? rules[g->rule].json : "");
	buf_fini(&b);
}

static const char *name_of(const char *fmt, ...) PRINTF(1, 2);

static const char *
name_of(const char *fmt, ...)
{
	static char name[64];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(name, sizeof(name), fmt, ap);
	va_end(ap);
	return name;
}
#define POOL_NAME(i)   name_of("p%d", i)
#define DOMAIN_NAME(i) name_of("d%d.example.com/A", i)

/* -- random edits -- */

static void
edit_address(int i)
{
	struct address *a = &addresses[i];

	a->enabled = roll(5) > 0;
	a->manual = roll(5) == 0;
	a->manual_up = roll(2);
	a->rule = roll(ARRAY_LEN(rules));
	for (int t = 0; t < TEMPLATES; t++)
		for (int p = 0; p < PORTS; p++)
			a->checks[t][p] = roll(3) == 0;
	put_address(i);
}

static void
edit_members(struct group *g, int targets, int space)
{
	bool used[ADDRESSES] = { 0 };

	g->n = 0;
	for (int left = roll(targets + 1); left > 0; left--) {
		const int target = roll(targets);

		if (used[target % space])
			continue; /* a pool holds an address, and a value, once */
		used[target % space] = true;
		g->members[g->n++] = (struct member){ target, (uint32_t[]){ 0, 1, 2, 5 }[roll(4)],
			(uint32_t)roll(4) + 1 };
	}
}

static void
edit_group(struct group *g)
{
	if (!g->exists)
		g->current = -1;
	g->exists = true;
	g->enabled = roll(6) > 0;
	g->strategy = roll(3);
	g->sticky = roll(2);
	g->rule = roll(ARRAY_LEN(rules));
}

static void
edit_pool(int i)
{
	edit_group(&pools[i]);
	edit_members(&pools[i], ADDRESSES, VALUES);
	put_group(KIND_POOL, POOL_NAME(i), &pools[i]);
}

static const char *const state_words[] = { [UP] = "up", [DRAIN] = "drain", [DOWN] = "down" };

static void
edit_override(struct override *o, const char *name)
{
	char until[CLOCK_TEXT_SIZE], more[64] = "";

	if (o->state != NOTHING && roll(2) == 0) {
		o->state = NOTHING;
		world_delete(&w, KIND_OVERRIDE, name);
		return;
	}
	o->state = (enum imposed)(1 + roll(3));
	o->until = roll(2) ? INT64_MAX : w.now_ms + roll(60);
	if (o->until != INT64_MAX)
		snprintf(more, sizeof(more), ",'until':'%s'", clock_text(o->until, until));
	world_put(&w, KIND_OVERRIDE, name, "{'state':'%s','reason':'dice'%s}",
	    state_words[o->state], more);
}

static void
edit_some_override(void)
{
	const int what = roll(6), p = roll(POOLS), d = roll(DOMAINS), a = roll(ADDRESSES);

	if (what < 3)
		edit_override(&addresses[a].override, name_of("address/a%d", a));
	else if (what < 5)
		edit_override(&pools[p].override, name_of("pool/p%d", p));
	else if (domains[d].exists)
		edit_override(&domains[d].override, name_of("domain/d%d.example.com/A", d));
}

static void
edit_window(int i)
{
	struct window *m = &windows[i];
	char starts[CLOCK_TEXT_SIZE], ends[CLOCK_TEXT_SIZE];
	struct buf b;

	if (m->exists && roll(3) == 0) {
		m->exists = false;
		world_delete(&w, KIND_MAINTENANCE, name_of("m%d", i));
		return;
	}
	*m = (struct window){ .exists = true, .state = (enum imposed)(1 + roll(3)) };
	m->starts = w.now_ms + roll(80) - 40;
	m->ends = m->starts + 1 + roll(50);
	m->every = roll(2) ? 1000 + roll(30) : 0;
	buf_init(&b, 65536);
	m->address[i] = true;
	buf_printf(&b, "'address/a%d'", i);
	for (int k = WINDOWS; k < ADDRESSES; k++)
		if ((m->address[k] = roll(5) == 0))
			buf_printf(&b, ",'address/a%d'", k);
	for (int k = 0; k < POOLS; k++)
		if ((m->pool[k] = roll(4) == 0))
			buf_printf(&b, ",'pool/p%d'", k);
	for (int k = 0; k < DOMAINS; k++)
		if ((m->domain[k] = domains[k].exists && roll(4) == 0))
			buf_printf(&b, ",'domain/d%d.example.com/A'", k);
	world_put(&w, KIND_MAINTENANCE, name_of("m%d", i),
	    "{'objects':[%s],'state':'%s','starts':'%s','ends':'%s','every':'%dms','reason':'x'}",
	    buf_str(&b), state_words[m->state], clock_text(m->starts, starts),
	    clock_text(m->ends, ends), (int)m->every);
	buf_fini(&b);
}

/* As control does: an override goes along, and what a window names stays. */
static bool
may_go(int domain)
{
	for (int i = 0; i < WINDOWS; i++) {
		if (windows[i].exists && windows[i].domain[domain])
			return false;
	}
	return true;
}

static void
edit_domain(int i)
{
	if (domains[i].exists && may_go(i) && roll(6) == 0) {
		domains[i].exists = false;
		if (domains[i].override.state != NOTHING)
			world_delete(&w, KIND_OVERRIDE, name_of("domain/d%d.example.com/A", i));
		domains[i].override.state = NOTHING;
		world_delete(&w, KIND_DOMAIN, DOMAIN_NAME(i));
		return;
	}
	edit_group(&domains[i]);
	edit_members(&domains[i], POOLS, POOLS);
	put_group(KIND_DOMAIN, DOMAIN_NAME(i), &domains[i]);
}

static void
edit(void)
{
	switch (roll(12)) {
	case 8:
	case 9:
	case 10:
		edit_some_override();
		break;
	case 11:
		edit_window(roll(WINDOWS));
		break;
	case 0:
	case 1:
	case 2:
		edit_address(roll(ADDRESSES));
		break;
	case 3:
	case 4:
		edit_pool(roll(POOLS));
		break;
	case 5:
		world_put(&w, KIND_TEMPLATE, name_of("t%d", roll(TEMPLATES)), "{'protocol':'tcp'}");
		break;
	default:
		edit_domain(roll(DOMAINS));
	}
}

static void
change_verdict(void)
{
	const int v = roll(VALUES), t = roll(TEMPLATES), p = roll(PORTS);
	char key[64];

	if (verdicts[v][t][p] == 0)
		return;
	verdicts[v][t][p] = "UUDDD?"[roll(6)];
	snprintf(key, sizeof(key), "t%d/192.0.2.%d/%d", t, v, 80 + p);
	world_verdict(&w, key, verdicts[v][t][p]);
}

/* -- the oracle -- */

static void
judge_checks(void)
{
	bool wanted[VALUES][TEMPLATES][PORTS] = { 0 };

	for (int i = 0; i < ADDRESSES; i++)
		for (int t = 0; t < TEMPLATES; t++)
			for (int p = 0; p < PORTS; p++)
				wanted[value_of(i)][t][p] |= addresses[i].checks[t][p];
	for (int v = 0; v < VALUES; v++)
		for (int t = 0; t < TEMPLATES; t++)
			for (int p = 0; p < PORTS; p++) {
				char *known = &verdicts[v][t][p];

				*known = !wanted[v][t][p] ? 0 : *known == 0 ? '?' : *known;
			}
}

static enum imposed
imposed_by(const struct override *o, int kind, int i)
{
	enum imposed most = NOTHING;

	if (o->state != NOTHING && w.now_ms < o->until)
		return o->state;
	for (int k = 0; k < WINDOWS; k++) {
		const struct window *m = &windows[k];
		const bool named = kind == KIND_ADDRESS ? m->address[i]
				   : kind == KIND_POOL  ? m->pool[i]
							: m->domain[i];
		int64_t starts = m->starts, ends = m->ends;

		for (; m->every > 0 && starts + m->every <= w.now_ms; starts += m->every)
			ends += m->every;
		if (m->exists && named && starts <= w.now_ms && w.now_ms < ends && m->state > most)
			most = m->state;
	}
	return most;
}

static bool
counts(int i)
{
	const struct address *a = &addresses[i];

	return a->imposed == UP || (a->enabled && a->imposed != DRAIN);
}

static bool
usable(int i)
{
	return counts(i) && addresses[i].imposed != DOWN;
}

static bool
pool_usable(const struct group *g)
{
	return g->imposed == UP || (g->enabled && g->imposed == NOTHING);
}

static int
count_members(const struct group *g, bool (*what)(int))
{
	int n = 0;

	for (int i = 0; i < g->n; i++)
		n += what(g->members[i].target);
	return n;
}

static void
judge_address(int i)
{
	struct address *a = &addresses[i];
	uint32_t up = 0, down = 0, unknown = 0;

	for (int t = 0; t < TEMPLATES; t++)
		for (int p = 0; p < PORTS; p++) {
			const char v = a->checks[t][p] ? verdicts[value_of(i)][t][p] : 0;

			up += v == 'U';
			down += v == 'D';
			unknown += v == '?';
		}
	if (up + down + unknown == 0)
		a->health = HEALTH_OK_NO_MONITOR;
	else if (up + down == 0)
		a->health = HEALTH_UNKNOWN;
	else if (down == 0)
		a->health = HEALTH_OK;
	else if (health_met(&rules[a->rule].when, up + unknown, up + down + unknown))
		a->health = HEALTH_OK_ALERT;
	else
		a->health = HEALTH_EXCEPTIONAL;
	a->imposed = imposed_by(&a->override, KIND_ADDRESS, i);
	a->available = usable(i) && (a->imposed == UP ? true
					: a->manual   ? a->manual_up
						      : a->health != HEALTH_EXCEPTIONAL);
}

static bool
address_available(int i)
{
	return addresses[i].available;
}

static bool domain_frozen; /* the domain that is being answered for */

/* Override up on a pool of which nobody is available: everybody who may answers. */
static bool
opens(const struct group *pool)
{
	return domain_frozen ||
	       (pool->imposed == UP && count_members(pool, address_available) == 0);
}

static bool
lives_in(const struct group *pool, int address)
{
	return opens(pool) ? usable(address) : addresses[address].available;
}

static bool
pool_answers(int i)
{
	const struct group *g = &pools[i];

	if (domain_frozen)
		return pool_usable(g) && count_members(g, usable) > 0;
	return g->available;
}

/* Of the members of `g`. */
static bool
is_available(const struct group *g, bool of_pools, int target)
{
	return of_pools ? pool_answers(target) : lives_in(g, target);
}

/* The available member a sequence is on; -1 if none. */
static int
smallest(const struct group *g, bool of_pools)
{
	int best = -1;

	for (int i = 0; i < g->n; i++)
		if (is_available(g, of_pools, g->members[i].target) &&
		    (best < 0 || g->members[i].order < g->members[best].order))
			best = i;
	return best < 0 ? -1 : g->members[best].target;
}

static void
judge_sequence(struct group *g, bool of_pools)
{
	bool stays = false;

	for (int i = 0; i < g->n; i++)
		stays |=
		    g->members[i].target == g->current && is_available(g, of_pools, g->current);
	if (g->strategy != STRATEGY_SEQUENCE || !g->sticky)
		g->current = -1;
	else if (!stays)
		g->current = smallest(g, of_pools);
}

static void
judge_pool(struct group *g)
{
	uint32_t good = 0, total = 0;

	g->imposed = imposed_by(&g->override, KIND_POOL, (int)(g - pools));
	for (int i = 0; i < g->n; i++) {
		total += counts(g->members[i].target);
		good += addresses[g->members[i].target].available;
	}
	if (total > 0 && good == total)
		g->health = HEALTH_OK;
	else if (total > 0 && health_met(&rules[g->rule].when, good, total))
		g->health = HEALTH_OK_ALERT;
	else
		g->health = HEALTH_EXCEPTIONAL;
	if (g->imposed == UP)
		g->available = count_members(g, usable) > 0;
	else
		g->available = pool_usable(g) && g->health != HEALTH_EXCEPTIONAL;
	judge_sequence(g, false);
}

static void
judge_domain(struct group *g)
{
	int good = 0, total = 0;
	bool any = false;

	g->imposed = imposed_by(&g->override, KIND_DOMAIN, (int)(g - domains));
	for (int i = 0; i < g->n; i++) {
		const struct group *p = &pools[g->members[i].target];

		good += p->available;
		total += p->imposed != DRAIN;
		any |= pool_usable(p) && count_members(p, usable) > 0;
	}
	g->health = good == 0 ? HEALTH_EXCEPTIONAL : good < total ? HEALTH_OK_ALERT : HEALTH_OK;
	g->available = g->enabled && (g->imposed == UP ? any : g->imposed == NOTHING && good > 0);
	judge_sequence(g, true);
}

/* What a domain should answer: for each way to answer its records, and how often each record leads.
 */
struct expected {
	bool zone, fallback;
	double leads[VALUES];
	uint32_t always;        /* round_robin over pools: values in every answer, ... */
	uint32_t one_of[POOLS]; /* ... and one of each of these */
	int n_one_of;
	uint32_t answers[ADDRESSES * POOLS]; /* else: one of these sets */
	int n_answers;
};

/* Chances under weight: by weight among the available with a weight, else equal among the
 * available. */
static void
weigh(const struct group *g, bool of_pools, double chances[ADDRESSES])
{
	double sum = 0, equal = 0;

	for (int i = 0; i < g->n; i++)
		if (is_available(g, of_pools, g->members[i].target)) {
			sum += g->members[i].weight;
			equal++;
		}
	for (int i = 0; i < g->n; i++)
		chances[i] = !is_available(g, of_pools, g->members[i].target) ? 0
			     : sum > 0 ? g->members[i].weight / sum
				       : 1 / equal;
}

/* A pool's own chances by member, as if each answer were one record; `all`: it gives all of them at
 * once. */
static void
pool_chances(const struct group *g, double chances[ADDRESSES], bool *all)
{
	const int on = g->current >= 0 && !domain_frozen ? g->current : smallest(g, false);
	int n = 0;

	*all = g->strategy == STRATEGY_ROUND_ROBIN;
	if (g->strategy == STRATEGY_WEIGHT) {
		weigh(g, false, chances);
		return;
	}
	for (int i = 0; i < g->n; i++)
		n += lives_in(g, g->members[i].target);
	for (int i = 0; i < g->n; i++) {
		const int target = g->members[i].target;

		chances[i] = *all ? (lives_in(g, target) ? 1.0 / n : 0) : target == on;
	}
}

static void
expect_pool(struct expected *e, const struct group *g, double share)
{
	double chances[ADDRESSES];
	uint32_t mask = 0;
	bool all;

	pool_chances(g, chances, &all);
	for (int i = 0; i < g->n; i++) {
		const int v = value_of(g->members[i].target);

		if (chances[i] == 0)
			continue;
		e->leads[v] += share * chances[i];
		mask |= 1u << v;
		if (!all)
			e->answers[e->n_answers++] = 1u << v;
	}
	if (all)
		e->answers[e->n_answers++] = mask;
}

/* A weighted pool of which only one can come is as good as a fixed record. */
static bool
is_drawn(const struct group *g, const double chances[ADDRESSES])
{
	int may = 0;

	for (int k = 0; k < g->n; k++)
		may += chances[k] > 0;
	return g->strategy == STRATEGY_WEIGHT && may > 1;
}

/* The union: a place per distinct fixed record and one per weighted pool; each place leads equally
 * often. */
static void
expect_union(struct expected *e, const struct group *d)
{
	double places = 0;

	for (int pass = 0; pass < 2; pass++) {
		uint32_t seen = 0;

		for (int i = 0; i < d->n; i++) {
			const struct group *g = &pools[d->members[i].target];
			double chances[ADDRESSES];
			uint32_t mask = 0;
			bool all;

			if (!pool_answers(d->members[i].target))
				continue;
			pool_chances(g, chances, &all);
			for (int k = 0; k < g->n; k++) {
				const uint32_t bit = 1u << value_of(g->members[k].target);
				const bool fixed = !is_drawn(g, chances);

				if (chances[k] == 0 || (fixed && (seen & bit)))
					continue;
				mask |= bit;
				if (fixed)
					seen |= bit;
				if (fixed && pass == 0)
					places++;
				if (pass == 1)
					e->leads[value_of(g->members[k].target)] +=
					    (fixed ? 1 : chances[k]) / places;
			}
			if (is_drawn(g, chances)) {
				places += pass == 0;
				e->one_of[e->n_one_of] = mask;
				e->n_one_of += pass;
			}
		}
		e->always = seen;
	}
}

/* Rules b and c are one here: every link serves the default line. */
static void
expect_fallback(struct expected *e, const struct group *d)
{
	const struct member *best = NULL;
	uint32_t mask = 0;

	for (int i = 0; i < d->n; i++) {
		const struct group *g = &pools[d->members[i].target];
		const bool empty = count_members(g, usable) == 0;

		if (pool_usable(g) && !empty && (best == NULL || d->members[i].order < best->order))
			best = &d->members[i];
	}
	e->zone = best == NULL;
	e->fallback = best != NULL;
	for (int k = 0; best != NULL && k < pools[best->target].n; k++) {
		const int target = pools[best->target].members[k].target;

		if (usable(target))
			mask |= 1u << value_of(target);
	}
	e->always = mask;
	for (int v = 0; v < VALUES; v++)
		e->leads[v] = mask >> v & 1 ? 1.0 / __builtin_popcount(mask) : 0;
}

static void
expect_answers(struct expected *e, const struct group *d)
{
	const int on = d->current >= 0 && !domain_frozen ? d->current : smallest(d, true);
	double chances[ADDRESSES];

	if (d->strategy == STRATEGY_ROUND_ROBIN) {
		expect_union(e, d);
		return;
	}
	weigh(d, true, chances);
	for (int i = 0; i < d->n; i++) {
		const int target = d->members[i].target;

		if (d->strategy == STRATEGY_SEQUENCE)
			chances[i] = target == on;
		if (chances[i] > 0)
			expect_pool(e, &pools[target], chances[i]);
	}
}

static void
expect_domain(struct expected *e, const struct group *d)
{
	bool any = false;

	*e = (struct expected){ .zone =
				    !d->exists || !d->enabled || d->n == 0 || d->imposed == DRAIN };
	if (e->zone)
		return;
	domain_frozen = d->imposed == UP;
	for (int i = 0; i < d->n; i++)
		any |= pool_answers(d->members[i].target);
	if (any && d->imposed != DOWN)
		expect_answers(e, d);
	else
		expect_fallback(e, d);
	domain_frozen = false;
}

/* -- comparing -- */

static uint64_t compared;

static void
compare_state(enum kind kind, const char *name, enum health health, bool available)
{
	const struct model_object *o = model_find(tree_model(w.tree), kind, name);
	const struct live *l = o->runtime;

	if (l->state.health != health || l->state.available != available)
		fail_msg("step %lu: %s is %s", compared, name, health_words[l->state.health]);
	if (world_told(&w, kind, name) != WORLD_TOLD(health, available))
		fail_msg("step %lu: of %s another status was told", compared, name);
}

static void
compare_checks(void)
{
	size_t count = 0;
	char key[64];

	for (int v = 0; v < VALUES; v++)
		for (int t = 0; t < TEMPLATES; t++)
			for (int p = 0; p < PORTS; p++) {
				if (verdicts[v][t][p] == 0)
					continue;
				count++;
				snprintf(key, sizeof(key), "t%d/192.0.2.%d/%d", t, v, 80 + p);
				assert_non_null(strmap_find(&w.wanted, key));
			}
	assert_int_equal(w.wanted.count, count);
}

struct leads {
	const struct plan *plan;
	double of[VALUES];
	double sum;
};

static int
value_of_item(const struct plan *p, const struct plan_item *item)
{
	const struct plan_rr *rr = (const void *)(p->records + item->rr);

	return rr->tail[rr->len - 1];
}

static void
add_lead(void *arg, uint32_t tag, double probability)
{
	struct leads *l = arg;
	const struct plan_item *item = l->plan->items;

	while (item->tag != tag)
		item++;
	l->of[value_of_item(l->plan, item)] += probability;
	l->sum += probability;
}

static bool
fits(const struct expected *e, uint32_t mask)
{
	for (int i = 0; i < e->n_answers; i++) {
		if (e->answers[i] == mask)
			return true;
	}
	if (e->n_answers > 0 || (mask & e->always) != e->always)
		return false;

	uint32_t may = e->always;

	for (int i = 0; i < e->n_one_of; i++) {
		may |= e->one_of[i];
		if ((mask & e->one_of[i]) == 0)
			return false;
	}
	return (mask & ~may) == 0;
}

static void
compare_plan(int i, const struct expected *e)
{
	const struct plan *p = world_plan(&w, name_of("d%d.example.com", i), RRTYPE_A);
	const struct plan_rr *out[PLAN_MAX_ANSWER];
	struct leads l = { .plan = p };

	if ((p == NULL) != e->zone)
		fail_msg("step %lu: domain %d should %s", compared, i, e->zone ? "rest" : "steer");
	if (p == NULL)
		return;
	assert_int_equal(plan_is_fallback(p), e->fallback);
	plan_shares(p, 0, NULL, add_lead, &l);
	assert_true(l.sum > 1 - 1e-9 && l.sum < 1 + 1e-9);
	for (int v = 0; v < VALUES; v++)
		if (l.of[v] < e->leads[v] - 1e-9 || l.of[v] > e->leads[v] + 1e-9)
			fail_msg("step %lu: domain %d value %d leads %f, not %f", compared, i, v,
			    l.of[v], e->leads[v]);
	for (int q = 0; q < 3; q++) {
		unsigned scope;
		const size_t n = plan_answer(p, 0, &w.at, out, &scope);
		uint32_t mask = 0;

		for (size_t k = 0; k < n; k++)
			mask |= 1u << out[k]->tail[out[k]->len - 1];
		assert_int_equal(__builtin_popcount(mask), n);
		if (!fits(e, mask))
			fail_msg("step %lu: domain %d answers %x", compared, i, mask);
	}
}

static void
compare(void)
{
	struct expected e;

	judge_checks();
	for (int i = 0; i < ADDRESSES; i++) {
		judge_address(i);
		compare_state(
		    KIND_ADDRESS, name_of("a%d", i), addresses[i].health, addresses[i].available);
	}
	for (int i = 0; i < POOLS; i++) {
		judge_pool(&pools[i]);
		compare_state(KIND_POOL, POOL_NAME(i), pools[i].health, pools[i].available);
	}
	for (int i = 0; i < DOMAINS; i++) {
		judge_domain(&domains[i]);
		if (domains[i].exists)
			compare_state(
			    KIND_DOMAIN, DOMAIN_NAME(i), domains[i].health, domains[i].available);
		expect_domain(&e, &domains[i]);
		compare_plan(i, &e);
	}
	compare_checks();
	compared++;
}

static void
walk(uint64_t seed)
{
	rand_seed(&dice, seed);
	memset(domains, 0, sizeof(domains));
	memset(pools, 0, sizeof(pools));
	memset(verdicts, 0, sizeof(verdicts));
	memset(windows, 0, sizeof(windows));
	memset(addresses, 0, sizeof(addresses));
	world_init(&w, 1);
	world_put(&w, KIND_ZONE, "example.com", "{}");
	for (int t = 0; t < TEMPLATES; t++)
		world_put(&w, KIND_TEMPLATE, name_of("t%d", t), "{'protocol':'tcp'}");
	for (int i = 0; i < ADDRESSES; i++)
		edit_address(i);
	for (int i = 0; i < POOLS; i++)
		edit_pool(i);
	world_apply(&w);
	compare();
	for (int step = 0; step < STEPS; step++) {
		if (roll(4) > 0) {
			change_verdict();
		} else if (roll(3) == 0) {
			world_pass(&w, roll(30));
		} else {
			for (int n = 1 + roll(3); n > 0; n--)
				edit();
			world_apply(&w);
		}
		compare();
	}
	world_fini(&w);
}

static void
test_random_models(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 5; seed++)
		walk(seed);
	print_message("%lu steps compared\n", compared);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_models),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
