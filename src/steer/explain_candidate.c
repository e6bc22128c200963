/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "steer/explain_candidate.h"

#include "base/clock.h"
#include "steer/explain_account.h"

/* "drained by ops until it is lifted: racks" */
static const char *
imposed(const struct live *l, struct arena *a)
{
	static const char *const verbs[] = {
		[FORCE_UP] = "forced up",
		[FORCE_HOLD] = "kept as it was",
		[FORCE_DRAIN] = "drained",
		[FORCE_DOWN] = "forced down",
	};

	return arena_printf(a, "%s %s", verbs[l->imposed.force], explain_imposed_by(l, a));
}

/* -- the pool -- */

static const char *
pool_is_out(const struct explain_candidate *c, struct arena *a)
{
	const struct live_pool *p = c->link->pool;
	const struct live_state *st = &c->pool;
	const bool frozen = live_domain_frozen(c->domain);

	if (!live_pool_usable(p) && p->live.imposed.by != NULL && live_pool_spec(p)->enabled)
		return arena_printf(a, "its pool is %s", imposed(&p->live, a));
	if (!live_pool_usable(p))
		return "its pool is disabled";
	if (!frozen && st->total > 0 && (!st->available || (st->good == 0 && !st->opens)))
		return arena_printf(a,
		    "its pool has %u of %u addresses available, fewer than it needs", st->good,
		    st->total);
	return NULL;
}

/* -- the address -- */

/* Held up or down, whatever its health: by a window or by damping; NULL: neither. */
static const char *
steadied(const struct live_address *of, struct arena *a)
{
	const char *side = of->steady_up ? "up" : "down";
	char until[CLOCK_TEXT_SIZE];

	if (of->kept && of->keeper != NULL)
		return arena_printf(
		    a, "it is kept %s, as it was, %s", side, explain_imposed_by(of->keeper, a));
	if (of->damp != NULL && of->damp->held)
		return arena_printf(a, "it is held %s until %s, as it keeps going up and down",
		    side, clock_text(of->damp->until_ms, until));
	return NULL;
}

/* Why it may not answer; NULL: it may. */
static const char *
address_is_out(const struct explain_candidate *c, struct arena *a)
{
	const struct live_address *of = c->member->address;
	const struct address_spec *s = live_address_spec(of);
	const char *held = c->address.steadied ? steadied(of, a) : NULL;

	if (!live_address_usable(of) && s->enabled)
		return arena_printf(a, "it is %s", imposed(&of->live, a));
	if (!live_address_usable(of))
		return "it is disabled";
	if (c->address.available || c->pool.opens || live_domain_frozen(c->domain))
		return NULL;
	if (s->mode == MODE_MANUAL)
		return "its mode is manual: unavailable";
	if (held != NULL)
		return held;
	if (c->supposed)
		return "it is supposed to be down";
	return arena_printf(a, "%u of %u checks pass", c->address.good, c->address.total);
}

/* -- it could answer, but does not -- */

/* What the strategy makes of one that it does not choose. The fallback pool has no link. */
static const char *
passed_over(int strategy, const struct link_spec *link, const char *who, struct arena *a)
{
	if (strategy == STRATEGY_HASH)
		return arena_printf(a, "other client prefixes get %s", who);
	if (strategy == STRATEGY_WEIGHT && link != NULL && link->weight == 0)
		return arena_printf(a, "%s has weight 0", who);
	return arena_printf(a, "%s stands by", who);
}

static const char *
not_chosen(const struct explain_candidate *c, struct arena *a)
{
	const bool is_refuge = c->link == live_domain_refuge(c->domain);

	if (!c->pool_in_reach && is_refuge)
		return "its pool stands by as the fallback";
	if (!c->pool_in_reach && c->fallback != LIVE_NO_FALLBACK)
		return "the fallback does not use its pool";
	if (!c->pool_in_reach)
		return "its pool serves other lines";
	if (c->pool_share == 0)
		return passed_over(
		    live_domain_spec(c->domain)->strategy, c->link->spec, "its pool", a);
	if (!c->in_reach && c->fallback != LIVE_NO_FALLBACK)
		return "the fallback does not use it";
	if (!c->in_reach)
		return "it serves other lines";
	return passed_over(live_pool_spec(c->link->pool)->strategy, c->member->spec, "it", a);
}

static const char *
gets_nothing(const struct explain_candidate *c, struct arena *a)
{
	const char *pool = pool_is_out(c, a), *address = address_is_out(c, a);

	if (pool != NULL && address != NULL)
		return arena_printf(a, "%s; %s", pool, address);
	if (pool != NULL || address != NULL)
		return pool != NULL ? pool : address;
	return not_chosen(c, a);
}

/* -- it answers, whatever its health -- */

static const char *
answers_all_the_same(const struct explain_candidate *c, struct arena *a)
{
	const struct live_address *of = c->member->address;

	if (of->live.imposed.force == FORCE_UP)
		return arena_printf(a, "it is %s", imposed(&of->live, a));
	if (live_address_spec(of)->mode == MODE_MANUAL && c->address.available)
		return "its mode is manual: available";
	if (c->address.available)
		return c->address.steadied ? steadied(of, a) : NULL;
	if (live_domain_frozen(c->domain))
		return arena_printf(
		    a, "health is ignored: the domain is %s", imposed(&c->domain->live, a));
	if (c->pool.opens)
		return arena_printf(
		    a, "health is ignored: its pool is %s", imposed(&c->link->pool->live, a));
	return "health is ignored: a fallback answers";
}

const char *
explain_candidate_because(const struct explain_candidate *c, struct arena *a)
{
	return c->share == 0 ? gets_nothing(c, a) : answers_all_the_same(c, a);
}
