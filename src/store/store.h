/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * store -- what must survive: objects, RRsets, revisions, audit, events, tokens.
 *
 *	control --change_set--> store_commit --durable--> revision n
 *	                             |
 *	     engine  <--ops--  store_load (all), store_changes_since (what it missed)
 *
 * A commit is one transaction: all of its ops or none, on disk when store_commit returns, and then
 * numbered by the next revision. Nothing here judges what is stored; the model did
 *(model_check_put).
 *
 * Any thread may call anything. Writers wait for each other. Readers see one consistent state and
 * never wait for a writer, only for each other; a read callback may read the store again, but must
 * not write to it. What a callback is handed is borrowed for the call.
 *
 * One driver so far, for a single node, embedded: sqlite/. Nothing in this header knows it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/diag.h"
#include "model/change.h"

struct store;

/*
 * Open DIR/gtm.db; DIR (not its parents) and the database are made when missing, and an older
 * database is brought up to date after a copy of it was put beside it. Two processes must not share
 * DIR: the caller locks it. 0, or -EINVAL with a problem that says what to do (not writable,
 * damaged, from a newer version, ...).
 */
MUST_USE int store_open(const char *dir, struct store **out, struct diag *d);
void store_close(struct store **s);

/* The newest revision; 0 in an empty store. Does no I/O. */
uint64_t store_revision(struct store *s);
/*
 * Names the history that revisions count in, 32 hex digits. A store restored from a backup has a
 * new one: the revisions that others remember mean nothing in it, even where their numbers exist.
 */
const char *store_lineage(const struct store *s);

/*
 * How many of the newest revisions have an audit entry and can be followed; older ones go, some
 * with each commit. STORE_KEEP unless said otherwise; before the first commit.
 */
#define STORE_KEEP 100000
void store_keep(struct store *s, uint64_t revisions);

/*
 * All or nothing. On success set->revision and every op's revision are filled in. Times: the ops'
 * own; the audit entry's is now. -EINVAL with DIAG_UNAVAILABLE (disk full, read-only: the store
 * keeps working for readers), DIAG_NOT_FOUND (a DELETE of nothing, an RRset of no zone) or
 * DIAG_INTERNAL.
 */
MUST_USE int store_commit(struct store *s, struct change_set *set, struct diag *d);

/* -- reading back; each op can be applied as it comes -- */

/* Non-zero stops the walk and is returned by it. */
typedef int store_op_f(const struct change_op *op, void *arg);

/* Everything: objects kind by kind, those of a kind in the order they were made; then the RRsets
 * zone by zone. *revision (may be NULL) is the state's. 0, the callback's, or -EIO (logged). */
MUST_USE int store_load(struct store *s, store_op_f *f, void *arg, uint64_t *revision);
/* The RRSET_PUTs of one zone; none if there is no such zone. */
MUST_USE int store_zone_rrsets(struct store *s, const char *zone, store_op_f *f, void *arg);
/* One RRset; -ENOENT. `owner` lower wire form. */
MUST_USE int store_rrset_find(struct store *s, const char *zone, const uint8_t *owner,
    uint16_t type, store_op_f *f, void *arg);
/* All RRsets at one name, by type; none if there are none. `owner` lower wire form. */
MUST_USE int store_owner_rrsets(
    struct store *s, const char *zone, const uint8_t *owner, store_op_f *f, void *arg);
/*
 * What changed since `since`, as the current state of every key touched: PUTs in dependency order,
 * RRsets (a zone whose set was replaced: ZONE_CLEAR, then all of it), then DELETEs in reverse
 * order; a follower applies them and is at *revision. A key that came and went meanwhile is a
 * DELETE of something the follower never had. -ESTALE: `since` is ahead of this store, or longer
 * ago than is kept: take store_load. Compare store_lineage first: a number says nothing across
 * histories.
 */
MUST_USE int
store_changes_since(struct store *s, uint64_t since, store_op_f *f, void *arg, uint64_t *revision);

/* -- audit: one entry per revision, as far as they are kept -- */

struct store_audit_entry {
	uint64_t revision;
	int64_t at_ms;
	const char *author, *summary;
	const char *diff; /* lines: "+ pool dc-a {...}", "~ pool dc-a", "    ttl: 60 -> 30", "- pool
			     dc-a"; clipped when huge */
};

typedef int store_audit_f(const struct store_audit_entry *e, void *arg);
/* Newest first, those before revision `before` (0: from the newest). */
MUST_USE int
store_audit(struct store *s, uint64_t before, size_t limit, store_audit_f *f, void *arg);

/* -- events: what happened; the newest STORE_EVENTS_MAX are kept -- */

#define STORE_EVENTS_MAX 100000

struct store_event {
	uint64_t id; /* given by store_events_append; never reused */
	int64_t at_ms;
	const char *kind;                      /* "address.down" */
	const char *object_kind, *object_name; /* both NULL: about no object */
	const char *severity;
	const char *text;
	const char *data; /* JSON, or NULL */
};

struct store_event_filter {
	uint64_t since_id;  /* only ids above */
	uint64_t before_id; /* only ids below; 0: no bound */
	size_t limit;       /* at most so many; 0: all */
	bool newest_first;
	const char *kind, *object_kind, *object_name; /* NULL: any */
};

/* Durable when it returns, all of them or none, and their ids are filled in. One fsync for all. */
MUST_USE int
store_events_append(struct store *s, struct store_event *e, size_t count, struct diag *d);
typedef int store_event_f(const struct store_event *e, void *arg);
MUST_USE int
store_events(struct store *s, const struct store_event_filter *filter, store_event_f *f, void *arg);

/* -- tokens: the secret itself is never stored -- */

#define STORE_HASH_SIZE 32

struct store_token {
	const char *id; /* public, unique */
	const char *name;
	uint8_t hash[STORE_HASH_SIZE]; /* SHA-256 of the secret */
	const char *scopes;
	int64_t created_ms;
	int64_t expires_ms; /* 0: never; judged by the caller */
};

/* DIAG_CONFLICT when the id or the hash exists. */
MUST_USE int store_token_add(struct store *s, const struct store_token *t, struct diag *d);
/* Text of *out lives in `a`. 0, -ENOENT, -EIO. */
MUST_USE int store_token_find(
    struct store *s, const uint8_t hash[STORE_HASH_SIZE], struct arena *a, struct store_token *out);
/* DIAG_NOT_FOUND. */
MUST_USE int store_token_remove(struct store *s, const char *id, struct diag *d);
typedef int store_token_f(const struct store_token *t, void *arg);
MUST_USE int store_tokens(struct store *s, store_token_f *f, void *arg);

/*
 * A consistent copy into the new file `path`; readers go on, writers wait. To restore, stop gtmd
 * and put it in the place of gtm.db (no file beside it): it opens with a new lineage. A plain copy
 * of a live gtm.db is no backup.
 */
MUST_USE int store_backup(struct store *s, const char *path, struct diag *d);
