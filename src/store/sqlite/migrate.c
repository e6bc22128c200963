/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/sqlite/migrate.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "store/sqlite/sql.h"

/*
 * object   seq is the order of making, and what RRsets hang on (a number per RRset, not a name)
 * change   append-only: which keys a revision touched. RRsets of a zone that the same revision
 *          cleared have no rows of their own: 'clear' stands for all of the zone
 * meta     lineage '' asks for a new one at the next opening (a restored copy)
 */
static const char first[] =
    "PRAGMA application_id = 0x47544d31;"
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;"
    "INSERT INTO meta VALUES ('revision', 0), ('lineage', '');"
    "CREATE TABLE object (seq INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL,"
    " name TEXT NOT NULL, id TEXT NOT NULL UNIQUE, revision INTEGER NOT NULL,"
    " created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL,"
    " spec TEXT NOT NULL CHECK (json_valid(spec)), UNIQUE (kind, name)) STRICT;"
    "CREATE TABLE rrset (zone INTEGER NOT NULL REFERENCES object (seq) ON DELETE CASCADE,"
    " owner BLOB NOT NULL, type INTEGER NOT NULL, ttl_s INTEGER NOT NULL, rdata BLOB NOT NULL,"
    " PRIMARY KEY (zone, owner, type)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE change (revision INTEGER NOT NULL, seq INTEGER NOT NULL, op TEXT NOT NULL"
    " CHECK (op IN ('put', 'delete', 'rrset', 'clear')), kind TEXT NOT NULL, name TEXT NOT NULL,"
    " owner BLOB, type INTEGER, PRIMARY KEY (revision, seq)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE audit (revision INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL,"
    " author TEXT NOT NULL, summary TEXT NOT NULL, diff TEXT NOT NULL) STRICT;"
    "CREATE TABLE event (id INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL,"
    " kind TEXT NOT NULL, object_kind TEXT, object_name TEXT, severity TEXT NOT NULL,"
    " text TEXT NOT NULL, data TEXT) STRICT;"
    "CREATE INDEX event_object ON event (object_kind, object_name);"
    "CREATE TABLE token (id TEXT PRIMARY KEY, name TEXT NOT NULL, hash BLOB NOT NULL UNIQUE,"
    " scopes TEXT NOT NULL, created_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL)"
    " STRICT, WITHOUT ROWID;";

/*
 * page     RRsets of a zone that was replaced whole (dns/rrpage.h), in order; `first` is the owner
 *          and the type (two bytes) of the first of them. A row of rrset with the same key stands
 *          before it; one without rdata says that it is gone.
 * meta     pruned: changes and audit entries up to this revision are gone
 */
static const char pages[] =
    "CREATE TABLE page (zone INTEGER NOT NULL REFERENCES object (seq) ON DELETE CASCADE,"
    " first BLOB NOT NULL, data BLOB NOT NULL, PRIMARY KEY (zone, first)) STRICT;"
    "INSERT INTO meta VALUES ('pruned', 0);";

const char *const migrate_steps[] = { first, pages };
const int migrate_count = ARRAY_LEN(migrate_steps);

int
migrate_copy(sqlite3 *db, const char *to, struct diag *d)
{
	char *into = sqlite3_mprintf("VACUUM INTO %Q", to);
	sqlite3 *copy = NULL;
	int rc = sql_exec(db, into, to, d);

	sqlite3_free(into);
	if (rc < 0)
		return rc;
	if (sqlite3_open_v2(to, &copy, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
		rc = sql_fail(copy, to, d);
	else
		rc = sql_exec(copy, "UPDATE meta SET value = '' WHERE key = 'lineage'", to, d);
	sqlite3_close(copy);
	return rc;
}

static int
back_up(sqlite3 *db, const char *path, int version, struct diag *d)
{
	const char *to = arena_printf(&d->arena, "%s.v%d.bak", path, version);

	if (unlink(to) < 0 && errno != ENOENT)
		return diag_add(d, DIAG_UNAVAILABLE, to, "cannot be replaced");
	return migrate_copy(db, to, d);
}

static int
run_step(sqlite3 *db, const char *path, const char *step, int version, struct diag *d)
{
	char stamp[64];

	snprintf(stamp, sizeof(stamp), "PRAGMA user_version = %d; COMMIT", version);
	if (sql_exec(db, "BEGIN EXCLUSIVE", path, d) == 0 && sql_exec(db, step, path, d) == 0 &&
	    sql_exec(db, stamp, path, d) == 0)
		return 0;
	sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return -EINVAL;
}

/* How many steps the database has, or -EINVAL. */
static int
read_version(sqlite3 *db, const char *path, int known, struct diag *d)
{
	int rc;
	const int64_t tables = sql_number(db, "SELECT count(*) FROM sqlite_schema", &rc);

	if (rc != SQLITE_OK)
		return sql_fail(db, path, d);

	const int64_t version = sql_number(db, "PRAGMA user_version", &rc);
	const int64_t application = sql_number(db, "PRAGMA application_id", &rc);

	if (application != MIGRATE_APPLICATION_ID && (application != 0 || tables > 0))
		return diag_add(d, DIAG_INVALID, path, "is the database of another program");
	if (version > known)
		return diag_add(d, DIAG_INVALID, path,
		    "database is of version %" PRId64 ", this gtmd knows up to %d; "
		    "run the newer gtmd or restore a backup made before the upgrade",
		    version, known);
	return (int)version;
}

int
migrate_run(sqlite3 *db, const char *path, const char *const *steps, int count, struct diag *d)
{
	const int version = read_version(db, path, count, d);

	if (version < 0)
		return version;
	if (version > 0 && version < count && back_up(db, path, version, d) < 0)
		return -EINVAL;
	for (int n = version; n < count; n++) {
		if (run_step(db, path, steps[n], n + 1, d) < 0)
			return -EINVAL;
	}
	return 0;
}
