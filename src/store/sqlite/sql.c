/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/sqlite/sql.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "base/check.h"
#include "base/log.h"

static const char *const texts[SQL_COUNT] = {
	[SQL_BEGIN] = "BEGIN IMMEDIATE",
	[SQL_COMMIT] = "COMMIT",
	[SQL_ROLLBACK] = "ROLLBACK",
	[SQL_OBJECT_GET] = "SELECT spec FROM object WHERE kind = ? AND name = ?",
	[SQL_OBJECT_PUT] =
	    "INSERT INTO object (kind, name, id, revision, created_ms, updated_ms, spec)"
	    " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (kind, name) DO UPDATE SET id = excluded.id,"
	    " revision = excluded.revision, created_ms = excluded.created_ms,"
	    " updated_ms = excluded.updated_ms, spec = excluded.spec",
	[SQL_OBJECT_DELETE] = "DELETE FROM object WHERE kind = ? AND name = ?",
	[SQL_ZONE_SEQ] = "SELECT seq FROM object WHERE kind = 'zone' AND name = ?",
	[SQL_ZONE_CLEAR] = "DELETE FROM rrset WHERE zone = ?",
	[SQL_ZONE_CLEAR_PAGES] = "DELETE FROM page WHERE zone = ?",
	[SQL_ZONE_PAGED] = "SELECT EXISTS (SELECT 1 FROM page WHERE zone = ?)",
	[SQL_RRSET_PUT] = "INSERT INTO rrset (zone, owner, type, ttl_s, rdata)"
			  " VALUES (?, ?, ?, ?, ?) ON CONFLICT (zone, owner, type)"
			  " DO UPDATE SET ttl_s = excluded.ttl_s, rdata = excluded.rdata",
	[SQL_RRSET_DELETE] = "DELETE FROM rrset WHERE zone = ? AND owner = ? AND type = ?",
	[SQL_CHANGE_ADD] = "INSERT INTO change (revision, seq, op, kind, name, owner, type)"
			   " VALUES (?, ?, ?, ?, ?, ?, ?)",
	[SQL_AUDIT_ADD] = "INSERT INTO audit (revision, at_ms, author, summary, diff)"
			  " VALUES (?, ?, ?, ?, ?)",
	[SQL_REVISION_SET] = "UPDATE meta SET value = ? WHERE key = 'revision'",
	[SQL_CHANGE_PRUNE] = "DELETE FROM change WHERE revision <= ?",
	[SQL_AUDIT_PRUNE] = "DELETE FROM audit WHERE revision <= ?",
	[SQL_PRUNED_SET] = "UPDATE meta SET value = ? WHERE key = 'pruned'",
	[SQL_EVENT_ADD] =
	    "INSERT INTO event (at_ms, kind, object_kind, object_name, severity, text, data)"
	    " VALUES (?, ?, ?, ?, ?, ?, ?)",
	[SQL_EVENT_PRUNE] = "DELETE FROM event WHERE id <= ?",
	[SQL_TOKEN_ADD] = "INSERT INTO token (id, name, hash, scopes, created_ms, expires_ms)"
			  " VALUES (?, ?, ?, ?, ?, ?)",
	[SQL_TOKEN_REMOVE] = "DELETE FROM token WHERE id = ?",
};

sqlite3_stmt *
sql_use(struct store *s, enum sql_id id)
{
	if (s->stmts[id] == NULL)
		sqlite3_prepare_v3(
		    s->writer, texts[id], -1, SQLITE_PREPARE_PERSISTENT, &s->stmts[id], NULL);
	return s->stmts[id];
}

void
sql_bind(sqlite3_stmt *st, const char *types, ...)
{
	va_list ap;

	if (st == NULL)
		return; /* sql_run tells */
	va_start(ap, types);
	for (int i = 1; *types != '\0'; types++, i++) {
		if (*types == 't') {
			sqlite3_bind_text(st, i, va_arg(ap, const char *), -1, SQLITE_STATIC);
		} else if (*types == 'i') {
			sqlite3_bind_int64(st, i, va_arg(ap, int64_t));
		} else {
			const void *bytes = va_arg(ap, const void *);
			const size_t len = va_arg(ap, size_t);

			sqlite3_bind_blob64(st, i, bytes, len, SQLITE_STATIC);
		}
	}
	va_end(ap);
}

int
sql_run(sqlite3_stmt *st)
{
	if (st == NULL)
		return SQLITE_ERROR;

	const int rc = sqlite3_step(st);

	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int
sql_exec(sqlite3 *db, const char *text, const char *where, struct diag *d)
{
	if (sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK)
		return 0;
	return sql_fail(db, where, d);
}

int64_t
sql_number(sqlite3 *db, const char *text, int *rc)
{
	sqlite3_stmt *st = NULL;
	int64_t n = 0;

	*rc = sqlite3_prepare_v2(db, text, -1, &st, NULL);
	if (*rc == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW)
		n = sqlite3_column_int64(st, 0);
	if (st != NULL)
		*rc = sqlite3_finalize(st);
	return n;
}

int
sql_fail(sqlite3 *db, const char *where, struct diag *d)
{
	switch (sqlite3_errcode(db)) {
	case SQLITE_FULL:
		return diag_add(d, DIAG_UNAVAILABLE, where,
		    "no space left on the disk; free some, nothing was changed");
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_AUTH:
	case SQLITE_CANTOPEN:
		return diag_add(d, DIAG_UNAVAILABLE, where,
		    "the database cannot be written (%s); check owner, mode and mount",
		    sqlite3_errmsg(db));
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return diag_add(
		    d, DIAG_UNAVAILABLE, where, "the database is locked by another process");
	case SQLITE_IOERR:
		return diag_add(d, DIAG_UNAVAILABLE, where, "the disk failed: %s (%d)",
		    sqlite3_errmsg(db), sqlite3_extended_errcode(db));
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return diag_add(d, DIAG_INTERNAL, where,
		    "is damaged or not a database (%s); restore a backup", sqlite3_errmsg(db));
	default:
		return diag_add(d, DIAG_INTERNAL, where, "database error: %s (%d)",
		    sqlite3_errmsg(db), sqlite3_extended_errcode(db));
	}
}

const char *
sql_text(sqlite3_stmt *st, int column)
{
	const unsigned char *text = sqlite3_column_text(st, column);

	return text == NULL ? "" : (const char *)text;
}

int
sql_broken(sqlite3 *db)
{
	log_error("store", "reading failed: %s", sqlite3_errmsg(db));
	return -EIO;
}

static int
run_reader(struct store *s, const char *text)
{
	sqlite3_stmt *st = sql_query(s, text);
	const int rc = st == NULL ? SQLITE_ERROR : sqlite3_step(st);

	sql_put(s, st);
	return rc == SQLITE_DONE ? 0 : sql_broken(s->reader);
}

int
sql_enter(struct store *s)
{
	OBJ_CHECK(s, STORE_MAGIC);
	pthread_mutex_lock(&s->read_lock);
	if (run_reader(s, "SAVEPOINT state") == 0)
		return 0;
	pthread_mutex_unlock(&s->read_lock);
	return -EIO;
}

void
sql_leave(struct store *s)
{
	(void)!run_reader(s, "RELEASE state");
	pthread_mutex_unlock(&s->read_lock);
}

sqlite3_stmt *
sql_prepare(sqlite3 *db, const char *text)
{
	sqlite3_stmt *st = NULL;

	if (sqlite3_prepare_v2(db, text, -1, &st, NULL) != SQLITE_OK)
		sql_broken(db);
	return st;
}

/* The same text may have several addresses: then it is kept several times. */
sqlite3_stmt *
sql_query(struct store *s, const char *text)
{
	for (size_t i = 0; i < SQL_KEPT; i++) {
		sqlite3_stmt *st = s->kept[i].st;

		if (s->kept[i].text != text || st == NULL)
			continue;
		s->kept[i].st = NULL;
		return st;
	}
	for (size_t i = 0; i < SQL_KEPT; i++) {
		if (s->kept[i].text != NULL)
			continue;
		s->kept[i].text = text;
		break;
	}
	return sql_prepare(s->reader, text);
}

void
sql_put(struct store *s, sqlite3_stmt *st)
{
	if (st == NULL)
		return;
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	for (size_t i = 0; i < SQL_KEPT && s->kept[i].text != NULL; i++) {
		if (s->kept[i].st != NULL || strcmp(s->kept[i].text, sqlite3_sql(st)) != 0)
			continue;
		s->kept[i].st = st;
		return;
	}
	sqlite3_finalize(st);
}

int
sql_end(struct store *s, sqlite3_stmt *st, int rc)
{
	const bool failed = st == NULL || (rc != SQLITE_DONE && rc != SQLITE_ROW);

	if (st != NULL && failed)
		sql_broken(s->reader);
	sql_put(s, st);
	return failed ? -EIO : 0;
}
