/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What leaves the tree for people: statuses, and events with a sentence and its cause. */
#include <stdlib.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/duration.h"
#include "base/mem.h"
#include "steer/tree_types.h"

static void
put_status(const struct tree *t, const struct live *l, struct json_out *o)
{
	switch (l->o->kind) {
	case KIND_ADDRESS:
		live_address_status(o, (const struct live_address *)l, t->words);
		break;
	case KIND_POOL:
		live_pool_status(o, (const struct live_pool *)l);
		break;
	case KIND_DOMAIN:
		live_domain_status(o, (const struct live_domain *)l);
		break;
	default:
		break;
	}
}

/* The status as JSON, with a cause if there is one; valid until the next one is said. */
static const char *
say_status(struct tree *t, const struct live *l, const char *cause)
{
	struct json_out o;

	buf_clear(&t->said);
	json_out_init(&o, &t->said);
	json_out_open(&o, NULL, '{');
	put_status(t, l, &o);
	if (cause != NULL)
		json_out_text(&o, "cause", cause);
	json_out_close(&o, '}');
	return buf_str(&t->said);
}

void
tree_tell_status(struct tree *t, const struct live *l)
{
	if (!t->hushed)
		t->hooks.status(t->hooks.arg, l->o->kind, l->o->name, say_status(t, l, NULL));
}

json_t *
tree_status(struct tree *t, enum kind kind, const char *name)
{
	const struct model_object *o = model_find(&t->model, kind, name);

	if (o == NULL)
		return NULL;
	if (o->runtime == NULL)
		return json_object();

	json_t *status = json_loads(say_status(t, o->runtime, NULL), 0, NULL);

	CHECK(status != NULL);
	return status;
}

void
tree_hush(struct tree *t)
{
	t->hushed = true;
}

void
tree_tell_all(struct tree *t)
{
	t->hushed = false;
	for (int kind = KIND_ADDRESS; kind <= KIND_DOMAIN; kind++)
		STRMAP_EACH (&t->model.objects[kind], e)
			tree_tell_status(t, ((struct model_object *)e->value)->runtime);
}

/* -- sentences; the caller frees -- */

/* "pool 'dc-a' is forced down: kernel upgrade" */
static char *
say_forced(const struct live *l)
{
	const struct model_object *by = l->imposed.by;
	const char *reason = by->kind == KIND_OVERRIDE
				 ? ((const struct override_spec *)by->spec)->reason
				 : ((const struct maintenance_spec *)by->spec)->reason;

	return xasprintf(
	    "%s '%s' is forced down: %s", kind_table[l->o->kind].name, l->o->name, reason);
}

static char *
say_address(const struct live_address *a)
{
	const struct live_state *st = &a->live.state;
	const char *name = a->live.o->name, *value = live_address_spec(a)->value;

	if (a->live.imposed.force == FORCE_DOWN)
		return say_forced(&a->live);
	if (a->live.level == LIVE_DOWN && st->steadied)
		return xasprintf("address '%s' (%s) is held down", name, value);
	if (a->live.level == LIVE_DOWN)
		return xasprintf("address '%s' (%s) is down: %u of %u checks pass", name, value,
		    st->good, st->total);
	return xasprintf("address '%s' (%s) is up again", name, value);
}

static char *
say_pool(const struct live_pool *p)
{
	const struct live_state *st = &p->live.state;
	const char *name = p->live.o->name;

	if (p->live.imposed.force == FORCE_DOWN)
		return say_forced(&p->live);
	switch (p->live.level) {
	case LIVE_DOWN:
		return xasprintf(
		    "pool '%s' is down: %u of %u addresses available, fewer than it needs", name,
		    st->good, st->total);
	case LIVE_DEGRADED:
		return xasprintf("pool '%s' is degraded: %u of %u addresses available", name,
		    st->good, st->total);
	default:
		return xasprintf(
		    "pool '%s' has recovered: all %u addresses available", name, st->total);
	}
}

static const char *const fallback_prose[] = {
	[LIVE_NO_FALLBACK] = "everything enabled answers, health ignored", /* it is frozen */
	[LIVE_FAIL_OPEN] = "all enabled addresses of one answer (fail-open)",
	[LIVE_FALLBACK_POOL] = "its fallback pool answers",
	[LIVE_LAST_GOOD] = "those answer that were available last",
	[LIVE_PUBLIC_ZONE] = "the Public Zone answers",
	[LIVE_NODATA] = "its answers are empty",
	[LIVE_EMPTY] = "",
};

static char *
say_forced_domain(const struct live_domain *d)
{
	char *forced = say_forced(&d->live);
	char *text = xasprintf("%s: %s", forced, fallback_prose[d->fallback]);

	free(forced);
	return text;
}

static char *
say_domain(const struct live_domain *d)
{
	const struct live_state *st = &d->live.state;
	const char *name = d->live.o->name;

	if (d->live.imposed.force == FORCE_DOWN && d->live.level == LIVE_DOWN)
		return say_forced_domain(d);
	switch (d->live.level) {
	case LIVE_DOWN:
		return xasprintf("domain '%s' has none of its %u pools available: %s", name,
		    st->total, fallback_prose[d->fallback]);
	case LIVE_GONE:
		return xasprintf(
		    "domain '%s' has no enabled address: the Public Zone answers", name);
	case LIVE_DEGRADED:
		return xasprintf(
		    "domain '%s' is degraded: %u of %u pools available", name, st->good, st->total);
	default:
		return xasprintf(
		    "domain '%s' has recovered: all %u pools available", name, st->total);
	}
}

/* -- events -- */

/* By kind and level; the row of LIVE_GOOD is the recovery. */
static const struct {
	const char *kind, *severity;
} news[KIND_COUNT][LIVE_GONE + 1] = {
	[KIND_ADDRESS] = {
		[LIVE_GOOD] = { "address.up", "info" },
		[LIVE_DOWN] = { "address.down", "warning" },
	},
	[KIND_POOL] = {
		[LIVE_GOOD] = { "pool.recovered", "info" },
		[LIVE_DEGRADED] = { "pool.degraded", "warning" },
		[LIVE_DOWN] = { "pool.down", "critical" },
	},
	[KIND_DOMAIN] = {
		[LIVE_GOOD] = { "domain.recovered", "info" },
		[LIVE_DEGRADED] = { "domain.degraded", "warning" },
		[LIVE_DOWN] = { "domain.fail_open", "critical" },
		[LIVE_GONE] = { "domain.fail_open", "critical" },
	},
};

static char *
say(const struct live *l)
{
	switch (l->o->kind) {
	case KIND_ADDRESS:
		return say_address((const struct live_address *)l);
	case KIND_POOL:
		return say_pool((const struct live_pool *)l);
	default:
		return say_domain((const struct live_domain *)l);
	}
}

/* Going quiet (disabled, emptied) is the author's doing, and so is starting well: no news. */
void
tree_tell_event(struct tree *t, const struct live *l, const struct tree_cause *cause)
{
	if (l->level == LIVE_QUIET || (l->level == LIVE_GOOD && l->was == LIVE_QUIET))
		return;

	char *sentence = say(l);
	char *text = cause->code == NULL || *cause->code == '\0'
			 ? xstrdup(sentence)
			 : xasprintf("%s (%s)", sentence, cause->code);
	const struct tree_event e = {
		.kind = news[l->o->kind][l->level].kind,
		.object_kind = l->o->kind,
		.object = l->o->name,
		.severity = news[l->o->kind][l->level].severity,
		.text = text,
		.at_ms = cause->real_ms,
		.data = say_status(t, l, cause->code),
	};

	t->hooks.event(t->hooks.arg, &e);
	free(sentence);
	free(text);
}

void
tree_tell_flapping(const struct tree *t, const struct live_address *a, int64_t now_ms)
{
	const struct damp *d = a->damp;
	char until[CLOCK_TEXT_SIZE], hold[DURATION_TEXT_SIZE];
	const char *held = d->held_up ? "up" : "down";
	char *text = xasprintf("address '%s' (%s) keeps going up and down: held %s for %s%s",
	    a->live.o->name, live_address_spec(a)->value, held, duration_text(d->hold_ms, hold),
	    d->held_up ? ", as a pool needs it" : "");
	char *data =
	    xasprintf("{\"held\":\"%s\",\"until\":\"%s\"}", held, clock_text(d->until_ms, until));
	const struct tree_event e = {
		.kind = "address.flapping",
		.object_kind = KIND_ADDRESS,
		.object = a->live.o->name,
		.severity = "warning",
		.text = text,
		.at_ms = now_ms,
		.data = data,
	};

	t->hooks.event(t->hooks.arg, &e);
	free(data);
	free(text);
}

void
tree_tell_expiring(
    const struct tree *t, const struct live_address *a, int64_t expires_ms, int64_t real_ms)
{
	const bool over = expires_ms <= real_ms;
	char at[CLOCK_TEXT_SIZE];
	char *text = xasprintf("the certificate of address '%s' (%s) %s at %s", a->live.o->name,
	    live_address_spec(a)->value, over ? "has expired" : "expires",
	    clock_text(expires_ms, at));
	char *data = xasprintf("{\"expires\":\"%s\",\"days\":%lld}", clock_text(expires_ms, at),
	    (long long)((expires_ms - real_ms) / 86400000));
	const struct tree_event e = {
		.kind = "cert.expiring",
		.object_kind = KIND_ADDRESS,
		.object = a->live.o->name,
		.severity = over ? "critical" : "warning",
		.text = text,
		.at_ms = real_ms,
		.data = data,
	};

	t->hooks.event(t->hooks.arg, &e);
	free(data);
	free(text);
}
