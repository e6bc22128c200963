/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sql -- the SQLite driver's inside: the open store, statements, and errors in words. */
#pragma once

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>

#include "store/sqlite/levels.h"
#include "store/store.h"

/* Statements that write, prepared once on the writing connection; texts in sql.c. */
enum sql_id {
	SQL_BEGIN,
	SQL_COMMIT,
	SQL_ROLLBACK,
	SQL_OBJECT_GET,
	SQL_OBJECT_PUT,
	SQL_OBJECT_DELETE,
	SQL_ZONE_SEQ,
	SQL_ZONE_CLEAR,
	SQL_ZONE_CLEAR_PAGES,
	SQL_ZONE_PAGED,
	SQL_RRSET_PUT,
	SQL_RRSET_DELETE,
	SQL_CHANGE_ADD,
	SQL_AUDIT_ADD,
	SQL_REVISION_SET,
	SQL_CHANGE_PRUNE,
	SQL_AUDIT_PRUNE,
	SQL_PRUNED_SET,
	SQL_EVENT_ADD,
	SQL_EVENT_PRUNE,
	SQL_TOKEN_ADD,
	SQL_TOKEN_REMOVE,
	SQL_COUNT,
};

/* A reader's statement that is not in use just now. */
struct sql_kept {
	const char *text; /* as sql_query was handed it; NULL: free */
	sqlite3_stmt *st; /* NULL: in use */
};
#define SQL_KEPT 32

struct store {
	uint32_t magic;
#define STORE_MAGIC 0x6b1d27c5u
	sqlite3 *writer, *reader;
	struct levels write_levels, read_levels; /* the same connections */
	pthread_mutex_t write_lock;
	pthread_mutex_t read_lock;      /* recursive: a read callback may read */
	sqlite3_stmt *stmts[SQL_COUNT]; /* the writer's */
	struct sql_kept kept[SQL_KEPT]; /* the reader's */
	_Atomic uint64_t revision;
	uint64_t keep;   /* revisions */
	uint64_t pruned; /* the newest that is not kept; the writer's */
	char lineage[33];
};

/* The writer's statement, ready to bind. NULL if it cannot be prepared. */
sqlite3_stmt *sql_use(struct store *s, enum sql_id id);
/*
 * Bind parameters 1, 2, ... by type: t const char * (NULL is NULL), i int64_t, b const void * and
 * size_t. Bytes are borrowed until the statement is reset.
 */
void sql_bind(sqlite3_stmt *st, const char *types, ...);
/* Run a statement that yields no rows and reset it; SQLITE_OK or the error. NULL: SQLITE_ERROR. */
int sql_run(sqlite3_stmt *st);
/* Several statements without parameters. */
MUST_USE int sql_exec(sqlite3 *db, const char *text, const char *where, struct diag *d);
/* First column of the first row as a number; 0 when there is none. */
int64_t sql_number(sqlite3 *db, const char *text, int *rc);

/* Add what SQLite's newest error means for a person; -EINVAL. */
int sql_fail(sqlite3 *db, const char *where, struct diag *d);

/* Column as text that is never NULL. */
const char *sql_text(sqlite3_stmt *st, int column);

/* Readers: one consistent state between enter and leave; they nest. 0 or -EIO. */
MUST_USE int sql_enter(struct store *s);
void sql_leave(struct store *s);
/* A statement of the reader, `text` of static storage; NULL is logged. Ends with sql_end or
 * sql_put. */
sqlite3_stmt *sql_query(struct store *s, const char *text);
void sql_put(struct store *s, sqlite3_stmt *st);
/* The same of any connection. */
sqlite3_stmt *sql_prepare(sqlite3 *db, const char *text);
/* Log what SQLite's newest error was; -EIO. */
int sql_broken(sqlite3 *db);
/* After the last step: 0, or -EIO, logged. Puts it back. */
MUST_USE int sql_end(struct store *s, sqlite3_stmt *st, int rc);
