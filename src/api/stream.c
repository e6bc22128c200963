/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/stream.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/hub.h"
#include "base/check.h"
#include "base/mem.h"
#include "base/thread.h"

#define CLIENT_MAGIC 0x57e4a1u
#define BEAT_S       15
#define REPLAY_MAX   10000
#define BLOCK        4096

struct stream {
	struct hub *hub;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool stopping;
};

struct client {
	uint32_t magic;
	struct hub *hub;
	struct hub_reader reader;
	struct MHD_Connection *connection;
	struct buf pending; /* frames not yet handed to libmicrohttpd */
	uint64_t last_id;   /* replayed up to here: the hub may bring the same event again */
};

char *
stream_frame(const char *event, uint64_t id, const char *data)
{
	if (id == 0)
		return xasprintf("event: %s\ndata: %s\n\n", event, data);
	return xasprintf("id: %" PRIu64 "\nevent: %s\ndata: %s\n\n", id, event, data);
}

static void *
beat(void *arg)
{
	struct stream *s = arg;

	pthread_mutex_lock(&s->lock);
	while (!s->stopping) {
		struct timespec due;

		clock_gettime(CLOCK_MONOTONIC, &due);
		due.tv_sec += BEAT_S;
		if (pthread_cond_timedwait(&s->changed, &s->lock, &due) == ETIMEDOUT)
			hub_beat(s->hub, ": heartbeat\n\n");
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

struct stream *
stream_new(struct control *control)
{
	struct stream *s = xcalloc(1, sizeof(*s));
	pthread_condattr_t attr;

	s->hub = control_hub(control);
	hub_open(s->hub); /* a former server on this control has closed it */
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->changed, &attr);
	pthread_condattr_destroy(&attr);
	thread_start(&s->thread, "api-beat", beat, s);
	return s;
}

void
stream_stop(struct stream *s)
{
	pthread_mutex_lock(&s->lock);
	s->stopping = true;
	pthread_cond_signal(&s->changed);
	pthread_mutex_unlock(&s->lock);
	thread_join(s->thread);
	hub_close(s->hub);
}

void
stream_free(struct stream **sp)
{
	struct stream *s = *sp;

	pthread_cond_destroy(&s->changed);
	pthread_mutex_destroy(&s->lock);
	free(s);
	*sp = NULL;
}

static void
client_sleep(void *arg)
{
	MHD_suspend_connection(((struct client *)arg)->connection);
}

static void
client_wake(void *arg)
{
	MHD_resume_connection(((struct client *)arg)->connection);
}

/* Refill `pending` from the hub; HUB_MESSAGE when there is something to send. */
static enum hub_taken
refill(struct client *c)
{
	for (;;) {
		struct hub_message *m = NULL;
		uint64_t lost = 0;
		const enum hub_taken taken = hub_take(c->hub, &c->reader, &m, &lost);

		if (taken == HUB_LAGGED) {
			buf_printf(
			    &c->pending, "event: lagged\ndata: {\"lost\":%" PRIu64 "}\n\n", lost);
			return HUB_MESSAGE;
		}
		if (taken != HUB_MESSAGE)
			return taken;

		const bool again = m->id != 0 && m->id <= c->last_id;

		if (!again)
			buf_put(&c->pending, m->text, m->len);
		hub_release(c->hub, m);
		if (!again)
			return HUB_MESSAGE;
	}
}

static ssize_t
client_read(void *arg, uint64_t pos, char *out, size_t max)
{
	struct client *c = arg;

	(void)pos;
	OBJ_CHECK(c, CLIENT_MAGIC);
	if (c->pending.len == 0) {
		const enum hub_taken taken = refill(c);

		if (taken == HUB_CLOSED)
			return MHD_CONTENT_READER_END_OF_STREAM;
		if (taken == HUB_ASLEEP)
			return 0;
	}

	const size_t len = c->pending.len < max ? c->pending.len : max;

	memcpy(out, c->pending.data, len);
	buf_drop(&c->pending, len);
	return (ssize_t)len;
}

static void
client_free(void *arg)
{
	struct client *c = arg;

	OBJ_CHECK(c, CLIENT_MAGIC);
	hub_leave(c->hub, &c->reader);
	buf_fini(&c->pending);
	c->magic = 0;
	free(c);
}

void
stream_open(struct stream *s, struct request *r, unsigned topics, uint64_t since, bool replay)
{
	struct client *c = xcalloc(1, sizeof(*c));

	c->magic = CLIENT_MAGIC;
	c->hub = s->hub;
	c->connection = r->connection;
	buf_init(&c->pending, SIZE_MAX);
	c->reader.topics = topics;
	c->reader.sleep = client_sleep;
	c->reader.wake = client_wake;
	c->reader.arg = c;
	/* Join first, look back second: nothing falls between, and what comes twice is dropped. */
	hub_join(c->hub, &c->reader);
	buf_puts(&c->pending, "retry: 1000\n\n");
	if (replay)
		c->last_id = control_replay(r->control, topics, since, REPLAY_MAX, &c->pending);
	MHD_set_connection_option(r->connection, MHD_CONNECTION_OPTION_TIMEOUT, 0u);
	r->stream =
	    MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, client_read, c, client_free);
	CHECK(r->stream != NULL);
}
