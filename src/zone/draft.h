/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * draft -- a zone, or the part of one that changes, written record by record before anybody sees
 * it.
 *
 *	owners (hash) -> owner -> A  -> record, record      what it will be
 *	                       \            before: rrset   what it was
 *	                        -> MX -> record
 *
 * With a source, an owner's present sets are read when it is first touched, so that a change costs
 * what it touches. Without one the draft starts empty: a whole zone. Bounded: what would take more
 * than `max_bytes` is refused. Pure but for the source; single-threaded.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "zone/rrset.h"

struct draft;

/* `load` calls draft_have for each set at `owner`; 0 or negative. NULL: there is nothing yet. */
struct draft_source {
	int (*load)(void *arg, const uint8_t *owner, struct draft *d);
	void *arg;
};

struct draft *draft_new(const uint8_t *apex, size_t max_bytes, const struct draft_source *source);
void draft_free(struct draft **d);
/* For a source: one set at the owner asked for. */
void draft_have(struct draft *d, uint16_t type, uint32_t ttl_s, const uint8_t *data, size_t size);

/*
 * NULL, or why not (static text). Owners are lower. A set has one TTL: the newest record's. The
 * rules for single records are checked at once, those about company by draft_check.
 */
MUST_USE const char *draft_add(struct draft *d, const uint8_t *owner, uint16_t type, uint32_t ttl_s,
    const uint8_t *rdata, uint16_t len);
/* A record that is not there is a reason. */
MUST_USE const char *draft_remove(
    struct draft *d, const uint8_t *owner, uint16_t type, const uint8_t *rdata, uint16_t len);

/* Take the whole set away, if it is there. */
void draft_drop(struct draft *d, const uint8_t *owner, uint16_t type);

/* What the draft has now. Types at `owner`, at most `max`; none if they cannot be read. */
size_t draft_types(struct draft *d, const uint8_t *owner, uint16_t *out, size_t max);
/* The records of a set, twins included: *at starts as NULL; NULL at the end. */
const uint8_t *
draft_next(struct draft *d, const uint8_t *owner, uint16_t type, const void **at, uint16_t *len);

/* The rules of zonefile.h for what was touched; *owner and *type say where. */
MUST_USE const char *draft_check(struct draft *d, const uint8_t **owner, uint16_t *type);
/* After draft_check: each set that differs from what was, in the order of first touch; `set` NULL:
 * it is gone. */
typedef void draft_visit_f(void *arg, const uint8_t *owner, uint16_t type, const struct rrset *set);
void draft_each(const struct draft *d, draft_visit_f *visit, void *arg);
