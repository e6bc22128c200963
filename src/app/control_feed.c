/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/control_feed.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "app/control_sync.h"
#include "base/buf.h"
#include "base/check.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "feed/codec.h"
#include "feed/link.h"
#include "feed/told.h"
#include "net/loop.h"
#include "net/sock.h"

#define RETRY_MS 50

/* One question under way; lives on the asker's stack. */
struct question {
	struct list item;
	uint32_t id;
	bool done;
	json_t *body; /* of the reply; NULL: the engine went away */
};

struct control_feed {
	uint32_t magic;
#define CONTROL_FEED_MAGIC 0x63666564u
	struct store *store;
	struct control *control;
	char *path;
	void (*on_serving)(void *arg);
	void *on_serving_arg;
	void (*take_forward)(void *arg, const uint8_t *body, size_t len);
	void *take_forward_arg;
	void (*came)(void *arg);
	void *came_arg;

	pthread_t thread;
	bool started;
	struct loop *loop;
	struct link *link; /* the feed thread's */
	bool current;      /* HELLO has been answered: live changes go out */
	struct wheel_timer retry;

	pthread_mutex_t lock; /* over what follows */
	pthread_cond_t changed;
	uint64_t applied;
	bool connected, serving;
	bool leaving; /* nobody waits for an engine that has gone before us */
	uint32_t next_id;
	struct list questions;
};

static void
deadline_in(struct timespec *ts, unsigned ms)
{
	clock_gettime(CLOCK_MONOTONIC, ts);
	ts->tv_sec += ms / 1000;
	ts->tv_nsec += (long)(ms % 1000) * 1000000;
	if (ts->tv_nsec >= 1000000000) {
		ts->tv_sec++;
		ts->tv_nsec -= 1000000000;
	}
}

/* ---- changes ---- */

struct shipment {
	struct control_feed *feed;
	struct buf frame;
};

static void
ship(void *arg)
{
	struct shipment *s = arg;
	if (s->frame.overflow)
		log_error("control", "a change is too large for the feed: restart gtmd");
	else if (s->feed->link != NULL && s->feed->current)
		link_send_frame(s->feed->link, MESSAGE_CHANGE, &s->frame);
	buf_fini(&s->frame);
	free(s);
}

static bool
deliver(void *arg, const struct change_set *c, unsigned timeout_ms)
{
	struct control_feed *f = arg;
	OBJ_CHECK(f, CONTROL_FEED_MAGIC);
	struct shipment *s = xcalloc(1, sizeof(*s));
	s->feed = f;
	buf_init(&s->frame, MESSAGE_MAX);
	buf_put(&s->frame, "\0\0\0\0\0", LINK_HEADER);
	codec_put(&s->frame, c);
	loop_post(f->loop, ship, s);

	struct timespec until;
	deadline_in(&until, timeout_ms);
	pthread_mutex_lock(&f->lock);
	while (f->applied < c->revision && (f->connected || !f->leaving))
		if (pthread_cond_timedwait(&f->changed, &f->lock, &until) == ETIMEDOUT)
			break;
	const bool served = f->applied >= c->revision;
	pthread_mutex_unlock(&f->lock);
	return served;
}

static void
on_applied(struct control_feed *f, const json_t *body)
{
	pthread_mutex_lock(&f->lock);
	f->applied = (uint64_t)json_integer_value(json_object_get(body, "revision"));
	pthread_cond_broadcast(&f->changed);
	pthread_mutex_unlock(&f->lock);
}

/* ---- forwarded messages ---- */

struct response {
	struct control_feed *feed;
	uint32_t id;
	size_t len;
	uint8_t data[];
};

static void
send_response(void *arg)
{
	struct response *r = arg;
	if (r->feed->link != NULL)
		link_send_id_bytes(r->feed->link, MESSAGE_FORWARDED, r->id, r->data, r->len);
	free(r);
}

void
control_feed_forwarded(struct control_feed *f, uint32_t id, const uint8_t *data, size_t len)
{
	OBJ_CHECK(f, CONTROL_FEED_MAGIC);
	struct response *r = xmalloc(sizeof(*r) + len);
	*r = (struct response){ .feed = f, .id = id, .len = len };
	if (len > 0)
		memcpy(r->data, data, len);
	loop_post(f->loop, send_response, r);
}

void
control_feed_on_forward(
    struct control_feed *f, void (*take)(void *arg, const uint8_t *body, size_t len), void *arg)
{
	OBJ_CHECK(f, CONTROL_FEED_MAGIC);
	f->take_forward = take;
	f->take_forward_arg = arg;
}

/* ---- what others tell the engine ---- */

struct telling {
	struct control_feed *feed;
	enum message_type type;
	size_t len;
	char text[];
};

static void
send_telling(void *arg)
{
	struct telling *t = arg;
	if (t->feed->link != NULL && t->feed->current)
		link_send(t->feed->link, t->type, t->text, t->len);
	free(t);
}

void
control_feed_tell(struct control_feed *f, enum message_type type, const char *text, size_t len)
{
	OBJ_CHECK(f, CONTROL_FEED_MAGIC);
	struct telling *t = xmalloc(sizeof(*t) + len);
	*t = (struct telling){ .feed = f, .type = type, .len = len };
	memcpy(t->text, text, len);
	loop_post(f->loop, send_telling, t);
}

void
control_feed_on_engine(struct control_feed *f, void (*came)(void *arg), void *arg)
{
	OBJ_CHECK(f, CONTROL_FEED_MAGIC);
	f->came = came;
	f->came_arg = arg;
}

/* ---- questions ---- */

struct letter {
	struct control_feed *feed;
	uint32_t id;
	json_t *body;
};

static void
post_letter(void *arg)
{
	struct letter *l = arg;
	if (l->feed->link != NULL)
		link_send_id(l->feed->link, MESSAGE_ASK, l->id, l->body);
	json_decref(l->body);
	free(l);
}

static json_t *
read_reply(json_t *body, struct diag *d)
{
	json_t *reply = json_object_get(body, "reply");
	if (reply != NULL)
		return json_incref(reply);
	size_t i;
	json_t *p;
	const enum diag_code code =
	    (enum diag_code)json_integer_value(json_object_get(body, "code"));
	json_array_foreach(json_object_get(body, "problems"), i, p)
	{
		diag_add(d, code, json_string_value(json_object_get(p, "where")), "%s",
		    json_string_value(json_object_get(p, "detail")));
		diag_detail(d, json_string_value(json_object_get(p, "got")),
		    json_string_value(json_object_get(p, "allowed")));
	}
	return NULL;
}

static json_t *
ask(void *arg, const char *verb, const json_t *request, unsigned timeout_ms, struct diag *d)
{
	struct control_feed *f = arg;
	OBJ_CHECK(f, CONTROL_FEED_MAGIC);
	struct question q = { 0 };
	struct letter *l = xcalloc(1, sizeof(*l));
	json_t *copy = request == NULL ? json_object() : json_deep_copy(request);
	l->feed = f;
	l->body = json_pack("{s:s, s:o}", "verb", verb, "request", copy);

	struct timespec until;
	deadline_in(&until, timeout_ms);
	pthread_mutex_lock(&f->lock);
	l->id = q.id = ++f->next_id;
	q.done = !f->connected;
	list_append(&f->questions, &q.item);
	loop_post(f->loop, post_letter, l);
	while (!q.done)
		if (pthread_cond_timedwait(&f->changed, &f->lock, &until) == ETIMEDOUT)
			break;
	list_remove(&q.item);
	pthread_mutex_unlock(&f->lock);

	if (q.body == NULL) {
		diag_add(d, DIAG_UNAVAILABLE, "",
		    "the engine does not answer; it may be starting again");
		return NULL;
	}
	json_t *reply = read_reply(q.body, d);
	json_decref(q.body);
	return reply;
}

static void
on_reply(struct control_feed *f, const uint8_t *data, size_t len)
{
	struct diag d;
	diag_init(&d);
	struct buf_reader r = { .data = data, .len = len };
	const uint32_t id = buf_read_u32(&r);
	json_t *body = r.bad ? NULL : json_parse((const char *)data + 4, len - 4, &d);
	pthread_mutex_lock(&f->lock);
	LIST_EACH (it, tmp, &f->questions) {
		struct question *q = LIST_ENTRY(it, struct question, item);
		if (q->id != id || q->done)
			continue;
		q->done = true;
		q->body =
		    body; /* the asker's alone: jansson's counts are no place for two threads */
		body = NULL;
	}
	pthread_cond_broadcast(&f->changed);
	pthread_mutex_unlock(&f->lock);
	json_decref(body);
	diag_fini(&d);
}

/* ---- what the engine tells ---- */

static void
set_serving(struct control_feed *f)
{
	pthread_mutex_lock(&f->lock);
	f->serving = true;
	pthread_mutex_unlock(&f->lock);
	f->on_serving(f->on_serving_arg);
}

static void
send_out(void *arg, enum message_type type, const void *body, size_t len)
{
	link_send(arg, type, body, len);
}

static void
on_hello(struct control_feed *f, const json_t *body)
{
	if (json_integer_value(json_object_get(body, "protocol")) != MESSAGE_PROTOCOL) {
		log_error("control", "the engine speaks another version of the feed; restart gtmd");
		return;
	}
	const char *lineage = json_string_value(json_object_get(body, "lineage"));
	const uint64_t revision = (uint64_t)json_integer_value(json_object_get(body, "revision"));
	const struct station_out out = { .arg = f->link, .send = send_out };
	control_sync(f->store, &out, lineage == NULL ? "" : lineage, revision);
	f->current = true;
	if (f->came != NULL)
		f->came(f->came_arg);
	pthread_mutex_lock(&f->lock);
	f->connected = true;
	pthread_mutex_unlock(&f->lock);
	if (json_is_true(json_object_get(body, "serving")))
		set_serving(f);
}

static void
on_status(struct control_feed *f, const uint8_t *body, size_t len)
{
	struct told_status s;
	if (told_take_status(body, len, &s) == 0)
		control_status(f->control, s.kind, s.name, s.status);
}

static void
on_news(struct control_feed *f, const uint8_t *body, size_t len)
{
	struct told_event e;
	if (told_take_event(body, len, &e) == 0)
		control_note(f->control, &(struct store_event){ .at_ms = e.at_ms,
					     .kind = e.kind,
					     .object_kind = e.object_kind,
					     .object_name = e.object,
					     .severity = e.severity,
					     .text = e.text,
					     .data = e.data });
}

static void
on_json(struct control_feed *f, enum message_type type, const json_t *body)
{
	switch (type) {
	case MESSAGE_HELLO:
		on_hello(f, body);
		break;
	case MESSAGE_APPLIED:
		on_applied(f, body);
		break;
	case MESSAGE_SERVING:
		set_serving(f);
		break;
	default:
		log_warn("control", "the engine sent a message of unknown type %d", type);
	}
}

static void
on_message(void *arg, enum message_type type, const uint8_t *data, size_t len)
{
	struct control_feed *f = arg;
	OBJ_CHECK(f, CONTROL_FEED_MAGIC);
	if (type == MESSAGE_REPLY) {
		on_reply(f, data, len);
		return;
	}
	if (type == MESSAGE_FORWARD && f->take_forward != NULL) {
		f->take_forward(f->take_forward_arg, data, len);
		return;
	}
	if (type == MESSAGE_STATUS) {
		on_status(f, data, len);
		return;
	}
	if (type == MESSAGE_NEWS) {
		on_news(f, data, len);
		return;
	}
	struct diag d;
	diag_init(&d);
	json_t *body = json_parse((const char *)data, len, &d);
	if (body != NULL)
		on_json(f, type, body);
	else
		log_warn("control", "the engine sent what is no JSON: %s", diag_text(&d));
	json_decref(body);
	diag_fini(&d);
}

/* ---- the connection ---- */

static void
on_closed(void *arg, const char *why)
{
	struct control_feed *f = arg;
	OBJ_CHECK(f, CONTROL_FEED_MAGIC);
	log_info("control", "the engine is gone (%s)", why); /* the supervisor warns if it died */
	link_free(&f->link);
	f->current = false;
	pthread_mutex_lock(&f->lock);
	f->connected = f->serving = false;
	f->applied = 0;
	LIST_EACH (it, tmp, &f->questions)
		LIST_ENTRY(it, struct question, item)->done = true;
	pthread_cond_broadcast(&f->changed);
	pthread_mutex_unlock(&f->lock);
	control_engine_lost(f->control);
	loop_timer_in(f->loop, &f->retry, RETRY_MS);
}

static void
connect_feed(struct wheel_timer *t)
{
	struct control_feed *f = container_of(t, struct control_feed, retry);
	struct diag d;
	diag_init(&d);
	const int fd = sock_unix_connect(f->path, &d);
	diag_fini(&d);
	if (fd < 0) {
		loop_timer_in(f->loop, &f->retry, RETRY_MS);
		return;
	}
	const struct link_hooks hooks = { f, on_message, on_closed };
	f->link = link_new(f->loop, fd, &hooks);
}

/* ---- life ---- */

static bool
is_ready(void *arg)
{
	struct control_feed *f = arg;
	pthread_mutex_lock(&f->lock);
	const bool ready = f->connected && f->serving;
	pthread_mutex_unlock(&f->lock);
	return ready;
}

static void *
run(void *arg)
{
	struct control_feed *f = arg;
	loop_run(f->loop);
	return NULL;
}

struct control_feed *
control_feed_new(struct store *store, const char *path)
{
	struct control_feed *f = xcalloc(1, sizeof(*f));
	pthread_condattr_t monotonic;
	f->magic = CONTROL_FEED_MAGIC;
	f->store = store;
	f->path = xstrdup(path);
	f->loop = loop_new();
	list_init(&f->questions);
	wheel_timer_init(&f->retry, connect_feed);
	pthread_mutex_init(&f->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&f->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	return f;
}

struct control_engine
control_feed_engine(struct control_feed *f)
{
	return (
	    struct control_engine){ .arg = f, .deliver = deliver, .ask = ask, .ready = is_ready };
}

void
control_feed_start(
    struct control_feed *f, struct control *control, void (*on_serving)(void *arg), void *arg)
{
	OBJ_CHECK(f, CONTROL_FEED_MAGIC);
	f->control = control;
	f->on_serving = on_serving;
	f->on_serving_arg = arg;
	loop_timer_in(f->loop, &f->retry, 0);
	f->started = true;
	thread_start(&f->thread, "feed", run, f);
}

void
control_feed_leave(struct control_feed *f)
{
	OBJ_CHECK(f, CONTROL_FEED_MAGIC);
	pthread_mutex_lock(&f->lock);
	f->leaving = true;
	pthread_cond_broadcast(&f->changed);
	pthread_mutex_unlock(&f->lock);
}

void
control_feed_stop(struct control_feed *f)
{
	OBJ_CHECK(f, CONTROL_FEED_MAGIC);
	if (!f->started)
		return;
	loop_stop(f->loop);
	thread_join(f->thread);
	f->started = false;
	/* Who asks from now on is told at once that nobody answers. */
	pthread_mutex_lock(&f->lock);
	f->connected = false;
	pthread_cond_broadcast(&f->changed);
	pthread_mutex_unlock(&f->lock);
}

static void
end_of_posts(void *arg)
{
	loop_stop(arg);
}

/* What was posted too late goes to no link, but has to be freed. */
static void
drain(struct control_feed *f)
{
	loop_timer_cancel(f->loop, &f->retry);
	loop_post(f->loop, end_of_posts, f->loop);
	loop_run(f->loop);
}

void
control_feed_free(struct control_feed **fp)
{
	struct control_feed *f = *fp;
	if (f == NULL)
		return;
	OBJ_CHECK(f, CONTROL_FEED_MAGIC);
	control_feed_stop(f);
	link_free(&f->link);
	drain(f);
	loop_free(&f->loop);
	pthread_cond_destroy(&f->changed);
	pthread_mutex_destroy(&f->lock);
	free(f->path);
	f->magic = 0;
	free(f);
	*fp = NULL;
}
