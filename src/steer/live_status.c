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

/* -- as JSON -- */

static json_t *
moment(int64_t ms)
{
	char text[CLOCK_TEXT_SIZE];

	return ms == INT64_MAX ? json_null() : json_string(clock_text(ms, text));
}

/* `imposed`: of the object itself or of whoever holds it. */
static void
add_imposed(json_t *j, const struct live_imposed *imposed)
{
	const struct model_object *o = imposed->by;

	if (o != NULL && o->kind == KIND_OVERRIDE) {
		const struct override_spec *s = o->spec;

		json_object_set_new(j, "override",
		    json_pack("{s:s, s:s, s:o, s:o, s:s}", "state",
			live_force_words[imposed->force], "reason", s->reason, "until",
			moment(imposed->until_ms), "since", moment(o->updated_ms), "by", s->by));
	} else if (o != NULL) {
		const struct maintenance_spec *s = o->spec;

		json_object_set_new(j, "maintenance",
		    json_pack("{s:s, s:s, s:s, s:o}", "name", o->name, "state",
			live_force_words[imposed->force], "reason", s->reason, "until",
			moment(imposed->until_ms)));
	}
}

static void
add_damped(json_t *j, const struct live_address *a)
{
	if (a->damp != NULL && a->damp->held)
		json_object_set_new(j, "damped",
		    json_pack("{s:o, s:s}", "until", moment(a->damp->until_ms), "held",
			a->damp->held_up ? "up" : "down"));
}

static json_t *
common(const struct live_state *s, const char *word)
{
	return json_pack("{s:s, s:s, s:s}", "health", health_words[s->health], "availability",
	    s->available ? "available" : "unavailable", "state", word);
}

static const char *
verdict_word(uint32_t word)
{
	if (word & WORD_UNKNOWN)
		return "unknown";
	return word & WORD_DOWN ? "down" : "up";
}

json_t *
live_address_status(const struct live_address *a, const struct word_table *words)
{
	json_t *j = common(&a->live.state, live_address_word(a, &a->live.state));
	json_t *checks = json_array();

	for (size_t i = 0; i < a->n_checks; i++) {
		const struct live_check *c = a->checks[i];

		json_array_append_new(checks,
		    json_pack("{s:s, s:i, s:s, s:s}", "template", c->template, "port", (int)c->port,
			"verdict", verdict_word(word_load(words, c->slot)), "key", c->key));
	}
	json_object_set_new(j, "checks", checks);
	add_imposed(j, a->keeper != NULL ? &a->keeper->imposed : &a->live.imposed);
	add_damped(j, a);
	return j;
}

static json_t *
counted(const struct live_state *s, const char *word)
{
	json_t *j = common(s, word);

	json_object_set_new(j, "available", json_integer(s->good));
	json_object_set_new(j, "total", json_integer(s->total));
	return j;
}

json_t *
live_pool_status(const struct live_pool *p)
{
	json_t *j = counted(&p->live.state, live_pool_word(p, &p->live.state));

	add_imposed(j, &p->live.imposed);
	return j;
}

json_t *
live_domain_status(const struct live_domain *d)
{
	json_t *j = counted(&d->live.state, live_domain_word(d, &d->live.state, d->fallback));
	const char *word = live_fallback_words[d->fallback];

	json_object_set_new(j, "fallback", word != NULL ? json_string(word) : json_null());
	add_imposed(j, &d->live.imposed);
	return j;
}
