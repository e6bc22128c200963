/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "steer/explain_account.h"
#include "steer/scene.h"
#include "steer/strategy.h"

struct trial {
	struct account *a;
	const struct live_domain *d;
	const struct what_if *what_if;
	struct scene scene;
	struct plan *plan;
	double *probability; /* by tag */
};

/* -- a plan of its own: nothing of the running one moves -- */

static void
borrow_cursors(struct scene *s)
{
	s->input.cursors = cursors_copy(s->input.cursors);
	for (size_t i = 0; i < s->input.count; i++)
		s->pools[i].cursors = cursors_copy(s->pools[i].cursors);
}

static void
return_cursors(struct scene *s)
{
	cursors_free(&s->input.cursors);
	for (size_t i = 0; i < s->input.count; i++)
		cursors_free(&s->pools[i].cursors);
}

static void
add_share(void *arg, uint32_t tag, double probability)
{
	struct trial *t = arg;

	t->probability[tag] += probability;
}

/* -- the decision, step by step -- */

static void
tell_domain(const struct trial *t)
{
	const struct word_table *words = t->a->tree->words;
	const struct live_state st = live_domain_fold(t->d, words, t->what_if);
	const int strategy = live_domain_spec(t->d)->strategy;

	explain_step(t->a, "line", "this version has one line: default");
	explain_step(t->a, "domain", "domain '%s' is %s: %u of %u pools available",
	    t->d->live.o->name, live_domain_word(t->d, &st, t->scene.fallback), st.good, st.total);
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

static void
tell_pool(const struct trial *t, uint32_t link)
{
	const struct live_pool *p = t->d->links[link].pool;
	const struct live_state st = live_pool_state(p, t->a->tree->words, t->what_if);
	const int strategy = live_pool_spec(p)->strategy;
	const char *name = p->live.o->name;
	const double share = share_of_link(t, link);

	if (!live_pool_spec(p)->enabled)
		explain_step(t->a, "pool", "pool '%s' is skipped: it is disabled", name);
	else if (st.total == 0)
		explain_step(t->a, "pool", "pool '%s' is skipped: it has no enabled address", name);
	else if (!st.available || st.good == 0)
		explain_step(t->a, "pool",
		    "pool '%s' is skipped: %u of %u addresses available, "
		    "fewer than it needs",
		    name, st.good, st.total);
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

	if (s->rule == 0)
		return;
	explain_step(t->a, "fallback",
	    "no pool is available; rule %c: the %s pool with the smallest order is '%s', all its "
	    "enabled "
	    "addresses in rotation, health ignored",
	    s->rule, s->rule == 'b' ? "default line's" : "non-empty",
	    t->d->links[s->rule_link].pool->live.o->name);
}

/* -- candidates, answer, draws -- */

static void
tell_candidate(const struct trial *t, const struct live_pool *p, const struct live_member *m,
    double probability)
{
	const struct live_state st = live_address_state(m->address, t->a->tree->words, t->what_if);

	json_array_append_new(t->a->candidates,
	    json_pack("{s:s, s:s, s:s, s:s, s:f}", "pool", p->live.o->name, "address",
		m->address->live.o->name, "value", live_address_spec(m->address)->value, "state",
		live_address_word(m->address, &st), "probability", probability));
}

/* Sources are in the order of links and members, so one pass matches them. */
static void
tell_candidates(const struct trial *t)
{
	const struct scene *s = &t->scene;
	size_t tag = 0;

	for (uint32_t i = 0; i < t->d->n_links; i++) {
		const struct live_pool *p = t->d->links[i].pool;

		for (uint32_t k = 0; k < p->n_members; k++) {
			const bool here = tag < s->n_members && s->sources[tag].link == i &&
					  s->sources[tag].member == k;

			tell_candidate(t, p, &p->members[k], here ? t->probability[tag] : 0);
			tag += here;
		}
	}
}

static void
tell_answer(const struct trial *t)
{
	const struct plan_rr *out[PLAN_MAX_ANSWER];
	const size_t n = plan_answer(t->plan, 0, out);

	t->a->ttl_s = plan_ttl(t->plan);
	for (size_t i = 0; i < n; i++)
		explain_rdata(t->a, plan_rr_type(out[i]), out[i]->tail + PLAN_RR_RDATA,
		    (uint16_t)(out[i]->len - PLAN_RR_RDATA));
	explain_step(t->a, "ttl", "%u s", t->a->ttl_s);
}

static const char *
value_of(const struct trial *t, const struct plan_rr *rr)
{
	for (size_t tag = 0; tag < t->scene.n_members; tag++) {
		const struct compile_member *m = &t->scene.members[tag];

		if (m->rrtype == plan_rr_type(rr) && m->rdlen == rr->len - PLAN_RR_RDATA &&
		    memcmp(m->rdata, rr->tail + PLAN_RR_RDATA, m->rdlen) == 0)
			return m->value;
	}
	check_failed("a record nobody put in", __FILE__, __LINE__, __func__);
}

/* How often each record comes first in so many answers. */
static void
tell_draws(const struct trial *t)
{
	const struct plan_rr *out[PLAN_MAX_ANSWER];

	if (t->a->drawn == NULL)
		return;
	for (uint32_t i = 0; i < t->a->draws; i++) {
		(void)plan_answer(t->plan, 0, out);

		const char *value = value_of(t, out[0]);
		json_t *count = json_object_get(t->a->drawn, value);

		if (count == NULL)
			json_object_set_new(t->a->drawn, value, json_integer(1));
		else
			json_integer_set(count, json_integer_value(count) + 1);
	}
}

void
explain_steered(struct account *a, const struct live_domain *d)
{
	const struct what_if supposed = { .verdicts = &a->verdicts };
	struct trial t = { .a = a, .d = d };

	t.what_if = a->verdicts.count > 0 ? &supposed : NULL;
	scene_init(&t.scene, d, a->tree->words, t.what_if);
	borrow_cursors(&t.scene);
	t.plan = compile_plan(&t.scene.input);
	t.probability = xcalloc(t.scene.n_members, sizeof(*t.probability));
	plan_shares(t.plan, add_share, &t);

	a->steered = true;
	a->fallback = live_fallback_words[t.scene.fallback];
	tell_domain(&t);
	for (uint32_t i = 0; i < d->n_links; i++)
		tell_pool(&t, i);
	tell_fallback(&t);
	tell_candidates(&t);
	tell_answer(&t);
	tell_draws(&t);

	free(t.probability);
	plan_free(&t.plan);
	return_cursors(&t.scene);
	scene_fini(&t.scene);
}
