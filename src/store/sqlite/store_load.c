/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reading state back as ops: all of it, or what changed. Each walk is one statement, turned into
 * ops by a function that reads its row.
 */
#include <errno.h>

#include "base/check.h"
#include "base/log.h"
#include "dns/name.h"
#include "store/sqlite/levels.h"
#include "store/sqlite/sql.h"

/* Fill the op from the statement's current row; its `op` and, where fixed, kind are set already. */
typedef void row_f(sqlite3_stmt *st, struct change_op *op);

/* Hand out every row of the statement as an op made from `form`; ends it. */
static int
walk(struct store *s, sqlite3_stmt *st, const struct change_op *form, row_f *row, store_op_f *f,
    void *arg)
{
	int rc = SQLITE_DONE;

	while (st != NULL && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		struct change_op op = *form;

		row(st, &op);
		const int stop = f(&op, arg);

		if (stop != 0) {
			sql_put(s, st);
			return stop;
		}
	}
	return sql_end(s, st, rc);
}

static void
object_row(sqlite3_stmt *st, struct change_op *op)
{
	op->name = sql_text(st, 0);
	op->id = sql_text(st, 1);
	op->revision = (uint64_t)sqlite3_column_int64(st, 2);
	op->created_ms = sqlite3_column_int64(st, 3);
	op->updated_ms = sqlite3_column_int64(st, 4);
	op->spec = sql_text(st, 5);
}

static void
name_row(sqlite3_stmt *st, struct change_op *op)
{
	op->name = sql_text(st, 0);
}

/* zone, page */
static void
page_row(sqlite3_stmt *st, struct change_op *op)
{
	op->name = sql_text(st, 0);
	op->rdata = sqlite3_column_blob(st, 1);
	op->rdata_len = (uint32_t)sqlite3_column_bytes(st, 1);
}

/* zone, owner, type, ttl_s, rdata; without rdata the RRset is gone. */
static void
rrset_row(sqlite3_stmt *st, struct change_op *op)
{
	op->name = sql_text(st, 0);
	op->owner = sqlite3_column_blob(st, 1);
	op->type = (uint16_t)sqlite3_column_int(st, 2);
	op->ttl_s = (uint32_t)sqlite3_column_int64(st, 3);
	op->rdata = sqlite3_column_blob(st, 4);
	op->rdata_len = (uint32_t)sqlite3_column_bytes(st, 4);
	if (op->rdata_len == 0)
		op->op = CHANGE_RRSET_DELETE;
}

/* Those of a kind changed after `since`; 0 is all. */
static int
walk_objects(struct store *s, enum kind kind, uint64_t since, store_op_f *f, void *arg)
{
	const struct change_op form = { .op = CHANGE_PUT, .kind = kind };
	sqlite3_stmt *st =
	    sql_query(s, "SELECT name, id, revision, created_ms, updated_ms, spec"
			 " FROM object WHERE kind = ? AND revision > ? ORDER BY seq");

	sql_bind(st, "ti", kind_table[kind].name, (int64_t)since);
	return walk(s, st, &form, object_row, f, arg);
}

static int
walk_all_objects(struct store *s, uint64_t since, store_op_f *f, void *arg)
{
	int rc = 0;

	for (int k = 0; rc == 0 && k < KIND_COUNT; k++)
		rc = walk_objects(s, (enum kind)k, since, f, arg);
	return rc;
}

static const struct change_op rrset_form = { .op = CHANGE_RRSET_PUT, .kind = KIND_ZONE };
static const struct change_op page_form = { .op = CHANGE_ZONE_PAGE, .kind = KIND_ZONE };

/* The two levels of zones, as they are: pages, then rows. Of one zone, or of all, zone by zone. */
static int
walk_levels(struct store *s, const char *zone, store_op_f *f, void *arg)
{
	sqlite3_stmt *st = sql_query(s, "SELECT o.name, p.data FROM object o CROSS JOIN page p"
					" ON p.zone = o.seq WHERE o.kind = 'zone' AND o.name = ?"
					" ORDER BY p.first");
	int rc;

	sql_bind(st, "t", zone);
	rc = walk(s, st, &page_form, page_row, f, arg);
	if (rc != 0)
		return rc;
	st = sql_query(s, "SELECT o.name, r.owner, r.type, r.ttl_s, r.rdata"
			  " FROM object o CROSS JOIN rrset r ON r.zone = o.seq"
			  " WHERE o.kind = 'zone' AND o.name = ? ORDER BY r.owner, r.type");
	sql_bind(st, "t", zone);
	return walk(s, st, &rrset_form, rrset_row, f, arg);
}

struct reload {
	struct store *s;
	store_op_f *f;
	void *arg;
};

static int
load_zone(const struct change_op *op, void *arg)
{
	const struct reload *r = arg;

	return walk_levels(r->s, op->name, r->f, r->arg);
}

static int
walk_all_levels(struct store *s, store_op_f *f, void *arg)
{
	static const struct change_op any = { .kind = KIND_ZONE };
	struct reload reload = { s, f, arg };

	return walk(s, sql_query(s, "SELECT name FROM object WHERE kind = 'zone' ORDER BY seq"),
	    &any, name_row, load_zone, &reload);
}

static void
read_revision(struct store *s, uint64_t *revision)
{
	int rc;

	if (revision != NULL)
		*revision = (uint64_t)sql_number(
		    s->reader, "SELECT value FROM meta WHERE key = 'revision'", &rc);
}

int
store_load(struct store *s, store_op_f *f, void *arg, uint64_t *revision)
{
	if (sql_enter(s) < 0)
		return -EIO;

	int rc = walk_all_objects(s, 0, f, arg);

	if (rc == 0)
		rc = walk_all_levels(s, f, arg);
	read_revision(s, revision);
	sql_leave(s);
	return rc;
}

/* All RRsets of a zone, those at one name, or one. */
struct look {
	const char *zone;
	const uint8_t *owner;
	uint16_t type; /* 0: any */
	store_op_f *f;
	void *arg;
};

static int
look(struct levels *l, const struct look *k)
{
	if (k->type != 0)
		return levels_find(l, k->zone, k->owner, k->type, k->f, k->arg);
	return levels_walk(l, k->zone, k->owner, k->f, k->arg);
}

/*
 * One name: by the writing connection while nobody writes. It knows the pages of the changes
 * before, which the other one has to read anew after each.
 */
static int
look_up(struct store *s, const struct look *k)
{
	int rc;

	OBJ_CHECK(s, STORE_MAGIC);
	if (k->owner != NULL && pthread_mutex_trylock(&s->write_lock) == 0) {
		rc = look(&s->write_levels, k);
		pthread_mutex_unlock(&s->write_lock);
		return rc;
	}
	if (sql_enter(s) < 0)
		return -EIO;
	rc = look(&s->read_levels, k);
	sql_leave(s);
	return rc;
}

int
store_zone_rrsets(struct store *s, const char *zone, store_op_f *f, void *arg)
{
	return look_up(s, &(struct look){ zone, NULL, 0, f, arg });
}

int
store_owner_rrsets(
    struct store *s, const char *zone, const uint8_t *owner, store_op_f *f, void *arg)
{
	return look_up(s, &(struct look){ zone, owner, 0, f, arg });
}

int
store_rrset_find(struct store *s, const char *zone, const uint8_t *owner, uint16_t type,
    store_op_f *f, void *arg)
{
	return type == 0 ? -ENOENT : look_up(s, &(struct look){ zone, owner, type, f, arg });
}

/* -- what changed -- */

/* Zones that a follower must take anew as a whole: cleared, or deleted and made again. */
#define REPLACED                                                                                   \
	"SELECT name FROM change WHERE revision > ?1 AND kind = 'zone' AND op IN ('clear', "       \
	"'delete')"

static int
reload_zone(const struct change_op *op, void *arg)
{
	const struct reload *r = arg;
	const int rc = r->f(op, r->arg);

	return rc != 0 ? rc : walk_levels(r->s, op->name, r->f, r->arg);
}

/* An RRset that changed, as it is now. One without a row is gone, or was folded into a page. */
static int
tell_rrset(const struct change_op *op, void *arg)
{
	const struct reload *r = arg;

	if (op->op == CHANGE_RRSET_PUT)
		return r->f(op, r->arg);

	const int rc = store_rrset_find(r->s, op->name, op->owner, op->type, r->f, r->arg);

	return rc == -ENOENT ? r->f(op, r->arg) : rc;
}

static int
walk_zones(struct store *s, uint64_t since, store_op_f *f, void *arg)
{
	const struct change_op clear = { .op = CHANGE_ZONE_CLEAR, .kind = KIND_ZONE };
	struct reload reload = { s, f, arg };
	sqlite3_stmt *st = sql_query(s, "SELECT name FROM object WHERE kind = 'zone'"
					" AND name IN (" REPLACED ") ORDER BY seq");
	int rc;

	sql_bind(st, "i", (int64_t)since);
	rc = walk(s, st, &clear, name_row, reload_zone, &reload);
	if (rc != 0)
		return rc;

	st = sql_query(s, "SELECT DISTINCT c.name, c.owner, c.type, r.ttl_s, r.rdata FROM change c"
			  " JOIN object o ON o.kind = 'zone' AND o.name = c.name"
			  " LEFT JOIN rrset r ON r.zone = o.seq AND r.owner = c.owner"
			  " AND r.type = c.type WHERE c.revision > ?1 AND c.op = 'rrset'"
			  " AND c.name NOT IN (" REPLACED ")");
	sql_bind(st, "i", (int64_t)since);
	return walk(s, st, &rrset_form, rrset_row, tell_rrset, &reload);
}

static int
walk_deletes(struct store *s, uint64_t since, store_op_f *f, void *arg)
{
	int rc = 0;

	for (int k = KIND_COUNT - 1; rc == 0 && k >= 0; k--) {
		const struct change_op form = { .op = CHANGE_DELETE, .kind = (enum kind)k };
		sqlite3_stmt *st = sql_query(s,
		    "SELECT DISTINCT c.name FROM change c WHERE c.revision > ?1 AND c.kind = ?2"
		    " AND c.op = 'delete' AND NOT EXISTS"
		    " (SELECT 1 FROM object o WHERE o.kind = ?2 AND o.name = c.name)");

		sql_bind(st, "it", (int64_t)since, kind_table[k].name);
		rc = walk(s, st, &form, name_row, f, arg);
	}
	return rc;
}

int
store_changes_since(struct store *s, uint64_t since, store_op_f *f, void *arg, uint64_t *revision)
{
	uint64_t now;
	int rc;

	if (sql_enter(s) < 0)
		return -EIO;
	read_revision(s, &now);
	if (revision != NULL)
		*revision = now;

	const int64_t pruned =
	    sql_number(s->reader, "SELECT value FROM meta WHERE key = 'pruned'", &rc);

	rc = since > now || since < (uint64_t)pruned ? -ESTALE : walk_all_objects(s, since, f, arg);
	if (rc == 0)
		rc = walk_zones(s, since, f, arg);
	if (rc == 0)
		rc = walk_deletes(s, since, f, arg);
	sql_leave(s);
	return rc;
}
