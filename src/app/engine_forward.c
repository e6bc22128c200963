/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * DNS messages that workers hand over: signed queries are answered here; UPDATE and NOTIFY go up
 * the feed, control's responses come back.
 *
 * Bounded twice: what workers have handed over and the engine's thread has not yet seen, and what
 * control owes an answer. Whatever gets no answer in time is told SERVFAIL, so that clients go to
 * another server at once instead of waiting.
 */
#include <pthread.h>
#include <stdlib.h>

#include "app/engine_state.h"
#include "base/buf.h"
#include "base/check.h"
#include "base/log.h"
#include "base/mem.h"
#include "dns/query.h"
#include "feed/forward.h"
#include "model/model_keys.h"
#include "serve/respond.h"

#define ARRIVED_MAX 256
#define AWAY_MAX    256 /* a power of two: the low bits of an id are the slot */
#define AWAY_MS     5000
#define ANSWER_ROOM 1232

struct away {
	struct list item; /* by age */
	struct handover *message;
	uint32_t id;
	uint64_t due_ms;
};

struct engine_forward {
	struct engine *engine;
	pthread_mutex_t lock; /* over `arrived`: workers put, the engine's thread takes */
	struct list arrived;  /* handover.item */
	unsigned n_arrived;

	struct away slots[AWAY_MAX];
	struct list by_age, idle; /* away.item */
	struct wheel_timer timeout;
};

static void
refuse(struct engine *e, struct handover *h, uint16_t rcode)
{
	uint8_t out[ANSWER_ROOM];
	const size_t len = respond_error(h->message, h->len, rcode, out, sizeof(out));

	server_reply(e->server, h, out, len);
}

/* Free the slot; what was in it is the caller's. */
static struct handover *
release(struct engine_forward *f, struct away *a)
{
	struct handover *h = a->message;

	a->message = NULL;
	list_remove(&a->item);
	list_append(&f->idle, &a->item);
	return h;
}

static struct away *
first(struct list *l)
{
	return list_empty(l) ? NULL : LIST_ENTRY(l->next, struct away, item);
}

static void
expire(struct wheel_timer *t)
{
	struct engine_forward *f = container_of(t, struct engine_forward, timeout);
	struct engine *e = f->engine;
	struct away *a;

	while ((a = first(&f->by_age)) != NULL && a->due_ms <= loop_now_ms(e->loop)) {
		log_warn(
		    "engine", "control did not answer a forwarded message within %d ms", AWAY_MS);
		refuse(e, release(f, a), RCODE_SERVFAIL);
	}
	if (a != NULL)
		loop_timer_at(e->loop, &f->timeout, a->due_ms);
}

static void
send_up(struct engine *e, uint32_t id, const struct handover *h)
{
	const struct forward up = {
		.id = id, .tcp = h->tcp, .peer = h->peer, .message = h->message, .len = h->len
	};
	struct buf body;

	buf_init(&body, MESSAGE_MAX);
	forward_put(&body, &up);
	link_send(e->link, MESSAGE_FORWARD, body.data, body.len);
	buf_fini(&body);
}

/* Verified here: the engine has the keys, and answers with control away, too. */
static void
answer_signed(struct engine *e, struct handover *h)
{
	struct tsig_record sig;
	struct tsig_key key;

	if (tsig_find(h->message, h->len, &sig) != 1) {
		refuse(e, h, RCODE_FORMERR);
		return;
	}

	const bool found = model_keys_find(tree_model(e->tree), sig.key, &key) == 0;

	server_answer_signed(e->server, h, &sig, found ? &key : NULL);
}

static bool
is_query(const struct handover *h)
{
	return (h->message[2] >> 3 & 15) == OPCODE_QUERY;
}

static void
forward(struct engine *e, struct handover *h)
{
	struct engine_forward *f = e->forward;
	struct away *a = first(&f->idle);

	if (e->link == NULL || a == NULL) {
		refuse(e, h, RCODE_SERVFAIL);
		return;
	}
	a->message = h;
	a->id += AWAY_MAX;
	a->due_ms = loop_now_ms(e->loop) + AWAY_MS;
	if (list_empty(&f->by_age))
		loop_timer_at(e->loop, &f->timeout, a->due_ms);
	list_remove(&a->item);
	list_append(&f->by_age, &a->item);
	send_up(e, a->id, h);
}

static void
take_arrived(void *arg)
{
	struct engine *e = arg;
	struct engine_forward *f = e->forward;
	struct list arrived;

	OBJ_CHECK(e, ENGINE_MAGIC);
	pthread_mutex_lock(&f->lock);
	list_move(&arrived, &f->arrived);
	f->n_arrived = 0;
	pthread_mutex_unlock(&f->lock);
	LIST_EACH (it, tmp, &arrived) {
		struct handover *h = LIST_ENTRY(it, struct handover, item);

		list_remove(it);
		(is_query(h) ? answer_signed : forward)(e, h);
	}
}

/* In a worker's thread. */
static bool
arrive(void *arg, struct handover *h)
{
	struct engine_forward *f = arg;

	pthread_mutex_lock(&f->lock);
	const bool room = f->n_arrived < ARRIVED_MAX;
	const bool wake = f->n_arrived == 0;

	if (room) {
		list_append(&f->arrived, &h->item);
		f->n_arrived++;
	}
	pthread_mutex_unlock(&f->lock);
	if (wake)
		loop_post(f->engine->loop, take_arrived, f->engine);
	return room;
}

void
engine_forward_answer(struct engine *e, const uint8_t *body, size_t len)
{
	struct engine_forward *f = e->forward;
	struct buf_reader r = { .data = body, .len = len };
	const uint32_t id = buf_read_u32(&r);
	struct away *a = &f->slots[id % AWAY_MAX];

	if (r.bad || a->message == NULL || a->id != id)
		return; /* too late */
	server_reply(e->server, release(f, a), body + r.pos, len - r.pos);
}

void
engine_forward_lost(struct engine *e)
{
	struct away *a;

	while ((a = first(&e->forward->by_age)) != NULL)
		refuse(e, release(e->forward, a), RCODE_SERVFAIL);
}

struct handover_hook
engine_forward_open(struct engine *e)
{
	struct engine_forward *f = xcalloc(1, sizeof(*f));

	f->engine = e;
	pthread_mutex_init(&f->lock, NULL);
	list_init(&f->arrived);
	list_init(&f->by_age);
	list_init(&f->idle);
	for (uint32_t i = 0; i < AWAY_MAX; i++) {
		f->slots[i].id = i;
		list_init(&f->slots[i].item);
		list_append(&f->idle, &f->slots[i].item);
	}
	wheel_timer_init(&f->timeout, expire);
	e->forward = f;
	return (struct handover_hook){ f, arrive };
}

void
engine_forward_close(struct engine *e)
{
	struct engine_forward *f = e->forward;

	loop_timer_cancel(e->loop, &f->timeout);
	LIST_EACH (it, tmp, &f->arrived)
		handover_free(&(struct handover *){ LIST_ENTRY(it, struct handover, item) });
	for (size_t i = 0; i < AWAY_MAX; i++)
		handover_free(&f->slots[i].message);
	pthread_mutex_destroy(&f->lock);
	free(f);
	e->forward = NULL;
}
