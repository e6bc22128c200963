/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A secondary's zone ages: not refreshed for as long as its SOA's expire says, it is not answered
 * from until it is (RFC 1034 4.3.5). Control tells each refresh; the engine counts, so that a zone
 * expires with control dead, too. The times are remembered across restarts. A zone with records
 * and no time (its journal is lost) counts from now on.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/engine_state.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "dns/name.h"
#include "dns/rrtype.h"
#include "model/nouns.h"
#include "zone/xfr_message.h"

struct secondary {
	struct engine *engine;
	struct wheel_timer expire;
	int64_t refreshed_ms; /* real time; 0: never */
	bool expired;
	char name[];
};

static const char *
memory_key(const char *zone, char out[KIND_NAME_SIZE + 16])
{
	snprintf(out, KIND_NAME_SIZE + 16, ENGINE_REFRESHED "%s", zone);
	return out;
}

static struct zone *
zone_of(const struct engine *e, const char *name)
{
	uint8_t apex[NAME_MAX_LEN];

	CHECK(name_parse_lower(name, apex) > 0);
	return zones_exact(e->zones, apex);
}

static const struct rrset *
soa_of(const struct zone *z)
{
	const struct zone_node *apex = z != NULL ? zone_apex_node(z) : NULL;

	return apex != NULL ? zone_node_find(apex, RRTYPE_SOA) : NULL;
}

static void
tell_expired(struct engine *e, const struct secondary *s)
{
	char *text = xasprintf("zone %s has expired: no primary could be asked", s->name);
	const struct tree_event ev = { .kind = "zone.expired",
		.object_kind = KIND_ZONE,
		.object = s->name,
		.severity = "critical",
		.text = text,
		.at_ms = clock_real_ms() };

	log_warn("engine", "%s", text);
	engine_feed_event(e, &ev);
	free(text);
}

/* Stale or not, by now; and when to look again. */
static void
judge(struct secondary *s)
{
	struct engine *e = s->engine;
	struct zone *z = zone_of(e, s->name);
	const struct rrset *soa = soa_of(z);
	const bool was = s->expired;

	loop_timer_cancel(e->loop, &s->expire);
	s->expired = false;
	if (soa != NULL) {
		const struct xfr_soa times = xfr_message_soa(soa->data, soa->size);
		const int64_t now = clock_real_ms();
		int64_t left = s->refreshed_ms + (int64_t)times.expire_s * 1000 - now;

		/* A clock that was set back must not make a zone immortal. */
		if (left > (int64_t)times.expire_s * 1000)
			left = (int64_t)times.expire_s * 1000;
		s->expired = left <= 0;
		if (!s->expired)
			loop_timer_in(e->loop, &s->expire, (uint64_t)left);
	}
	if (z != NULL)
		zone_set_stale(z, soa == NULL || s->expired);
	if (s->expired && !was)
		tell_expired(e, s);
}

static void
on_expire(struct wheel_timer *t)
{
	judge(container_of(t, struct secondary, expire));
}

static void
note_refresh(struct secondary *s, int64_t at_ms)
{
	char key[KIND_NAME_SIZE + 16], text[24];

	s->refreshed_ms = at_ms;
	snprintf(text, sizeof(text), "%" PRId64, at_ms);
	engine_memory_remember(s->engine, memory_key(s->name, key), text);
}

static struct secondary *
adopt(struct engine *e, const char *name)
{
	struct secondary *s = xcalloc(1, sizeof(*s) + strlen(name) + 1);
	char key[KIND_NAME_SIZE + 16];
	const char *known = strmap_find(&e->remembered, memory_key(name, key));

	s->engine = e;
	strcpy(s->name, name);
	wheel_timer_init(&s->expire, on_expire);
	strmap_put(&e->secondaries, name, s);
	if (known != NULL)
		s->refreshed_ms = strtoll(known, NULL, 10);
	return s;
}

static void
let_go(struct engine *e, const char *name)
{
	struct secondary *s = strmap_remove(&e->secondaries, name);
	char key[KIND_NAME_SIZE + 16];

	if (s == NULL)
		return;
	loop_timer_cancel(e->loop, &s->expire);
	engine_memory_remember(e, memory_key(name, key), NULL);
	free(s);
}

static void
settle(struct engine *e, const char *name)
{
	const struct model_object *o = model_find(tree_model(e->tree), KIND_ZONE, name);
	const struct zone_spec *spec = o != NULL ? o->spec : NULL;
	struct secondary *s = strmap_find(&e->secondaries, name);

	if (spec == NULL || spec->role != ZONE_SECONDARY) {
		struct zone *z = spec != NULL ? zone_of(e, name) : NULL;

		let_go(e, name);
		if (z != NULL)
			zone_set_stale(z, false);
		return;
	}
	if (s == NULL)
		s = adopt(e, name);
	if (s->refreshed_ms == 0 && soa_of(zone_of(e, name)) != NULL)
		note_refresh(s, clock_real_ms());
	judge(s);
}

void
engine_secondary_change(struct engine *e, const struct change_set *c)
{
	const char *last = NULL;

	for (size_t i = 0; i < c->count; i++) {
		const struct change_op *op = &c->ops[i];
		const bool object = op->op == CHANGE_PUT || op->op == CHANGE_DELETE;

		if (object ? op->kind != KIND_ZONE : last != NULL && strcmp(last, op->name) == 0)
			continue;
		last = op->name;
		settle(e, op->name);
	}
}

void
engine_secondary_open(struct engine *e)
{
	STRMAP_EACH (&tree_model(e->tree)->objects[KIND_ZONE], entry)
		settle(e, entry->key);
}

void
engine_secondary_close(struct engine *e)
{
	STRMAP_EACH (&e->secondaries, entry) {
		struct secondary *s = entry->value;

		loop_timer_cancel(e->loop, &s->expire);
		free(s);
	}
	strmap_fini(&e->secondaries);
}

json_t *
engine_secondary_refreshed(struct engine *e, const json_t *request)
{
	const char *name;
	json_t *at;

	json_object_foreach((json_t *)(uintptr_t)request, name, at)
	{
		struct secondary *s = strmap_find(&e->secondaries, name);

		if (s == NULL)
			continue;
		note_refresh(s, json_integer_value(at));
		judge(s);
	}
	return json_object();
}
