/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "steer/live.h"

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

const char *
live_address_word(const struct live_address *a, const struct live_state *s)
{
	if (!live_address_spec(a)->enabled)
		return "disabled";
	return live_address_spec(a)->mode == MODE_MANUAL ? "forced" : health_word(s->health);
}

const char *
live_pool_word(const struct live_pool *p, const struct live_state *s)
{
	return live_pool_spec(p)->enabled ? health_word(s->health) : "disabled";
}

const char *
live_domain_word(const struct live_domain *d, const struct live_state *s, enum live_fallback f)
{
	if (!live_domain_spec(d)->enabled)
		return "disabled";
	if (f == LIVE_FAIL_OPEN || f == LIVE_FALLBACK_POOL || f == LIVE_LAST_GOOD)
		return "fail-open"; /* somebody answers all the same */
	return health_word(s->health);
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
	return counted(&p->live.state, live_pool_word(p, &p->live.state));
}

json_t *
live_domain_status(const struct live_domain *d)
{
	json_t *j = counted(&d->live.state, live_domain_word(d, &d->live.state, d->fallback));
	const char *word = live_fallback_words[d->fallback];

	json_object_set_new(j, "fallback", word != NULL ? json_string(word) : json_null());
	return j;
}
