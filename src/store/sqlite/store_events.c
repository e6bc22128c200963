/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The two logs: events, and the audit entry of each revision. */
#include <errno.h>

#include "base/check.h"
#include "store/sqlite/sql.h"

static int
append(struct store *s, struct store_event *all, size_t count, struct diag *d)
{
	sqlite3_stmt *st;
	sqlite3_int64 last = 0;

	for (struct store_event *e = all; e < all + count; e++) {
		st = sql_use(s, SQL_EVENT_ADD);
		sql_bind(st, "itttttt", e->at_ms, e->kind, e->object_kind, e->object_name,
		    e->severity, e->text, e->data);
		if (sql_run(st) != SQLITE_OK)
			return sql_fail(s->writer, "", d);
		last = sqlite3_last_insert_rowid(s->writer);
		e->id = (uint64_t)last;
	}
	st = sql_use(s, SQL_EVENT_PRUNE);
	sql_bind(st, "i", (int64_t)last - STORE_EVENTS_MAX);
	if (sql_run(st) != SQLITE_OK || sql_run(sql_use(s, SQL_COMMIT)) != SQLITE_OK)
		return sql_fail(s->writer, "", d);
	return 0;
}

int
store_events_append(struct store *s, struct store_event *e, size_t count, struct diag *d)
{
	int rc;

	OBJ_CHECK(s, STORE_MAGIC);
	pthread_mutex_lock(&s->write_lock);
	if (sql_run(sql_use(s, SQL_BEGIN)) != SQLITE_OK)
		rc = sql_fail(s->writer, "", d);
	else
		rc = append(s, e, count, d);
	if (sqlite3_get_autocommit(s->writer) == 0)
		sql_run(sql_use(s, SQL_ROLLBACK));
	pthread_mutex_unlock(&s->write_lock);
	return rc;
}

static void
read_event(sqlite3_stmt *st, struct store_event *e)
{
	e->id = (uint64_t)sqlite3_column_int64(st, 0);
	e->at_ms = sqlite3_column_int64(st, 1);
	e->kind = sql_text(st, 2);
	e->object_kind = (const char *)sqlite3_column_text(st, 3);
	e->object_name = (const char *)sqlite3_column_text(st, 4);
	e->severity = sql_text(st, 5);
	e->text = sql_text(st, 6);
	e->data = (const char *)sqlite3_column_text(st, 7);
}

/* An absent filter is NULL, which "?n IS NULL OR" lets pass. */
#define EVENTS                                                                                     \
	"SELECT id, at_ms, kind, object_kind, object_name, severity, text, data FROM event"        \
	" WHERE id > ?1 AND id < ?2 AND (?3 IS NULL OR kind = ?3)"                                 \
	" AND (?4 IS NULL OR object_kind = ?4) AND (?5 IS NULL OR object_name = ?5) ORDER BY id "

static int64_t
bound(uint64_t n)
{
	return n == 0 || n > INT64_MAX ? INT64_MAX : (int64_t)n;
}

int
store_events(struct store *s, const struct store_event_filter *filter, store_event_f *f, void *arg)
{
	int rc = SQLITE_DONE, stop = 0;

	if (sql_enter(s) < 0)
		return -EIO;

	sqlite3_stmt *st =
	    sql_query(s, filter->newest_first ? EVENTS "DESC LIMIT ?6" : EVENTS "ASC LIMIT ?6");

	sql_bind(st, "iittti", (int64_t)filter->since_id, bound(filter->before_id), filter->kind,
	    filter->object_kind, filter->object_name, bound(filter->limit));
	while (st != NULL && stop == 0 && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		struct store_event e;

		read_event(st, &e);
		stop = f(&e, arg);
	}
	rc = sql_end(s, st, rc);
	sql_leave(s);
	return stop != 0 ? stop : rc;
}

int
store_audit(struct store *s, uint64_t before, size_t limit, store_audit_f *f, void *arg)
{
	int rc = SQLITE_DONE, stop = 0;

	if (sql_enter(s) < 0)
		return -EIO;

	sqlite3_stmt *st = sql_query(s, "SELECT revision, at_ms, author, summary, diff FROM audit"
					" WHERE revision < ? ORDER BY revision DESC LIMIT ?");

	sql_bind(st, "ii", bound(before), bound(limit));
	while (st != NULL && stop == 0 && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		const struct store_audit_entry e = {
			.revision = (uint64_t)sqlite3_column_int64(st, 0),
			.at_ms = sqlite3_column_int64(st, 1),
			.author = sql_text(st, 2),
			.summary = sql_text(st, 3),
			.diff = sql_text(st, 4),
		};

		stop = f(&e, arg);
	}
	rc = sql_end(s, st, rc);
	sql_leave(s);
	return stop != 0 ? stop : rc;
}
