/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <string.h>

#include "base/check.h"
#include "store/sqlite/levels.h"
#include "store/sqlite/sql.h"

#define FOLD_ROWS 512 /* above one page, before they are folded into it */

/* The owners of one page: from `low` (of the first page: all before, too) up to, not with, `high`.
 */
struct range {
	int64_t seq;
	struct levels_key page;
	size_t low_len;         /* of the page's owner; 0: from the beginning */
	struct levels_key high; /* its owner alone; len 0: to the end */
};

/* The key in the only row of a bound statement, if there is one; gives it back. 1, 0, -EIO. */
static int
read_key(struct levels *l, enum levels_query q, sqlite3_stmt *st, struct levels_key *out)
{
	const int rc = st == NULL ? SQLITE_ERROR : sqlite3_step(st);
	const size_t len = rc == SQLITE_ROW ? (size_t)sqlite3_column_bytes(st, 0) : 0;

	out->len = len > 2 && len <= sizeof(out->bytes) ? len : 0;
	if (out->len > 0)
		memcpy(out->bytes, sqlite3_column_blob(st, 0), out->len);
	levels_give_back(l, q, st);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return sql_broken(l->db);
	return out->len > 0;
}

/* The page that `owner` belongs to. 1, 0 (the zone has none), -EIO. */
static int
find_page(struct levels *l, struct range *g, const uint8_t *owner)
{
	const struct levels_key key = levels_key(owner, UINT16_MAX);
	sqlite3_stmt *st = levels_take(l, LEVELS_BEFORE);
	int rc;

	sql_bind(st, "ib", g->seq, key.bytes, key.len);
	rc = read_key(l, LEVELS_BEFORE, st, &g->page);
	if (rc != 0) {
		g->low_len = g->page.len > 0 ? g->page.len - 2 : 0;
		return rc;
	}
	st = levels_take(l, LEVELS_FIRST);
	sql_bind(st, "i", g->seq);
	return read_key(l, LEVELS_FIRST, st, &g->page);
}

static int
find_range(struct levels *l, struct range *g, const uint8_t *owner)
{
	sqlite3_stmt *st;
	int rc = find_page(l, g, owner);

	if (rc != 1)
		return rc;
	st = levels_take(l, LEVELS_AFTER);
	sql_bind(st, "ib", g->seq, g->page.bytes, g->page.len);
	rc = read_key(l, LEVELS_AFTER, st, &g->high);
	if (rc == 1)
		g->high.len -= 2;
	return rc < 0 ? rc : 1;
}

static void
bind_range(sqlite3_stmt *st, const struct range *g)
{
	if (st == NULL)
		return;
	sql_bind(st, "ib", g->seq, g->page.bytes, g->low_len);
	if (g->high.len > 0)
		sqlite3_bind_blob64(st, 3, g->high.bytes, g->high.len, SQLITE_STATIC);
}

static sqlite3_stmt *
query_range(sqlite3 *db, const struct range *g, const char *text)
{
	sqlite3_stmt *st = sql_prepare(db, text);

	bind_range(st, g);
	return st;
}

static int64_t
count_rows(struct levels *l, const struct range *g)
{
	sqlite3_stmt *st = levels_take(l, LEVELS_COUNT);
	int64_t n;

	bind_range(st, g);
	n = st != NULL && sqlite3_step(st) == SQLITE_ROW ? sqlite3_column_int64(st, 0)
							 : sql_broken(l->db);
	levels_give_back(l, LEVELS_COUNT, st);
	return n;
}

struct folding {
	struct rrpage_book book;
	size_t apex_len;
};

static int
gather(const struct change_op *op, void *arg)
{
	struct folding *f = arg;

	rrpage_add(&f->book, f->apex_len,
	    &(struct rrpage_set){ op->owner, op->type, op->ttl_s, op->rdata, op->rdata_len, NULL });
	return 0;
}

static int
run(sqlite3 *db, sqlite3_stmt *st)
{
	const int rc = sql_run(st);

	sqlite3_finalize(st);
	return rc == SQLITE_OK ? 0 : sql_broken(db);
}

/* In the place of the page and the rows. */
static int
write_book(sqlite3 *db, const struct range *g, const uint8_t *apex, const struct rrpage_book *book)
{
	sqlite3_stmt *st = sql_prepare(db, "DELETE FROM page WHERE zone = ?1 AND first = ?2");
	int rc;

	sql_bind(st, "ib", g->seq, g->page.bytes, g->page.len);
	rc = run(db, st);
	if (rc == 0)
		rc = run(db, query_range(db, g, "DELETE FROM rrset" LEVELS_IN_RANGE));
	for (size_t i = 0; rc == 0 && i < book->count; i++) {
		const struct rrpage page = rrpage_at(book, i);
		struct rrpage_reader r;
		struct rrpage_set first;

		rrpage_open(&r, apex, page.data, page.len);
		CHECK(rrpage_next(&r, &first));

		const struct levels_key key = levels_key(first.owner, first.type);

		if (levels_put_page(db, g->seq, &key, page.data, page.len) != SQLITE_OK)
			rc = sql_broken(db);
	}
	return rc;
}

static int
fold(sqlite3 *db, const struct range *g, const char *zone)
{
	struct folding f;
	uint8_t apex[NAME_MAX_LEN];
	sqlite3_stmt *rows, *pages;
	int rc;

	rrpage_init(&f.book);
	rows = query_range(db, g,
	    "SELECT owner, type, ttl_s, rdata FROM rrset" LEVELS_IN_RANGE " ORDER BY owner, type");
	pages = sql_prepare(db, "SELECT data FROM page WHERE zone = ?1 AND first = ?2");
	sql_bind(pages, "ib", g->seq, g->page.bytes, g->page.len);
	f.apex_len = name_parse_lower(zone, apex) > 0 ? name_len(apex) : 0;
	rc = levels_merge(db, zone, rows, pages, NULL, gather, &f);
	sqlite3_finalize(rows);
	sqlite3_finalize(pages);
	if (rc == 0)
		rc = write_book(db, g, apex, &f.book);
	rrpage_fini(&f.book);
	return rc;
}

/* 0: there is no such zone. */
static int64_t
find_zone(struct levels *l, const char *zone)
{
	sqlite3_stmt *st = levels_take(l, LEVELS_ZONE);
	int64_t seq;

	sql_bind(st, "t", zone);
	seq = st != NULL && sqlite3_step(st) == SQLITE_ROW ? sqlite3_column_int64(st, 0) : 0;
	levels_give_back(l, LEVELS_ZONE, st);
	return seq;
}

int
levels_fold(struct levels *l, const char *zone, const uint8_t *owner)
{
	struct range g = { .seq = find_zone(l, zone) };
	const int found = find_range(l, &g, owner);

	if (found != 1)
		return found;

	const int64_t rows = count_rows(l, &g);

	return rows < 0 ? -EIO : rows <= FOLD_ROWS ? 0 : fold(l->db, &g, zone);
}
