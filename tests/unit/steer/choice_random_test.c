/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Random domains with lines, every strategy at both levels and every fallback, asked by random
 * clients under random verdicts and overrides. The oracle decides for one client at a time from the
 * rules of 2-model, and knows nothing of classes, variants, charts or compiled shares. The scope is
 * checked against its definition: all addresses in it get the same decision, and the next larger
 * prefix holds one that does not.
 */
#include <math.h>
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
#include "base/rand.h"
#include "dns/rrtype.h"
#include "steer/explain.h"
#include "steer/live.h"
#include "steer/mix.h"
#include "steer/pick_hash.h"
#include "steer/plan_types.h"
#include "steer/scene.h"
#include "world.h"

#ifdef __SANITIZE_ADDRESS__
#define STEPS 4000
#else
#define STEPS 42000
#endif
#define CLIENTS 25 /* a step */

#define ADDRESSES 8
#define POOLS     4
#define LINES     6 /* and default, which is number LINES */
#define HOST      "www.example.com"
#define NAME      HOST "/A"
#define NOBODY    (-1)

/* -- the world -- */

/* Ranges that lines are made of: they nest, but are never equal. */
static const char *const ranges[] = { "10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24", "10.1.2.128/25",
	"10.1.2.200/32", "10.1.3.0/24", "10.200.0.0/13", "0.0.0.0/4", "255.255.255.255/32",
	"172.16.0.0/12", "2001:db8::/32", "2001:db8:1::/48", "2001:db8:1:2::/64",
	"2001:db8:1:2::7/128", "ff00::/8" };
#define RANGES ARRAY_LEN(ranges)

struct link {
	int target;
	uint32_t weight, order;
	bool lines[LINES + 1];
};

struct group { /* a pool, or the domain */
	bool enabled, stays;
	int strategy, rule;
	uint32_t max_answers;
	struct link links[ADDRESSES];
	int n;
	int on[LINES + 1]; /* where the sequence of a line stays; NOBODY */
};

/* What an operator has imposed. */
enum imposed { NOTHING, UP, DOWN, DRAIN };

static bool address_enabled[ADDRESSES], address_up[ADDRESSES];
static enum imposed on_address[ADDRESSES], on_pool[POOLS], on_domain;
static struct group pools[POOLS], domain;
static int fallback, fallback_pool, good_pools, good_addresses; /* the latter as bits */
static bool next_line, ecs, good_known;
static int owner_of[RANGES], parent_of[LINES];
static struct cidr cidrs[RANGES];
static struct rand_state dice;
static struct world w;
static uint64_t compared, explained;

static const struct {
	const char *json;
	struct healthy_when when;
} rules[] = {
	{ "'any_ok'", { HEALTHY_ANY_OK, 0 } },
	{ "'p50_ok'", { HEALTHY_P50_OK, 0 } },
	{ "'all_ok'", { HEALTHY_ALL_OK, 0 } },
};

static int
roll(int sides)
{
	return (int)rand_below(&dice, (uint64_t)sides);
}

static const char *
word(bool yes)
{
	return yes ? "true" : "false";
}

static void
put_address(int i)
{
	char name[8];

	snprintf(name, sizeof(name), "a%d", i);
	world_put(&w, KIND_ADDRESS, name,
	    "{'type':'ipv4','value':'192.0.2.%d','enabled':%s,'checks':[{'template':'t','port':80}]"
	    ","
	    "'damping':{'transitions':0}}",
	    i, word(address_enabled[i]));
}

static void
put_line(int i)
{
	char name[8], parent[8] = "default";
	struct buf b;
	const char *sep = "";

	buf_init(&b, 4096);
	for (size_t r = 0; r < RANGES; r++)
		if (owner_of[r] == i) {
			buf_printf(&b, "%s'%s'", sep, ranges[r]);
			sep = ",";
		}
	snprintf(name, sizeof(name), "l%d", i);
	if (parent_of[i] != LINES)
		snprintf(parent, sizeof(parent), "l%d", parent_of[i]);
	world_put(&w, KIND_LINE, name, "{'parent':'%s','cidrs':[%s]}", parent, buf_str(&b));
	buf_fini(&b);
}

static void
print_links(struct buf *b, const struct group *g, const char *member, const char *prefix)
{
	for (int i = 0; i < g->n; i++) {
		const struct link *l = &g->links[i];
		const char *sep = "";

		buf_printf(b, "%s{'%s':'%s%d','weight':%u,'order':%u,'lines':[", i > 0 ? "," : "",
		    member, prefix, l->target, l->weight, l->order);
		for (int k = 0; k <= LINES; k++) {
			if (!l->lines[k])
				continue;
			if (k == LINES)
				buf_printf(b, "%s'default'", sep);
			else
				buf_printf(b, "%s'l%d'", sep, k);
			sep = ",";
		}
		buf_puts(b, "]}");
	}
}

static void
put_pool(int i)
{
	const struct group *g = &pools[i];
	struct buf b;
	char name[8];

	buf_init(&b, 65536);
	print_links(&b, g, "address", "a");
	snprintf(name, sizeof(name), "p%d", i);
	world_put(&w, KIND_POOL, name,
	    "{'type':'ipv4','enabled':%s,'strategy':'%s','sequence_mode':'%s','max_answers':%u,"
	    "'healthy_when':%s,'addresses':[%s]}",
	    word(g->enabled), strategy_words[g->strategy],
	    g->stays ? "non_preemptive" : "preemptive", g->max_answers, rules[g->rule].json,
	    buf_str(&b));
	buf_fini(&b);
}

static void
put_domain(void)
{
	static const char *const words[] = { "fail_open", "fallback_pool", "last_good",
		"public_zone", "nodata" };
	struct buf b;
	char refuge[32] = "";

	buf_init(&b, 65536);
	print_links(&b, &domain, "pool", "p");
	if (fallback == FALLBACK_POOL)
		snprintf(refuge, sizeof(refuge), ",'fallback_pool':'p%d'", fallback_pool);
	world_put(&w, KIND_DOMAIN, NAME,
	    "{'enabled':%s,'strategy':'%s','sequence_mode':'%s','max_answers':%u,'ttl':60,"
	    "'degraded_ttl':7,'line_failover':'%s','ecs':%s,'fallback':'%s'%s,'pools':[%s]}",
	    word(domain.enabled), strategy_words[domain.strategy],
	    domain.stays ? "non_preemptive" : "preemptive", domain.max_answers,
	    next_line ? "next" : "default", word(ecs), words[fallback], refuge, buf_str(&b));
	buf_fini(&b);
}

/* -- random edits -- */

static void
edit_links(struct group *g, int targets)
{
	const bool with_lines = roll(3) > 0;
	bool used[ADDRESSES] = { false };

	g->n = 0;
	for (int left = roll(targets + 1); left > 0; left--) {
		const int target = roll(targets);

		if (used[target])
			continue;
		used[target] = true;

		struct link *l = &g->links[g->n++];

		*l = (struct link){ .target = target,
			.weight = (uint32_t[]){ 0, 1, 2, 5 }[roll(4)],
			.order = (uint32_t)roll(4) + 1 };
		l->lines[with_lines ? roll(LINES + 1) : LINES] = true;
		for (int more = with_lines ? roll(3) : 0; more > 0; more--)
			l->lines[roll(LINES + 1)] = true;
	}
	/* A line nobody serves any more forgets where it was. */
	for (int k = 0; k < LINES; k++) {
		bool served = false;

		for (int i = 0; i < g->n; i++)
			served |= g->links[i].lines[k];
		if (!served)
			g->on[k] = NOBODY;
	}
}

static void
edit_group(struct group *g, int targets)
{
	g->enabled = roll(8) > 0;
	g->stays = roll(2);
	g->strategy = roll(5);
	g->rule = roll(ARRAY_LEN(rules));
	g->max_answers = (uint32_t[]){ 0, 0, 1, 2, 3 }[roll(5)];
	edit_links(g, targets);
}

static void
edit_lines(void)
{
	const int i = roll(LINES);

	for (size_t r = 0; r < RANGES; r++) {
		if (owner_of[r] == i && roll(2) == 0)
			owner_of[r] = NOBODY;
		else if (owner_of[r] == NOBODY && roll(4) == 0)
			owner_of[r] = i;
	}
	/* Only upwards in number, so never in a circle. One line must not hold a range within
	 * another of its own. */
	parent_of[i] = i + 1 + roll(LINES - i);
	for (size_t r = 0; r < RANGES; r++)
		for (size_t q = 0; q < r; q++) {
			const struct cidr a = cidrs[r], b = cidrs[q];
			struct addr first;

			if (owner_of[r] != i || owner_of[q] != i)
				continue;

			addr_ip_set(&first, a.family, a.ip, 0);
			if (cidr_holds(&b, &first) && b.bits <= a.bits)
				owner_of[r] = NOBODY;
			addr_ip_set(&first, b.family, b.ip, 0);
			if (owner_of[r] == i && cidr_holds(&a, &first) && a.bits <= b.bits)
				owner_of[q] = NOBODY;
		}
	put_line(i);
}

static void
edit_override(enum imposed *of, const char *name)
{
	static const char *const words[] = { [UP] = "up", [DOWN] = "down", [DRAIN] = "drain" };

	if (*of != NOTHING && roll(2) == 0) {
		*of = NOTHING;
		world_delete(&w, KIND_OVERRIDE, name);
		return;
	}
	*of = (enum imposed)(1 + roll(3));
	world_put(&w, KIND_OVERRIDE, name, "{'state':'%s','reason':'dice'}", words[*of]);
}

static void
edit_some_override(void)
{
	const int what = roll(8), i = what < 5 ? roll(ADDRESSES) : roll(POOLS);
	char name[32];

	if (what == 7) {
		edit_override(&on_domain, "domain/" NAME);
		return;
	}
	snprintf(name, sizeof(name), what < 5 ? "address/a%d" : "pool/p%d", i);
	edit_override(what < 5 ? &on_address[i] : &on_pool[i], name);
}

static void
edit(void)
{
	const int what = roll(11);

	if (what > 7) {
		edit_some_override();
	} else if (what == 0) {
		const int i = roll(ADDRESSES);

		address_enabled[i] = roll(5) > 0;
		put_address(i);
	} else if (what < 3) {
		const int i = roll(POOLS);

		edit_group(&pools[i], ADDRESSES);
		put_pool(i);
	} else if (what == 3) {
		edit_lines();
	} else {
		fallback = roll(5);
		fallback_pool = roll(POOLS);
		next_line = roll(2);
		ecs = roll(4) > 0;
		edit_group(&domain, POOLS);
		put_domain();
	}
}

static void
change_verdict(void)
{
	const int i = roll(ADDRESSES);
	char key[32];

	address_up[i] = roll(5) < 2;
	snprintf(key, sizeof(key), "t/192.0.2.%d/80", i);
	world_verdict(&w, key, address_up[i] ? 'U' : 'D');
}

/* -- the oracle: who is available -- */

static bool good_mode; /* last_good answers: who was available then is */
static bool frozen;    /* override up on the domain: health is ignored */

/* A member of its pools. */
static bool
counts(int i)
{
	return on_address[i] == UP || (address_enabled[i] && on_address[i] != DRAIN);
}

/* May answer where health is ignored. */
static bool
usable(int i)
{
	return counts(i) && on_address[i] != DOWN;
}

static bool
address_available(int i)
{
	return usable(i) && (on_address[i] == UP || address_up[i]);
}

static bool
pool_usable(int i)
{
	return on_pool[i] == UP || (pools[i].enabled && on_pool[i] == NOTHING);
}

static bool
has(int pool, bool (*what)(int))
{
	for (int k = 0; k < pools[pool].n; k++)
		if (what(pools[pool].links[k].target))
			return true;
	return false;
}

static bool
address_lives(int pool, int i)
{
	if (good_mode)
		return usable(i) && (good_addresses >> i & 1);
	if (frozen || (on_pool[pool] == UP && !has(pool, address_available)))
		return usable(i);
	return address_available(i);
}

static bool
pool_available(int i)
{
	uint32_t good = 0, total = 0;

	for (int k = 0; k < pools[i].n; k++) {
		total += counts(pools[i].links[k].target);
		good += address_available(pools[i].links[k].target);
	}
	if (on_pool[i] == UP)
		return has(i, usable);
	return pool_usable(i) && total > 0 &&
	       (good == total || health_met(&rules[pools[i].rule].when, good, total));
}

/* Is available, and has somebody to answer. */
static bool
pool_answers(int i)
{
	bool any = false;

	for (int k = 0; k < pools[i].n; k++)
		any |= address_lives(i, pools[i].links[k].target);
	if (good_mode)
		return pool_usable(i) && any && (good_pools >> i & 1);
	return any && (frozen ? pool_usable(i) : pool_available(i));
}

static bool
target_lives(const struct group *g, int i)
{
	return g == &domain ? pool_answers(g->links[i].target)
			    : address_lives((int)(g - pools), g->links[i].target);
}

/* -- the oracle: lines -- */

/* Lines of a client, best first; returns how many. */
static int
lines_of(const struct addr *client, int out[LINES])
{
	int n = 0;

	for (int bits = 128; bits >= 0; bits--)
		for (size_t r = 0; r < RANGES; r++) {
			if (owner_of[r] == NOBODY || cidrs[r].bits != bits ||
			    !cidr_holds(&cidrs[r], client))
				continue;
			for (int l = owner_of[r]; l != LINES; l = parent_of[l]) {
				bool known = false;

				for (int k = 0; k < n; k++)
					known |= out[k] == l;
				if (!known)
					out[n++] = l;
			}
		}
	return n;
}

static bool
anybody_serves(const struct group *g, int line, bool alive)
{
	for (int i = 0; i < g->n; i++)
		if (g->links[i].lines[line] && (!alive || target_lives(g, i)))
			return true;
	return false;
}

/* The line whose links answer; NOBODY: no line does, all that are available answer. */
static int
line_for(const struct group *g, const int *lines, int n, bool next)
{
	bool matched = false;

	for (int i = 0; i < n; i++) {
		if (!anybody_serves(g, lines[i], false))
			continue;
		if (matched && !next)
			continue;
		matched = true;
		if (anybody_serves(g, lines[i], true))
			return lines[i];
	}
	return anybody_serves(g, LINES, true) ? LINES : NOBODY;
}

/* -- the oracle: choices -- */

static void
move_on(struct group *g)
{
	for (int line = 0; line <= LINES; line++) {
		int best = NOBODY;
		bool still = false;

		if (g->strategy != STRATEGY_SEQUENCE || !g->stays) {
			g->on[line] = NOBODY;
			continue;
		}
		for (int i = 0; i < g->n; i++) {
			const struct link *l = &g->links[i];

			if (!l->lines[line] || !target_lives(g, i))
				continue;
			still |= l->target == g->on[line];
			if (best == NOBODY || l->order < g->links[best].order)
				best = i;
		}
		if (!still)
			g->on[line] = best == NOBODY ? NOBODY : g->links[best].target;
	}
}

/* What a pool, or the domain, has to choose from for a client, in the order of choice. */
struct offer {
	int how; /* enum plan_how */
	int n, take;
	int target[ADDRESSES];
	double part[ADDRESSES]; /* of the weights */
};

static double
score(const struct addr *client, const char *key, uint32_t weight)
{
	const struct position at = position_of_addr(client);
	const uint64_t mixed = mix(pick_hash_client(&at) ^ pick_hash_key(key));

	return -log(((double)(mixed >> 11) + 0.5) / 9007199254740992.0) / weight;
}

static void
swap(struct offer *o, int a, int b)
{
	const int t = o->target[a];
	const double p = o->part[a];

	o->target[a] = o->target[b];
	o->part[a] = o->part[b];
	o->target[b] = t;
	o->part[b] = p;
}

/* Smallest value first; equal ones keep their order. */
static void
sort(struct offer *o, double *value)
{
	for (int i = 1; i < o->n; i++)
		for (int k = i; k > 0 && value[k - 1] > value[k]; k--) {
			const double v = value[k];

			value[k] = value[k - 1];
			value[k - 1] = v;
			swap(o, k, k - 1);
		}
}

static struct offer
offer_of(const struct group *g, int line, const struct addr *client)
{
	struct offer o = { .how = PLAN_FIRST };
	double value[ADDRESSES], sum = 0;
	uint32_t weights[ADDRESSES], orders[ADDRESSES];
	bool any_weight = false;

	for (int i = 0; i < g->n; i++)
		any_weight |= (line == NOBODY || g->links[i].lines[line]) && target_lives(g, i) &&
			      g->links[i].weight > 0;
	for (int i = 0; i < g->n; i++) {
		const struct link *l = &g->links[i];
		const bool weighted =
		    g->strategy == STRATEGY_WEIGHT || g->strategy == STRATEGY_HASH;

		if ((line != NOBODY && !l->lines[line]) || !target_lives(g, i) ||
		    (weighted && any_weight && l->weight == 0))
			continue;
		o.target[o.n] = l->target;
		weights[o.n] = any_weight ? l->weight : 1;
		orders[o.n] = l->order;
		o.part[o.n] = weights[o.n];
		sum += weights[o.n++];
	}
	for (int i = 0; i < o.n; i++)
		o.part[i] /= sum;
	o.take = g->max_answers == 0 || (int)g->max_answers > o.n ? o.n : (int)g->max_answers;
	if (g->strategy != STRATEGY_ROUND_ROBIN && (g->max_answers == 0 || g == &domain))
		o.take = 1;
	for (int i = 0; i < o.n; i++) {
		char key[32];

		snprintf(key, sizeof(key), g == &domain ? "p%d" : "192.0.2.%d", o.target[i]);
		value[i] = g->strategy == STRATEGY_HASH ? score(client, key, weights[i])
			   : line != NOBODY && !good_mode && !frozen && g->on[line] == o.target[i]
			       ? 0
			       : orders[i];
	}
	switch (g->strategy) {
	case STRATEGY_ROUND_ROBIN:
		o.how = PLAN_ALL;
		break;
	case STRATEGY_WEIGHT:
		o.how = PLAN_DRAW;
		break;
	case STRATEGY_HASH:
		o.how = PLAN_HASH;
		sort(&o, value);
		break;
	default:
		sort(&o, value);
	}
	if (o.n == 1 && (g != &domain || o.how != PLAN_ALL))
		o.how = PLAN_FIRST;
	return o;
}

/* -- the oracle: the decision for one client -- */

struct decision {
	bool zone, fallback, nodata, asks_client;
	struct offer pools; /* targets: indexes into `offers` */
	struct offer offers[POOLS];
	int cap; /* records in an answer */
};

/* Records in an answer, whoever gives them. */
static int
limit(void)
{
	return domain.max_answers > 0 ? (int)domain.max_answers : 256;
}

static struct decision
refuge(int pool, bool healthy, const struct addr *client)
{
	struct decision d = { .fallback = true, .cap = limit() };
	const struct group *g = &pools[pool];

	d.pools = (struct offer){ .how = PLAN_ALL, .n = 1, .take = 1, .part = { 1 } };
	if (healthy) {
		/* one pool for all: its lines do not count */
		d.offers[0] = offer_of(g, NOBODY, client);
		d.asks_client = d.offers[0].how == PLAN_HASH;
	} else {
		struct offer *o = &d.offers[0];

		o->how = PLAN_ALL;
		for (int i = 0; i < g->n; i++)
			if (usable(g->links[i].target))
				o->target[o->n++] = g->links[i].target;
		o->take = o->n;
		if (o->n == 1)
			o->how = PLAN_FIRST;
	}
	return d;
}

static bool
is_empty(int pool)
{
	return !pool_usable(pool) || !has(pool, usable);
}

static int
refuge_pool(bool default_only)
{
	int best = NOBODY;

	for (int i = 0; i < domain.n; i++) {
		const struct link *l = &domain.links[i];

		if (is_empty(l->target) || (default_only && !l->lines[LINES]))
			continue;
		if (best == NOBODY || l->order < domain.links[best].order)
			best = i;
	}
	return best == NOBODY ? NOBODY : domain.links[best].target;
}

static struct decision
fail_open(const struct addr *client)
{
	int pool = refuge_pool(true);

	if (pool == NOBODY)
		pool = refuge_pool(false);
	if (pool == NOBODY)
		return (struct decision){ .zone = true };
	return refuge(pool, false, client);
}

static bool
anybody_answers(void)
{
	for (int i = 0; i < domain.n; i++)
		if (pool_answers(domain.links[i].target))
			return true;
	return false;
}

/* Somebody is available. */
static struct decision
choose(const struct addr *client)
{
	struct decision d = { .cap = limit() };
	int lines[LINES];
	const int n = lines_of(client, lines);

	d.pools = offer_of(&domain, line_for(&domain, lines, n, next_line), client);
	d.asks_client = d.pools.how == PLAN_HASH;
	for (int i = 0; i < d.pools.n; i++) {
		const struct group *g = &pools[d.pools.target[i]];

		d.offers[i] = offer_of(g, line_for(g, lines, n, false), client);
		if (d.pools.how != PLAN_FIRST || i == 0)
			d.asks_client |= d.offers[i].how == PLAN_HASH;
	}
	return d;
}

static struct decision
fall_back(const struct addr *client)
{
	switch (fallback) {
	case FALLBACK_POOL: {
		bool any = false;

		for (int i = 0; i < pools[fallback_pool].n; i++)
			any |= address_lives(fallback_pool, pools[fallback_pool].links[i].target);
		if (is_empty(fallback_pool))
			return fail_open(client);
		return refuge(fallback_pool, any, client);
	}
	case FALLBACK_LAST_GOOD: {
		struct decision d = { .zone = true };

		good_mode = true;
		if (good_known && anybody_answers()) {
			d = choose(client);
			d.fallback = true;
		}
		good_mode = false;
		return d.fallback ? d : fail_open(client);
	}
	case FALLBACK_PUBLIC_ZONE:
		return (struct decision){ .zone = true };
	case FALLBACK_NODATA:
		if (refuge_pool(false) == NOBODY)
			return (struct decision){ .zone = true };
		return (struct decision){ .fallback = true, .nodata = true };
	default:
		return fail_open(client);
	}
}

static struct decision
decide(const struct addr *client)
{
	struct decision d;

	if (!domain.enabled || domain.n == 0 || on_domain == DRAIN)
		return (struct decision){ .zone = true };
	frozen = on_domain == UP;
	d = on_domain != DOWN && anybody_answers() ? choose(client) : fall_back(client);
	frozen = false;
	return d;
}

/* After each step: what is remembered of what was. */
static void
remember(void)
{
	for (int i = 0; i < POOLS; i++)
		move_on(&pools[i]);
	move_on(&domain);
	if (fallback != FALLBACK_LAST_GOOD || !domain.enabled || on_domain != NOTHING ||
	    !anybody_answers())
		return;
	good_known = true;
	good_pools = good_addresses = 0;
	for (int i = 0; i < domain.n; i++) {
		const int p = domain.links[i].target;

		if (!pool_available(p))
			continue;
		good_pools |= 1 << p;
		for (int k = 0; k < pools[p].n; k++)
			if (address_available(pools[p].links[k].target))
				good_addresses |= 1 << pools[p].links[k].target;
	}
}

/* -- comparing -- */

/* Chances that i is among `take` draws without replacement, by all their orders. */
static double
chance_in(const struct offer *o, int mask, int take, int i)
{
	double left = 0, in = 0;

	for (int k = 0; k < o->n; k++)
		left += mask >> k & 1 ? 0 : o->part[k];
	for (int k = 0; take > 0 && k < o->n; k++)
		if (!(mask >> k & 1))
			in += o->part[k] / left *
			      (k == i ? 1 : chance_in(o, mask | 1 << k, take - 1, i));
	return in;
}

/* That member i is the first of what the offer gives / is in it at all. */
static double
leads(const struct offer *o, int i)
{
	switch (o->how) {
	case PLAN_ALL:
		return 1.0 / o->n;
	case PLAN_DRAW:
		return o->part[i];
	default:
		return i == 0;
	}
}

static double
is_in(const struct offer *o, int i)
{
	switch (o->how) {
	case PLAN_ALL:
		return (double)o->take / o->n;
	case PLAN_DRAW:
		return o->take == o->n ? 1 : chance_in(o, 0, o->take, i);
	default:
		return i < o->take;
	}
}

static bool
is_fixed(const struct offer *o)
{
	return o->how == PLAN_FIRST || (o->how == PLAN_ALL && o->take == o->n);
}

/* Chances of each address to lead. */
static void
expect_leads(const struct decision *d, double out[ADDRESSES])
{
	double places = 0;

	for (int i = 0; i < ADDRESSES; i++)
		out[i] = 0;
	if (d->pools.how != PLAN_ALL) {
		for (int i = 0; i < d->pools.n; i++)
			for (int k = 0; k < d->offers[i].n; k++)
				out[d->offers[i].target[k]] +=
				    leads(&d->pools, i) * leads(&d->offers[i], k);
		return;
	}
	for (int pass = 0; pass < 2; pass++) {
		int seen = 0;

		for (int i = 0; i < d->pools.n; i++) {
			const struct offer *o = &d->offers[i];

			for (int k = 0; k < o->n; k++) {
				const int bit = 1 << o->target[k];

				if (is_fixed(o) && ((seen & bit) || k >= o->take))
					continue;
				if (is_fixed(o))
					seen |= bit;
				if (pass == 0)
					places += is_fixed(o) ? 1 : (double)o->take / o->n;
				else
					out[o->target[k]] += is_in(o, k) / places;
			}
		}
	}
}

struct told {
	const struct plan *plan;
	double leads[ADDRESSES], sum;
};

static void
add_lead(void *arg, uint32_t tag, double probability)
{
	struct told *t = arg;
	const struct plan_item *item = t->plan->items;

	while (item->tag != tag)
		item++;

	const struct plan_rr *rr = (const void *)(t->plan->records + item->rr);

	t->leads[rr->tail[rr->len - 1]] += probability;
	t->sum += probability;
}

/* The records, in order, are what the offer may give. */
static bool
fits_offer(const struct offer *o, const int *got, int n, int cap)
{
	const int take = o->take < cap ? o->take : cap;
	int at[ADDRESSES];

	if (n != take)
		return false;
	for (int i = 0; i < n; i++) {
		at[i] = 0;
		while (at[i] < o->n && o->target[at[i]] != got[i])
			at[i]++;
		if (at[i] == o->n)
			return false;
		for (int k = 0; k < i; k++)
			if (at[k] == at[i])
				return false;
		if ((o->how == PLAN_FIRST || o->how == PLAN_HASH) && at[i] != i)
			return false;
		if (o->how == PLAN_ALL && i > 0 && at[i] != (at[i - 1] + 1) % o->n)
			return false;
	}
	return true;
}

static int
bits_of(const int *list, int n)
{
	int bits = 0;

	for (int i = 0; i < n; i++)
		bits |= 1 << list[i];
	return bits;
}

/* Of the list of all pools: nobody else's, nothing twice, and each pool's part as far as it goes.
 */
static bool
fits_union(const struct decision *d, const int *got, int n)
{
	const int mask = bits_of(got, n);
	int all = 0, least = 0;

	for (int i = 0; i < d->pools.n; i++) {
		const struct offer *o = &d->offers[i];
		const int may =
		    bits_of(o->target, o->how == PLAN_DRAW || o->how == PLAN_ALL ? o->n : o->take);

		all |= may;
		if (o->take > least)
			least = o->take;
		if (n < d->cap && __builtin_popcount((unsigned)(mask & may)) < o->take)
			return false;
	}
	if (least > d->cap)
		least = d->cap;
	return __builtin_popcount((unsigned)mask) == n && (mask & ~all) == 0 && n <= d->cap &&
	       n >= least;
}

static bool
fits(const struct decision *d, const int *got, int n)
{
	if (d->nodata)
		return n == 0;
	if (d->pools.how == PLAN_ALL)
		return fits_union(d, got, n);
	for (int i = 0; i < d->pools.n; i++) {
		if (d->pools.how != PLAN_DRAW && i > 0)
			return false;
		if (fits_offer(&d->offers[i], got, n, d->cap))
			return true;
	}
	return false;
}

/* -- scopes -- */

static struct addr
client_of(int family, const uint8_t *ip)
{
	struct addr a;

	addr_ip_set(&a, family, ip, 0);
	return a;
}

/* What a decision consists of, but for what rendezvous makes of single prefixes. */
static void
describe(const struct decision *d, struct buf *b)
{
	buf_printf(b, "%d%d%d %d", d->zone, d->fallback, d->nodata, d->pools.how);
	for (int i = 0; i < d->pools.n; i++) {
		const struct offer *o = &d->offers[i];
		int set = 0;

		/* rendezvous sorts by client: as a set */
		if (d->pools.how == PLAN_FIRST && i > 0)
			break;
		set = o->how == PLAN_FIRST ? 0 : bits_of(o->target, o->n);
		buf_printf(b, " [%d %d %d %x", d->pools.how == PLAN_HASH ? -1 : d->pools.target[i],
		    o->how, o->take, set);
		for (int k = 0; o->how == PLAN_FIRST && k < o->take; k++)
			buf_printf(b, " %d", o->target[k]);
		buf_puts(b, "]");
	}
	if (d->pools.how == PLAN_HASH)
		buf_printf(b, " of %x", bits_of(d->pools.target, d->pools.n));
}

static uint64_t
decision_id(int family, const uint8_t *ip)
{
	const struct addr a = client_of(family, ip);
	const struct decision d = decide(&a);
	struct buf b;

	buf_init(&b, 65536);
	describe(&d, &b);

	const uint64_t id = mix_text(MIX_START, buf_str(&b));

	buf_fini(&b);
	return id;
}

/* Decisions change at the ends of ranges only: these addresses stand for all. */
struct edge {
	int family;
	uint8_t ip[16];
	uint64_t id;
};
static struct edge edges[4 * RANGES + 4];
static int n_edges;

static void
add_edge(int family, const uint8_t *ip)
{
	struct edge *e = &edges[n_edges++];

	*e = (struct edge){ .family = family };
	memcpy(e->ip, ip, family == AF_INET ? 4 : 16);
}

static void
step_ip(uint8_t *ip, int len, int by)
{
	for (int i = len - 1; i >= 0; i--) {
		const int v = ip[i] + by;

		ip[i] = (uint8_t)v;
		if (v >= 0 && v <= 255)
			return;
	}
}

static void
list_edges(void)
{
	static const uint8_t zero[16];
	uint8_t ones[16];

	memset(ones, 0xff, sizeof(ones));
	n_edges = 0;
	add_edge(AF_INET, zero);
	add_edge(AF_INET, ones);
	add_edge(AF_INET6, zero);
	add_edge(AF_INET6, ones);
	for (size_t r = 0; r < RANGES; r++) {
		const struct cidr c = cidrs[r];
		uint8_t ip[16];
		const int len = c.family == AF_INET ? 4 : 16;

		add_edge(c.family, c.ip);
		memcpy(ip, c.ip, 16);
		step_ip(ip, len, -1);
		add_edge(c.family, ip);
		memcpy(ip, c.ip, 16);
		for (int bit = c.bits; bit < 8 * len; bit++)
			ip[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
		add_edge(c.family, ip);
		step_ip(ip, len, 1);
		add_edge(c.family, ip);
	}
}

static bool
shares_prefix(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	const unsigned whole = bits / 8, rest = bits % 8;

	return memcmp(a, b, whole) == 0 &&
	       (rest == 0 || ((a[whole] ^ b[whole]) & (0xff00u >> rest)) == 0);
}

/* The length of the largest prefix around ip of one decision, by the definition; 0 if all addresses
 * of both families get the same. */
static unsigned
scope_of(int family, const uint8_t *ip)
{
	const uint64_t id = decision_id(family, ip);
	unsigned scope = 0;

	for (int i = 0; i < n_edges; i++) {
		const struct edge *e = &edges[i];
		unsigned common = 0;

		if (e->id == id)
			continue;
		while (e->family == family && common < (family == AF_INET ? 32u : 128u) &&
		       shares_prefix(e->ip, ip, common + 1))
			common++;
		scope = common + 1 > scope ? common + 1 : scope;
	}
	return scope;
}

/* -- one client -- */

static void
random_client(int *family, uint8_t ip[16])
{
	const struct edge *e = &edges[roll(n_edges)];

	*family = e->family;
	memcpy(ip, e->ip, 16);
	/* at an edge, near it, or anywhere below it */
	for (int i = roll(3) == 0 ? roll(16) : 16; i < 16; i++)
		ip[i] = (uint8_t)roll(256);
}

/* With what is decided here, and at the edge where the expected scope comes from. */
static void
refuse_scope(int family, const uint8_t *ip, unsigned scope, unsigned largest)
{
	struct addr at = client_of(family, ip);
	struct decision d = decide(&at);
	char text[ADDR_TEXT_SIZE];
	struct buf b;

	buf_init(&b, 65536);
	buf_printf(&b, "%s: ", addr_ip_text(&at, text));
	describe(&d, &b);
	for (int i = 0; i < n_edges; i++) {
		if (edges[i].family != family || edges[i].id == decision_id(family, ip))
			continue;
		at = client_of(family, edges[i].ip);
		d = decide(&at);
		buf_printf(&b, "\n%s: ", addr_ip_text(&at, text));
		describe(&d, &b);
	}
	print_error("%s\n", buf_str(&b));
	fail_msg("case %lu: scope %u, not %u", compared, scope, largest);
}

static void
refuse_answer(const struct decision *d, const int *got, size_t n)
{
	struct buf b;

	buf_init(&b, 65536);
	for (size_t i = 0; i < n; i++)
		buf_printf(&b, "%d ", got[i]);
	buf_puts(&b, "does not follow from ");
	describe(d, &b);
	fail_msg("case %lu: %s, at most %d", compared, buf_str(&b), d->cap);
}

static void
compare_client(const struct plan *p)
{
	const struct plan_rr *out[PLAN_MAX_ANSWER];
	int family, got[PLAN_MAX_ANSWER];
	double expected[ADDRESSES];
	uint8_t ip[16];
	unsigned scope;

	random_client(&family, ip);

	const struct addr a = client_of(family, ip);
	const struct position at = position_of_addr(&a);
	const struct decision d = decide(&a);

	compared++;
	if ((p == NULL) != d.zone)
		fail_msg("case %lu: it should %s", compared, d.zone ? "rest" : "steer");
	if (p == NULL)
		return;
	assert_int_equal(plan_is_fallback(p), d.fallback);
	for (int q = 0; q < 2; q++) {
		const size_t n = plan_answer(p, 0, &at, out, &scope);

		for (size_t i = 0; i < n; i++)
			got[i] = out[i]->tail[out[i]->len - 1];
		if (!fits(&d, got, (int)n))
			refuse_answer(&d, got, n);
	}

	unsigned largest = scope_of(family, ip);
	const unsigned sticky = family == AF_INET ? PICK_HASH_V4_BITS : PICK_HASH_V6_BITS;

	if (d.asks_client && largest < sticky)
		largest = sticky;
	if (scope != largest)
		refuse_scope(family, ip, scope, largest);
	if (d.nodata)
		return;

	struct told t = { .plan = p };
	unsigned ignored;

	plan_shares(
	    p, p->chart == NULL ? 0 : chart_find(p->chart, &at, &ignored), &at, add_lead, &t);
	expect_leads(&d, expected);
	assert_true(fabs(t.sum - 1) < 1e-9);
	for (int i = 0; i < ADDRESSES; i++)
		if (fabs(t.leads[i] - expected[i]) > 1e-9)
			fail_msg(
			    "case %lu: %d leads %f, not %f", compared, i, t.leads[i], expected[i]);
}

/* -- explain -- */

static double
told_probability(const json_t *reply, int address)
{
	const json_t *c;
	double sum = 0;
	char name[8];
	size_t i;

	snprintf(name, sizeof(name), "a%d", address);
	json_array_foreach(json_object_get(reply, "candidates"), i, c)
	{
		if (strcmp(json_string_value(json_object_get(c, "address")), name) == 0)
			sum += json_number_value(json_object_get(c, "probability"));
	}
	return sum;
}

/* What explain says of a client is what the plan does for it. */
static void
compare_explanation(const struct plan *p)
{
	int family, got[PLAN_MAX_ANSWER];
	double expected[ADDRESSES];
	char text[ADDR_TEXT_SIZE];
	const json_t *rdata;
	uint8_t ip[16];
	struct diag problems;
	unsigned scope = 0;

	random_client(&family, ip);

	const struct addr a = client_of(family, ip);
	const struct position at = position_of_addr(&a);
	const struct decision d = decide(&a);
	json_t *request = json_pack(
	    "{s:s, s:s, s:s}", "name", HOST, "type", "A", "client", addr_ip_text(&a, text));

	diag_init(&problems);

	json_t *reply = explain(w.tree, w.zones, request, &problems);

	assert_non_null(reply);
	assert_int_equal(json_is_true(json_object_get(reply, "steered")), p != NULL);
	if (p != NULL) {
		const struct plan_rr *out[PLAN_MAX_ANSWER];
		const json_t *answer = json_object_get(reply, "answer");
		size_t n = 0, i;

		(void)plan_answer(p, 0, &at, out, &scope);
		assert_int_equal(json_integer_value(json_object_get(reply, "scope")), scope);
		assert_int_equal(json_integer_value(json_object_get(answer, "ttl")), plan_ttl(p));
		assert_int_equal(json_is_string(json_object_get(reply, "fallback")), d.fallback);
		json_array_foreach(json_object_get(answer, "rdata"), i, rdata) got[n++] =
		    atoi(strrchr(json_string_value(rdata), '.') + 1);
		if (!fits(&d, got, (int)n))
			refuse_answer(&d, got, n);
		expect_leads(&d, expected);
		for (int k = 0; k < ADDRESSES && !d.nodata; k++)
			assert_true(fabs(told_probability(reply, k) - expected[k]) < 1e-9);
	}
	json_decref(reply);
	json_decref(request);
	diag_fini(&problems);
	explained++;
}

static bool
is_degraded(void)
{
	for (int i = 0; i < domain.n; i++) {
		const struct group *g = &pools[domain.links[i].target];

		if (on_pool[domain.links[i].target] == DRAIN)
			continue;
		if (!pool_available(domain.links[i].target))
			return true;
		for (int k = 0; k < g->n; k++)
			if (counts(g->links[k].target) && !address_available(g->links[k].target))
				return true;
	}
	return false;
}

static void
compare(void)
{
	const struct plan *p = world_plan(&w, HOST, RRTYPE_A);
	bool one = true;

	for (int i = 0; i < n_edges; i++) {
		edges[i].id = decision_id(edges[i].family, edges[i].ip);
		one &= edges[i].id == edges[0].id;
	}
	/* Nobody's position is looked at without need. */
	if (p != NULL && one)
		assert_null(p->chart);
	if (p != NULL && !one)
		assert_int_equal(plan_client(p), ecs ? PLAN_SUBNET : PLAN_RESOLVER);
	if (p != NULL)
		assert_int_equal(plan_ttl(p), is_degraded() ? 7 : 60);
	for (int i = 0; i < CLIENTS; i++)
		compare_client(p);
	compare_explanation(p);
}

static void
begin(uint64_t seed)
{
	rand_seed(&dice, seed);
	good_known = false;
	for (size_t r = 0; r < RANGES; r++) {
		assert_int_equal(cidr_parse(&cidrs[r], ranges[r]), 0);
		owner_of[r] = NOBODY;
	}
	for (int i = 0; i <= LINES; i++) {
		domain.on[i] = NOBODY;
		for (int k = 0; k < POOLS; k++)
			pools[k].on[i] = NOBODY;
	}
	world_init(&w, 1);
	world_put(&w, KIND_ZONE, "example.com", "{}");
	world_put(&w, KIND_TEMPLATE, "t", "{'protocol':'tcp'}");
	for (int i = LINES - 1; i >= 0; i--) {
		parent_of[i] = LINES;
		put_line(i);
	}
	for (int i = 0; i < ADDRESSES; i++) {
		address_enabled[i] = address_up[i] = true;
		on_address[i] = NOTHING;
		put_address(i);
	}
	for (int i = 0; i < POOLS; i++) {
		on_pool[i] = NOTHING;
		edit_group(&pools[i], ADDRESSES);
		put_pool(i);
	}
	on_domain = NOTHING;
	edit_group(&domain, POOLS);
	put_domain();
	world_apply(&w);
	list_edges();
}

static void
walk(uint64_t seed)
{
	begin(seed);
	remember();
	compare();
	for (int step = 0; step < STEPS / 4; step++) {
		if (roll(3) > 0) {
			change_verdict();
		} else {
			for (int n = 1 + roll(3); n > 0; n--)
				edit();
			world_apply(&w);
		}
		remember();
		compare();
	}
	world_fini(&w);
}

static void
test_random_choices(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 4; seed++)
		walk(seed);
	print_message("%lu clients asked, %lu explained\n", compared, explained);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_choices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
