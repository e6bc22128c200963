/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * levels -- the RRsets of a zone on two levels: pages, written when the zone is replaced whole, and
 * rows above them for what changed since.
 *
 *	rows   (rrset)      b: new     f: gone              z
 *	pages  (page)     a b c d | e f g | h i
 *	                  a b c d   e   g   h i             z     what the zone has
 *
 * A row stands before a page's set of the same owner and type; one with empty rdata says that it is
 * gone. When many rows have gathered above a page, they are folded into it. A zone that never was
 * replaced whole is rows alone.
 */
#pragma once

#include <sqlite3.h>

#include "dns/rrpage.h"
#include "store/store.h"

/* A connection, and its statements that are used with each change while they are not in use. */
enum levels_query {
	LEVELS_ROWS, /* of one owner */
	LEVELS_ROW,  /* of one owner and type */
	LEVELS_PAGE, /* that has an owner */
	LEVELS_ZONE,
	LEVELS_BEFORE, /* the page at or before a key */
	LEVELS_FIRST,  /* page */
	LEVELS_AFTER,  /* the page after a key */
	LEVELS_COUNT,  /* of the rows above a page */
	LEVELS_QUERIES,
};
struct levels {
	sqlite3 *db;
	sqlite3_stmt *kept[LEVELS_QUERIES];
};
void levels_fini(struct levels *l);
/* Prepared; a callback that reads again gets its own. Give it back. NULL is logged. */
sqlite3_stmt *levels_take(struct levels *l, enum levels_query q);
void levels_give_back(struct levels *l, enum levels_query q, sqlite3_stmt *st);

/*
 * Both levels of `zone` as one, in order (rrpage_order), as RRSET_PUTs: all of them, or those at
 * `owner`. 0, what the callback returned, or -EIO (logged).
 */
MUST_USE int
levels_walk(struct levels *l, const char *zone, const uint8_t *owner, store_op_f *f, void *arg);

/* One RRset as RRSET_PUT; a page is read only if no row says what it is. -ENOENT: there is none. */
MUST_USE int levels_find(struct levels *l, const char *zone, const uint8_t *owner, uint16_t type,
    store_op_f *f, void *arg);

/* The same, of these rows (owner, type, ttl_s, rdata) and pages (data): bound, in order. */
MUST_USE int levels_merge(sqlite3 *db, const char *zone, sqlite3_stmt *rows, sqlite3_stmt *pages,
    const uint8_t *owner, store_op_f *f, void *arg);

/* Has the zone a page that has this set? 1, 0 or -EIO. */
MUST_USE int
levels_in_page(struct levels *l, const char *zone, const uint8_t *owner, uint16_t type);

/* What a page is found by: owner and type of its first set. */
struct levels_key {
	size_t len;
	uint8_t bytes[NAME_MAX_LEN + 2];
};
struct levels_key levels_key(const uint8_t *owner, uint16_t type);

/* A condition on ?1 zone, ?2 the first owner, ?3 the owner behind the last one (NULL: to the end).
 */
#define LEVELS_IN_RANGE " WHERE zone = ?1 AND owner >= ?2 AND (?3 IS NULL OR owner < ?3)"

/* Store a page of the zone `seq`. SQLITE_OK or the error. */
MUST_USE int levels_put_page(
    sqlite3 *db, int64_t seq, const struct levels_key *key, const uint8_t *data, size_t len);

/*
 * levels_fold.c: fold the rows above the page that `owner` belongs to into it, if they are many. 0
 * (also when the zone has no pages, or is not there) or -EIO.
 */
MUST_USE int levels_fold(struct levels *l, const char *zone, const uint8_t *owner);
