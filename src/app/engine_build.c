/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A change that replaces much of a zone, made ready beside the engine.
 *
 *   engine's thread   CHANGE ---.                                   ,--> apply: swap the zones in
 *   builder's thread            `-> read, build zones, journal -----'
 *
 * A million names take a third of a second, in which verdicts must not wait. The zones are built
 * where nobody sees them; the swap is the engine's. Later messages that change anything wait
 * for it: revisions are applied in their order. Questions do not.
 *
 * While it is under way the model's journal is the builder's.
 */
#include <stdlib.h>
#include <string.h>
#include <urcu/urcu-qsbr.h>

#include "app/engine_state.h"
#include "base/check.h"
#include "base/mem.h"
#include "base/thread.h"
#include "feed/codec.h"

/* Smaller ones take less than a thread's start is worth. */
#define LARGE (256u * 1024u)

struct engine_build {
	struct engine *engine;
	struct buf frame; /* as it came; the set's pages are in it */
	struct change_set set;
	struct engine_fresh fresh;
	bool readable;
	bool journalled; /* or the journal is behind already */
	int err;         /* of that */
	bool stop;
	pthread_t thread;
	struct list waiting; /* messages, as they came */
};

struct message {
	struct list item;
	enum message_type type;
	struct buf frame;
};

/* -- what waits -- */

void
engine_build_wait(struct engine *e, enum message_type type, const uint8_t *body, size_t len)
{
	struct message *m = xcalloc(1, sizeof(*m));

	m->type = type;
	if (len >= LARGE) {
		link_take(e->link, &m->frame);
	} else {
		buf_init(&m->frame, LINK_HEADER + len);
		buf_put(&m->frame, "\0\0\0\0\0", LINK_HEADER);
		buf_put(&m->frame, body, len);
	}
	list_append(&e->build->waiting, &m->item);
}

static void
free_message(struct message *m)
{
	list_remove(&m->item);
	buf_fini(&m->frame);
	free(m);
}

void
engine_build_forget(struct engine *e)
{
	if (e->build == NULL)
		return;
	LIST_EACH (it, tmp, &e->build->waiting)
		free_message(LIST_ENTRY(it, struct message, item));
}

/* One may become a build: then the rest waits for that. */
static void
take_waiting(struct engine *e, struct list *waiting)
{
	LIST_EACH (it, tmp, waiting) {
		struct message *m = LIST_ENTRY(it, struct message, item);

		if (e->build != NULL) {
			list_remove(it);
			list_append(&e->build->waiting, it);
			continue;
		}
		if (m->type == MESSAGE_CHANGE && engine_build_wants(e, m->frame.len))
			engine_build_start(e, &m->frame);
		else
			engine_feed_take(
			    e, m->type, m->frame.data + LINK_HEADER, m->frame.len - LINK_HEADER);
		free_message(m);
	}
}

/* -- the builder -- */

static void finish(void *arg);

static void *
build(void *arg)
{
	struct engine_build *b = arg;
	const uint8_t *body = b->frame.data + LINK_HEADER;
	const size_t len = b->frame.len - LINK_HEADER;

	urcu_qsbr_register_thread();
	b->readable = codec_take(body, len, &b->set) == 0;
	if (b->readable && engine_zones_build(&b->set, &b->fresh, &b->stop) < 0) {
		change_fini(&b->set);
		b->readable = false;
	}
	urcu_qsbr_unregister_thread();
	b->journalled &= b->readable && !__atomic_load_n(&b->stop, __ATOMIC_RELAXED);
	if (b->journalled)
		b->err = engine_memory_append_bytes(b->engine->model_log, body, len);
	loop_post(b->engine->loop, finish, b->engine);
	return NULL;
}

/* The set and the zones are gone or the caller's. */
static void
join(struct engine_build *b)
{
	urcu_qsbr_thread_offline();
	thread_join(b->thread);
	urcu_qsbr_thread_online();
	b->engine->build = NULL;
}

static void
free_build(struct engine_build *b)
{
	if (b->readable)
		change_fini(&b->set);
	engine_zones_forget(&b->fresh);
	buf_fini(&b->frame);
	free(b);
}

bool
engine_build_wants(const struct engine *e, size_t len)
{
	return len >= LARGE && e->reset == NULL;
}

void
engine_build_start(struct engine *e, struct buf *frame)
{
	struct engine_build *b = xcalloc(1, sizeof(*b));

	CHECK(e->build == NULL);
	b->engine = e;
	b->frame = *frame;
	b->journalled = !e->model_log_behind;
	buf_init(frame, frame->max);
	list_init(&b->waiting);
	e->build = b;
	thread_start(&b->thread, "build", build, b);
}

/*
 * What the change adds to the model, in bytes of the journal: a zone that is new, or has more names
 * than before, is not history.
 */
static size_t
growth(const struct engine *e, const struct engine_build *b)
{
	size_t names = 0, before = 0;

	for (size_t i = 0; i < b->fresh.count; i++) {
		const struct zone *old = zones_exact(e->zones, zone_apex(b->fresh.zones[i]));

		names += zone_names(b->fresh.zones[i]);
		before += old != NULL ? zone_names(old) : 0;
	}
	return names > before ? b->frame.len / names * (names - before) : 0;
}

static void
take(struct engine *e, struct engine_build *b)
{
	const size_t before = engine_memory_objects(e);

	e->model_log_base += growth(e, b);
	engine_apply(e, &b->set, &b->fresh);
	engine_memory_grown(e, &b->set, b->frame.len, before);
	e->revision = b->set.revision;
	if (b->journalled)
		engine_memory_appended(e, b->err);
	engine_feed_applied(e);
}

static void
finish(void *arg)
{
	struct engine *e = arg;
	struct engine_build *b = e->build;
	struct list waiting;

	if (b == NULL)
		return; /* stopped meanwhile */
	join(b);
	list_init(&waiting);
	list_move(&waiting, &b->waiting);
	if (b->readable)
		take(e, b);
	else
		log_error("engine", "control sent a change that cannot be read; it is refused");
	free_build(b);
	engine_rewrite_resume(e);
	take_waiting(e, &waiting);
}

void
engine_build_stop(struct engine *e)
{
	struct engine_build *b = e->build;

	if (b == NULL)
		return;
	__atomic_store_n(&b->stop, true, __ATOMIC_RELAXED);
	engine_build_forget(e);
	join(b);
	free_build(b);
}
