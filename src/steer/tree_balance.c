/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Domains with balance traffic have a number, by which sightings on the tape find them. The tape
 * comes with the first of them and stays; a number that is free again may get sightings of its last
 * owner for a moment, which are noise.
 */
#include <stdlib.h>

#include "base/check.h"
#include "base/mem.h"
#include "steer/plan_types.h"
#include "steer/tree_types.h"

static uint32_t
take_number(struct tree *t, struct live_domain *d)
{
	size_t i = 0;

	while (i < t->cap_balanced && t->balanced[i] != NULL)
		i++;
	if (i == t->cap_balanced) {
		const size_t cap = t->cap_balanced * 2 + 8;

		t->balanced = xrealloc(t->balanced, cap * sizeof(struct live_domain *));
		for (size_t k = t->cap_balanced; k < cap; k++)
			t->balanced[k] = NULL;
		t->cap_balanced = cap;
	}
	t->balanced[i] = d;
	return (uint32_t)i;
}

void
tree_balance_leave(struct tree *t, struct live_domain *d)
{
	for (size_t i = 0; i < t->cap_balanced; i++) {
		if (t->balanced[i] == d)
			t->balanced[i] = NULL;
	}
}

void
tree_balance_put(struct tree *t, struct live_domain *d)
{
	const bool wanted = live_domain_spec(d)->balance == BALANCE_TRAFFIC;

	if (wanted == (d->balance != NULL))
		return;
	if (wanted) {
		if (t->tape == NULL)
			t->tape = tape_new(t->workers);
		/* It may come and go within one set. */
		d->balance = d->balance_idle;
		d->balance_idle = NULL;
		if (d->balance == NULL)
			d->balance = balance_new(t->tape, take_number(t, d), t->seed);
		return;
	}
	d->balance_idle = d->balance;
	d->balance = NULL;
}

void
tree_balance_fit(struct live_domain *d)
{
	const struct plan *p = d->next;

	if (p == NULL || p->balance == NULL)
		return;
	balance_fit(p->balance, &(struct balance_fit){ .leaves = p->leaves,
				    .first = p->first_leaf,
				    .n_variants = p->n_variants,
				    .halvings_max = p->halvings,
				    .chart = p->chart });
}

void
tree_balance_retire(struct tree *t, struct live_domain *d)
{
	if (d->balance_idle == NULL)
		return;
	tree_balance_leave(t, d);
	balance_retire(&d->balance_idle);
}

static void
hear(void *arg, const struct tape_sighting *s)
{
	const struct tree *t = arg;
	struct live_domain *d = s->domain < t->cap_balanced ? t->balanced[s->domain] : NULL;

	if (d != NULL && d->balance != NULL)
		balance_heard(d->balance, s);
}

void
tree_learn(struct tree *t, uint32_t now_ms)
{
	OBJ_CHECK(t, TREE_MAGIC);
	if (t->tape == NULL)
		return;

	const bool whole = tape_drain(t->tape, hear, t);

	for (size_t i = 0; i < t->cap_balanced; i++) {
		struct live_domain *d = t->balanced[i];

		if (d == NULL || d->balance == NULL)
			continue;
		if (!whole)
			balance_missed(d->balance);
		balance_tick(d->balance, now_ms);
	}
}

bool
tree_learns(const struct tree *t)
{
	OBJ_CHECK(t, TREE_MAGIC);
	for (size_t i = 0; i < t->cap_balanced; i++) {
		if (t->balanced[i] != NULL)
			return true;
	}
	return false;
}

void
tree_seed(struct tree *t, uint64_t seed)
{
	OBJ_CHECK(t, TREE_MAGIC);
	t->seed = seed;
}

void
tree_balance_fini(struct tree *t)
{
	tape_free(&t->tape);
	free(t->balanced);
}
