/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * rrpage -- many RRsets of one zone as bytes: how a zone that is replaced whole is stored and sent.
 *
 *   page   u8 version | u32 number of owners | set, set, ...
 *   set    owner without the apex, as a wire name of its own ("www" = 3 www 0; the apex = 0)
 *          | u16 type | u32 ttl | u32 size | size bytes: { u16 rdlen; rdata }, as rrset_new takes
 * it
 *
 * A page has some RRPAGE_FILL bytes: enough that its own cost is nothing, few enough to be looked
 * through and written anew for one name. A *book* is a list of pages that grow at the end. In one
 * made by rrpage_add in order (rrpage_order) no owner is in two pages, so who looks for a name
 * reads one. Reading trusts nothing. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "dns/name.h"

#define RRPAGE_FILL 16384

struct rrpage_set {
	const uint8_t *owner; /* complete, lower wire */
	uint16_t type;
	uint32_t ttl_s;
	const uint8_t *rdata; /* { u16 rdlen; rdata }... */
	uint32_t rdata_len;
	const uint8_t
	    *local; /* when read: the owner without the apex, where it stands in the page */
};

struct rrpage {
	const uint8_t *data;
	size_t len;
};

struct rrpage_book {
	struct buf bytes;
	size_t *starts; /* of each page */
	size_t count, cap;
	size_t sets;
	size_t owner; /* where the newest owner is in the bytes */
};

void rrpage_init(struct rrpage_book *b);
void rrpage_fini(struct rrpage_book *b); /* it may be used again */
/* Append. The owner is at or below the apex, which has `apex_len` bytes. */
void rrpage_add(struct rrpage_book *b, size_t apex_len, const struct rrpage_set *set);
/* A page that is full; borrowed until the next rrpage_add. */
struct rrpage rrpage_at(const struct rrpage_book *b, size_t i);

/* By the bytes of the owner, then by type: <0, 0, >0. */
int rrpage_order(const uint8_t *a, uint16_t a_type, const uint8_t *b, uint16_t b_type);

/* Walks a page, or (rrpage_open_book) all pages of a book. */
struct rrpage_reader {
	struct buf_reader in;
	const struct rrpage_book *book; /* or NULL */
	size_t next;                    /* page of the book */
	size_t apex_len;
	uint8_t space[NAME_MAX_LEN]; /* the owner, at its end the apex */
	bool bad;                    /* what was read is no page of this zone */
};
void rrpage_open(struct rrpage_reader *r, const uint8_t *apex, const uint8_t *data, size_t len);
void rrpage_open_book(struct rrpage_reader *r, const uint8_t *apex, const struct rrpage_book *book);
/* False at the end, or at what cannot be read (`bad`). The owner is borrowed until the next call.
 */
MUST_USE bool rrpage_next(struct rrpage_reader *r, struct rrpage_set *set);
/* The number of owners a page says it has: for making room; 0 if it is none. */
size_t rrpage_owners(const uint8_t *data, size_t len);
