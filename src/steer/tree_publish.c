/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A host's block appears with its first plan and goes with its last. It is handed to the hook after
 * the plan is in it and taken back before it is retired, so a reader finds either a complete answer
 * or the Public Zone.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "dns/rrtype.h"
#include "steer/scene.h"
#include "steer/tree_types.h"

void
tree_publish_compile(struct tree *t, struct live_domain *d)
{
	struct scene s;

	d->next = NULL;
	d->next_set = NULL;
	d->fallback = LIVE_NO_FALLBACK;
	if (live_domain_rests(d))
		return;
	scene_init(&s, t->charts, d, t->words, NULL);
	d->fallback = s.fallback;
	if (s.input.n_variants > 0) {
		d->next = compile_plan(&s.input);
		tree_balance_fit(d);
		d->next_set = scene_fallback_set(d);
	}
	scene_fini(&s);
}

/* Whose the plan of a name and type is to be. */
struct place {
	const uint8_t *host;
	uint16_t type;
	struct live *owner;
};

static struct steered *
find_overlay(const struct tree *t, const struct place *at, char key[NAME_TEXT_SIZE])
{
	return strmap_find(&t->overlays, name_text(at->host, key));
}

static const struct steered_slot *
find_slot(const struct tree *t, const struct place *at)
{
	char key[NAME_TEXT_SIZE];
	struct steered *s = find_overlay(t, at, key);

	return s == NULL ? NULL : steered_slot(s, at->type);
}

/* A block that has a slot for the place: the one there is (may be NULL), or a new one. */
static struct steered *
make_room(struct tree *t, const struct place *at, struct steered *old)
{
	char key[NAME_TEXT_SIZE];
	struct steered *s = old;

	if (old == NULL || steered_slot(old, at->type) == NULL) {
		s = steered_grow(old, at->host, at->type);
		strmap_put(&t->overlays, name_text(at->host, key), s);
	}
	return s;
}

/* Plan and fallback set become the overlay's; NULL: the place has none any more. */
static void
put(struct tree *t, const struct place *at, struct plan *plan, struct rrset *fallback)
{
	char key[NAME_TEXT_SIZE];
	struct steered *old = find_overlay(t, at, key), *s;
	const struct steered_slot *slot = old == NULL ? NULL : steered_slot(old, at->type);

	if (plan == NULL && (slot == NULL || slot->plan == NULL))
		return;
	s = make_room(t, at, old);

	const bool shown = steered_set(steered_slot(s, at->type), at->owner, plan, fallback);

	if (steered_is_empty(s)) {
		t->hooks.overlay(t->hooks.arg, s->host, NULL, shown);
		strmap_remove(&t->overlays, key);
		steered_retire(&s);
	} else if (s != old || shown) {
		t->hooks.overlay(t->hooks.arg, s->host, s, shown);
		if (s != old && old != NULL)
			steered_outgrown(&old);
	}
}

/* -- domains -- */

static struct place
place_of(struct live_domain *d)
{
	return (struct place){ d->host, d->rrtype, &d->live };
}

/* Where no domain steers the zone's record set does, if it has lines. */
static void
give_back(struct tree *t, const struct place *at)
{
	char host[NAME_TEXT_SIZE], type[RRTYPE_TEXT_SIZE], name[NAME_TEXT_SIZE + RRTYPE_TEXT_SIZE];
	const struct model_object *o;
	struct live_lined *l;

	snprintf(
	    name, sizeof(name), "%s/%s", name_text(at->host, host), rrtype_text(at->type, type));
	o = model_find(&t->model, KIND_RRSET, name);
	l = o == NULL ? NULL : o->runtime;
	if (l != NULL && !l->compiled)
		tree_lined_compile(t, l);
	put(t, &(struct place){ at->host, at->type, l == NULL ? NULL : &l->live },
	    l == NULL ? NULL : l->next, NULL);
	if (l == NULL)
		return;
	l->compiled = false;
	l->next = NULL;
	live_idle_retire(&l->idle);
}

void
tree_publish_swap(struct tree *t, struct live_domain *d)
{
	const struct place at = place_of(d);
	const struct steered_slot *slot = find_slot(t, &at);

	if (d->next != NULL)
		put(t, &at, d->next, d->next_set);
	else if (slot != NULL && slot->owner == &d->live)
		give_back(t, &at);
	d->next = NULL;
	d->next_set = NULL;
	live_idle_retire(&d->idle);
	tree_balance_retire(t, d);
}

void
tree_publish_withdraw(struct tree *t, struct live_domain *d)
{
	const struct place at = place_of(d);
	const struct steered_slot *slot = find_slot(t, &at);

	/* Deleted and made again in one set: the slot is its successor's by now. */
	if (slot != NULL && slot->owner == &d->live)
		give_back(t, &at);
	for (size_t i = 0; i < live_domain_all_links(d); i++)
		cursors_retire(&d->links[i].cursors);
	for (size_t i = 0; i < d->lanes.n; i++)
		cursors_retire(&d->lanes.list[i].cursors);
	live_idle_retire(&d->idle);
	balance_retire(&d->balance);
	balance_retire(&d->balance_idle);
	list_remove(&d->leaving);
	tree_publish_free(d);
}

void
tree_publish_free(struct live_domain *d)
{
	for (size_t i = 0; i < live_domain_all_links(d); i++)
		cursors_free(&d->links[i].cursors);
	tree_lines_free(&d->lanes);
	balance_free(&d->balance);
	balance_free(&d->balance_idle);
	strmap_fini(&d->good);
	free(d->good_text);
	free(d->links);
	free(d->idle.list);
	free(d->key);
	free(d);
}

/* -- record sets with lines -- */

void
tree_publish_swap_lined(struct tree *t, struct live_lined *l)
{
	const struct place at = { l->host, l->rrtype, &l->live };
	const struct steered_slot *slot = find_slot(t, &at);

	if (!l->compiled) /* published already, when a domain gave the name back */
		return;
	if (slot != NULL && slot->plan != NULL && !plan_is_zone_data(slot->plan))
		plan_free(&l->next); /* a domain goes first; compiled anew when it ends */
	else
		put(t, &at, l->next, NULL);
	l->next = NULL;
	l->compiled = false;
	live_idle_retire(&l->idle);
}

void
tree_publish_withdraw_lined(struct tree *t, struct live_lined *l)
{
	const struct place at = { l->host, l->rrtype, &l->live };
	const struct steered_slot *slot = find_slot(t, &at);

	if (slot != NULL && slot->owner == &l->live)
		put(t, &at, NULL, NULL);
	for (size_t i = 0; i < l->lanes.n; i++)
		cursors_retire(&l->lanes.list[i].cursors);
	live_idle_retire(&l->idle);
	list_remove(&l->leaving);
	tree_lined_free(l);
}

void
tree_publish_fini(struct tree *t)
{
	STRMAP_EACH (&t->overlays, e) {
		struct steered *s = e->value;

		steered_free(&s);
	}
	strmap_fini(&t->overlays);
}
