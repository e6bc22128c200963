/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/control.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "api/event.h"
#include "api/hub.h"
#include "api/override_news.h"
#include "api/stream.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#define CONTROL_MAGIC 0xc0271201u
#define DELIVER_MS    1000
#define ASK_MS        2000

struct control {
	uint32_t magic;
	struct store *store;
	struct control_engine engine;
	struct control_secondary secondary; /* without `arg`: nobody */
	struct control_watch watch;         /* likewise */
	struct control_nodes nodes;         /* likewise */
	pthread_mutex_t edit;
	pthread_rwlock_t lock; /* the model; only the editor writes. Before `said`. */
	struct model model;
	pthread_mutex_t said;               /* the statuses */
	struct strmap statuses[KIND_COUNT]; /* name -> json_t *, immutable once in here */
	pthread_mutex_t events; /* ids go to the hub in the order in which the store gave them */
	struct hub hub;
	bool store_failed; /* the editor's: the latest change was not stored */
};

static int
load_op(const struct change_op *op, void *arg)
{
	struct control *c = arg;

	if (op->op == CHANGE_PUT)
		model_apply(&c->model, op);
	return 0;
}

struct control *
control_new(struct store *store, const struct control_engine *engine, struct diag *d)
{
	struct control *c = xcalloc(1, sizeof(*c));

	c->magic = CONTROL_MAGIC;
	c->store = store;
	c->engine = *engine;
	pthread_mutex_init(&c->edit, NULL);
	pthread_rwlock_init(&c->lock, NULL);
	pthread_mutex_init(&c->said, NULL);
	pthread_mutex_init(&c->events, NULL);
	model_init(&c->model);
	for (int k = 0; k < KIND_COUNT; k++)
		strmap_init(&c->statuses[k]);
	hub_init(&c->hub);
	if (store_load(store, load_op, c, &c->model.revision) < 0) {
		diag_add(d, DIAG_UNAVAILABLE, "store", "cannot be read");
		control_free(&c);
	}
	return c;
}

static void
drop_status(struct control *c, enum kind kind, const char *name)
{
	pthread_mutex_lock(&c->said);
	json_decref(strmap_remove(&c->statuses[kind], name));
	pthread_mutex_unlock(&c->said);
}

void
control_free(struct control **cp)
{
	struct control *c = *cp;

	if (c == NULL)
		return;
	OBJ_CHECK(c, CONTROL_MAGIC);
	hub_fini(&c->hub);
	for (int k = 0; k < KIND_COUNT; k++) {
		STRMAP_EACH (&c->statuses[k], e)
			json_decref(e->value);
		strmap_fini(&c->statuses[k]);
	}
	model_fini(&c->model);
	pthread_mutex_destroy(&c->events);
	pthread_mutex_destroy(&c->said);
	pthread_rwlock_destroy(&c->lock);
	pthread_mutex_destroy(&c->edit);
	c->magic = 0;
	free(c);
	*cp = NULL;
}

/* -- from the engine -- */

static void
publish_status(struct control *c, enum kind kind, const char *name, const json_t *status)
{
	json_t *j = json_pack("{s:s, s:s, s:O}", "kind", kind_table[kind].name, "name", name,
	    "status", (json_t *)(uintptr_t)status);
	char *frame = stream_frame("health", 0, j);

	hub_publish(&c->hub, HUB_HEALTH, 0, frame);
	free(frame);
	json_decref(j);
}

void
control_status(struct control *c, enum kind kind, const char *name, const json_t *status)
{
	OBJ_CHECK(c, CONTROL_MAGIC);
	pthread_rwlock_rdlock(&c->lock);
	/* A word about an object deleted meanwhile is late, not news. */
	const bool known = model_find(&c->model, kind, name) != NULL;

	if (known) {
		pthread_mutex_lock(&c->said);
		json_decref(strmap_put(&c->statuses[kind], name, json_deep_copy(status)));
		pthread_mutex_unlock(&c->said);
	}
	pthread_rwlock_unlock(&c->lock);
	if (known)
		publish_status(c, kind, name, status);
}

/* {health: unknown, unknown_since, last}: nobody knows, and this is what was. Takes `old`. */
static json_t *
unknown(json_t *old, const char *since)
{
	if (json_object_get(old, "unknown_since") != NULL)
		return old;
	return json_pack(
	    "{s:s, s:s, s:o}", "health", "unknown", "unknown_since", since, "last", old);
}

void
control_engine_lost(struct control *c)
{
	char since[CLOCK_TEXT_SIZE];

	OBJ_CHECK(c, CONTROL_MAGIC);
	clock_text(clock_real_ms(), since);
	pthread_mutex_lock(&c->said);
	/* What is said of zones is control's own. */
	for (int k = 0; k < KIND_COUNT; k++)
		STRMAP_EACH (&c->statuses[k], e)
			e->value = k == KIND_ZONE ? e->value : unknown(e->value, since);
	pthread_mutex_unlock(&c->said);
}

/* -- events -- */

/* Store, then tell. What cannot be stored (disk full) is still told, without an id. */
static void
emit(struct control *c, struct store_event *all, size_t count)
{
	struct diag d;

	diag_init(&d);
	pthread_mutex_lock(&c->events);

	const bool stored = store_events_append(c->store, all, count, &d) == 0;

	if (!stored)
		log_error("api", "event '%s'%s is not stored: %s", all->kind,
		    count > 1 ? " and what came with it" : "", diag_text(&d));
	for (struct store_event *e = all; e < all + count; e++) {
		e->id = stored ? e->id : 0;

		char *frame = event_frame(e);

		hub_publish(&c->hub, event_topic(e->kind), e->id, frame);
		free(frame);
	}
	pthread_mutex_unlock(&c->events);
	diag_fini(&d);
}

void
control_events(struct control *c, const json_t *events)
{
	const size_t count = json_array_size(events);
	struct store_event *all = xcalloc(count + 1, sizeof(*all));

	OBJ_CHECK(c, CONTROL_MAGIC);
	for (size_t i = 0; i < count; i++)
		event_decode(json_array_get(events, i), &all[i]);
	if (count > 0)
		emit(c, all, count);
	for (size_t i = 0; i < count; i++)
		free((char *)(uintptr_t)all[i].data);
	free(all);
}

void
control_event(struct control *c, const json_t *event)
{
	struct store_event e;

	OBJ_CHECK(c, CONTROL_MAGIC);
	event_decode(event, &e);
	emit(c, &e, 1);
	free((char *)(uintptr_t)e.data);
}

struct replay {
	struct buf *out;
	unsigned topics;
	uint64_t last;
};

static int
replay_one(const struct store_event *e, void *arg)
{
	struct replay *r = arg;

	r->last = e->id;
	if (event_topic(e->kind) & r->topics) {
		char *frame = event_frame(e);

		buf_puts(r->out, frame);
		free(frame);
	}
	return 0;
}

uint64_t
control_replay(struct control *c, unsigned topics, uint64_t since, size_t max, struct buf *out)
{
	struct replay r = { .out = out, .topics = topics, .last = since };
	const struct store_event_filter filter = { .since_id = since, .limit = max };

	if (store_events(c->store, &filter, replay_one, &r) < 0)
		log_error("api", "events cannot be read back");
	return r.last;
}

/* -- the path for change -- */

void
control_edit_begin(struct control *c)
{
	OBJ_CHECK(c, CONTROL_MAGIC);
	pthread_mutex_lock(&c->edit);
}

void
control_edit_end(struct control *c)
{
	pthread_mutex_unlock(&c->edit);
}

static void
apply(struct control *c, const struct change_set *set)
{
	pthread_rwlock_wrlock(&c->lock);
	for (size_t i = 0; i < set->count; i++) {
		const struct change_op *op = &set->ops[i];

		if (op->op == CHANGE_DELETE)
			drop_status(c, op->kind, op->name);
		if (op->op == CHANGE_PUT || op->op == CHANGE_DELETE)
			model_apply(&c->model, op);
	}
	c->model.revision = set->revision;
	pthread_rwlock_unlock(&c->lock);
}

static void
announce(struct control *c, const struct change_set *set, bool applied)
{
	json_t *data = json_pack("{s:I, s:s, s:b}", "revision", (json_int_t)set->revision, "author",
	    set->author != NULL ? set->author : "", "applied", applied);
	char *text = json_text(data);
	struct store_event e = {
		.at_ms = clock_real_ms(),
		.kind = "config.applied",
		.severity = "info",
		.text = set->summary != NULL ? set->summary : "",
		.data = text,
	};

	emit(c, &e, 1);
	free(text);
	json_decref(data);
}

/* A disk that is full or fails is told when it begins and when it is over, not with each change. */
static void
note_store(struct control *c, bool failed, struct diag *d)
{
	if (failed == c->store_failed)
		return;
	c->store_failed = failed;

	char *text = failed ? xasprintf("changes cannot be stored: %s", diag_text(d))
			    : xstrdup("changes can be stored again");
	struct store_event e = {
		.at_ms = clock_real_ms(),
		.kind = failed ? "store.failed" : "store.recovered",
		.severity = failed ? "critical" : "info",
		.text = text,
	};

	log_line(failed ? LOG_ERROR : LOG_INFO, "api", "%s", text);
	emit(c, &e, 1);
	free(text);
}

/* A large zone takes the engine longer: a second for each 10 MB, on a slow machine. */
static unsigned
patience_ms(const struct change_set *set)
{
	size_t bytes = 0;

	for (size_t i = 0; i < set->count; i++)
		bytes += set->ops[i].rdata_len;
	return DELIVER_MS + (unsigned)(bytes / 10000);
}

/* Takes the events, an array. */
static void
tell_overrides(struct control *c, json_t *events)
{
	const json_t *one;
	size_t i;

	json_array_foreach(events, i, one) control_event(c, one);
	json_decref(events);
}

int
control_edit_commit(
    struct control *c, struct change_set *set, struct control_receipt *r, struct diag *d)
{
	const int rc = store_commit(c->store, set, d);
	json_t *events;

	if (rc == 0 || d->code == DIAG_UNAVAILABLE)
		note_store(c, rc < 0, d);
	if (rc < 0)
		return rc;
	events = override_news(&c->model, set, clock_real_ms());
	apply(c, set);
	r->revision = set->revision;
	r->applied = c->engine.deliver(c->engine.arg, set, patience_ms(set));
	announce(c, set, r->applied);
	tell_overrides(c, events);
	if (c->secondary.arg != NULL)
		c->secondary.committed(c->secondary.arg, set);
	if (c->watch.arg != NULL)
		c->watch.committed(c->watch.arg, set);
	return 0;
}

void
control_set_watch(struct control *c, const struct control_watch *w)
{
	OBJ_CHECK(c, CONTROL_MAGIC);
	pthread_mutex_lock(&c->edit);
	c->watch = w != NULL ? *w : (struct control_watch){ .arg = NULL };
	pthread_mutex_unlock(&c->edit);
}

void
control_set_secondary(struct control *c, const struct control_secondary *s)
{
	OBJ_CHECK(c, CONTROL_MAGIC);
	c->secondary = s != NULL ? *s : (struct control_secondary){ .arg = NULL };
}

int
control_refresh(
    struct control *c, const char *zone, bool whole, const struct addr *from, struct diag *d)
{
	OBJ_CHECK(c, CONTROL_MAGIC);
	if (c->secondary.arg == NULL)
		return diag_add(d, DIAG_UNAVAILABLE, "", "transfers are not running");
	return c->secondary.refresh(c->secondary.arg, zone, whole, from, d);
}

void
control_set_nodes(struct control *c, const struct control_nodes *n)
{
	OBJ_CHECK(c, CONTROL_MAGIC);
	c->nodes = n != NULL ? *n : (struct control_nodes){ .arg = NULL };
}

json_t *
control_invite(
    struct control *c, const char *name, uint64_t for_ms, const char *server, struct diag *d)
{
	OBJ_CHECK(c, CONTROL_MAGIC);
	if (c->nodes.arg != NULL)
		return c->nodes.invite(c->nodes.arg, name, for_ms, server, d);
	diag_add(d, DIAG_UNAVAILABLE, "",
	    "this server has no address for nodes: give gtmd --nodes ADDR:PORT, or nodes.listen "
	    "in its configuration");
	return NULL;
}

/* -- reading -- */

const struct model *
control_read_begin(struct control *c)
{
	OBJ_CHECK(c, CONTROL_MAGIC);
	pthread_rwlock_rdlock(&c->lock);
	return &c->model;
}

void
control_read_end(struct control *c)
{
	pthread_rwlock_unlock(&c->lock);
}

const struct model *
control_model(struct control *c)
{
	OBJ_CHECK(c, CONTROL_MAGIC);
	return &c->model;
}

json_t *
control_status_find(struct control *c, enum kind kind, const char *name)
{
	json_t *status;

	pthread_mutex_lock(&c->said);
	/* A copy: the values in the map are looked at under its lock alone. */
	status = json_deep_copy(strmap_find(&c->statuses[kind], name));
	pthread_mutex_unlock(&c->said);
	return status;
}

json_t *
control_ask(struct control *c, const char *verb, const json_t *request, struct diag *d)
{
	return control_ask_for(c, verb, request, ASK_MS, d);
}

json_t *
control_ask_for(
    struct control *c, const char *verb, const json_t *request, unsigned timeout_ms, struct diag *d)
{
	json_t *reply = c->engine.ask(c->engine.arg, verb, request, timeout_ms, d);

	if (reply == NULL && !diag_failed(d))
		diag_add(d, DIAG_UNAVAILABLE, "", "the engine did not answer");
	return reply;
}

bool
control_ready(struct control *c)
{
	return c->engine.ready(c->engine.arg);
}

struct store *
control_store(struct control *c)
{
	OBJ_CHECK(c, CONTROL_MAGIC);
	return c->store;
}

struct hub *
control_hub(struct control *c)
{
	OBJ_CHECK(c, CONTROL_MAGIC);
	return &c->hub;
}
