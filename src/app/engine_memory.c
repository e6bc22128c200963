/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the engine knows without control, in two journals:
 *
 *   engine.model     change sets as they were applied; rewritten as one whole when half of it is
 * history engine.verdicts  verdict edges and sequence pointers; its time says how fresh they are
 */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>

#include "app/engine_votes.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "feed/codec.h"

#define VERDICTS_FRESH_MS (10 * 60 * 1000)
#define TOUCH_MS          5000
#define REWRITE_SLACK     (1u << 20)

/* ---- the model ---- */

/*
 * Records are applied to the zones as they come. Objects are collected and only their last state
 * goes to the tree, once: what happened on the way there (a pool that was no sequence yet, say)
 * must not touch what was remembered.
 */
struct replay {
	struct engine *engine;
	struct change_set *sets; /* as they were read, in order, their pages gone */
	size_t n, cap;
	bool gathering; /* the last one is of many small ones */
};

/* Fewer operations than this are not worth a set's own memory. */
#define SMALL 64

/* Takes the set. */
static void
keep_objects(struct replay *r, struct change_set *c)
{
	const bool small = c->count < SMALL;
	if (!small || !r->gathering) {
		MEM_GROW(&r->sets, &r->cap, r->n + 1);
		if (small)
			change_init(&r->sets[r->n++]);
		else
			r->sets[r->n++] = *c;
	}
	r->gathering = small;
	if (!small)
		return;
	for (size_t i = 0; i < c->count; i++)
		if (c->ops[i].op == CHANGE_PUT || c->ops[i].op == CHANGE_DELETE)
			change_add(&r->sets[r->n - 1], &c->ops[i]);
	change_fini(c);
}

static void
replay_model(void *arg, uint8_t type, const uint8_t *data, size_t len)
{
	struct replay *r = arg;
	struct engine *e = r->engine;
	struct change_set c;
	if (type == RECORD_LINEAGE) {
		snprintf(e->lineage, sizeof(e->lineage), "%.*s", (int)len, (const char *)data);
		e->synced = true;
	} else if (type == RECORD_CHANGE && codec_take(data, len, &c) == 0) {
		engine_zones_before(e, &c, NULL);
		engine_zones_after(e, &c);
		e->revision = c.revision;
		keep_objects(r, &c);
	}
}

/* Nothing in the journal after `op` puts or deletes its object; it is noted. */
static bool
is_last(struct strmap *seen, const struct change_op *op)
{
	if (op->op != CHANGE_PUT && op->op != CHANGE_DELETE)
		return false;
	return strmap_put(&seen[op->kind], op->name, seen) == NULL && op->op == CHANGE_PUT;
}

/* The last puts, kind by kind, each kind in the order of the journal. Borrows from the sets. */
static void
collect(const struct replay *r, struct change_set *last)
{
	struct strmap seen[KIND_COUNT];
	const struct change_op **ops = NULL;
	size_t n = 0, cap = 0;
	for (enum kind k = 0; k < KIND_COUNT; k++)
		strmap_init(&seen[k]);
	for (size_t s = r->n; s-- > 0;)
		for (size_t i = r->sets[s].count; i-- > 0;)
			if (is_last(seen, &r->sets[s].ops[i])) {
				MEM_GROW(&ops, &cap, n + 1);
				ops[n++] = &r->sets[s].ops[i];
			}
	MEM_GROW(&last->ops, &last->cap, n);
	for (enum kind k = 0; k < KIND_COUNT; k++) {
		for (size_t i = n; i-- > 0;)
			if (ops[i]->kind == k)
				last->ops[last->count++] = *ops[i];
		strmap_fini(&seen[k]);
	}
	free(ops);
}

static void
finish_replay(struct replay *r)
{
	struct change_set last;
	change_init(&last);
	last.revision = r->engine->revision;
	collect(r, &last);
	engine_votes_change(r->engine, &last);
	tree_apply(r->engine->tree, &last, clock_real_ms());
	engine_votes_settle(r->engine);
	change_fini(&last);
	while (r->n > 0)
		change_fini(&r->sets[--r->n]);
	free(r->sets);
	malloc_trim(0); /* or what was read would stay with us */
}

int
engine_memory_append_bytes(struct journal *j, const uint8_t *body, size_t len)
{
	return journal_append(j, RECORD_CHANGE, body, len);
}

int
engine_memory_append(struct journal *j, const struct change_set *c)
{
	struct buf b;
	buf_init(&b, MESSAGE_MAX);
	codec_put(&b, c);
	const int err = b.overflow ? -EFBIG : engine_memory_append_bytes(j, b.data, b.len);
	buf_fini(&b);
	return err;
}

/*
 * A change that is not in the journal: those after it must not be either, or a restart would take
 * the last one's revision for all of them. As it is it stays the model of an earlier revision, from
 * which control can lead on.
 */
static void
fall_behind(struct engine *e, int err)
{
	char *text = xasprintf("the engine's journal cannot be written (%s): answers go on, but a "
			       "restart would have to wait for control",
	    strerror(-err));
	e->model_log_behind = true;
	engine_rewrite_stop(e);
	log_error("engine", "%s", text);
	engine_feed_notice(e, "engine.journal_failed", "critical", text);
	free(text);
}

static void
catch_up(struct engine *e)
{
	/* While a large change is made ready, the journal would become whole without it. */
	if (!e->model_log_behind || e->build != NULL || engine_rewrite_whole(e) != 0)
		return;
	e->model_log_behind = false;
	log_info("engine", "the engine's journal is whole again");
	engine_feed_notice(
	    e, "engine.journal_recovered", "info", "the engine's journal is whole again");
}

void
engine_memory_replaced(struct engine *e)
{
	const int err = engine_rewrite_whole(e);
	if (err != 0 && !e->model_log_behind)
		fall_behind(e, err);
}

/* Amortised O(change): a rewrite costs the live model and comes after as much history. */
void
engine_memory_appended(struct engine *e, int err)
{
	if (err != 0)
		fall_behind(e, err);
	else if (e->rewrite == NULL &&
		 journal_size(e->model_log) > 2 * e->model_log_base + REWRITE_SLACK)
		engine_rewrite_start(e);
}

size_t
engine_memory_objects(const struct engine *e)
{
	size_t n = 0;
	for (enum kind k = 0; k < KIND_COUNT; k++)
		n += tree_model(e->tree)->objects[k].count;
	return n;
}

/*
 * New objects are no history: their part of the set's bytes, as if all operations were of one
 * length. Those that go take no more away than came since the journal was written, so that coming
 * and going is history.
 */
void
engine_memory_grown(struct engine *e, const struct change_set *c, size_t len, size_t before)
{
	const size_t now = engine_memory_objects(e);
	size_t bytes;
	if (now > before) {
		bytes = len / (c->count > 0 ? c->count : 1) * (now - before);
		e->model_log_base += bytes;
		e->grown_bytes += bytes;
		e->grown_objects += now - before;
	} else if (now < before && e->grown_objects > 0) {
		const size_t n = MIN(before - now, e->grown_objects);
		bytes = e->grown_bytes / e->grown_objects * n;
		e->model_log_base -= bytes;
		e->grown_bytes -= bytes;
		e->grown_objects -= n;
	}
}

void
engine_memory_written(struct engine *e, size_t base)
{
	e->model_log_base = base;
	e->grown_bytes = e->grown_objects = 0;
}

void
engine_memory_change(struct engine *e, const uint8_t *body, size_t len)
{
	if (!e->model_log_behind)
		engine_memory_appended(e, engine_memory_append_bytes(e->model_log, body, len));
}

/* ---- verdicts and pointers ---- */

static void
replay_verdict(void *arg, uint8_t type, const uint8_t *data, size_t len)
{
	struct engine *e = arg;
	if (len < 2 || data[len - 1] != '\0')
		return;
	if (type == RECORD_VERDICT) {
		strmap_put(&e->recalled, (const char *)data + 1, (void *)(uintptr_t)(data[0] & 3u));
	} else if (type == RECORD_VOTE) {
		const char *key = (const char *)data + 1;
		if (data[0] == FLAP_UNKNOWN)
			strmap_remove(&e->recalled_votes, key);
		else
			strmap_put(&e->recalled_votes, key, (void *)(uintptr_t)(data[0] | 4u));
	} else if (type == RECORD_POINTER) {
		const char *key = (const char *)data;
		const size_t key_len = strlen(key) + 1;
		const char *value = key_len < len ? key + key_len : NULL;
		free(strmap_remove(&e->remembered, key));
		if (value != NULL)
			strmap_put(&e->remembered, key, xstrdup(value));
	}
}

static int
append_verdict(struct journal *j, uint8_t type, const char *key, enum flap_verdict v)
{
	struct buf b;
	buf_init(&b, 4096);
	buf_put_u8(&b, (uint8_t)v);
	buf_put(&b, key, strlen(key) + 1);
	const int err = journal_append(j, type, b.data, b.len);
	buf_fini(&b);
	return err;
}

static int
append_pointer(struct journal *j, const char *key, const char *value)
{
	struct buf b;
	buf_init(&b, 4096);
	buf_put(&b, key, strlen(key) + 1);
	if (value != NULL)
		buf_put(&b, value, strlen(value) + 1);
	const int err = journal_append(j, RECORD_POINTER, b.data, b.len);
	buf_fini(&b);
	return err;
}

struct writing {
	struct journal *journal;
	const struct engine_check *check;
};

static void
write_vote(void *arg, void *owner, enum flap_verdict v, bool fresh)
{
	const struct writing *w = arg;
	const struct voter *who = owner;

	/* One that is not fresh would be taken for fresh after a restart. */
	if (who->ours ? !w->check->own_noted : !fresh)
		return;
	char *both = engine_votes_key(w->check->key, who->name);
	(void)append_verdict(w->journal, RECORD_VOTE, both, v);
	free(both);
}

static void
write_votes(struct journal *j, const struct engine_check *c)
{
	struct writing w = { j, c };

	if (c->seat != NULL)
		panel_each(c->seat->panel, write_vote, &w);
}

static void
write_verdicts(struct journal *j, void *arg)
{
	struct engine *e = arg;
	STRMAP_EACH (&e->remembered, r)
		(void)append_pointer(j, r->key, r->value); /* the journal keeps the error */
	STRMAP_EACH (&e->checks, entry) {
		const struct engine_check *c = entry->value;
		if (c->verdict != FLAP_UNKNOWN)
			(void)append_verdict(
			    j, RECORD_VERDICT, entry->key, (enum flap_verdict)c->verdict);
		write_votes(j, c);
	}
}

static void
rewrite_verdicts(struct engine *e)
{
	const int err = journal_rewrite(e->verdict_log, write_verdicts, e);
	if (err == 0 && e->verdict_log_behind)
		log_info("engine", "verdicts are written again");
	if (err != 0 && !e->verdict_log_behind)
		log_error("engine", "verdicts cannot be written: %s", strerror(-err));
	e->verdict_log_behind = err != 0;
	e->verdict_log_base = journal_size(e->verdict_log);
}

/* `err`: of the latest record. What is missing is made good by a rewrite, tried with each touch. */
static void
bound_verdicts(struct engine *e, int err)
{
	if (err != 0 && !e->verdict_log_behind) {
		log_error("engine", "verdicts cannot be written: %s", strerror(-err));
		e->verdict_log_behind = true;
	}
	if (!e->verdict_log_behind &&
	    journal_size(e->verdict_log) > 2 * e->verdict_log_base + REWRITE_SLACK)
		rewrite_verdicts(e);
}

void
engine_memory_verdict(struct engine *e, const char *key, enum flap_verdict v)
{
	/* While the journals are replayed the file is not ours to write yet; then all are written.
	 */
	if (e->verdict_log != NULL)
		bound_verdicts(e, append_verdict(e->verdict_log, RECORD_VERDICT, key, v));
}

void
engine_memory_vote(struct engine *e, const char *key, const char *node, enum flap_verdict v)
{
	if (e->verdict_log == NULL)
		return;
	char *both = engine_votes_key(key, node);
	bound_verdicts(e, append_verdict(e->verdict_log, RECORD_VOTE, both, v));
	free(both);
}

void
engine_memory_remember(struct engine *e, const char *key, const char *value)
{
	const char *known = strmap_find(&e->remembered, key);
	if (known == value || (known != NULL && value != NULL && strcmp(known, value) == 0))
		return;
	free(strmap_remove(&e->remembered, key));
	if (value != NULL)
		strmap_put(&e->remembered, key, xstrdup(value));
	/* While the journals are replayed the file is not ours to write yet. */
	if (e->verdict_log == NULL)
		return;
	bound_verdicts(e, append_pointer(e->verdict_log, key, value));
}

static void
touch(struct wheel_timer *t)
{
	struct engine *e = container_of(t, struct engine, touch);
	catch_up(e);
	if (e->verdict_log_behind)
		rewrite_verdicts(e);
	if (!e->verdict_log_behind)
		journal_touch(e->verdict_log);
	loop_timer_in(e->loop, &e->touch, TOUCH_MS);
}

/* ---- opening ---- */

static struct journal *
open_in_dir(struct engine *e, const char *name, journal_record_f *replay, void *arg, struct diag *d)
{
	char *path = xasprintf("%s/%s", e->config->data_dir, name);
	struct journal *j = journal_open(path, replay, arg, d);
	free(path);
	return j;
}

int
engine_memory_open(struct engine *e, struct diag *d)
{
	struct journal *verdicts = open_in_dir(e, "engine.verdicts", replay_verdict, e, d);
	if (verdicts == NULL)
		return -EIO;
	if (clock_real_ms() - journal_touched_ms(verdicts) > VERDICTS_FRESH_MS) {
		strmap_fini(&e->recalled);
		strmap_init(&e->recalled);
		strmap_fini(&e->recalled_votes);
		strmap_init(&e->recalled_votes);
	}
	STRMAP_EACH (&e->remembered, r)
		if (strncmp(r->key, ENGINE_REFRESHED, strlen(ENGINE_REFRESHED)) != 0)
			tree_recall(e->tree, r->key, r->value);

	struct replay r = { .engine = e };
	e->replaying = true;
	e->model_log = open_in_dir(e, "engine.model", replay_model, &r, d);
	finish_replay(&r);
	engine_transfer_recall(e);
	e->replaying = false;
	/* A check that comes later has not been looked at meanwhile. */
	strmap_fini(&e->recalled_votes);
	strmap_init(&e->recalled_votes);
	e->verdict_log = verdicts;
	if (e->model_log == NULL)
		return -EIO;
	engine_memory_written(e, journal_size(e->model_log));
	engine_history_open(e);
	rewrite_verdicts(e);
	wheel_timer_init(&e->touch, touch);
	loop_timer_in(e->loop, &e->touch, TOUCH_MS);
	return 0;
}

void
engine_memory_close(struct engine *e)
{
	journal_close(&e->model_log);
	journal_close(&e->verdict_log);
	engine_history_close(e);
}
