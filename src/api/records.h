/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * records -- the record sets of a zone as the store has them, and as a pending edit will.
 *
 * Zones can be large: nothing here keeps them in memory.
 */
#pragma once

#include "base/json.h"
#include "dns/name.h"
#include "store/store.h"
#include "zone/rrset.h"

#define RECORDS_TYPES 64

/* The set, to rrset_free; NULL if there is none. */
struct rrset *records_find(struct store *s, const char *zone, const uint8_t *owner, uint16_t type);
/* Types at `owner`, at most RECORDS_TYPES. */
size_t
records_types(struct store *s, const char *zone, const uint8_t *owner, uint16_t out[RECORDS_TYPES]);
/* In the store's order; the visitor returns false to stop. */
typedef bool records_visit_f(const uint8_t *owner, const struct rrset *set, void *arg);
MUST_USE int
records_walk(struct store *s, const char *zone, records_visit_f *visit, void *arg, struct diag *d);

/* "www" (relative to the zone), "@", or absolute, to a lower wire name. 0 or -EINVAL. */
MUST_USE int
records_owner(const char *zone, const char *text, uint8_t owner[NAME_MAX_LEN], struct diag *d);
/* {owner, type, ttl, records: [text]}. New reference. */
json_t *records_encode(const uint8_t *owner, const struct rrset *set);
/* The other way, from {ttl, records}; to rrset_free. NULL with problems. */
struct rrset *records_decode(const char *zone, uint16_t type, const json_t *body, struct diag *d);
