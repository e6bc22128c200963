/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A host's block appears with its first plan and goes with its last. It is handed to the hook after
 * the plan is in it and taken back before it is retired, so a reader finds either a complete answer
 * or the Public Zone.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "steer/scene.h"
#include "steer/tree_types.h"

/* The name without a domain object's "/TYPE" would do as well; text of the wire form is what both
 * kinds agree on. */
static struct steered *
find_overlay(const struct tree *t, const struct live_domain *d, char key[NAME_TEXT_SIZE])
{
	return strmap_find(&t->overlays, name_text(d->host, key));
}

void
tree_publish_compile(struct tree *t, struct live_domain *d)
{
	struct scene s;

	d->next = NULL;
	d->next_set = NULL;
	d->fallback = LIVE_NO_FALLBACK;
	if (!live_domain_spec(d)->enabled)
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

/* Set this domain's slot of its host; both become the overlay's. */
static void
put(struct tree *t, struct live_domain *d, struct plan *plan, struct rrset *fallback)
{
	char key[NAME_TEXT_SIZE];
	struct steered *s = find_overlay(t, d, key);
	const bool is_new = s == NULL;

	if (is_new && plan == NULL)
		return;
	if (is_new) {
		s = steered_new(d->host);
		strmap_put(&t->overlays, key, s);
	}
	s->owners[d->type] = plan == NULL ? NULL : d;
	const bool other = steered_set(s, d->type, plan, fallback);

	if (!steered_is_empty(s)) {
		if (is_new || other)
			t->hooks.overlay(t->hooks.arg, s->host, s);
	} else {
		t->hooks.overlay(t->hooks.arg, s->host, NULL);
		strmap_remove(&t->overlays, key);
		steered_retire(&s);
	}
}

static void
retire_idle(struct live_domain *d)
{
	for (size_t i = 0; i < d->n_idle; i++)
		cursors_retire(&d->idle[i]);
	d->n_idle = 0;
}

void
tree_publish_swap(struct tree *t, struct live_domain *d)
{
	put(t, d, d->next, d->next_set);
	d->next = NULL;
	d->next_set = NULL;
	retire_idle(d);
	tree_balance_retire(t, d);
}

void
tree_publish_withdraw(struct tree *t, struct live_domain *d)
{
	char key[NAME_TEXT_SIZE];
	const struct steered *s = find_overlay(t, d, key);

	/* Deleted and made again in one set: the slot is its successor's by now. */
	if (s != NULL && s->owners[d->type] == d)
		put(t, d, NULL, NULL);
	for (size_t i = 0; i < live_domain_all_links(d); i++)
		cursors_retire(&d->links[i].cursors);
	for (size_t i = 0; i < d->lanes.n; i++)
		cursors_retire(&d->lanes.list[i].cursors);
	retire_idle(d);
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
	free(d->idle);
	free(d->key);
	free(d);
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
