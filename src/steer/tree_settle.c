/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Settlement, bottom up, each marked object once:
 *
 *	addresses -> pools that hold a changed one -> domains that use a changed pool
 *	          then: compile all, publish all, and only then tell
 *
 * so that readers and listeners see whole sets, and whoever hears of a state can already dig it.
 */
#include <stdlib.h>

#include "steer/scene.h"
#include "steer/tree_types.h"

void
tree_settle_mark(struct tree *t, struct live *l)
{
	list_remove(&l->dirty);
	list_append(&t->dirty[l->o->kind], &l->dirty);
}

static void
mark_users(struct tree *t, const struct live *l)
{
	STRMAP_EACH (&l->o->referrers, e)
		tree_settle_mark(t, ((struct model_object *)e->value)->runtime);
}

/* Take over a new state and note whether it is another one. */
static void
adopt(struct live *l, const struct live_state *st)
{
	const struct live_state *was = &l->state;

	l->told_due = l->told_due || l->edited || was->health != st->health ||
		      was->available != st->available || was->good != st->good ||
		      was->total != st->total;
	l->state = *st;
}

static void
remember(struct tree *t, const struct model_object *o, const struct model_object *current)
{
	char *key = tree_memory_key(o->kind, o->name);

	t->hooks.remember(t->hooks.arg, key, current == NULL ? NULL : current->name);
	free(key);
}

/* -- one object of each kind -- */

static void
settle_address(struct tree *t, struct live_address *a)
{
	const struct live_state st = live_address_fold(a, t->words, NULL);
	const bool flipped = st.available != a->live.state.available;

	adopt(&a->live, &st);
	a->live.level = live_address_level(a);
	if (a->live.edited || flipped)
		mark_users(t, &a->live);
}

static void
settle_pool(struct tree *t, struct live_pool *p)
{
	const struct live_state st = live_pool_fold(p, t->words, NULL);
	const bool remembered = p->current != NULL || p->recalled != NULL;

	adopt(&p->live, &st);
	p->live.level = live_pool_level(p);

	struct live_address *next = scene_next_address(p, t->words, NULL);

	if (next != p->current || (next == NULL && remembered))
		remember(t, p->live.o, next == NULL ? NULL : next->live.o);
	p->current = next;
	free(p->recalled);
	p->recalled = NULL;
	mark_users(t, &p->live);
}

static void
settle_domain(struct tree *t, struct live_domain *d)
{
	const struct live_state st = live_domain_fold(d, t->words, NULL);
	const enum live_fallback was = d->fallback;
	const bool remembered = d->current != NULL || d->recalled != NULL;

	adopt(&d->live, &st);

	struct live_pool *next = scene_next_pool(d, t->words, NULL);

	if (next != d->current || (next == NULL && remembered))
		remember(t, d->live.o, next == NULL ? NULL : next->live.o);
	d->current = next;
	free(d->recalled);
	d->recalled = NULL;
	tree_publish_compile(t, d);
	d->live.level = live_domain_level(d);
	d->live.told_due |= d->fallback != was;
}

/* -- telling -- */

static void
tell(struct tree *t, struct live *l, const struct tree_cause *cause)
{
	const bool told_due = l->told_due;

	list_remove(&l->dirty);
	l->told_due = l->edited = false;
	if (told_due)
		tree_tell_status(t, l);
	if (l->level != l->was)
		tree_tell_event(t, l, cause);
	l->was = l->level;
}

void
tree_settle(struct tree *t, const struct tree_cause *cause)
{
	tree_check_flush(t);
	LIST_EACH (it, tmp, &t->dirty[KIND_ADDRESS])
		settle_address(t, (struct live_address *)LIST_ENTRY(it, struct live, dirty));
	LIST_EACH (it, tmp, &t->dirty[KIND_POOL])
		settle_pool(t, (struct live_pool *)LIST_ENTRY(it, struct live, dirty));
	LIST_EACH (it, tmp, &t->dirty[KIND_DOMAIN])
		settle_domain(t, (struct live_domain *)LIST_ENTRY(it, struct live, dirty));

	LIST_EACH (it, tmp, &t->dirty[KIND_DOMAIN])
		tree_publish_swap(t, (struct live_domain *)LIST_ENTRY(it, struct live, dirty));
	LIST_EACH (it, tmp, &t->leaving)
		tree_publish_withdraw(t, LIST_ENTRY(it, struct live_domain, leaving));

	for (int kind = KIND_ADDRESS; kind <= KIND_DOMAIN; kind++)
		LIST_EACH (it, tmp, &t->dirty[kind])
			tell(t, LIST_ENTRY(it, struct live, dirty), cause);
}
