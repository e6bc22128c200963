/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/control.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/event.h"
#include "api/hub.h"
#include "api/override_news.h"
#include "api/recount.h"
#include "api/scribe.h"
#include "api/stream.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/json_out.h"
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
	struct control_nodes nodes;         /* likewise */
	struct list watches;                /* struct control_watch */
	pthread_mutex_t edit;
	pthread_rwlock_t lock; /* the model; only the editor writes. Before `said`. */
	struct model model;
	pthread_mutex_t said;               /* the statuses */
	struct strmap statuses[KIND_COUNT]; /* name -> char *: JSON, which few ever read */
	struct hub hub;
	struct scribe *scribe;
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
	list_init(&c->watches);
	model_init(&c->model);
	for (int k = 0; k < KIND_COUNT; k++)
		strmap_init(&c->statuses[k]);
	hub_init(&c->hub);
	c->scribe = scribe_new(store, &c->hub);
	if (store_load(store, load_op, c, &c->model.revision) < 0) {
		diag_add(d, DIAG_UNAVAILABLE, "store", "cannot be read");
		control_free(&c);
		return NULL;
	}
	recount_changes(store, c->scribe);
	return c;
}

static void
drop_status(struct control *c, enum kind kind, const char *name)
{
	pthread_mutex_lock(&c->said);
	free(strmap_remove(&c->statuses[kind], name));
	pthread_mutex_unlock(&c->said);
}

void
control_free(struct control **cp)
{
	struct control *c = *cp;

	if (c == NULL)
		return;
	OBJ_CHECK(c, CONTROL_MAGIC);
	scribe_free(&c->scribe);
	hub_fini(&c->hub);
	for (int k = 0; k < KIND_COUNT; k++) {
		STRMAP_EACH (&c->statuses[k], e)
			free(e->value);
		strmap_fini(&c->statuses[k]);
	}
	model_fini(&c->model);
	pthread_mutex_destroy(&c->said);
	pthread_rwlock_destroy(&c->lock);
	pthread_mutex_destroy(&c->edit);
	c->magic = 0;
	free(c);
	*cp = NULL;
}

/* -- from the engine -- */

static void
publish_status(struct control *c, enum kind kind, const char *name, const char *status)
{
	struct json_out o;
	struct buf text;
	char *frame;

	if (!hub_wanted(&c->hub, HUB_HEALTH))
		return;
	buf_init(&text, SIZE_MAX);
	json_out_init(&o, &text);
	json_out_open(&o, NULL, '{');
	json_out_text(&o, "kind", kind_table[kind].name);
	json_out_text(&o, "name", name);
	json_out_json(&o, "status", status);
	json_out_close(&o, '}');
	frame = stream_frame("health", 0, buf_str(&text));
	hub_publish(&c->hub, HUB_HEALTH, 0, frame);
	free(frame);
	buf_fini(&text);
}

void
control_status(struct control *c, enum kind kind, const char *name, const char *status)
{
	OBJ_CHECK(c, CONTROL_MAGIC);
	pthread_rwlock_rdlock(&c->lock);
	/* A word about an object deleted meanwhile is late, not news. */
	const bool known = model_find(&c->model, kind, name) != NULL;

	if (known) {
		char *copy = xstrdup(status);

		pthread_mutex_lock(&c->said);
		free(strmap_put(&c->statuses[kind], name, copy));
		pthread_mutex_unlock(&c->said);
	}
	pthread_rwlock_unlock(&c->lock);
	if (known)
		publish_status(c, kind, name, status);
}

#define UNKNOWN "{\"health\":\"unknown\",\"unknown_since\":"

/* {health: unknown, unknown_since, last}: nobody knows, and this is what was. Takes `old`. */
static char *
unknown(char *old, const char *since)
{
	char *now;

	if (strncmp(old, UNKNOWN, strlen(UNKNOWN)) == 0)
		return old;
	now = xasprintf(UNKNOWN "\"%s\",\"last\":%s}", since, old);
	free(old);
	return now;
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

void
control_note(struct control *c, const struct store_event *e)
{
	OBJ_CHECK(c, CONTROL_MAGIC);
	scribe_note(c->scribe, e);
}

void
control_event(struct control *c, const json_t *event)
{
	struct store_event e;

	event_decode(event, &e);
	control_note(c, &e);
	free((char *)(uintptr_t)e.data);
}

void
control_flush(struct control *c)
{
	OBJ_CHECK(c, CONTROL_MAGIC);
	scribe_flush(c->scribe);
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
	const struct store_event e =
	    recount_event(set->revision, clock_real_ms(), set->author, set->summary, applied);

	control_note(c, &e);
	free((char *)(uintptr_t)e.data);
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
	control_note(c, &e);
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
	LIST_EACH (it, tmp, &c->watches) {
		const struct control_watch *w = LIST_ENTRY(it, struct control_watch, item);

		w->committed(w->arg, set);
	}
	return 0;
}

void
control_watch(struct control *c, struct control_watch *w)
{
	OBJ_CHECK(c, CONTROL_MAGIC);
	pthread_mutex_lock(&c->edit);
	list_append(&c->watches, &w->item);
	pthread_mutex_unlock(&c->edit);
}

void
control_unwatch(struct control *c, struct control_watch *w)
{
	OBJ_CHECK(c, CONTROL_MAGIC);
	pthread_mutex_lock(&c->edit);
	list_remove(&w->item);
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
control_invite(struct control *c, const struct control_invitation *i, struct diag *d)
{
	OBJ_CHECK(c, CONTROL_MAGIC);
	if (c->nodes.arg != NULL)
		return c->nodes.invite(c->nodes.arg, i, d);
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

	const char *text = strmap_find(&c->statuses[kind], name);

	status = text != NULL ? json_loads(text, 0, NULL) : NULL;
	pthread_mutex_unlock(&c->said);
	return status;
}

/* Of a text that this process or the engine wrote, so it is compact. */
static void
find_word(const char *status, const char *member, char out[CONTROL_WORD_SIZE])
{
	const size_t head = status[0] == '\0' ? 0 : 1 + strcspn(status + 1, "{[");
	char key[CONTROL_WORD_SIZE];
	const int len = snprintf(key, sizeof(key), "\"%s\":\"", member);
	const char *word = memmem(status, head, key, (size_t)len);

	if (word != NULL)
		snprintf(
		    out, CONTROL_WORD_SIZE, "%.*s", (int)strcspn(word + len, "\""), word + len);
}

char *
control_status_word(struct control *c, enum kind kind, const char *name, const char *member,
    char out[CONTROL_WORD_SIZE])
{
	out[0] = '\0';
	pthread_mutex_lock(&c->said);

	const char *text = strmap_find(&c->statuses[kind], name);

	if (text != NULL)
		find_word(text, member, out);
	pthread_mutex_unlock(&c->said);
	return out;
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
