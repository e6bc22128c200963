/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * change -- a change set: what one revision does. Store commits it, feed carries it, engine applies
 * it.
 *
 * Operations are in an order in which they can be applied one by one: what is referred to comes
 * first on the way in and last on the way out. Everything lives in the set's arena.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/strmap.h"
#include "model/kind.h"

enum change_op_kind {
	CHANGE_PUT,    /* object: kind, name, id, created/updated, spec (compact JSON, complete with
			  defaults) */
	CHANGE_DELETE, /* object: kind, name; a zone takes its RRsets along */
	CHANGE_RRSET_PUT,    /* zone, owner, type, ttl_s, rdata */
	CHANGE_RRSET_DELETE, /* zone, owner, type */
	CHANGE_ZONE_CLEAR, /* zone: drop all its RRsets; what follows in the set replaces them, seen
			      by readers as one swap */
	CHANGE_ZONE_PAGE,  /* zone, rdata: a page of RRsets (dns/rrpage.h), each as by RRSET_PUT. To
			      be  committed only behind the zone's CLEAR, pages and owners in order
			    */
};

struct change_op {
	enum change_op_kind op;
	/* PUT, DELETE */
	enum kind kind;
	const char *name; /* as kind_name() made it; for RRSET_*, ZONE_CLEAR: the zone's */
	const char *id;   /* PUT: 16 hex digits, for life */
	const char *spec; /* PUT: JSON text */
	/* PUT, while whoever made it holds on to them: `spec` once more, and what it was (NULL: it
	 * is new), so that nobody has to read the text. Borrowed; `is` NULL: read the text. */
	const json_t *is, *was;
	uint64_t revision;              /* filled at commit */
	int64_t created_ms, updated_ms; /* real time */
	/* RRSET_* */
	const uint8_t *owner; /* lower wire name */
	uint16_t type;
	uint32_t ttl_s;
	const uint8_t *rdata; /* { u16 rdlen; rdata }... as rrset_new takes it; or the page */
	uint32_t rdata_len;
};

struct change_set {
	struct arena arena;
	struct change_op *ops;
	size_t count, cap;
	uint64_t revision;    /* given at commit; strictly increasing */
	const char *author;   /* "token:admin", "cli", ...: for the audit log */
	const char *summary;  /* "put pool 'dc-a'" */
	struct strmap index;  /* change_key -> 1 + place of the newest PUT or DELETE of that object,
				 as a pointer */
	struct strmap ranges; /* networks of lines: the place + 1 of the newest PUT that has it */
};

void change_init(struct change_set *c);
void change_fini(struct change_set *c);
/*
 * Append a copy of `op`; its strings and bytes are copied into the arena. Not so a page, which is
 * large: it is borrowed and has to outlive the set.
 */
void change_add(struct change_set *c, const struct change_op *op);
/* The same, and a page is copied, too. */
void change_add_copy(struct change_set *c, const struct change_op *op);
/* The newest PUT or DELETE of an object in the set, or NULL. O(1); valid until the next change_add.
 */
const struct change_op *change_find(const struct change_set *c, enum kind kind, const char *name);

/* "pool dc-a": an object among all kinds, and what people are shown as a referrer. Returns out. */
#define CHANGE_KEY_SIZE (KIND_NAME_SIZE + 16)
char *change_key(enum kind kind, const char *name, char out[CHANGE_KEY_SIZE]);
