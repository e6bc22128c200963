/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Settlement, each marked object once:
 *
 *	top down:  what is imposed on domains, pools and addresses (tree_impose.c)
 *	bottom up: addresses -> pools that hold a changed one -> domains that use a changed pool;
 *	           between, a pool that is down calls back whom damping keeps out
 *	           then: compile all, publish all, and only then tell
 *
 * so that readers and listeners see whole sets, and whoever hears of a state can already dig it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
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
	STRMAP_EACH (&l->o->referrers, e) {
		const struct model_object *user = e->value;

		if (user->kind == KIND_POOL || user->kind == KIND_DOMAIN)
			tree_settle_mark(t, user->runtime);
	}
}

/* When it is to be settled again by itself: what is imposed on it may change, or `also`. */
static void
await(struct tree *t, struct live *l, int64_t also_ms)
{
	agenda_set(&t->due, &l->due, also_ms < l->turn_ms ? also_ms : l->turn_ms);
}

/* Take over a new state and note whether it is another one. */
static void
adopt(struct live *l, const struct live_state *st, int64_t now_ms)
{
	const struct live_state *was = &l->state;

	/* What is available from the start has always been. */
	if (st->available && !was->available && l->judged)
		l->since_ms = now_ms;
	l->judged = true;
	l->told_due = l->told_due || l->edited || was->health != st->health ||
		      was->available != st->available || was->good != st->good ||
		      was->total != st->total || was->steadied != st->steadied;
	l->state = *st;
}

static void
remember(struct tree *t, const struct model_object *o, const char *line, const struct live *current)
{
	char *key = tree_memory_key(o->kind, o->name, line);

	t->hooks.remember(t->hooks.arg, key, current == NULL ? NULL : current->o->name);
	free(key);
}

/* Where a lane goes on; returns when it may have to be looked at again. */
static int64_t
move_on(struct tree *t, const struct live *l, struct live_lane *lane, int64_t now_ms)
{
	const bool remembered = lane->current != NULL || lane->recalled != NULL;
	int64_t due_ms;
	struct live *next = l->o->kind == KIND_POOL
				? scene_next_address((const struct live_pool *)l, lane, t->words,
				      NULL, now_ms, &due_ms)
				: scene_next_pool((const struct live_domain *)l, lane, t->words,
				      NULL, now_ms, &due_ms);

	if (next != lane->current || (next == NULL && remembered))
		remember(t, l->o, lane->line, next);
	lane->current = next;
	free(lane->recalled);
	lane->recalled = NULL;
	return due_ms;
}

/* When one of them has to be looked at again; INT64_MAX: none. */
static int64_t
move_lanes(struct tree *t, const struct live *who, struct lanes *lanes, int64_t now_ms)
{
	int64_t first_ms = INT64_MAX;

	for (size_t i = 0; i < lanes->n; i++) {
		const int64_t due_ms = move_on(t, who, &lanes->list[i], now_ms);

		first_ms = due_ms < first_ms ? due_ms : first_ms;
	}
	return first_ms;
}

/* -- one object of each kind -- */

/* Out for flapping, and a pool of its is down: see relieve. */
static bool
is_missed(const struct live_address *a)
{
	if (!tree_steady_waits(a))
		return false;
	STRMAP_EACH (&a->live.o->referrers, e) {
		const struct model_object *o = e->value;

		if (o->kind == KIND_POOL && !((const struct live *)o->runtime)->state.available)
			return true;
	}
	return false;
}

static void
adopt_address(struct tree *t, struct live_address *a, int64_t now_ms)
{
	const struct live_state st = live_address_fold(a, t->words, NULL);
	const bool flipped = st.available != a->live.state.available;

	adopt(&a->live, &st, now_ms);
	a->live.level = live_address_level(a);
	if (a->live.edited || flipped || is_missed(a))
		mark_users(t, &a->live);
}

static void
settle_address(struct tree *t, struct live_address *a, int64_t now_ms)
{
	const enum health health = live_address_fold(a, t->words, NULL).health;

	await(t, &a->live, tree_steady_feed(t, a, health, now_ms));
	adopt_address(t, a, now_ms);
}

/*
 * Damping must not cost a pool: if it would be there with those who are up and held down for
 * flapping, and is not without, they come back. That makes no pool worse, so each is looked at
 * once.
 */
static void
relieve(struct tree *t, const struct live_pool *p, int64_t now_ms)
{
	uint32_t waiting = 0;

	for (size_t i = 0; i < p->n_members; i++)
		waiting += tree_steady_waits(p->members[i].address);
	if (waiting == 0 || !live_pool_usable(p))
		return;

	const struct live_state st = live_pool_fold(p, t->words, NULL);

	if (st.available || !health_is_available(health_pool(
				&live_pool_spec(p)->healthy_when, st.good + waiting, st.total)))
		return;
	for (size_t i = 0; i < p->n_members; i++) {
		struct live_address *a = p->members[i].address;

		if (!tree_steady_waits(a))
			continue;
		tree_steady_turn(t, a);
		adopt_address(t, a, now_ms);
		tree_settle_mark(t, &a->live);
	}
}

static void
settle_pool(struct tree *t, struct live_pool *p, int64_t now_ms)
{
	const struct live_state st = live_pool_fold(p, t->words, NULL);

	adopt(&p->live, &st, now_ms);
	p->live.level = live_pool_level(p);
	await(t, &p->live, move_lanes(t, &p->live, &p->lanes, now_ms));
	mark_users(t, &p->live);
}

/* fallback last_good: who is available now is who will have been. */
static void
note_good(struct tree *t, struct live_domain *d)
{
	char *key, *text;

	if (live_domain_spec(d)->fallback != FALLBACK_LAST_GOOD ||
	    d->fallback != LIVE_NO_FALLBACK || live_domain_rests(d) || live_domain_frozen(d) ||
	    d->n_links == 0)
		return;
	text = live_good_text(d);
	if (d->good_text != NULL && strcmp(text, d->good_text) == 0) {
		free(text);
		return;
	}
	key = xasprintf("good/%s", d->key);
	t->hooks.remember(t->hooks.arg, key, text);
	free(key);
	live_good_set(d, text);
}

static void
settle_domain(struct tree *t, struct live_domain *d, int64_t now_ms)
{
	const struct live_state st = live_domain_fold(d, t->words, NULL);
	const enum live_fallback was = d->fallback;

	adopt(&d->live, &st, now_ms);
	await(t, &d->live, move_lanes(t, &d->live, &d->lanes, now_ms));
	tree_lines_chart(t, &d->audience);
	tree_publish_compile(t, d);
	note_good(t, d);
	d->live.level = live_domain_level(d);
	d->live.told_due |= d->fallback != was;
}

/* -- telling -- */

static void
tell_flapping(const struct tree *t, struct live_address *a, int64_t now_ms)
{
	if (a->flapping)
		tree_tell_flapping(t, a, now_ms);
	a->flapping = false;
}

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
	if (l->o->kind == KIND_ADDRESS)
		tell_flapping(t, (struct live_address *)l, cause->real_ms);
}

static void
publish(struct tree *t)
{
	LIST_EACH (it, tmp, &t->dirty[KIND_DOMAIN])
		tree_publish_swap(t, (struct live_domain *)LIST_ENTRY(it, struct live, dirty));
	LIST_EACH (it, tmp, &t->dirty[KIND_RRSET]) {
		struct live *l = LIST_ENTRY(it, struct live, dirty);

		tree_publish_swap_lined(t, (struct live_lined *)l);
		list_remove(&l->dirty);
	}
	LIST_EACH (it, tmp, &t->leaving)
		tree_publish_withdraw(t, LIST_ENTRY(it, struct live_domain, leaving));
	LIST_EACH (it, tmp, &t->lined_leaving)
		tree_publish_withdraw_lined(t, LIST_ENTRY(it, struct live_lined, leaving));
}

/* A hold marks objects of lower kinds only, so none is missed. */
static void
impose(struct tree *t, enum kind kind, int64_t now_ms)
{
	LIST_EACH (it, tmp, &t->dirty[kind])
		tree_impose_refresh(t, LIST_ENTRY(it, struct live, dirty), now_ms);
}

void
tree_settle(struct tree *t, const struct tree_cause *cause)
{
	tree_check_flush(t);
	impose(t, KIND_DOMAIN, cause->real_ms);
	impose(t, KIND_POOL, cause->real_ms);
	impose(t, KIND_ADDRESS, cause->real_ms);
	LIST_EACH (it, tmp, &t->dirty[KIND_ADDRESS])
		settle_address(
		    t, (struct live_address *)LIST_ENTRY(it, struct live, dirty), cause->real_ms);
	LIST_EACH (it, tmp, &t->dirty[KIND_POOL])
		relieve(t, (struct live_pool *)LIST_ENTRY(it, struct live, dirty), cause->real_ms);
	LIST_EACH (it, tmp, &t->dirty[KIND_POOL])
		settle_pool(
		    t, (struct live_pool *)LIST_ENTRY(it, struct live, dirty), cause->real_ms);
	LIST_EACH (it, tmp, &t->dirty[KIND_DOMAIN])
		settle_domain(
		    t, (struct live_domain *)LIST_ENTRY(it, struct live, dirty), cause->real_ms);

	LIST_EACH (it, tmp, &t->dirty[KIND_RRSET])
		tree_lined_compile(t, (struct live_lined *)LIST_ENTRY(it, struct live, dirty));

	publish(t);

	for (int kind = KIND_ADDRESS; kind <= KIND_DOMAIN; kind++)
		LIST_EACH (it, tmp, &t->dirty[kind])
			tell(t, LIST_ENTRY(it, struct live, dirty), cause);
}
