/* SPDX-License-Identifier: GPL-3.0-or-later */
#define URCU_API_MAP
#include <urcu/urcu-qsbr.h>

#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "dns/name.h"
#include "steer/steered.h"

#define START 1700000000000

static void
want(void *arg, const struct tree_check *c)
{
	struct world *w = arg;

	CHECK(c->template != NULL && c->ip[0] != '\0');
	strmap_put(&w->wanted, c->key, (void *)(uintptr_t)(c->slot + 1));
	w->wants++;
}

static void
drop(void *arg, const char *key, uint32_t slot)
{
	struct world *w = arg;

	CHECK(strmap_remove(&w->wanted, key) == (void *)(uintptr_t)(slot + 1));
	w->drops++;
}

static void
overlay(void *arg, const uint8_t *host, const void *block, bool shown UNUSED)
{
	struct world *w = arg;
	struct zone *z = zones_find(w->zones, host);

	CHECK(z != NULL);
	zone_overlay(z, host, block);
}

static char *
told_key(enum kind kind, const char *name)
{
	return xasprintf("%d %s", (int)kind, name);
}

static void
status(void *arg, enum kind kind, const char *name, const char *text)
{
	struct world *w = arg;
	json_t *told = json_loads(text, 0, NULL);
	const char *health = json_string_value(json_object_get(told, "health"));
	const char *availability = json_string_value(json_object_get(told, "availability"));
	char *key = told_key(kind, name);
	uintptr_t h = 0;

	while (strcmp(health_words[h], health) != 0)
		h++;
	strmap_put(&w->told, key, (void *)WORLD_TOLD(h, strcmp(availability, "available") == 0));
	free(key);
	json_decref(told);
}

uintptr_t
world_told(const struct world *w, enum kind kind, const char *name)
{
	char *key = told_key(kind, name);
	const uintptr_t told = (uintptr_t)strmap_find(&w->told, key);

	free(key);
	return told;
}

static void
event(void *arg, const struct tree_event *e)
{
	struct world *w = arg;
	const size_t used = strlen(w->log);

	CHECK(strstr(e->text, e->object) != NULL && e->severity != NULL && e->at_ms == w->now_ms);
	snprintf(w->log + used, sizeof(w->log) - used, "%s %s\n", e->kind, e->object);
}

static void
remember(void *arg, const char *key, const char *value)
{
	struct world *w = arg;

	if (value == NULL)
		free(strmap_remove(&w->remembered, key));
	else
		free(strmap_put(&w->remembered, key, xstrdup(value)));
}

static void
open_zones(struct world *w)
{
	uint8_t apex[NAME_MAX_LEN];

	w->zones = zones_new();
	CHECK(name_parse_lower("example.com", apex) > 0);
	zones_add(w->zones, zone_new(apex));
}

void
world_init(struct world *w, unsigned workers)
{
	const struct tree_hooks hooks = { w, want, drop, overlay, status, event, remember };

	memset(w, 0, sizeof(*w));
	rcu_register_thread();
	strmap_init(&w->wanted);
	strmap_init(&w->remembered);
	strmap_init(&w->told);
	change_init(&w->set);
	w->now_ms = START;
	w->words = word_table_new();
	open_zones(w);
	w->tree = tree_new(w->words, workers, &hooks);
}

void
world_fini(struct world *w)
{
	rcu_barrier();
	tree_free(&w->tree);
	zones_free(&w->zones);
	rcu_barrier();
	rcu_unregister_thread();
	word_table_free(&w->words);
	STRMAP_EACH (&w->remembered, e)
		free(e->value);
	strmap_fini(&w->remembered);
	strmap_fini(&w->wanted);
	strmap_fini(&w->told);
	change_fini(&w->set);
}

void
world_put(struct world *w, enum kind kind, const char *name, const char *spec, ...)
{
	va_list ap;

	va_start(ap, spec);
	char *text = xvasprintf(spec, ap);

	va_end(ap);
	for (char *p = text; *p != '\0'; p++) {
		if (*p == '\'')
			*p = '"';
	}
	change_add(&w->set, &(struct change_op){ .op = CHANGE_PUT,
				.kind = kind,
				.name = name,
				.id = "0123456789abcdef",
				.spec = text });
	free(text);
}

void
world_delete(struct world *w, enum kind kind, const char *name)
{
	change_add(&w->set, &(struct change_op){ .op = CHANGE_DELETE, .kind = kind, .name = name });
}

void
world_apply(struct world *w)
{
	w->log[0] = '\0';
	tree_apply(w->tree, &w->set, w->now_ms);
	change_fini(&w->set);
	change_init(&w->set);
	rcu_quiescent_state();
}

void
world_verdict(struct world *w, const char *key, char verdict)
{
	const uintptr_t slot = (uintptr_t)strmap_find(&w->wanted, key);

	CHECK(slot != 0);
	w->log[0] = '\0';
	word_store(w->words, (uint32_t)(slot - 1),
	    verdict == 'D'   ? WORD_DOWN
	    : verdict == '?' ? WORD_UNKNOWN
			     : 0);
	tree_edge(w->tree, (uint32_t)(slot - 1), "l4_refused", w->now_ms);
	rcu_quiescent_state();
}

void
world_pass(struct world *w, int64_t ms)
{
	w->now_ms += ms;
	w->log[0] = '\0';
	if (tree_due(w->tree) <= w->now_ms)
		tree_tick(w->tree, w->now_ms);
	rcu_quiescent_state();
}

void
world_restart(struct world *w)
{
	const struct tree_hooks hooks = { w, want, drop, overlay, status, event, remember };

	rcu_barrier();
	tree_free(&w->tree);
	zones_free(&w->zones);
	strmap_fini(&w->wanted);
	strmap_init(&w->wanted);
	word_table_free(&w->words);
	w->words = word_table_new();
	open_zones(w);
	w->tree = tree_new(w->words, 1, &hooks);
	STRMAP_EACH (&w->remembered, e)
		tree_recall(w->tree, e->key, e->value);
}

const struct plan *
world_plan(const struct world *w, const char *host, uint16_t type)
{
	uint8_t name[NAME_MAX_LEN];
	struct lookup l;

	CHECK(name_parse_lower(host, name) > 0);
	lookup(zones_find(w->zones, name), name, type, &l);
	return l.kind == LOOKUP_NAME ? steered_find(l.node->overlay, type) : NULL;
}

const char *
world_answer(const struct world *w, const char *host, uint16_t type)
{
	static char text[PLAN_MAX_ANSWER * 4 + 8];
	const struct plan *p = world_plan(w, host, type);
	const struct plan_rr *out[PLAN_MAX_ANSWER];
	size_t len = 0;

	text[0] = '\0';
	if (p == NULL)
		return "zone";

	unsigned scope;
	const size_t n = plan_answer(p, 0, &w->at, out, &scope);

	for (size_t i = 0; i < n; i++)
		len += (size_t)sprintf(
		    text + len, "%s%u", i > 0 ? " " : "", out[i]->tail[out[i]->len - 1]);
	return text;
}

const char *
world_status(const struct world *w, enum kind kind, const char *name, const char *member)
{
	static char text[512];
	json_t *status_of = tree_status(w->tree, kind, name);
	char *value = json_dumps(json_object_get(status_of, member), JSON_ENCODE_ANY);

	snprintf(text, sizeof(text), "%s", value);
	free(value);
	json_decref(status_of);
	return text;
}
