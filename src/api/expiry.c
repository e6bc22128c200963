/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/expiry.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "api/edit.h"
#include "base/agenda.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "model/nouns.h"

#define RETRY_MS 5000

/* An override that ends. */
struct entry {
	struct agenda_item due;
	char *name;
};

struct expiry {
	uint32_t magic;
#define EXPIRY_MAGIC 0xe9b12d05u
	struct control *control;
	struct control_watch watch;
	pthread_t thread;
	pthread_mutex_t lock; /* over what follows; after the editor's */
	pthread_cond_t changed;
	struct agenda agenda;
	struct strmap entries; /* name -> struct entry * */
	bool stopping;
};

/* -- notes -- */

static void
forget(struct expiry *x, const char *name)
{
	struct entry *e = strmap_remove(&x->entries, name);

	if (e == NULL)
		return;
	agenda_remove(&x->agenda, &e->due);
	free(e->name);
	free(e);
}

static void
note(struct expiry *x, const struct model_object *o)
{
	const struct override_spec *s = o->spec;
	struct entry *e = strmap_find(&x->entries, o->name);

	if (e == NULL) {
		e = xcalloc(1, sizeof(*e));
		e->name = xstrdup(o->name);
		strmap_put(&x->entries, e->name, e);
	}
	agenda_set(&x->agenda, &e->due, s->until_ms);
}

/* The model knows of the set already. */
static void
committed(void *arg, const struct change_set *set)
{
	struct expiry *x = arg;

	OBJ_CHECK(x, EXPIRY_MAGIC);
	pthread_mutex_lock(&x->lock);
	for (size_t i = 0; i < set->count; i++) {
		const struct change_op *op = &set->ops[i];
		const struct model_object *o;

		if ((op->op != CHANGE_PUT && op->op != CHANGE_DELETE) || op->kind != KIND_OVERRIDE)
			continue;
		o = model_find(control_model(x->control), KIND_OVERRIDE, op->name);
		if (o != NULL)
			note(x, o);
		else
			forget(x, op->name);
		pthread_cond_signal(&x->changed);
	}
	pthread_mutex_unlock(&x->lock);
}

/* -- the deletion -- */

static bool
is_over(const struct model_object *o)
{
	return o != NULL && ((const struct override_spec *)o->spec)->until_ms <= clock_real_ms();
}

static void
end(struct expiry *x, const char *name)
{
	struct request *r = request_new("/api/v1/overrides");
	struct edit e;

	r->control = x->control;
	snprintf(r->caller.name, sizeof(r->caller.name), "gtmd");
	edit_begin(&e, r);
	/* It may have been given more time meanwhile. */
	if (is_over(model_find(e.model, KIND_OVERRIDE, name)) &&
	    edit_delete(&e, KIND_OVERRIDE, name) == 0) {
		e.set.summary = arena_printf(&e.set.arena, "the override of '%s' has ended", name);
		edit_commit(&e);
	}
	edit_end(&e);
	if (diag_failed(&r->diag))
		log_warn("control", "the override of '%s' has ended but stays: %s", name,
		    diag_text(&r->diag));
	request_free(&r);
}

/* -- the thread -- */

static void
wait_until(struct expiry *x, int64_t real_ms)
{
	const struct timespec at = { .tv_sec = real_ms / 1000,
		.tv_nsec = real_ms % 1000 * 1000000 };

	pthread_cond_timedwait(&x->changed, &x->lock, &at);
}

static void *
run(void *arg)
{
	struct expiry *x = arg;

	pthread_mutex_lock(&x->lock);
	while (!x->stopping) {
		struct agenda_item *first = agenda_first(&x->agenda);

		if (first == NULL) {
			pthread_cond_wait(&x->changed, &x->lock);
		} else if (first->due_ms > clock_real_ms()) {
			wait_until(x, first->due_ms);
		} else {
			char *name = xstrdup(container_of(first, struct entry, due)->name);

			agenda_set(&x->agenda, first, clock_real_ms() + RETRY_MS);
			pthread_mutex_unlock(&x->lock);
			end(x, name);
			free(name);
			pthread_mutex_lock(&x->lock);
		}
	}
	pthread_mutex_unlock(&x->lock);
	return NULL;
}

/* -- life -- */

struct expiry *
expiry_start(struct control *c)
{
	struct expiry *x = xcalloc(1, sizeof(*x));
	const struct model *m = control_read_begin(c);

	x->magic = EXPIRY_MAGIC;
	x->control = c;
	pthread_mutex_init(&x->lock, NULL);
	pthread_cond_init(&x->changed, NULL); /* of real time, as `until` is */
	strmap_init(&x->entries);
	STRMAP_EACH (&m->objects[KIND_OVERRIDE], e)
		note(x, e->value);
	control_read_end(c);
	x->watch = (struct control_watch){ .arg = x, .committed = committed };
	control_watch(c, &x->watch);
	thread_start(&x->thread, "expiry", run, x);
	return x;
}

void
expiry_stop(struct expiry **xp)
{
	struct expiry *x = *xp;

	if (x == NULL)
		return;
	OBJ_CHECK(x, EXPIRY_MAGIC);
	pthread_mutex_lock(&x->lock);
	x->stopping = true;
	pthread_cond_signal(&x->changed);
	pthread_mutex_unlock(&x->lock);
	thread_join(x->thread);
	control_unwatch(x->control, &x->watch);
	STRMAP_EACH (&x->entries, e) {
		struct entry *entry = e->value;

		free(entry->name);
		free(entry);
	}
	strmap_fini(&x->entries);
	agenda_fini(&x->agenda);
	pthread_cond_destroy(&x->changed);
	pthread_mutex_destroy(&x->lock);
	x->magic = 0;
	free(x);
	*xp = NULL;
}
