/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/hub.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"

void
hub_init(struct hub *h)
{
	pthread_mutex_init(&h->lock, NULL);
	list_init(&h->readers);
	h->closed = false;
}

void
hub_fini(struct hub *h)
{
	CHECK(list_empty(&h->readers));
	pthread_mutex_destroy(&h->lock);
}

static void
wake(struct hub_reader *r)
{
	if (!r->asleep)
		return;
	r->asleep = false;
	r->wake(r->arg);
}

static void
unref(struct hub_message *m)
{
	if (--m->refs == 0)
		free(m);
}

static struct hub_message *
pop(struct hub_reader *r)
{
	struct hub_message *m = r->queue[r->head];

	r->head = (r->head + 1) % HUB_QUEUE;
	r->count--;
	return m;
}

static void
push(struct hub_reader *r, struct hub_message *m)
{
	if (r->count == HUB_QUEUE) {
		unref(pop(r));
		r->lagged++;
	}
	r->queue[(r->head + r->count++) % HUB_QUEUE] = m;
	m->refs++;
	wake(r);
}

static struct hub_message *
message(uint64_t id, const char *text)
{
	const size_t len = strlen(text);
	struct hub_message *m = xmalloc(sizeof(*m) + len + 1);

	m->refs = 1;
	m->id = id;
	m->len = len;
	memcpy(m->text, text, len + 1);
	return m;
}

void
hub_close(struct hub *h)
{
	pthread_mutex_lock(&h->lock);
	h->closed = true;
	LIST_EACH (it, tmp, &h->readers)
		wake(LIST_ENTRY(it, struct hub_reader, link));
	pthread_mutex_unlock(&h->lock);
}

void
hub_open(struct hub *h)
{
	pthread_mutex_lock(&h->lock);
	h->closed = false;
	pthread_mutex_unlock(&h->lock);
}

bool
hub_wanted(struct hub *h, unsigned topics)
{
	bool wanted = false;

	pthread_mutex_lock(&h->lock);
	LIST_EACH (it, tmp, &h->readers)
		wanted |= (LIST_ENTRY(it, struct hub_reader, link)->topics & topics) != 0;
	pthread_mutex_unlock(&h->lock);
	return wanted;
}

void
hub_publish(struct hub *h, unsigned topics, uint64_t id, const char *text)
{
	struct hub_message *m = message(id, text);

	pthread_mutex_lock(&h->lock);
	LIST_EACH (it, tmp, &h->readers) {
		struct hub_reader *r = LIST_ENTRY(it, struct hub_reader, link);

		if (r->topics & topics)
			push(r, m);
	}
	unref(m);
	pthread_mutex_unlock(&h->lock);
}

void
hub_beat(struct hub *h, const char *text)
{
	struct hub_message *m = message(0, text);

	pthread_mutex_lock(&h->lock);
	LIST_EACH (it, tmp, &h->readers) {
		struct hub_reader *r = LIST_ENTRY(it, struct hub_reader, link);

		if (r->count == 0)
			push(r, m);
	}
	unref(m);
	pthread_mutex_unlock(&h->lock);
}

void
hub_join(struct hub *h, struct hub_reader *r)
{
	pthread_mutex_lock(&h->lock);
	list_append(&h->readers, &r->link);
	pthread_mutex_unlock(&h->lock);
}

void
hub_leave(struct hub *h, struct hub_reader *r)
{
	pthread_mutex_lock(&h->lock);
	list_remove(&r->link);
	while (r->count > 0)
		unref(pop(r));
	pthread_mutex_unlock(&h->lock);
}

enum hub_taken
hub_take(struct hub *h, struct hub_reader *r, struct hub_message **m, uint64_t *lost)
{
	enum hub_taken taken;

	pthread_mutex_lock(&h->lock);
	if (h->closed) {
		taken = HUB_CLOSED;
	} else if (r->lagged > 0) {
		*lost = r->lagged;
		r->lagged = 0;
		taken = HUB_LAGGED;
	} else if (r->count > 0) {
		*m = pop(r);
		taken = HUB_MESSAGE;
	} else {
		r->asleep = true;
		r->sleep(r->arg);
		taken = HUB_ASLEEP;
	}
	pthread_mutex_unlock(&h->lock);
	return taken;
}

void
hub_release(struct hub *h, struct hub_message *m)
{
	pthread_mutex_lock(&h->lock);
	unref(m);
	pthread_mutex_unlock(&h->lock);
}
