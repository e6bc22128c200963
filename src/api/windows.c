/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/windows.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "api/window_news.h"
#include "base/agenda.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "model/nouns.h"

/* A window. Its spec is a copy: the model's is another by the time one hears of an edit. */
struct entry {
	struct agenda_item due;
	char *name;
	struct maintenance_spec *spec;
	struct arena arena; /* owns it */
	struct window_told told;
	bool recalled;
};

struct windows {
	uint32_t magic;
#define WINDOWS_MAGIC 0x3a1d0c77u
	struct control *control;
	struct control_watch watch;
	pthread_t thread;
	pthread_mutex_t lock; /* over what follows; after the editor's */
	pthread_cond_t changed;
	struct agenda agenda;
	struct strmap entries; /* name -> struct entry * */
	bool stopping;
};

/* -- entries -- */

/* What events are made of: not the labels. */
static struct maintenance_spec *
copy(const struct maintenance_spec *s, struct arena *a)
{
	struct maintenance_spec *c = arena_memdup(a, s, sizeof(*s));
	const char *const *from = s->objects.items;
	const char **to = arena_alloc(a, s->objects.count * sizeof(*to));

	for (size_t i = 0; i < s->objects.count; i++)
		to[i] = arena_strdup(a, from[i]);
	c->objects.items = to;
	c->reason = arena_strdup(a, s->reason);
	c->labels = (struct field_list){ .count = 0 };
	return c;
}

static void
set_spec(struct entry *e, const struct maintenance_spec *s)
{
	arena_fini(&e->arena);
	e->spec = copy(s, &e->arena);
}

static struct entry *
take_entry(struct windows *w, const char *name)
{
	struct entry *e = strmap_find(&w->entries, name);

	if (e != NULL)
		return e;
	e = xcalloc(1, sizeof(*e));
	e->name = xstrdup(name);
	arena_init(&e->arena);
	strmap_put(&w->entries, e->name, e);
	return e;
}

static void
free_entry(struct windows *w, struct entry *e)
{
	agenda_remove(&w->agenda, &e->due);
	arena_fini(&e->arena);
	free(e->name);
	free(e);
}

/* Takes the events. */
static void
tell(struct windows *w, json_t *events)
{
	json_t *event;
	size_t i;

	json_array_foreach(events, i, event)
	{
		log_info("control", "%s: %s", json_string_value(json_object_get(event, "kind")),
		    json_string_value(json_object_get(event, "text")));
		control_event(w->control, event);
	}
	json_decref(events);
}

/* What happened to it by itself. */
static void
pass(struct windows *w, struct entry *e, int64_t now_ms, json_t *out)
{
	if (e->spec != NULL)
		window_news_pass(e->name, e->spec, &e->told, now_ms, out);
	agenda_set(&w->agenda, &e->due,
	    e->spec != NULL ? window_news_due(e->spec, &e->told) : AGENDA_NEVER);
}

/* -- edits -- */

/* `o` NULL: it is deleted. */
static void
follow(struct windows *w, const char *name, const struct model_object *o, const char *author)
{
	struct entry *e = take_entry(w, name);
	const int64_t now_ms = clock_real_ms();
	const struct window_edit edit = {
		.name = name, .author = author, .was = e->spec, .is = o != NULL ? o->spec : NULL
	};
	json_t *out = json_array();

	pass(w, e, now_ms, out);
	window_news_edit(&edit, &e->told, now_ms, out);
	if (o != NULL) {
		set_spec(e, o->spec);
		pass(w, e, now_ms, out);
	} else {
		strmap_remove(&w->entries, name);
		free_entry(w, e);
	}
	tell(w, out);
}

/* The model knows of the set already. */
static void
committed(void *arg, const struct change_set *set)
{
	struct windows *w = arg;

	OBJ_CHECK(w, WINDOWS_MAGIC);
	pthread_mutex_lock(&w->lock);
	for (size_t i = 0; i < set->count; i++) {
		const struct change_op *op = &set->ops[i];

		if ((op->op != CHANGE_PUT && op->op != CHANGE_DELETE) ||
		    op->kind != KIND_MAINTENANCE)
			continue;
		follow(w, op->name,
		    model_find(control_model(w->control), KIND_MAINTENANCE, op->name),
		    set->author != NULL ? set->author : "");
		pthread_cond_signal(&w->changed);
	}
	pthread_mutex_unlock(&w->lock);
}

/* -- the thread -- */

static void
wait_until(struct windows *w, int64_t real_ms)
{
	const struct timespec at = { .tv_sec = real_ms / 1000,
		.tv_nsec = real_ms % 1000 * 1000000 };

	pthread_cond_timedwait(&w->changed, &w->lock, &at);
}

static void *
run(void *arg)
{
	struct windows *w = arg;

	pthread_mutex_lock(&w->lock);
	while (!w->stopping) {
		struct agenda_item *first = agenda_first(&w->agenda);

		if (first == NULL) {
			pthread_cond_wait(&w->changed, &w->lock);
		} else if (first->due_ms > clock_real_ms()) {
			wait_until(w, first->due_ms);
		} else {
			json_t *out = json_array();

			pass(w, container_of(first, struct entry, due), clock_real_ms(), out);
			tell(w, out);
		}
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

/* -- the start -- */

/* Newest first: the first of each is the one. */
static int
recall(const struct store_event *event, void *arg)
{
	struct windows *w = arg;
	struct entry *e =
	    event->object_name != NULL ? strmap_find(&w->entries, event->object_name) : NULL;

	if (e != NULL && !e->recalled)
		e->recalled = window_news_recall(event, &e->told);
	return 0;
}

/* What was told before is not told again; what was missed is. */
static void
catch_up(struct windows *w, struct entry *e, const struct model_object *o, int64_t now_ms)
{
	const struct window_edit edit = {
		.name = e->name, .author = "", .was = e->recalled ? o->spec : NULL, .is = o->spec
	};
	json_t *out = json_array();

	/* What it says now says nothing of the time before it was said. */
	if (e->recalled && e->told.upto_ms < o->updated_ms)
		e->told.upto_ms = o->updated_ms;
	set_spec(e, o->spec);
	if (e->recalled)
		pass(w, e, now_ms, out);
	/* It may have been put in the moment before the end of the last process. */
	window_news_edit(&edit, &e->told, now_ms, out);
	pass(w, e, now_ms, out);
	tell(w, out);
}

/* Nobody edits yet. */
static void
load(struct windows *w)
{
	const struct store_event_filter of_windows = { .newest_first = true,
		.object_kind = kind_table[KIND_MAINTENANCE].name };
	const struct model *m = control_model(w->control);
	const int64_t now_ms = clock_real_ms();

	if (m->objects[KIND_MAINTENANCE].count == 0)
		return;
	STRMAP_EACH (&m->objects[KIND_MAINTENANCE], e)
		take_entry(w, e->key);
	if (store_events(control_store(w->control), &of_windows, recall, w) < 0)
		log_error("control", "events cannot be read back");
	STRMAP_EACH (&w->entries, e)
		catch_up(w, e->value, model_find(m, KIND_MAINTENANCE, e->key), now_ms);
}

/* -- life -- */

struct windows *
windows_start(struct control *c)
{
	struct windows *w = xcalloc(1, sizeof(*w));

	w->magic = WINDOWS_MAGIC;
	w->control = c;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->changed, NULL); /* of real time, as windows are */
	strmap_init(&w->entries);
	load(w);
	w->watch = (struct control_watch){ .arg = w, .committed = committed };
	control_watch(c, &w->watch);
	thread_start(&w->thread, "windows", run, w);
	return w;
}

void
windows_stop(struct windows **wp)
{
	struct windows *w = *wp;

	if (w == NULL)
		return;
	OBJ_CHECK(w, WINDOWS_MAGIC);
	pthread_mutex_lock(&w->lock);
	w->stopping = true;
	pthread_cond_signal(&w->changed);
	pthread_mutex_unlock(&w->lock);
	thread_join(w->thread);
	control_unwatch(w->control, &w->watch);
	STRMAP_EACH (&w->entries, e)
		free_entry(w, e->value);
	strmap_fini(&w->entries);
	agenda_fini(&w->agenda);
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->lock);
	w->magic = 0;
	free(w);
	*wp = NULL;
}
