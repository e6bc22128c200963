/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An address's verdict over time. What counts is, the first that applies:
 *
 *	a hold (maintenance) of it, its pool or its domain:  the verdict it had when that began
 *	damping:                                             what verdict/damp.h holds it at
 *	else:                                                its health
 *
 * Both outlive the engine: "damp/<address>" and "hold/<address>" go through the hook `remember`.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "steer/tree_types.h"

static void
remember(struct tree *t, const char *what, const struct live_address *a, const char *value)
{
	char *key = xasprintf("%s/%s", what, a->live.o->name);

	t->hooks.remember(t->hooks.arg, key, value);
	free(key);
}

static char *
take(struct tree *t, const char *what, const struct live_address *a)
{
	char *key = xasprintf("%s/%s", what, a->live.o->name), *value = tree_memory_take(t, key);

	free(key);
	return value;
}

void
tree_steady_recall(struct tree *t, struct live_address *a)
{
	if (t->recalled.count == 0)
		return;

	char *damp = take(t, "damp", a), *hold = take(t, "hold", a);

	if (damp != NULL) {
		a->damp = xcalloc(1, sizeof(*a->damp));
		if (damp_parse(a->damp, damp) == 0) {
			a->known = true;
			a->up = a->damp->up;
		}
	}
	a->kept = hold != NULL;
	a->kept_up = hold != NULL && strcmp(hold, "up") == 0;
	free(damp);
	free(hold);
}

static void
forget_damp(struct tree *t, struct live_address *a)
{
	if (a->damp != NULL)
		remember(t, "damp", a, NULL);
	free(a->damp);
	a->damp = NULL;
}

void
tree_steady_forget(struct tree *t, struct live_address *a)
{
	forget_damp(t, a);
	if (a->kept)
		remember(t, "hold", a, NULL);
}

/* -- damping -- */

/*
 * Would some pool be there with this address up and not be with it down? By what is known of the
 * pools, so it costs one look at each.
 */
static bool
is_needed(const struct live_address *a)
{
	STRMAP_EACH (&a->live.o->referrers, e) {
		const struct model_object *o = e->value;
		const struct live_pool *p = o->runtime;

		if (o->kind != KIND_POOL || !live_pool_usable(p) ||
		    p->live.imposed.force == FORCE_UP)
			continue;

		const struct healthy_when *rule = &live_pool_spec(p)->healthy_when;
		const struct live_state *st = &p->live.state;
		const uint32_t others = st->good - (st->good > 0 && a->live.state.available);

		if (!health_is_available(health_pool(rule, others, st->total)) &&
		    health_is_available(health_pool(rule, others + 1, st->total)))
			return true;
	}
	return false;
}

static void
remember_damp(struct tree *t, struct live_address *a)
{
	char text[DAMP_TEXT_SIZE];

	if (a->damp->held || a->damp->n > 0)
		remember(t, "damp", a, damp_text(a->damp, text));
	else
		forget_damp(t, a);
}

/* Most addresses never see a transition: they have no damp. */
static void
damp_verdict(struct tree *t, struct live_address *a, bool up, int64_t now_ms)
{
	const struct damp_rule *rule = &live_address_spec(a)->damping;

	if (a->damp == NULL && a->known && up != a->up && rule->transitions > 0) {
		a->damp = xcalloc(1, sizeof(*a->damp));
		a->damp->known = true;
		a->damp->up = a->up;
	}
	a->known = true;
	a->up = up;
	if (a->damp == NULL)
		return;

	const struct damp was = *a->damp;
	const enum damp_news news =
	    damp_feed(a->damp, rule, up, live_address_counts(a) && is_needed(a), now_ms);

	a->flapping = news == DAMP_HELD && live_address_counts(a) && a->keeper == NULL;
	if (memcmp(&was, a->damp, sizeof(was)) == 0)
		return;
	a->live.told_due |= was.held || a->damp->held;
	remember_damp(t, a);
}

bool
tree_steady_waits(const struct live_address *a)
{
	return a->damp != NULL && damp_waits(a->damp) && !a->kept &&
	       a->live.imposed.force == FORCE_NONE && live_address_counts(a);
}

void
tree_steady_turn(struct tree *t, struct live_address *a)
{
	damp_turn(a->damp);
	a->steady_up = true;
	a->live.told_due = true;
	remember_damp(t, a);
}

/* -- holds -- */

/* It keeps what it had; what has no verdict yet keeps the first one that comes. */
static void
keep(struct tree *t, struct live_address *a, bool known, bool up)
{
	if (a->keeper == NULL && a->kept) {
		a->kept = false;
		remember(t, "hold", a, NULL);
	} else if (a->keeper != NULL && !a->kept && known) {
		a->kept = true;
		a->kept_up = up;
		remember(t, "hold", a, up ? "up" : "down");
	}
}

int64_t
tree_steady_feed(struct tree *t, struct live_address *a, enum health health, int64_t now_ms)
{
	const struct damp_rule *rule = &live_address_spec(a)->damping;
	const struct live *keeper = tree_impose_keeper(t, a);
	const bool had = a->known, was_up = a->steady ? a->steady_up : a->up;

	a->live.told_due |= keeper != a->keeper;
	a->keeper = keeper;
	if (health == HEALTH_OK_NO_MONITOR) { /* nobody says anything */
		forget_damp(t, a);
		a->known = false;
		a->up = true;
	} else if (health != HEALTH_UNKNOWN) {
		damp_verdict(t, a, health_is_available(health), now_ms);
	} else if (a->damp != NULL) { /* no news, but time goes by */
		damp_verdict(t, a, a->up, now_ms);
	}
	keep(t, a, a->known, had ? was_up : a->up);

	const bool damped = a->damp != NULL && a->damp->held;

	a->steady = a->kept || damped;
	a->steady_up = a->kept ? a->kept_up : damped && a->damp->held_up;
	return a->damp == NULL ? INT64_MAX : damp_due(a->damp, rule);
}
