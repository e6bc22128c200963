/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What nodes say of checks. They may say anything: what is kept of it is bounded. */
#include <stdlib.h>
#include <string.h>

#include "app/engine_votes.h"
#include "base/clock.h"

#define EARLY_MAX 20000
#define KEY_MAX   700 /* a template, an IP, a port and a host */

void
engine_votes_late(struct engine *e, struct voter *voter, struct strmap *now)
{
	struct engine_votes *v = e->votes;

	v->why = "node_late";
	STRMAP_EACH (&voter->late, old) {
		const struct engine_check *c = strmap_find(&e->checks, old->key);

		if (c != NULL && c->seat != NULL && strmap_find(now, old->key) == NULL)
			panel_late(v->panel, c->seat->panel, voter->seat, false);
	}
	STRMAP_EACH (now, key) {
		const struct engine_check *c = strmap_find(&e->checks, key->key);

		if (c != NULL && c->seat != NULL)
			panel_late(v->panel, c->seat->panel, voter->seat, true);
	}
	strmap_fini(&voter->late);
	voter->late = *now;
	strmap_init(now);
}

static enum flap_verdict
read_verdict(const json_t *j)
{
	const char *word = json_string_value(j);

	if (word == NULL)
		return FLAP_UNKNOWN;
	return strcmp(word, "down") == 0 ? FLAP_DOWN
	       : strcmp(word, "up") == 0 ? FLAP_UP
					 : FLAP_UNKNOWN;
}

static void
keep_early(struct engine *e, const char *key, const struct voter *who, enum flap_verdict verdict)
{
	struct engine_votes *v = e->votes;
	char *both = engine_votes_key(key, who->name);

	if (v->early.count == 0)
		v->early_ms = clock_mono_ms();
	if (v->early.count < EARLY_MAX)
		strmap_put(&v->early, both, (void *)((uintptr_t)verdict | 4u));
	free(both);
}

static void
take_one(struct engine *e, struct voter *who, const json_t *said)
{
	const char *key = json_string_value(json_object_get(said, "key"));
	const char *cause = json_string_value(json_object_get(said, "cause"));
	const enum flap_verdict verdict = read_verdict(json_object_get(said, "verdict"));
	struct engine_check *c = key != NULL ? strmap_find(&e->checks, key) : NULL;
	const struct model_object *o;

	if (key == NULL || strlen(key) > KEY_MAX)
		return;
	if (c == NULL) {
		keep_early(e, key, who, verdict);
		return;
	}
	o = model_find(tree_model(e->tree), KIND_TEMPLATE, c->template);
	if (o != NULL && template_runs_on(o->spec, who->name))
		engine_votes_cast(e, c, who, verdict, cause != NULL ? cause : "");
}

static struct voter *
speaker(struct engine *e, const json_t *body)
{
	const char *name = json_string_value(json_object_get(body, "node"));

	return name != NULL ? strmap_find(&e->votes->voters, name) : NULL;
}

void
engine_votes_take(struct engine *e, const json_t *body)
{
	struct voter *who = speaker(e, body);
	const json_t *said;
	size_t i;

	if (who == NULL)
		return; /* deleted or disabled a moment ago */
	engine_nodes_heard(e, who);
	json_array_foreach(json_object_get(body, "votes"), i, said) take_one(e, who, said);
}

/* {node, late:[key], stalled, ...of itself} */
void
engine_votes_beat(struct engine *e, const json_t *body)
{
	struct voter *who = speaker(e, body);
	struct strmap late;
	const json_t *key;
	size_t i;

	if (who == NULL)
		return;
	engine_nodes_note(who, body);
	if (json_is_true(json_object_get(body, "stalled"))) {
		engine_nodes_status(e, who);
		return; /* it lives, but cannot vouch for its votes */
	}
	strmap_init(&late);
	json_array_foreach(json_object_get(body, "late"), i, key) if (json_is_string(key))
	    strmap_put(&late, json_string_value(key), who);
	engine_votes_late(e, who, &late);
	strmap_fini(&late);
	engine_nodes_heard(e, who);
	engine_nodes_status(e, who);
	engine_votes_await(e);
}
