/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "dns/name.h"
#include "store/sqlite/levels.h"
#include "store/sqlite/sql.h"
#include "store/sqlite/store_diff.h"

#define DIFF_MAX    (64u * 1024u)
#define PRUNE_LEAST 64 /* revisions at a time */
#define PRUNE_MOST  1024
#define FOLD_PAGES  8 /* looked at by one commit, whether they need folding */
#define FOLD_EVERY  16

/* One commit under way, with the zone that its newest RRset op was about. */
struct commit {
	struct store *s;
	struct diag *d;
	int64_t revision, seq;
	int64_t pruned; /* by this one, up to here; 0: nothing */
	struct buf diff;
	struct strmap cleared; /* zones that this set cleared: their RRsets need no change rows */
	const char *zone;
	int64_t zone_seq;
	bool zone_cleared;
	bool zone_paged; /* it has pages: what is deleted may be in them */
	bool zone_empty; /* just cleared, or filled by pages alone: a page may follow */
	uint8_t last_owner[NAME_MAX_LEN]; /* in the newest page of the set */
	uint16_t last_type;
};

static int
run(struct commit *c, sqlite3_stmt *st)
{
	return sql_run(st) == SQLITE_OK ? 0 : sql_fail(c->s->writer, "", c->d);
}

static int
log_change(struct commit *c, const char *op, const char *kind, const struct change_op *o)
{
	sqlite3_stmt *st = sql_use(c->s, SQL_CHANGE_ADD);

	sql_bind(st, "iittt", c->revision, c->seq++, op, kind, o->name);
	if (st != NULL && o->owner != NULL) {
		sqlite3_bind_blob64(st, 6, o->owner, name_len(o->owner), SQLITE_STATIC);
		sqlite3_bind_int64(st, 7, o->type);
	}
	return run(c, st);
}

/* -- objects -- */

/* The caller frees; NULL if there is none. */
static char *
current_spec(struct commit *c, const struct change_op *o)
{
	sqlite3_stmt *st = sql_use(c->s, SQL_OBJECT_GET);
	char *spec = NULL;

	sql_bind(st, "tt", kind_table[o->kind].name, o->name);
	if (st != NULL && sqlite3_step(st) == SQLITE_ROW)
		spec = xstrdup(sql_text(st, 0));
	sqlite3_reset(st);
	return spec;
}

static void
note_diff(struct commit *c, const struct change_op *o)
{
	if (c->diff.overflow)
		return;

	const bool asks = (o->op == CHANGE_PUT && o->is == NULL) || o->op == CHANGE_DELETE;
	char *old = asks ? current_spec(c, o) : NULL;

	store_diff_op(&c->diff, o, old);
	free(old);
}

static int
put_object(struct commit *c, const struct change_op *o)
{
	sqlite3_stmt *st = sql_use(c->s, SQL_OBJECT_PUT);
	const char *kind = kind_table[o->kind].name;

	CHECK(o->name != NULL && o->id != NULL && o->spec != NULL);
	sql_bind(st, "tttiiit", kind, o->name, o->id, c->revision, o->created_ms, o->updated_ms,
	    o->spec);
	return run(c, st) < 0 ? -EINVAL : log_change(c, "put", kind, o);
}

static int
delete_object(struct commit *c, const struct change_op *o)
{
	sqlite3_stmt *st = sql_use(c->s, SQL_OBJECT_DELETE);
	const char *kind = kind_table[o->kind].name;

	sql_bind(st, "tt", kind, o->name);
	if (run(c, st) < 0)
		return -EINVAL;
	if (sqlite3_changes(c->s->writer) == 0)
		return diag_add(c->d, DIAG_NOT_FOUND, "", "no %s named '%s' exists", kind, o->name);
	c->zone = NULL;
	return log_change(c, "delete", kind, o);
}

/* -- RRsets -- */

static int
look_for_pages(struct commit *c)
{
	sqlite3_stmt *st = sql_use(c->s, SQL_ZONE_PAGED);

	sql_bind(st, "i", c->zone_seq);

	const int rc = st == NULL ? SQLITE_ERROR : sqlite3_step(st);

	c->zone_paged = rc == SQLITE_ROW && sqlite3_column_int(st, 0) != 0;
	sqlite3_reset(st);
	return rc == SQLITE_ROW ? 0 : sql_fail(c->s->writer, "", c->d);
}

static int
find_zone(struct commit *c, const char *name)
{
	if (c->zone != NULL && strcmp(c->zone, name) == 0)
		return 0;

	sqlite3_stmt *st = sql_use(c->s, SQL_ZONE_SEQ);

	sql_bind(st, "t", name);
	const int rc = st == NULL ? SQLITE_ERROR : sqlite3_step(st);

	if (rc == SQLITE_ROW) {
		c->zone = name;
		c->zone_seq = sqlite3_column_int64(st, 0);
		c->zone_cleared = strmap_find(&c->cleared, name) != NULL;
		c->zone_empty = false;
	}
	sqlite3_reset(st);
	if (rc == SQLITE_ROW)
		return look_for_pages(c);
	if (rc == SQLITE_DONE)
		return diag_add(c->d, DIAG_NOT_FOUND, "", "no zone named '%s' exists", name);
	return sql_fail(c->s->writer, "", c->d);
}

static int
put_rrset(struct commit *c, const struct change_op *o)
{
	sqlite3_stmt *st = sql_use(c->s, SQL_RRSET_PUT);

	sql_bind(st, "ibiib", c->zone_seq, o->owner, name_len(o->owner), (int64_t)o->type,
	    (int64_t)o->ttl_s, o->rdata, (size_t)o->rdata_len);
	return run(c, st);
}

/* What a page has is gone when a row says so. */
static int
delete_rrset(struct commit *c, const struct change_op *o)
{
	const int in_page =
	    c->zone_paged ? levels_in_page(&c->s->write_levels, o->name, o->owner, o->type) : 0;
	sqlite3_stmt *st;

	if (in_page < 0)
		return sql_fail(c->s->writer, "", c->d);
	if (in_page > 0) {
		const struct change_op gone = {
			.owner = o->owner, .type = o->type, .rdata = (const uint8_t *)""
		};

		return put_rrset(c, &gone);
	}
	st = sql_use(c->s, SQL_RRSET_DELETE);
	sql_bind(st, "ibi", c->zone_seq, o->owner, name_len(o->owner), (int64_t)o->type);
	return run(c, st);
}

static int
clear_zone(struct commit *c, const struct change_op *o)
{
	static const enum sql_id levels[] = { SQL_ZONE_CLEAR, SQL_ZONE_CLEAR_PAGES };

	for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
		sqlite3_stmt *st = sql_use(c->s, levels[i]);

		sql_bind(st, "i", c->zone_seq);
		if (run(c, st) < 0)
			return -EINVAL;
	}
	strmap_put(&c->cleared, o->name, c);
	c->zone_cleared = c->zone_empty = true;
	c->zone_paged = false;
	return log_change(c, "clear", "zone", o);
}

/* -- pages -- */

/* Sets are in order, and an owner is on one page. */
static bool
follows(const struct commit *c, const struct rrpage_set *set, bool opens_page)
{
	if (opens_page && !c->zone_paged)
		return true;
	if (opens_page && name_equal(c->last_owner, set->owner))
		return false;
	return rrpage_order(c->last_owner, c->last_type, set->owner, set->type) < 0;
}

static int
check_page(struct commit *c, const struct change_op *o, struct levels_key *key)
{
	struct rrpage_reader r;
	struct rrpage_set set;
	uint8_t apex[NAME_MAX_LEN];
	size_t n = 0;

	if (!c->zone_empty || name_parse_lower(o->name, apex) < 0)
		return -EINVAL;
	rrpage_open(&r, apex, o->rdata, o->rdata_len);
	for (; rrpage_next(&r, &set); n++) {
		if (!follows(c, &set, n == 0))
			return -EINVAL;
		if (n == 0)
			*key = levels_key(set.owner, set.type);
		memcpy(c->last_owner, set.owner, name_len(set.owner));
		c->last_type = set.type;
	}
	return r.bad || n == 0 ? -EINVAL : 0;
}

static int
put_page(struct commit *c, const struct change_op *o)
{
	struct levels_key key;

	if (check_page(c, o, &key) < 0)
		return diag_add(
		    c->d, DIAG_INTERNAL, "", "a page of zone '%s' is out of order", o->name);
	c->zone_paged = true;
	if (levels_put_page(c->s->writer, c->zone_seq, &key, o->rdata, o->rdata_len) != SQLITE_OK)
		return sql_fail(c->s->writer, "", c->d);
	return 0;
}

static int
apply_to_zone(struct commit *c, const struct change_op *o)
{
	int rc;

	if (find_zone(c, o->name) < 0)
		return -EINVAL;
	if (o->op == CHANGE_ZONE_CLEAR)
		return clear_zone(c, o);
	if (o->op == CHANGE_ZONE_PAGE)
		return put_page(c, o);
	c->zone_empty = false;
	rc = o->op == CHANGE_RRSET_PUT ? put_rrset(c, o) : delete_rrset(c, o);
	return rc < 0 || c->zone_cleared ? rc : log_change(c, "rrset", "zone", o);
}

static int
apply(struct commit *c, const struct change_op *o)
{
	note_diff(c, o);
	if (o->op == CHANGE_PUT)
		return put_object(c, o);
	if (o->op == CHANGE_DELETE)
		return delete_object(c, o);
	return apply_to_zone(c, o);
}

/* -- what is too long ago -- */

/* Some at a time, so that no commit pays for years; and not with every commit. */
static int
prune(struct commit *c)
{
	static const enum sql_id steps[] = { SQL_CHANGE_PRUNE, SQL_AUDIT_PRUNE, SQL_PRUNED_SET };
	const int64_t keep = (int64_t)c->s->keep, pruned = (int64_t)c->s->pruned;
	int64_t to = c->revision - keep;

	if (to - pruned < PRUNE_LEAST)
		return 0;
	if (to > pruned + PRUNE_MOST)
		to = pruned + PRUNE_MOST;
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		sqlite3_stmt *st = sql_use(c->s, steps[i]);

		sql_bind(st, "i", to);
		if (run(c, st) < 0)
			return -EINVAL;
	}
	c->pruned = to;
	return 0;
}

/* -- the whole -- */

static int
add_audit(struct commit *c, struct change_set *set)
{
	sqlite3_stmt *st = sql_use(c->s, SQL_AUDIT_ADD);
	const char *diff = buf_str(&c->diff);

	if (c->diff.overflow)
		diff = arena_printf(
		    &set->arena, "%s\n... clipped; %zu operations in all\n", diff, set->count);
	sql_bind(st, "iittt", c->revision, clock_real_ms(), set->author == NULL ? "" : set->author,
	    set->summary == NULL ? "" : set->summary, diff);
	return run(c, st);
}

/* Counting a page's rows costs as much as the rest of a small change: one in FOLD_EVERY pays, drawn
 * by its revision, so that no rhythm of changes escapes. */
static bool
is_spared(const struct commit *c, const struct change_set *set)
{
	const uint64_t draw = (uint64_t)c->revision * 0x9e3779b97f4a7c15u >> 32;

	return set->count < FOLD_EVERY && draw % FOLD_EVERY != 0;
}

/* Of a large set only some: a page that was passed over has its turn with a later change. */
static int
fold_some(struct commit *c, const struct change_set *set)
{
	const size_t stride = set->count / FOLD_PAGES + 1;

	if (is_spared(c, set))
		return 0;
	for (size_t i = 0; i < set->count; i += stride) {
		const struct change_op *o = &set->ops[i];

		if ((o->op == CHANGE_RRSET_PUT || o->op == CHANGE_RRSET_DELETE) &&
		    levels_fold(&c->s->write_levels, o->name, o->owner) < 0)
			return sql_fail(c->s->writer, "", c->d);
	}
	return 0;
}

static int
apply_all(struct commit *c, struct change_set *set)
{
	for (size_t i = 0; i < set->count; i++) {
		if (apply(c, &set->ops[i]) < 0)
			return -EINVAL;
	}
	if (fold_some(c, set) < 0)
		return -EINVAL;
	if (add_audit(c, set) < 0 || prune(c) < 0)
		return -EINVAL;

	sqlite3_stmt *st = sql_use(c->s, SQL_REVISION_SET);

	sql_bind(st, "i", c->revision);
	return run(c, st) < 0 ? -EINVAL : run(c, sql_use(c->s, SQL_COMMIT));
}

static int
transact(struct commit *c, struct change_set *set)
{
	if (run(c, sql_use(c->s, SQL_BEGIN)) < 0)
		return -EINVAL;
	if (apply_all(c, set) == 0)
		return 0;
	if (sqlite3_get_autocommit(c->s->writer) == 0) /* some errors have rolled back already */
		sql_run(sql_use(c->s, SQL_ROLLBACK));
	return -EINVAL;
}

int
store_commit(struct store *s, struct change_set *set, struct diag *d)
{
	OBJ_CHECK(s, STORE_MAGIC);
	pthread_mutex_lock(&s->write_lock);

	struct commit c = { .s = s, .d = d, .revision = (int64_t)s->revision + 1 };

	buf_init(&c.diff, DIFF_MAX);
	strmap_init(&c.cleared);
	const int rc = transact(&c, set);

	if (rc == 0) {
		s->revision = (uint64_t)c.revision;
		if (c.pruned > 0)
			s->pruned = (uint64_t)c.pruned;
		set->revision = s->revision;
		for (size_t i = 0; i < set->count; i++)
			set->ops[i].revision = s->revision;
	}
	strmap_fini(&c.cleared);
	buf_fini(&c.diff);
	pthread_mutex_unlock(&s->write_lock);
	return rc;
}
