/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sequences that stay: one rule for pools of a domain and addresses of a pool. */
#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"
#include "steer/scene.h"

/* One that the lane may be on. */
struct step {
	struct live *who;
	uint32_t order;
	bool lives;
};

struct search {
	const struct live_lane *lane;
	struct step stay, best; /* best: of all available ones */
	struct step ripe;       /* of those that may be returned to */
	int64_t now_ms, delay_ms, due_ms;
};

static bool
is_better(const struct step *s, const struct step *than)
{
	return than->who == NULL || s->order < than->order;
}

static void
consider(struct search *f, const struct step *s)
{
	if (!s->lives)
		return;
	if (s->who == f->lane->current)
		f->stay = *s;
	if (is_better(s, &f->best))
		f->best = *s;
	if (s->who->since_ms + f->delay_ms <= f->now_ms && is_better(s, &f->ripe))
		f->ripe = *s;
}

/* When does somebody better than the one we are on get ripe? */
static void
look_ahead(struct search *f, const struct step *s)
{
	const int64_t due = s->who->since_ms + f->delay_ms;

	if (s->lives && s->order < f->stay.order && due > f->now_ms && due < f->due_ms)
		f->due_ms = due;
}

static struct live *
conclude(const struct search *f, int mode)
{
	if (f->stay.who == NULL)
		return f->best.who;
	if (mode == SEQUENCE_NON_PREEMPTIVE || f->ripe.who == NULL)
		return f->stay.who;
	return f->ripe.order < f->stay.order ? f->ripe.who : f->stay.who;
}

/* Nothing is remembered of a sequence that always goes to the smallest order. */
static bool
stays(int strategy, int mode, uint32_t delay_ms)
{
	return strategy == STRATEGY_SEQUENCE && (mode == SEQUENCE_NON_PREEMPTIVE || delay_ms > 0);
}

static struct live *
search(const struct step *steps, size_t n, struct search *f, int mode, int64_t *due_ms)
{
	f->due_ms = INT64_MAX;
	for (size_t i = 0; i < n; i++)
		consider(f, &steps[i]);
	for (size_t i = 0; f->stay.who != NULL && i < n; i++)
		look_ahead(f, &steps[i]);
	*due_ms = mode == SEQUENCE_PREEMPTIVE ? f->due_ms : INT64_MAX;
	return conclude(f, mode);
}

struct live *
scene_next_address(const struct live_pool *p, const struct live_lane *lane,
    const struct word_table *words, const struct what_if *w, int64_t now_ms, int64_t *due_ms)
{
	const struct pool_spec *s = live_pool_spec(p);
	struct search f = { .lane = lane, .now_ms = now_ms, .delay_ms = s->failback_delay_ms };

	*due_ms = INT64_MAX;
	if (!stays(s->strategy, s->sequence_mode, s->failback_delay_ms))
		return NULL;

	const bool opens = live_pool_state(p, words, w).opens;
	struct step *steps = xcalloc(p->n_members + 1, sizeof(*steps));

	for (size_t i = 0; i < p->n_members; i++) {
		const struct live_member *m = &p->members[i];

		steps[i] = (struct step){
			.who = &m->address->live,
			.order = m->spec->order,
			.lives = live_link_serves(m->spec, lane->line) &&
				 (opens ? live_address_usable(m->address)
					: live_address_state(m->address, words, w).available),
		};
	}

	struct live *next = search(steps, p->n_members, &f, s->sequence_mode, due_ms);

	free(steps);
	return next;
}

struct live *
scene_next_pool(const struct live_domain *d, const struct live_lane *lane,
    const struct word_table *words, const struct what_if *w, int64_t now_ms, int64_t *due_ms)
{
	const struct domain_spec *s = live_domain_spec(d);
	struct search f = { .lane = lane, .now_ms = now_ms, .delay_ms = s->failback_delay_ms };

	*due_ms = INT64_MAX;
	if (!stays(s->strategy, s->sequence_mode, s->failback_delay_ms))
		return NULL;

	struct step *steps = xcalloc(d->n_links + 1, sizeof(*steps));

	for (size_t i = 0; i < d->n_links; i++) {
		const struct live_link *l = &d->links[i];
		const struct live_state st = live_pool_state(l->pool, words, w);

		steps[i] = (struct step){
			.who = &l->pool->live,
			.order = l->spec->order,
			.lives = st.available && (st.good > 0 || st.opens) &&
				 live_link_serves(l->spec, lane->line),
		};
	}

	struct live *next = search(steps, d->n_links, &f, s->sequence_mode, due_ms);

	free(steps);
	return next;
}
