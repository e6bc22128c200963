/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "steer/explain_account.h"
#include "steer/explain_balance.h"
#include "steer/explain_candidate.h"
#include "steer/scene.h"
#include "steer/strategy.h"

struct trial {
	struct account *a;
	const struct live_domain *d;
	const struct what_if *what_if;
	struct scene scene;
	struct plan *plan;
	struct position at;              /* whose position counts */
	const struct scene_class *class; /* of the client; NULL: a fallback asks for none */
	uint32_t variant;
	unsigned scope;
	double *probability; /* by tag */
};

static void
add_share(void *arg, uint32_t tag, double probability)
{
	struct trial *t = arg;

	t->probability[tag] += probability;
}

/* RFC 7871 7.1.2: a subnet of 0 bits asks not to be looked at. */
static bool
subnet_counts(const struct trial *t)
{
	return live_domain_spec(t->d)->ecs && (t->a->subnet.bits > 0 || t->a->wrapped);
}

/* Where the client belongs, as the server would find it. */
static void
place_client(struct trial *t)
{
	const struct account *a = t->a;
	const struct chart *fine = t->d->audience.chart;
	unsigned ignored;

	t->at = subnet_counts(t) ? a->subnet : a->client;
	t->class = &t->scene.classes[0];
	if (fine != NULL && t->scene.n_classes > 1)
		t->class = &t->scene.classes[chart_find(fine, &t->at, &ignored)];
	t->variant = t->class->variant;
	if (t->scene.input.chart != NULL)
		(void)chart_find(t->scene.input.chart, &t->at, &t->scope);
	t->scope = plan_scope(t->plan, t->variant, &t->at, t->scope);
	if (a->subnet.family != 0 && !subnet_counts(t))
		t->scope = 0; /* it holds for whoever asks that resolver */
	else if (t->scope > 0 && a->wrapped)
		t->scope += 96; /* as it stands on the wire */
}

/* -- the decision, step by step -- */

static void
tell_domain(const struct trial *t)
{
	const struct word_table *words = t->a->tree->words;
	const struct live_state st = live_domain_fold(t->d, words, t->what_if);

	explain_step(t->a, "domain", "domain '%s' is %s: %u of %u pools available%s",
	    t->d->live.o->name, live_domain_word(t->d, &st, t->scene.fallback), st.good, st.total,
	    live_domain_frozen(t->d) ? ", but health is ignored" : "");
	explain_imposed(t->a, &t->d->live);
}

/* Why the resolver's address counts though there was a subnet. */
static const char *
subnet_excuse(const struct trial *t)
{
	if (t->a->subnet.family == 0 || subnet_counts(t))
		return "";
	return live_domain_spec(t->d)->ecs
		   ? " (a subnet of 0 bits asks not to be looked at)"
		   : " (this domain does not look at the subnet: ecs false)";
}

static void
tell_client(const struct trial *t)
{
	char text[POSITION_TEXT_SIZE];

	if (t->d->audience.chart == NULL && plan_client(t->plan) == PLAN_ANYBODY)
		return;
	if (t->at.family == 0)
		explain_step(t->a, "client",
		    "no client was told: this is the answer for clients of no line");
	else
		explain_step(t->a, "client", "%s, from the %s%s", position_text(&t->at, text),
		    subnet_counts(t) ? "query's EDNS Client Subnet" : "resolver's address",
		    subnet_excuse(t));
}

/* The line that matched, and where its clients went if it could not serve them. */
static void
tell_line(const struct trial *t)
{
	const struct scene_class *c = t->class;
	const char *matched = c->matched, *used = c->used;

	if (t->d->audience.chart == NULL || t->scene.n_classes < 2)
		return;
	if (matched == NULL)
		explain_step(
		    t->a, "line", "no pool serves a line of this client, nor the default line");
	else if (strcmp(matched, LIVE_DEFAULT_LINE) == 0)
		explain_step(t->a, "line", "default: no pool serves a closer line of this client");
	else
		explain_why(t->a, &t->at, matched, "a pool serves");
	if (used != NULL && (matched == NULL || strcmp(matched, used) != 0))
		explain_step(t->a, "line", "no pool of line '%s' is available: line '%s' answers",
		    matched, used);
	if (used == NULL)
		explain_step(t->a, "line",
		    "no line of this client has an available pool: all available pools answer");
}

static void
tell_strategy(const struct trial *t)
{
	const int strategy = live_domain_spec(t->d)->strategy;

	explain_step(t->a, "strategy", "%s over pools: %s", strategy_words[strategy],
	    strategy_table[strategy].prose);
}

/* Part of the answers that begin with one of link i's addresses. */
static double
share_of_link(const struct trial *t, uint32_t link)
{
	double sum = 0;

	for (size_t tag = 0; tag < t->scene.n_members; tag++) {
		if (t->scene.sources[tag].link == link)
			sum += t->probability[tag];
	}
	return sum;
}

/* Is the link among those that the client's variant chooses from? */
static bool
is_in_reach(const struct trial *t, uint32_t link)
{
	const struct compile_variant *v = &t->scene.variants[t->variant];

	for (size_t i = 0; i < v->count; i++) {
		if (v->pools[i].ordinal == link)
			return true;
	}
	return false;
}

static const char too_few[] = "addresses available, fewer than it needs";

/* Why the pool is out of the question; NULL: it is not. */
static const char *
pool_is_out(const struct trial *t, const struct live_pool *p, const struct live_state *st)
{
	const bool frozen = live_domain_frozen(t->d);

	if (!live_pool_usable(p))
		return p->live.imposed.force == FORCE_DRAIN  ? "it is drained"
		       : p->live.imposed.force == FORCE_DOWN ? "it is forced down"
							     : "it is disabled";
	if (st->total == 0)
		return "it has no enabled address";
	if ((frozen || p->live.imposed.force == FORCE_UP) && st->usable == 0)
		return "none of its addresses may answer";
	if (!frozen && (!st->available || (st->good == 0 && !st->opens)))
		return too_few;
	return NULL;
}

/* What is imposed on the pool and held of its addresses. */
static void
tell_imposed(const struct trial *t, const struct live_pool *p)
{
	explain_imposed(t->a, &p->live);
	for (size_t i = 0; i < p->n_members; i++) {
		explain_imposed(t->a, &p->members[i].address->live);
		explain_steadied(t->a, p->members[i].address);
	}
}

static void
tell_pool(const struct trial *t, uint32_t link)
{
	const struct live_pool *p = t->d->links[link].pool;
	const struct live_state st = live_pool_state(p, t->a->tree->words, t->what_if);
	const int strategy = live_pool_spec(p)->strategy;
	const char *name = p->live.o->name, *out = pool_is_out(t, p, &st);
	const double share = share_of_link(t, link);

	tell_imposed(t, p);
	if (out == too_few)
		explain_step(t->a, "pool", "pool '%s' is skipped: %u of %u %s", name, st.good,
		    st.total, out);
	else if (out != NULL)
		explain_step(t->a, "pool", "pool '%s' is skipped: %s", name, out);
	else if (!is_in_reach(t, link))
		explain_step(t->a, "pool", "pool '%s' is available, but %s", name,
		    t->scene.fallback != LIVE_NO_FALLBACK ? "the fallback does not use it"
							  : "serves other lines");
	else if (share == 0 && live_domain_spec(t->d)->strategy == STRATEGY_HASH)
		explain_step(
		    t->a, "pool", "pool '%s' is available; other client prefixes get it", name);
	else if (share == 0)
		explain_step(t->a, "pool", "pool '%s' is available and stands by", name);
	else
		explain_step(t->a, "pool",
		    "pool '%s' leads %.4g %% of the answers; within it %s: %s", name, share * 100,
		    strategy_words[strategy], strategy_table[strategy].prose);
}

static void
tell_fallback(const struct trial *t)
{
	const struct scene *s = &t->scene;
	const struct live_link *refuge = live_domain_refuge(t->d);

	const char *why = t->d->live.imposed.force == FORCE_DOWN
			      ? "the domain is forced down, as if no pool were available"
			      : "no pool is available";

	switch (s->fallback) {
	case LIVE_FAIL_OPEN:
		explain_step(t->a, "fallback",
		    "%s; rule %c: the %s pool with the smallest order is '%s', "
		    "all its "
		    "enabled addresses in rotation, health ignored",
		    why, s->rule, s->rule == 'b' ? "default line's" : "non-empty",
		    t->d->links[s->rule_link].pool->live.o->name);
		break;
	case LIVE_FALLBACK_POOL:
		explain_step(t->a, "fallback", "%s: the fallback pool '%s' answers", why,
		    refuge->pool->live.o->name);
		break;
	case LIVE_LAST_GOOD:
		explain_step(t->a, "fallback", "%s: those answer that were available last", why);
		break;
	case LIVE_NODATA:
		explain_step(t->a, "fallback", "%s: an empty answer (nodata)", why);
		break;
	default:
		break;
	}
}

/* -- candidates, answer, draws -- */

/* Those that the client's variant chooses from, by tag; to free(). */
static bool *
chosen_from(const struct trial *t)
{
	const struct compile_variant *v = &t->scene.variants[t->variant];
	bool *chosen = xcalloc(t->scene.n_members + 1, sizeof(*chosen));

	for (size_t i = 0; i < v->count; i++) {
		for (size_t k = 0; k < v->pools[i].count; k++)
			chosen[v->pools[i].members[k].tag] = true;
	}
	return chosen;
}

static void
tell_candidate(const struct trial *t, const struct explain_candidate *c)
{
	const struct live_address *a = c->member->address;
	struct arena arena;

	arena_init(&arena);
	json_array_append_new(t->a->candidates,
	    json_pack("{s:s, s:s, s:s, s:s, s:f, s:s?}", "pool", c->link->pool->live.o->name,
		"address", a->live.o->name, "value", live_address_spec(a)->value, "state",
		live_address_word(a, &c->address), "probability", c->share, "because",
		explain_candidate_because(c, &arena)));
	arena_fini(&arena);
}

/* Members are numbered link by link. */
static void
tell_candidates(const struct trial *t)
{
	struct explain_candidate c = { .domain = t->d, .fallback = t->scene.fallback };
	bool *chosen = chosen_from(t);

	for (uint32_t tag = 0; tag < t->scene.n_members; tag++) {
		const struct scene_source *from = &t->scene.sources[tag];

		if (c.link != &t->d->links[from->link]) {
			c.link = &t->d->links[from->link];
			c.pool = live_pool_state(c.link->pool, t->a->tree->words, t->what_if);
			c.pool_in_reach = is_in_reach(t, from->link);
			c.pool_share = share_of_link(t, from->link);
		}
		c.member = &c.link->pool->members[from->member];
		c.address = live_address_state(c.member->address, t->a->tree->words, t->what_if);
		c.supposed = strmap_find(&t->a->verdicts, c.member->address->live.o->name) != NULL;
		c.in_reach = chosen[tag];
		c.share = t->probability[tag];
		tell_candidate(t, &c);
	}
	free(chosen);
}

static struct explain_asker
asker_of(const struct trial *t)
{
	return (struct explain_asker){
		.plan = t->plan,
		.variant = t->variant,
		.at = &t->at,
		.resolver = &t->a->client,
		.by_subnet = plan_client(t->plan) == PLAN_SUBNET && t->a->subnet.family != 0,
		.scope = t->scope,
	};
}

static void
tell_answer(const struct trial *t)
{
	const struct explain_asker asker = asker_of(t);
	const struct plan_rr *out[PLAN_MAX_ANSWER];
	const size_t n = explain_balance_answer(&asker, out);

	t->a->ttl_s = n > 0 ? plan_rr_ttl(out[0]) : plan_ttl(t->plan);
	for (size_t i = 0; i < n; i++)
		explain_rdata(t->a, plan_rr_type(out[i]), out[i]->tail + PLAN_RR_RDATA,
		    (uint16_t)(out[i]->len - PLAN_RR_RDATA));
	explain_step(t->a, "ttl", "%u s%s%s", t->a->ttl_s,
	    t->a->ttl_s < plan_ttl(t->plan) ? ": lowered for a resolver with much traffic" : "",
	    t->scene.degraded && live_domain_spec(t->d)->degraded_ttl_s > 0
		? ": degraded_ttl, as a member is unavailable"
		: "");
}

static const char *
value_of(const struct trial *t, const struct plan_rr *rr)
{
	for (size_t tag = 0; tag < t->scene.n_members; tag++) {
		const struct scene_source *from = &t->scene.sources[tag];
		const struct live_address *a =
		    t->d->links[from->link].pool->members[from->member].address;

		if (a->rrtype == plan_rr_type(rr) && a->rdlen == rr->len - PLAN_RR_RDATA &&
		    memcmp(a->rdata, rr->tail + PLAN_RR_RDATA, a->rdlen) == 0)
			return live_address_spec(a)->value;
	}
	check_failed("a record nobody put in", __FILE__, __LINE__, __func__);
}

/* How often each record comes first in so many answers. */
static void
tell_draws(const struct trial *t)
{
	const struct explain_asker asker = asker_of(t);
	const struct plan_rr *out[PLAN_MAX_ANSWER];

	if (t->a->drawn == NULL)
		return;
	for (uint32_t i = 0; i < t->a->draws; i++) {
		if (explain_balance_answer(&asker, out) == 0)
			return;

		explain_draw(t->a, value_of(t, out[0]));
	}
}

static void
add_shares(struct trial *t)
{
	const struct explain_asker asker = asker_of(t);

	if (!explain_balance_shares(&asker, add_share, t))
		plan_shares(t->plan, t->variant, t->at.family == 0 ? NULL : &t->at, add_share, t);
}

static void
tell_balance(const struct trial *t)
{
	const struct explain_asker asker = asker_of(t);

	explain_balance_tell(t->a, &asker);
}

static void
tell(struct trial *t)
{
	t->a->steered = true;
	t->a->fallback = live_fallback_words[t->scene.fallback];
	t->a->line = t->class->used != NULL ? t->class->used : LIVE_DEFAULT_LINE;
	t->a->scope = t->scope;
	tell_domain(t);
	tell_client(t);
	tell_line(t);
	tell_strategy(t);
	for (uint32_t i = 0; i < t->d->n_links; i++)
		tell_pool(t, i);
	tell_fallback(t);
	tell_balance(t);
	tell_candidates(t);
	tell_answer(t);
	tell_draws(t);
}

bool
explain_steered(struct account *a, const struct live_domain *d)
{
	const struct what_if supposed = { .verdicts = &a->verdicts };
	struct trial t = { .a = a, .d = d };
	bool steered = false;

	t.what_if = a->verdicts.count > 0 ? &supposed : NULL;
	if (live_domain_rests(d))
		return false;
	scene_init(&t.scene, a->tree->charts, d, a->tree->words, t.what_if);
	if (t.scene.input.n_variants > 0) {
		steered = true;
		explain_borrow(t.scene.variants, t.scene.input.n_variants);
		t.plan = compile_plan(&t.scene.input);
		place_client(&t);
		t.probability = xcalloc(t.scene.n_members + 1, sizeof(*t.probability));
		add_shares(&t);
		tell(&t);
		free(t.probability);
		plan_free(&t.plan);
		explain_return(t.scene.variants, t.scene.input.n_variants);
	}
	scene_fini(&t.scene);
	return steered;
}
