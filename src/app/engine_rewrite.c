/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The model's journal anew, as one whole without history.
 *
 * A million names take seconds, so the zones are written by a thread beside the engine, that reads
 * them inside RCU as a DNS worker does; only the objects, which are few, are written at once. The
 * thread may see a change or not: all changes since the beginning are in the old journal and
 * carried over, and what they put and delete is absolute, so replaying them once more is harmless.
 */
#include <stdlib.h>
#include <string.h>
#include <urcu/urcu-qsbr.h>

#include "app/engine_state.h"
#include "base/mem.h"
#include "base/thread.h"
#include "dns/name.h"
#include "zone/zone_page.h"

#define OPS_PER_RECORD   1000
#define PAGES_PER_RECORD 64

struct writer {
	struct journal *journal;
	struct change_set set;
	uint64_t revision;
	const struct zone *zone;
	const char *zone_name;
	struct rrpage_book book; /* of the zone; in no order */
	const bool *stop;        /* or NULL */
};

static void
writer_init(struct writer *w, struct journal *j, uint64_t revision)
{
	*w = (struct writer){ .journal = j, .revision = revision };
	change_init(&w->set);
	rrpage_init(&w->book);
	w->set.revision = revision;
}

static void
flush_set(struct writer *w)
{
	if (w->set.count > 0)
		(void)engine_memory_append(w->journal, &w->set); /* the journal keeps the error */
	change_fini(&w->set);
	change_init(&w->set);
	w->set.revision = w->revision;
}

static void
write_op(struct writer *w, const struct change_op *op)
{
	change_add(&w->set, op);
	if (w->set.count >= OPS_PER_RECORD)
		flush_set(w);
}

static void
write_object(struct writer *w, const struct model_object *o)
{
	char *text = kind_spec_text(o->kind, o->spec);
	const struct change_op op = {
		.op = CHANGE_PUT,
		.kind = o->kind,
		.name = o->name,
		.id = o->id,
		.spec = text,
		.revision = o->revision,
		.created_ms = o->created_ms,
		.updated_ms = o->updated_ms,
	};
	write_op(w, &op);
	free(text);
}

/* The pages so far. */
static void
flush_pages(struct writer *w)
{
	for (size_t i = 0; i < w->book.count; i++) {
		const struct rrpage page = rrpage_at(&w->book, i);
		const struct change_op op = {
			.op = CHANGE_ZONE_PAGE,
			.name = w->zone_name,
			.rdata = page.data,
			.rdata_len = (uint32_t)page.len,
		};
		write_op(w, &op);
	}
	flush_set(w);
	rrpage_fini(&w->book);
}

static void
write_node(const struct zone_node *n, void *arg)
{
	struct writer *w = arg;
	if (w->stop != NULL && __atomic_load_n(w->stop, __ATOMIC_RELAXED))
		return;
	zone_page_add(&w->book, w->zone, n);
	if (w->book.count > PAGES_PER_RECORD)
		flush_pages(w);
}

static void
write_objects(struct writer *w, const struct model *m)
{
	for (enum kind k = 0; k < KIND_COUNT; k++)
		STRMAP_EACH (&m->objects[k], entry)
			write_object(w, entry->value);
}

static void
write_zone(struct writer *w, const struct zones *zones, const char *name)
{
	uint8_t apex[NAME_MAX_LEN];
	const struct zone *z = name_parse_lower(name, apex) > 0 ? zones_exact(zones, apex) : NULL;
	w->zone = z;
	w->zone_name = name;
	if (z == NULL)
		return;
	zone_walk(z, write_node, w);
	flush_pages(w);
}

/* The end of what replays to a whole model. */
static void
write_end(struct writer *w, const char *lineage)
{
	flush_set(w);
	change_fini(&w->set);
	(void)journal_append(w->journal, RECORD_LINEAGE, lineage, strlen(lineage));
}

static void
write_model(struct journal *j, void *arg)
{
	struct engine *e = arg;
	const struct model *m = tree_model(e->tree);
	struct writer w;
	writer_init(&w, j, e->revision);
	write_objects(&w, m);
	STRMAP_EACH (&m->objects[KIND_ZONE], entry)
		write_zone(&w, e->zones, entry->key);
	write_end(&w, e->lineage);
}

/* -- at once, or beside -- */

int
engine_rewrite_whole(struct engine *e)
{
	engine_rewrite_stop(e);
	const int err = journal_rewrite(e->model_log, write_model, e);
	engine_memory_written(e, journal_size(e->model_log));
	return err;
}

struct engine_rewrite {
	struct engine *engine;
	struct writer writer;
	struct strmap zones; /* names; no values */
	char lineage[sizeof(((struct engine *)0)->lineage)];
	pthread_t thread;
	bool stop;
	bool done; /* but the journal was not ours then */
};

static void
end_rewrite(struct engine_rewrite *r)
{
	struct engine *e = r->engine;
	urcu_qsbr_thread_offline();
	thread_join(r->thread);
	urcu_qsbr_thread_online();
	strmap_fini(&r->zones);
	free(r);
	e->rewrite = NULL;
}

static void
finish_rewrite(void *arg)
{
	struct engine *e = arg;
	if (e->rewrite == NULL)
		return; /* stopped meanwhile */
	e->rewrite->done = true;
	if (e->build != NULL)
		return; /* it writes to the journal; it resumes us */
	struct journal *fresh = e->rewrite->writer.journal;
	const size_t base = journal_size(fresh);
	end_rewrite(e->rewrite);
	const int err = journal_rewrite_end(e->model_log, &fresh);
	if (err != 0)
		log_error("engine", "the model journal was not rewritten: %s", strerror(-err));
	engine_memory_written(e, err == 0 ? base : journal_size(e->model_log));
}

void
engine_rewrite_resume(struct engine *e)
{
	if (e->rewrite != NULL && e->rewrite->done)
		finish_rewrite(e);
}

static void *
rewrite(void *arg)
{
	struct engine_rewrite *r = arg;
	urcu_qsbr_register_thread();
	STRMAP_EACH (&r->zones, entry) {
		write_zone(&r->writer, r->engine->zones, entry->key);
		urcu_qsbr_quiescent_state();
	}
	urcu_qsbr_unregister_thread();
	write_end(&r->writer, r->lineage);
	journal_rewrite_sync(r->writer.journal);
	loop_post(r->engine->loop, finish_rewrite, r->engine);
	return NULL;
}

void
engine_rewrite_start(struct engine *e)
{
	const struct model *m = tree_model(e->tree);
	struct engine_rewrite *r = xcalloc(1, sizeof(*r));
	r->engine = e;
	strmap_init(&r->zones);
	memcpy(r->lineage, e->lineage, sizeof(r->lineage));
	writer_init(&r->writer, journal_rewrite_begin(e->model_log), e->revision);
	r->writer.stop = &r->stop;
	write_objects(&r->writer, m);
	STRMAP_EACH (&m->objects[KIND_ZONE], entry)
		strmap_put(&r->zones, entry->key, NULL);
	e->rewrite = r;
	thread_start(&r->thread, "journal", rewrite, r);
}

void
engine_rewrite_stop(struct engine *e)
{
	if (e->rewrite == NULL)
		return;
	struct journal *fresh = e->rewrite->writer.journal;
	__atomic_store_n(&e->rewrite->stop, true, __ATOMIC_RELAXED);
	end_rewrite(e->rewrite);
	journal_rewrite_cancel(&fresh);
}
