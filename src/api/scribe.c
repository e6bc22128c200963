/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/scribe.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/event.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"

#define SCRIBE_MAGIC 0x5c21be01u
#define AT_ONCE      512   /* events of a transaction: commits wait for it */
#define QUEUE_MAX    16384 /* then those who note wait */

struct note {
	struct list item;
	struct store_event event; /* its texts are behind */
	char texts[];
};

struct scribe {
	uint32_t magic;
	struct store *store;
	struct hub *hub;
	pthread_t thread;
	pthread_mutex_t lock; /* over what follows */
	pthread_cond_t work;  /* for the thread */
	pthread_cond_t done;  /* some have been written */
	struct list queue;
	size_t waiting;
	uint64_t noted, written; /* so far */
	uint64_t wanted;         /* by scribe_flush: written up to here without delay */
	bool asleep;             /* until there is something to do */
	bool stopping;
};

/* -- the thread -- */

static void
tell(struct scribe *s, const struct store_event *e)
{
	const unsigned topic = event_topic(e->kind);
	char *frame;

	if (!hub_wanted(s->hub, topic))
		return;
	frame = event_frame(e);
	hub_publish(s->hub, topic, e->id, frame);
	free(frame);
}

/* Store, then tell. */
static void
write_all(struct scribe *s, struct store_event *all, size_t count)
{
	struct diag d;

	diag_init(&d);

	const bool stored = store_events_append(s->store, all, count, &d) == 0;

	if (!stored)
		log_error("api", "event '%s'%s is not stored: %s", all->kind,
		    count > 1 ? " and what came with it" : "", diag_text(&d));
	for (struct store_event *e = all; e < all + count; e++) {
		e->id = stored ? e->id : 0;
		tell(s, e);
	}
	diag_fini(&d);
}

/* Under the lock: up to AT_ONCE of the queue. */
static size_t
take(struct scribe *s, struct note *notes[AT_ONCE], struct store_event all[AT_ONCE])
{
	size_t n = 0;

	for (; n < AT_ONCE && !list_empty(&s->queue); n++) {
		notes[n] = LIST_ENTRY(s->queue.next, struct note, item);
		all[n] = notes[n]->event;
		list_remove(&notes[n]->item);
	}
	s->waiting -= n;
	return n;
}

static void
write_some(struct scribe *s)
{
	struct note *notes[AT_ONCE];
	struct store_event all[AT_ONCE];
	const size_t n = take(s, notes, all);

	pthread_mutex_unlock(&s->lock);
	write_all(s, all, n);
	for (size_t i = 0; i < n; i++)
		free(notes[i]);
	pthread_mutex_lock(&s->lock);
	s->written += n;
	pthread_cond_broadcast(&s->done);
}

static bool
in_a_hurry(const struct scribe *s)
{
	return s->stopping || s->wanted > s->written || s->waiting >= AT_ONCE;
}

/* Under the lock, in a storm: until the next transaction is due. */
static void
pace(struct scribe *s, uint64_t due_ms)
{
	const struct timespec due = { .tv_sec = (time_t)(due_ms / 1000),
		.tv_nsec = (long)(due_ms % 1000) * 1000000 };

	while (!in_a_hurry(s) && clock_mono_ms() < due_ms)
		pthread_cond_timedwait(&s->work, &s->lock, &due);
}

static void *
run(void *arg)
{
	struct scribe *s = arg;
	uint64_t due_ms = 0;

	pthread_mutex_lock(&s->lock);
	while (!s->stopping || s->waiting > 0) {
		if (s->waiting == 0) {
			s->asleep = true;
			pthread_cond_wait(&s->work, &s->lock);
			s->asleep = false;
			continue;
		}
		pace(s, due_ms);
		write_some(s);
		due_ms = clock_mono_ms() + SCRIBE_PACE_MS;
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

/* -- life -- */

struct scribe *
scribe_new(struct store *store, struct hub *hub)
{
	struct scribe *s = xcalloc(1, sizeof(*s));
	pthread_condattr_t monotonic;

	s->magic = SCRIBE_MAGIC;
	s->store = store;
	s->hub = hub;
	list_init(&s->queue);
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&s->work, &monotonic);
	pthread_condattr_destroy(&monotonic);
	pthread_cond_init(&s->done, NULL);
	thread_start(&s->thread, "scribe", run, s);
	return s;
}

void
scribe_free(struct scribe **sp)
{
	struct scribe *s = *sp;

	if (s == NULL)
		return;
	OBJ_CHECK(s, SCRIBE_MAGIC);
	pthread_mutex_lock(&s->lock);
	s->stopping = true;
	pthread_cond_signal(&s->work);
	pthread_mutex_unlock(&s->lock);
	thread_join(s->thread);
	CHECK(list_empty(&s->queue));
	pthread_cond_destroy(&s->work);
	pthread_cond_destroy(&s->done);
	pthread_mutex_destroy(&s->lock);
	s->magic = 0;
	free(s);
	*sp = NULL;
}

/* -- noting -- */

/* Copies what `text` points to and steps on; NULL stays NULL. */
static void
keep(const char **text, char **to)
{
	const size_t size = *text == NULL ? 0 : strlen(*text) + 1;

	if (size == 0)
		return;
	*text = memcpy(*to, *text, size);
	*to += size;
}

static size_t
size_of(const char *text)
{
	return text == NULL ? 0 : strlen(text) + 1;
}

static struct note *
copy(const struct store_event *e)
{
	struct note *n = xmalloc(sizeof(*n) + size_of(e->kind) + size_of(e->object_kind) +
				 size_of(e->object_name) + size_of(e->severity) + size_of(e->text) +
				 size_of(e->data));
	char *to = n->texts;

	n->event = *e;
	keep(&n->event.kind, &to);
	keep(&n->event.object_kind, &to);
	keep(&n->event.object_name, &to);
	keep(&n->event.severity, &to);
	keep(&n->event.text, &to);
	keep(&n->event.data, &to);
	return n;
}

void
scribe_note(struct scribe *s, const struct store_event *e)
{
	struct note *n = copy(e);

	OBJ_CHECK(s, SCRIBE_MAGIC);
	pthread_mutex_lock(&s->lock);
	while (s->waiting >= QUEUE_MAX)
		pthread_cond_wait(&s->done, &s->lock);
	list_append(&s->queue, &n->item);
	s->waiting++;
	s->noted++;
	/* One that paces itself looks when it is time. */
	if (s->asleep || s->waiting == AT_ONCE)
		pthread_cond_signal(&s->work);
	pthread_mutex_unlock(&s->lock);
}

void
scribe_flush(struct scribe *s)
{
	OBJ_CHECK(s, SCRIBE_MAGIC);
	pthread_mutex_lock(&s->lock);

	const uint64_t all = s->noted;

	if (s->written < all && s->wanted < all) {
		s->wanted = all;
		pthread_cond_signal(&s->work);
	}
	while (s->written < all)
		pthread_cond_wait(&s->done, &s->lock);
	pthread_mutex_unlock(&s->lock);
}
