/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <string.h>

#include "base/check.h"
#include "store/sqlite/sql.h"

int
store_token_add(struct store *s, const struct store_token *t, struct diag *d)
{
	int rc = 0;

	OBJ_CHECK(s, STORE_MAGIC);
	pthread_mutex_lock(&s->write_lock);
	sqlite3_stmt *st = sql_use(s, SQL_TOKEN_ADD);

	sql_bind(st, "ttbtii", t->id, t->name, t->hash, sizeof(t->hash), t->scopes, t->created_ms,
	    t->expires_ms);
	const int result = sql_run(st);

	if (result == SQLITE_CONSTRAINT)
		rc = diag_add(d, DIAG_CONFLICT, "", "token '%s' exists already", t->id);
	else if (result != SQLITE_OK)
		rc = sql_fail(s->writer, "", d);
	pthread_mutex_unlock(&s->write_lock);
	return rc;
}

int
store_token_remove(struct store *s, const char *id, struct diag *d)
{
	int rc = 0;

	OBJ_CHECK(s, STORE_MAGIC);
	pthread_mutex_lock(&s->write_lock);
	sqlite3_stmt *st = sql_use(s, SQL_TOKEN_REMOVE);

	sql_bind(st, "t", id);
	if (sql_run(st) != SQLITE_OK)
		rc = sql_fail(s->writer, "", d);
	else if (sqlite3_changes(s->writer) == 0)
		rc = diag_add(d, DIAG_NOT_FOUND, "", "no token '%s' exists", id);
	pthread_mutex_unlock(&s->write_lock);
	return rc;
}

static void
read_token(sqlite3_stmt *st, struct store_token *t)
{
	*t = (struct store_token){
		.id = sql_text(st, 0),
		.name = sql_text(st, 1),
		.scopes = sql_text(st, 3),
		.created_ms = sqlite3_column_int64(st, 4),
		.expires_ms = sqlite3_column_int64(st, 5),
	};
	if (sqlite3_column_bytes(st, 2) == STORE_HASH_SIZE)
		memcpy(t->hash, sqlite3_column_blob(st, 2), STORE_HASH_SIZE);
}

/* All tokens, or the one with this hash. */
static int
walk(struct store *s, const uint8_t *hash, store_token_f *f, void *arg)
{
	int rc = SQLITE_DONE, stop = 0;

	if (sql_enter(s) < 0)
		return -EIO;

	sqlite3_stmt *st = sql_query(s, hash == NULL ? "SELECT id, name, hash, scopes, created_ms, "
						       "expires_ms FROM token ORDER BY created_ms"
						     : "SELECT id, name, hash, scopes, created_ms, "
						       "expires_ms FROM token WHERE hash = ?");

	if (hash != NULL)
		sql_bind(st, "b", hash, (size_t)STORE_HASH_SIZE);
	while (st != NULL && stop == 0 && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		struct store_token t;

		read_token(st, &t);
		stop = f(&t, arg);
	}
	rc = sql_end(s, st, rc);
	sql_leave(s);
	return stop != 0 ? stop : rc;
}

int
store_tokens(struct store *s, store_token_f *f, void *arg)
{
	return walk(s, NULL, f, arg);
}

struct copy {
	struct arena *arena;
	struct store_token *out;
};

static int
copy_token(const struct store_token *t, void *arg)
{
	const struct copy *copy = arg;

	*copy->out = *t;
	copy->out->id = arena_strdup(copy->arena, t->id);
	copy->out->name = arena_strdup(copy->arena, t->name);
	copy->out->scopes = arena_strdup(copy->arena, t->scopes);
	return 1;
}

int
store_token_find(
    struct store *s, const uint8_t hash[STORE_HASH_SIZE], struct arena *a, struct store_token *out)
{
	struct copy copy = { a, out };
	const int rc = walk(s, hash, copy_token, &copy);

	return rc == 1 ? 0 : rc == 0 ? -ENOENT : rc;
}
