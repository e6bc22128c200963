/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The engine and its prober: what the tree wants probed, and what comes of it, from one thread to
 * the other. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/engine_state.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"

#define BEAT "beat " /* what heartbeats are remembered under, with the check's key */

/* ---- heartbeats ---- */

static void
remember_beat(struct engine *e, const char *key, const struct prober_beat *beat)
{
	char *name = xasprintf(BEAT "%s", key), *value = NULL;

	if (beat != NULL)
		value = xasprintf("%" PRId64 " %" PRId64, beat->at_ms, beat->until_ms);
	engine_memory_remember(e, name, value);
	free(value);
	free(name);
}

static struct prober_beat
recall_beat(struct engine *e, const char *key)
{
	char *name = xasprintf(BEAT "%s", key);
	const char *value = strmap_find(&e->remembered, name);
	struct prober_beat beat = { 0 };

	if (value != NULL &&
	    sscanf(value, "%" SCNd64 " %" SCNd64, &beat.at_ms, &beat.until_ms) != 2)
		beat = (struct prober_beat){ 0 };
	free(name);
	return beat;
}

/* {name, template, at, for}: `at` real ms, `for` ms; who says so has been checked by control. */
json_t *
engine_probe_beat(struct engine *e, const json_t *request, struct diag *d)
{
	const char *name = json_string_value(json_object_get(request, "name"));
	const char *template = json_string_value(json_object_get(request, "template"));
	const int64_t at_ms = json_integer_value(json_object_get(request, "at"));
	const struct prober_beat beat = { at_ms,
		clock_real_ms() + json_integer_value(json_object_get(request, "for")) };
	json_t *status = name == NULL ? NULL : tree_status(e->tree, KIND_ADDRESS, name), *check;
	int heard = 0, replayed = 0;
	size_t i;

	json_array_foreach(json_object_get(status, "checks"), i, check)
	{
		const char *key = json_string_value(json_object_get(check, "key"));
		const char *by = json_string_value(json_object_get(check, "template"));

		if (key == NULL || by == NULL || template == NULL || strcmp(by, template) != 0)
			continue;

		const int error = prober_beat(e->prober, key, &beat);

		if (error == 0)
			remember_beat(e, key, &beat);
		heard += error == 0;
		replayed += error == -EALREADY;
	}
	json_decref(status);
	if (heard > 0)
		return json_pack("{s:i}", "checks", heard);
	if (replayed > 0)
		diag_add(d, DIAG_CONFLICT, "at", "is not later than that of the last heartbeat");
	else
		diag_add(d, DIAG_NOT_FOUND, "address", "has no such check");
	return NULL;
}

/* ---- what the tree wants of the world ---- */

static enum flap_verdict
take_recalled(struct engine *e, const char *key)
{
	return (enum flap_verdict)((uintptr_t)strmap_remove(&e->recalled, key) & 3u);
}

static struct engine_check *
new_check(struct engine *e, const struct tree_check *c)
{
	struct engine_check *fresh = xcalloc(1, sizeof(*fresh));

	fresh->key = c->key;
	fresh->template = c->template_name;
	fresh->slot = c->slot;
	fresh->verdict = (uint8_t)take_recalled(e, c->key);
	strmap_put(&e->checks, c->key, fresh);
	engine_votes_meet(e, fresh);
	return fresh;
}

/* The template's own addresses to probe from are this server's. */
static struct template_spec
as_run_here(const struct engine *e, const struct template_spec *t)
{
	struct template_spec here = *t;

	if (e->config->node_name != NULL)
		here.source = (struct field_list){ 0 };
	return here;
}

void
engine_probe_want(void *arg, const struct tree_check *c)
{
	struct engine *e = arg;
	OBJ_CHECK(e, ENGINE_MAGIC);
	struct engine_check *known = strmap_find(&e->checks, c->key);
	const bool fresh = known == NULL;
	if (fresh)
		known = new_check(e, c);
	engine_votes_want(e, known, c->template);
	if (fresh && known->own != FLAP_UNKNOWN)
		engine_report_vote(e, known, (enum flap_verdict)known->own, "");
	if (!known->here) {
		prober_drop(e->prober, c->key);
		return;
	}

	const struct template_spec here = as_run_here(e, c->template);
	struct prober_job job = {
		.key = c->key,
		.slot = c->slot,
		.host = c->host,
		.template = &here,
		.start = (enum flap_verdict)known->own,
		.beat = c->template->protocol == PROTOCOL_PUSH ? recall_beat(e, c->key)
							       : (struct prober_beat){ 0 },
	};
	CHECK(addr_ip_parse(&job.target, c->ip, AF_UNSPEC) == 0);
	addr_port_set(&job.target, c->port);
	prober_want(e->prober, &job);
}

void
engine_probe_free_check(struct engine *e, struct engine_check *c)
{
	engine_votes_drop(e, c);
	free(c);
}

void
engine_probe_drop(void *arg, const char *key, uint32_t slot)
{
	struct engine *e = arg;
	OBJ_CHECK(e, ENGINE_MAGIC);
	(void)slot;
	prober_drop(e->prober, key);
	remember_beat(e, key, NULL);
	engine_probe_free_check(e, strmap_remove(&e->checks, key));
}

/* ---- what the prober tells, brought from its thread to ours ---- */

struct edge {
	struct engine *engine;
	uint32_t slot;
	enum flap_verdict verdict;
	const char *cause;
	char key[];
};

static void
take_edge(void *arg)
{
	struct edge *edge = arg;
	struct engine *e = edge->engine;
	OBJ_CHECK(e, ENGINE_MAGIC);
	/* The check may have been dropped, or replaced by another, while the message was under way.
	 */
	struct engine_check *c = strmap_find(&e->checks, edge->key);
	if (c != NULL && c->slot == edge->slot && c->here) {
		engine_votes_own(e, c, edge->verdict, edge->cause);
		engine_report_vote(e, c, edge->verdict, edge->cause);
	}
	free(edge);
}

static void
post_edge(void *arg, const char *key, uint32_t slot, enum flap_verdict verdict, const char *cause)
{
	struct engine *e = arg;
	const size_t len = strlen(key) + 1;
	struct edge *edge = xmalloc(sizeof(*edge) + len);
	*edge = (struct edge){ .engine = e, .slot = slot, .verdict = verdict, .cause = cause };
	memcpy(edge->key, key, len);
	loop_post(e->loop, take_edge, edge);
}

struct expiring {
	struct engine *engine;
	uint32_t slot;
	int64_t expires_ms;
	char key[];
};

static void
take_expiring(void *arg)
{
	struct expiring *x = arg;
	const struct engine_check *c = strmap_find(&x->engine->checks, x->key);
	if (c != NULL && c->slot == x->slot)
		tree_expiring(x->engine->tree, x->slot, x->expires_ms, clock_real_ms());
	free(x);
}

static void
post_expiring(void *arg, const char *key, uint32_t slot, int64_t expires_ms)
{
	struct engine *e = arg;
	const size_t len = strlen(key) + 1;
	struct expiring *x = xmalloc(sizeof(*x) + len);
	*x = (struct expiring){ .engine = e, .slot = slot, .expires_ms = expires_ms };
	memcpy(x->key, key, len);
	loop_post(e->loop, take_expiring, x);
}

static void
take_round(void *arg)
{
	engine_serve(arg);
}

static void
post_round(void *arg)
{
	struct engine *e = arg;
	loop_post(e->loop, take_round, e);
}

struct trouble {
	struct engine *engine;
	const char *kind; /* static */
	char text[];
};

static void
take_trouble(void *arg)
{
	struct trouble *t = arg;

	engine_feed_notice(t->engine, t->kind, "warning", t->text);
	free(t);
}

static void
post_trouble(void *arg, const char *kind, const char *text)
{
	struct engine *e = arg;
	const size_t len = strlen(text) + 1;
	struct trouble *t = xmalloc(sizeof(*t) + len);

	*t = (struct trouble){ .engine = e, .kind = kind };
	memcpy(t->text, text, len);
	loop_post(e->loop, take_trouble, t);
}

/* ---- trying a template ---- */

struct tried {
	struct engine *engine;
	uint32_t id;       /* of the question */
	uint64_t greeting; /* on which connection it came */
	json_t *result;
};

static void
take_tried(void *arg)
{
	struct tried *t = arg;

	if (t->engine->link != NULL && t->engine->greetings == t->greeting)
		engine_feed_reply(t->engine, t->id, t->result, NULL);
	else
		json_decref(t->result);
	free(t);
}

static void
post_tried(void *arg, json_t *result)
{
	struct tried *t = arg;

	t->result = result;
	loop_post(t->engine->loop, take_tried, t);
}

int
engine_probe_try(struct engine *e, uint32_t id, const json_t *request, struct diag *d)
{
	const char *name = json_string_value(json_object_get(request, "template"));
	const char *ip = json_string_value(json_object_get(request, "target"));
	const char *host = json_string_value(json_object_get(request, "host"));
	const json_int_t port = json_integer_value(json_object_get(request, "port"));
	const struct model_object *o =
	    name != NULL ? model_find(tree_model(e->tree), KIND_TEMPLATE, name) : NULL;
	struct prober_job job = { .key = "", .host = host != NULL ? host : ip };

	if (o == NULL)
		return diag_add(d, DIAG_NOT_FOUND, "template", "there is no such template");
	if (ip == NULL || addr_ip_parse(&job.target, ip, AF_UNSPEC) < 0)
		return diag_add(d, DIAG_INVALID, "target", "must be an IP address");
	if (port < 1 || port > UINT16_MAX)
		return diag_add(d, DIAG_INVALID, "port", "must be 1..65535");

	struct tried *t = xcalloc(1, sizeof(*t));

	*t = (struct tried){ .engine = e, .id = id, .greeting = e->greetings };
	addr_port_set(&job.target, (uint16_t)port);
	job.template = o->spec;
	prober_try(e->prober, &job, post_tried, t);
	return 0;
}

void
engine_probe_open(struct engine *e)
{
	const struct prober_hooks hooks = { e, post_edge, post_round, post_expiring, post_trouble };
	struct prober_settings settings;

	config_probe_settings(&e->config->probe, &settings);
	/* What our prober finds is a vote; the words are what comes of all of them. */
	e->prober = prober_new(NULL, &hooks, &settings);
}
