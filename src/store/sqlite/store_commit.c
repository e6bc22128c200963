/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "dns/name.h"
#include "store/sqlite/sql.h"
#include "store/sqlite/store_diff.h"

#define DIFF_MAX (64u * 1024u)

/* One commit under way, with the zone that its newest RRset op was about. */
struct commit {
	struct store *s;
	struct diag *d;
	int64_t revision, seq;
	struct buf diff;
	struct strmap cleared; /* zones that this set cleared: their RRsets need no change rows */
	const char *zone;
	int64_t zone_seq;
	bool zone_cleared;
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

	char *old = o->op == CHANGE_PUT || o->op == CHANGE_DELETE ? current_spec(c, o) : NULL;

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
	}
	sqlite3_reset(st);
	if (rc == SQLITE_ROW)
		return 0;
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

static int
delete_rrset(struct commit *c, const struct change_op *o)
{
	sqlite3_stmt *st = sql_use(c->s, SQL_RRSET_DELETE);

	sql_bind(st, "ibi", c->zone_seq, o->owner, name_len(o->owner), (int64_t)o->type);
	return run(c, st);
}

static int
clear_zone(struct commit *c, const struct change_op *o)
{
	sqlite3_stmt *st = sql_use(c->s, SQL_ZONE_CLEAR);

	sql_bind(st, "i", c->zone_seq);
	if (run(c, st) < 0)
		return -EINVAL;
	strmap_put(&c->cleared, o->name, c);
	c->zone_cleared = true;
	return log_change(c, "clear", "zone", o);
}

static int
apply_to_zone(struct commit *c, const struct change_op *o)
{
	int rc;

	if (find_zone(c, o->name) < 0)
		return -EINVAL;
	if (o->op == CHANGE_ZONE_CLEAR)
		return clear_zone(c, o);
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

static int
apply_all(struct commit *c, struct change_set *set)
{
	for (size_t i = 0; i < set->count; i++) {
		if (apply(c, &set->ops[i]) < 0)
			return -EINVAL;
	}
	if (add_audit(c, set) < 0)
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
		set->revision = s->revision;
		for (size_t i = 0; i < set->count; i++)
			set->ops[i].revision = s->revision;
	}
	strmap_fini(&c.cleared);
	buf_fini(&c.diff);
	pthread_mutex_unlock(&s->write_lock);
	return rc;
}
