/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/sqlite/levels.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "store/sqlite/sql.h"

#define ZONE_SEQ "(SELECT seq FROM object WHERE kind = 'zone' AND name = ?1)"

struct levels_key
levels_key(const uint8_t *owner, uint16_t type)
{
	struct levels_key key = { .len = name_len(owner) };

	memcpy(key.bytes, owner, key.len);
	key.bytes[key.len++] = (uint8_t)(type >> 8);
	key.bytes[key.len++] = (uint8_t)type;
	return key;
}

/* -- both as one -- */

struct merge {
	const char *zone;
	const uint8_t *owner; /* or NULL: all */
	uint8_t apex[NAME_MAX_LEN];
	sqlite3_stmt *rows, *pages;
	bool row, set; /* is there a current one? */
	struct change_op row_op;
	struct rrpage_reader reader;
	struct rrpage_set at;
	bool failed;
};

static void
next_row(struct merge *m)
{
	const int rc = m->rows == NULL ? SQLITE_ERROR : sqlite3_step(m->rows);

	m->row = rc == SQLITE_ROW;
	m->failed |= rc != SQLITE_ROW && rc != SQLITE_DONE;
	if (!m->row)
		return;
	m->row_op = (struct change_op){
		.op = CHANGE_RRSET_PUT,
		.kind = KIND_ZONE,
		.name = m->zone,
		.owner = sqlite3_column_blob(m->rows, 0),
		.type = (uint16_t)sqlite3_column_int(m->rows, 1),
		.ttl_s = (uint32_t)sqlite3_column_int64(m->rows, 2),
		.rdata = sqlite3_column_blob(m->rows, 3),
		.rdata_len = (uint32_t)sqlite3_column_bytes(m->rows, 3),
	};
}

static bool
next_page(struct merge *m)
{
	const int rc = m->pages == NULL ? SQLITE_ERROR : sqlite3_step(m->pages);

	m->failed |= rc != SQLITE_ROW && rc != SQLITE_DONE;
	if (rc == SQLITE_ROW)
		rrpage_open(&m->reader, m->apex, sqlite3_column_blob(m->pages, 0),
		    (size_t)sqlite3_column_bytes(m->pages, 0));
	return rc == SQLITE_ROW;
}

/* Where only one owner is wanted: is it this one's turn (0), or later (< 0), or over (> 0)? */
static int
turn(const struct merge *m)
{
	return m->owner == NULL ? 0 : rrpage_order(m->at.owner, 0, m->owner, 0);
}

static void
next_set(struct merge *m)
{
	do {
		m->set = false;
		while (!m->reader.bad && !m->set) {
			m->set = rrpage_next(&m->reader, &m->at);
			if (!m->set && !m->reader.bad && !next_page(m))
				return;
		}
	} while (m->set && turn(m) < 0);
	m->set = m->set && turn(m) == 0;
	if (m->reader.bad) {
		log_error("store", "a page of zone %s is damaged", m->zone);
		m->failed = true;
	}
}

static int
tell_set(struct merge *m, store_op_f *f, void *arg)
{
	const struct change_op op = {
		.op = CHANGE_RRSET_PUT,
		.kind = KIND_ZONE,
		.name = m->zone,
		.owner = m->at.owner,
		.type = m->at.type,
		.ttl_s = m->at.ttl_s,
		.rdata = m->at.rdata,
		.rdata_len = m->at.rdata_len,
	};
	const int stop = f(&op, arg);

	if (stop == 0)
		next_set(m);
	return stop;
}

/* The row, and away with the set that it stands before. */
static int
tell_row(struct merge *m, bool covers, store_op_f *f, void *arg)
{
	const int stop = m->row_op.rdata_len > 0 ? f(&m->row_op, arg) : 0;

	if (stop != 0)
		return stop;
	if (covers)
		next_set(m);
	next_row(m);
	return 0;
}

int
levels_merge(sqlite3 *db, const char *zone, sqlite3_stmt *rows, sqlite3_stmt *pages,
    const uint8_t *owner, store_op_f *f, void *arg)
{
	struct merge m = { .zone = zone, .owner = owner, .rows = rows, .pages = pages };
	int stop = 0;

	m.failed = name_parse_lower(zone, m.apex) < 0;
	next_row(&m);
	next_set(&m);
	while (stop == 0 && !m.failed && (m.row || m.set)) {
		const int diff =
		    !m.set   ? -1
		    : !m.row ? 1
			     : rrpage_order(m.row_op.owner, m.row_op.type, m.at.owner, m.at.type);

		stop = diff > 0 ? tell_set(&m, f, arg) : tell_row(&m, diff == 0, f, arg);
	}
	if (stop == 0 && m.failed)
		stop = sql_broken(db);
	return stop;
}

static int
walk_all(sqlite3 *db, const char *zone, store_op_f *f, void *arg)
{
	sqlite3_stmt *rows =
	    sql_prepare(db, "SELECT owner, type, ttl_s, rdata FROM rrset WHERE zone = " ZONE_SEQ
			    " ORDER BY owner, type");
	sqlite3_stmt *pages =
	    sql_prepare(db, "SELECT data FROM page WHERE zone = " ZONE_SEQ " ORDER BY first");

	sql_bind(rows, "t", zone);
	sql_bind(pages, "t", zone);

	const int rc = levels_merge(db, zone, rows, pages, NULL, f, arg);

	sqlite3_finalize(rows);
	sqlite3_finalize(pages);
	return rc;
}

/* -- one name: often, so the statements are kept -- */

static const char *const queries[LEVELS_QUERIES] = {
	[LEVELS_ROWS] = "SELECT owner, type, ttl_s, rdata FROM rrset WHERE zone = " ZONE_SEQ
			" AND owner = ?2 ORDER BY type",
	[LEVELS_ROW] = "SELECT owner, type, ttl_s, rdata FROM rrset WHERE zone = " ZONE_SEQ
		       " AND owner = ?2 AND type = ?3",
	[LEVELS_PAGE] = "SELECT data FROM page WHERE zone = " ZONE_SEQ
			" AND first <= ?2 ORDER BY first DESC LIMIT 1",
	[LEVELS_ZONE] = "SELECT seq FROM object WHERE kind = 'zone' AND name = ?",
	[LEVELS_BEFORE] = "SELECT first FROM page WHERE zone = ?1 AND first <= ?2"
			  " ORDER BY first DESC LIMIT 1",
	[LEVELS_FIRST] = "SELECT min(first) FROM page WHERE zone = ?1",
	[LEVELS_AFTER] = "SELECT min(first) FROM page WHERE zone = ?1 AND first > ?2",
	[LEVELS_COUNT] = "SELECT count(*) FROM rrset" LEVELS_IN_RANGE,
};

sqlite3_stmt *
levels_take(struct levels *l, enum levels_query q)
{
	sqlite3_stmt *st = l->kept[q];

	l->kept[q] = NULL;
	return st != NULL ? st : sql_prepare(l->db, queries[q]);
}

void
levels_give_back(struct levels *l, enum levels_query q, sqlite3_stmt *st)
{
	if (l->kept[q] != NULL || st == NULL) {
		sqlite3_finalize(st);
		return;
	}
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	l->kept[q] = st;
}

/* The page that has the owner, if any has. */
static sqlite3_stmt *
take_page(struct levels *l, const char *zone, const struct levels_key *key)
{
	sqlite3_stmt *st = levels_take(l, LEVELS_PAGE);

	sql_bind(st, "tb", zone, key->bytes, key->len);
	return st;
}

int
levels_walk(struct levels *l, const char *zone, const uint8_t *owner, store_op_f *f, void *arg)
{
	if (owner == NULL)
		return walk_all(l->db, zone, f, arg);

	const struct levels_key key = levels_key(owner, UINT16_MAX);
	sqlite3_stmt *pages = take_page(l, zone, &key);
	sqlite3_stmt *rows = levels_take(l, LEVELS_ROWS);

	sql_bind(rows, "tb", zone, owner, name_len(owner));

	const int rc = levels_merge(l->db, zone, rows, pages, owner, f, arg);

	levels_give_back(l, LEVELS_ROWS, rows);
	levels_give_back(l, LEVELS_PAGE, pages);
	return rc;
}

/* The set in its page, if it has one: tells it (`f` may be NULL). 1, 0, -EIO, or what `f` returned.
 */
static int
find_in_page(struct levels *l, const char *zone, const uint8_t *owner, uint16_t type, store_op_f *f,
    void *arg)
{
	const struct levels_key key = levels_key(owner, type);
	struct merge m = { .zone = zone, .owner = owner, .pages = take_page(l, zone, &key) };
	int rc;

	m.failed = name_parse_lower(zone, m.apex) < 0;
	do
		next_set(&m);
	while (m.set && !m.failed && m.at.type != type);
	rc = m.failed ? sql_broken(l->db) : m.set;
	if (rc == 1 && f != NULL) {
		const int stop = f(&(struct change_op){ .op = CHANGE_RRSET_PUT,
				       .kind = KIND_ZONE,
				       .name = zone,
				       .owner = m.at.owner,
				       .type = m.at.type,
				       .ttl_s = m.at.ttl_s,
				       .rdata = m.at.rdata,
				       .rdata_len = m.at.rdata_len },
		    arg);

		rc = stop != 0 ? stop : rc;
	}
	levels_give_back(l, LEVELS_PAGE, m.pages);
	return rc;
}

int
levels_in_page(struct levels *l, const char *zone, const uint8_t *owner, uint16_t type)
{
	return find_in_page(l, zone, owner, type, NULL, NULL);
}

int
levels_find(struct levels *l, const char *zone, const uint8_t *owner, uint16_t type, store_op_f *f,
    void *arg)
{
	struct merge m = { .zone = zone, .rows = levels_take(l, LEVELS_ROW) };
	int rc = -ENOENT;

	sql_bind(m.rows, "tbi", zone, owner, name_len(owner), (int64_t)type);
	next_row(&m);
	if (m.failed)
		rc = sql_broken(l->db);
	else if (m.row && m.row_op.rdata_len > 0)
		rc = f(&m.row_op, arg);
	levels_give_back(l, LEVELS_ROW, m.rows);
	if (m.row || m.failed)
		return rc;
	rc = find_in_page(l, zone, owner, type, f, arg);
	return rc == 0 ? -ENOENT : rc == 1 ? 0 : rc;
}

void
levels_fini(struct levels *l)
{
	for (int q = 0; q < LEVELS_QUERIES; q++) {
		sqlite3_finalize(l->kept[q]);
		l->kept[q] = NULL;
	}
}

/* -- pages -- */

int
levels_put_page(
    sqlite3 *db, int64_t seq, const struct levels_key *key, const uint8_t *data, size_t len)
{
	sqlite3_stmt *st = sql_prepare(db, "INSERT INTO page (zone, first, data) VALUES (?, ?, ?)");

	sql_bind(st, "ibb", seq, key->bytes, key->len, data, len);

	const int rc = sql_run(st);

	sqlite3_finalize(st);
	return rc;
}
