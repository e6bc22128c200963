/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/rand.h"
#include "store/sqlite/migrate.h"
#include "store/sqlite/sql.h"

#define BUSY_MS 5000 /* somebody's backup tool may hold the lock for a moment */

static int
prepare_dir(const char *dir, struct diag *d)
{
	struct stat st;

	if (mkdir(dir, 0750) < 0 && errno != EEXIST)
		return diag_add(
		    d, DIAG_UNAVAILABLE, dir, "directory cannot be made: %s", strerror(errno));
	if (stat(dir, &st) < 0)
		return diag_add(d, DIAG_UNAVAILABLE, dir, "%s", strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return diag_add(d, DIAG_UNAVAILABLE, dir, "is not a directory");
	if (access(dir, W_OK | X_OK) < 0)
		return diag_add(d, DIAG_UNAVAILABLE, dir,
		    "directory is not writable: %s; check owner, mode and mount", strerror(errno));
	return 0;
}

/* We make the file, since it holds token hashes and SQLite would let the world read it. */
static int
prepare_file(const char *path, struct diag *d)
{
	const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return diag_add(
		    d, DIAG_UNAVAILABLE, path, "cannot be opened for writing: %s", strerror(errno));
	close(fd);
	return 0;
}

static int
connect(const char *path, sqlite3 **db, struct diag *d)
{
	/* NOMUTEX: our own locks let one thread at a time near a connection. */
	if (sqlite3_open_v2(path, db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
	    SQLITE_OK)
		return sql_fail(*db, path, d);
	sqlite3_extended_result_codes(*db, 0);
	sqlite3_busy_timeout(*db, BUSY_MS);
	return 0;
}

static int
check_pages(sqlite3 *db, const char *path, struct diag *d)
{
	sqlite3_stmt *st = NULL;
	int rc = 0;

	sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &st, NULL);
	if (st == NULL || sqlite3_step(st) != SQLITE_ROW)
		rc = sql_fail(db, path, d);
	else if (strcmp(sql_text(st, 0), "ok") != 0)
		rc = diag_add(
		    d, DIAG_INTERNAL, path, "is damaged (%s); restore a backup", sql_text(st, 0));
	sqlite3_finalize(st);
	return rc;
}

static int
open_writer(struct store *s, const char *path, struct diag *d)
{
	if (connect(path, &s->writer, d) < 0 || check_pages(s->writer, path, d) < 0)
		return -EINVAL;
	if (migrate_run(s->writer, path, migrate_steps, migrate_count, d) < 0)
		return -EINVAL;
	/* FULL: a commit that was acknowledged outlives a power cut, at one fsync each. */
	return sql_exec(s->writer,
	    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
	    "PRAGMA cache_size = -16384; PRAGMA journal_size_limit = 67108864",
	    path, d);
}

static int
open_reader(struct store *s, const char *path, struct diag *d)
{
	if (connect(path, &s->reader, d) < 0)
		return -EINVAL;
	return sql_exec(s->reader, "PRAGMA query_only = ON", path, d);
}

static int
read_meta(struct store *s, const char *path, struct diag *d)
{
	char fresh[33], *text;
	sqlite3_stmt *st = NULL;
	int rc;

	rand_hex(fresh, 16);
	text = sqlite3_mprintf(
	    "UPDATE meta SET value = %Q WHERE key = 'lineage' AND value = ''", fresh);
	rc = sql_exec(s->writer, text, path, d);
	sqlite3_free(text);
	if (rc < 0)
		return rc;

	s->revision =
	    (uint64_t)sql_number(s->writer, "SELECT value FROM meta WHERE key = 'revision'", &rc);
	if (rc != SQLITE_OK)
		return sql_fail(s->writer, path, d);
	s->pruned =
	    (uint64_t)sql_number(s->writer, "SELECT value FROM meta WHERE key = 'pruned'", &rc);
	sqlite3_prepare_v2(
	    s->writer, "SELECT value FROM meta WHERE key = 'lineage'", -1, &st, NULL);
	if (st != NULL && sqlite3_step(st) == SQLITE_ROW)
		snprintf(s->lineage, sizeof(s->lineage), "%.32s", sql_text(st, 0));
	sqlite3_finalize(st);
	return s->lineage[0] != '\0' ? 0 : diag_add(d, DIAG_INTERNAL, path, "has no lineage");
}

int
store_open(const char *dir, struct store **out, struct diag *d)
{
	struct store *s = xcalloc(1, sizeof(*s));
	char *path = xasprintf("%s/gtm.db", dir);
	pthread_mutexattr_t recursive;
	int rc = -EINVAL;

	s->magic = STORE_MAGIC;
	s->keep = STORE_KEEP;
	pthread_mutexattr_init(&recursive);
	pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&s->read_lock, &recursive);
	pthread_mutex_init(&s->write_lock, NULL);
	pthread_mutexattr_destroy(&recursive);

	if (prepare_dir(dir, d) == 0 && prepare_file(path, d) == 0 &&
	    open_writer(s, path, d) == 0 && open_reader(s, path, d) == 0)
		rc = read_meta(s, path, d);
	s->write_levels.db = s->writer;
	s->read_levels.db = s->reader;
	free(path);
	if (rc < 0)
		store_close(&s);
	*out = s;
	return rc;
}

void
store_close(struct store **store)
{
	struct store *s = *store;

	if (s == NULL)
		return;
	OBJ_CHECK(s, STORE_MAGIC);
	for (int i = 0; i < SQL_COUNT; i++)
		sqlite3_finalize(s->stmts[i]);
	for (int i = 0; i < SQL_KEPT; i++)
		sqlite3_finalize(s->kept[i].st);
	levels_fini(&s->write_levels);
	levels_fini(&s->read_levels);
	/* Reader first: the last one out folds the log into the database. */
	CHECK(sqlite3_close(s->reader) == SQLITE_OK);
	CHECK(sqlite3_close(s->writer) == SQLITE_OK);
	pthread_mutex_destroy(&s->read_lock);
	pthread_mutex_destroy(&s->write_lock);
	s->magic = 0;
	free(s);
	*store = NULL;
}

uint64_t
store_revision(struct store *s)
{
	OBJ_CHECK(s, STORE_MAGIC);
	return s->revision;
}

void
store_keep(struct store *s, uint64_t revisions)
{
	OBJ_CHECK(s, STORE_MAGIC);
	s->keep = revisions;
}

const char *
store_lineage(const struct store *s)
{
	OBJ_CHECK(s, STORE_MAGIC);
	return s->lineage;
}

int
store_backup(struct store *s, const char *path, struct diag *d)
{
	OBJ_CHECK(s, STORE_MAGIC);
	if (access(path, F_OK) == 0)
		return diag_add(d, DIAG_CONFLICT, path, "exists already");

	pthread_mutex_lock(&s->write_lock);
	const int rc = migrate_copy(s->writer, path, d);
	pthread_mutex_unlock(&s->write_lock);
	return rc;
}
