/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/clock.h"
#include "steer/live.h"

const char *const live_force_words[] = {
	[FORCE_NONE] = "none",
	[FORCE_UP] = "up",
	[FORCE_HOLD] = "hold",
	[FORCE_DRAIN] = "drain",
	[FORCE_DOWN] = "down",
};

static const char *
health_word(enum health h)
{
	static const char *const words[] = {
		[HEALTH_UNKNOWN] = "checking",
		[HEALTH_OK] = "healthy",
		[HEALTH_OK_ALERT] = "degraded",
		[HEALTH_EXCEPTIONAL] = "down",
		[HEALTH_OK_NO_MONITOR] = "unmonitored",
	};

	return words[h];
}

/* What is imposed as a word; NULL: nothing that shows. An override up is stronger than `enabled`.
 */
static const char *
imposed_word(const struct live *l, bool enabled)
{
	if (l->imposed.force == FORCE_UP)
		return "forced";
	if (!enabled)
		return "disabled";
	if (l->imposed.force == FORCE_DOWN)
		return "forced";
	return l->imposed.force == FORCE_DRAIN ? "drained" : NULL;
}

const char *
live_address_word(const struct live_address *a, const struct live_state *s)
{
	const char *word = imposed_word(&a->live, live_address_spec(a)->enabled);

	if (word != NULL)
		return word;
	if (live_address_spec(a)->mode == MODE_MANUAL)
		return "forced";
	if (!s->steadied)
		return health_word(s->health);
	if (!a->steady_up)
		return "down";
	return health_word(s->health == HEALTH_EXCEPTIONAL ? HEALTH_OK : s->health);
}

const char *
live_pool_word(const struct live_pool *p, const struct live_state *s)
{
	const char *word = imposed_word(&p->live, live_pool_spec(p)->enabled);

	return word != NULL ? word : health_word(s->health);
}

const char *
live_domain_word(const struct live_domain *d, const struct live_state *s, enum live_fallback f)
{
	const bool enabled = live_domain_spec(d)->enabled;
	const char *word = enabled ? imposed_word(&d->live, true) : "disabled";

	if (word != NULL)
		return word;
	if (f == LIVE_FAIL_OPEN || f == LIVE_FALLBACK_POOL || f == LIVE_LAST_GOOD)
		return "fail-open"; /* somebody answers all the same */
	return health_word(s->health);
}

/* -- as JSON: the members of an object -- */

static void
put_moment(struct json_out *o, const char *key, int64_t ms)
{
	char text[CLOCK_TEXT_SIZE];

	json_out_text(o, key, ms == INT64_MAX ? NULL : clock_text(ms, text));
}

/* `imposed`: of the object itself or of whoever holds it. */
static void
put_imposed(struct json_out *o, const struct live_imposed *imposed)
{
	const struct model_object *by = imposed->by;

	if (by != NULL && by->kind == KIND_OVERRIDE) {
		const struct override_spec *s = by->spec;

		json_out_open(o, "override", '{');
		json_out_text(o, "state", live_force_words[imposed->force]);
		json_out_text(o, "reason", s->reason);
		put_moment(o, "until", imposed->until_ms);
		put_moment(o, "since", by->updated_ms);
		json_out_text(o, "by", s->by);
		json_out_close(o, '}');
	} else if (by != NULL) {
		const struct maintenance_spec *s = by->spec;

		json_out_open(o, "maintenance", '{');
		json_out_text(o, "name", by->name);
		json_out_text(o, "state", live_force_words[imposed->force]);
		json_out_text(o, "reason", s->reason);
		put_moment(o, "until", imposed->until_ms);
		json_out_close(o, '}');
	}
}

static void
put_damped(struct json_out *o, const struct live_address *a)
{
	if (a->damp == NULL || !a->damp->held)
		return;
	json_out_open(o, "damped", '{');
	put_moment(o, "until", a->damp->until_ms);
	json_out_text(o, "held", a->damp->held_up ? "up" : "down");
	json_out_close(o, '}');
}

static void
put_common(struct json_out *o, const struct live_state *s, const char *word)
{
	json_out_text(o, "health", health_words[s->health]);
	json_out_text(o, "availability", s->available ? "available" : "unavailable");
	json_out_text(o, "state", word);
}

static const char *
verdict_word(uint32_t word)
{
	if (word & WORD_UNKNOWN)
		return "unknown";
	return word & WORD_DOWN ? "down" : "up";
}

void
live_address_status(
    struct json_out *o, const struct live_address *a, const struct word_table *words)
{
	put_common(o, &a->live.state, live_address_word(a, &a->live.state));
	json_out_open(o, "checks", '[');
	for (size_t i = 0; i < a->n_checks; i++) {
		const struct live_check *c = a->checks[i];

		json_out_open(o, NULL, '{');
		json_out_text(o, "template", c->template);
		json_out_number(o, "port", c->port);
		json_out_text(o, "verdict", verdict_word(word_load(words, c->slot)));
		json_out_text(o, "key", c->key);
		json_out_close(o, '}');
	}
	json_out_close(o, ']');
	put_imposed(o, a->keeper != NULL ? &a->keeper->imposed : &a->live.imposed);
	put_damped(o, a);
}

static void
put_counted(struct json_out *o, const struct live_state *s, const char *word)
{
	put_common(o, s, word);
	json_out_number(o, "available", s->good);
	json_out_number(o, "total", s->total);
}

void
live_pool_status(struct json_out *o, const struct live_pool *p)
{
	put_counted(o, &p->live.state, live_pool_word(p, &p->live.state));
	put_imposed(o, &p->live.imposed);
}

void
live_domain_status(struct json_out *o, const struct live_domain *d)
{
	put_counted(o, &d->live.state, live_domain_word(d, &d->live.state, d->fallback));
	json_out_text(o, "fallback", live_fallback_words[d->fallback]);
	put_imposed(o, &d->live.imposed);
}
