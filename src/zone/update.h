/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * update -- dynamic update (RFC 2136): what a message demands of a zone, and what it does to it.
 *
 *   update_parse      zone, prerequisites, changes; FORMERR, NOTZONE
 *   update_require    do the prerequisites hold? NXDOMAIN, YXDOMAIN, NXRRSET, YXRRSET
 *   update_apply      the changes, in their order, on a draft; nothing is seen until that is taken
 *
 * Pure. The draft has the zone as its source.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "dns/name.h"
#include "zone/draft.h"

struct update_record {
	const uint8_t *owner; /* lower */
	uint16_t type, class; /* ANY: the set (type ANY: the name); NONE: not, or one record less */
	uint32_t ttl_s;
	const uint8_t *rdata; /* names expanded */
	uint16_t len;
};

struct update_section {
	struct update_record *records;
	size_t count;
};

struct update {
	struct arena arena; /* owns all of it */
	uint8_t apex[NAME_MAX_LEN];
	struct update_section prerequisites, changes;
	bool has_edns;
	uint8_t edns_version;
};

#define UPDATE_CLASS_NONE 254
#define UPDATE_CLASS_ANY  255

/*
 * An rcode; NOERROR if all of it is well-formed. The zone's name and EDNS are filled in as far as
 * they could be read. update_fini in any case.
 */
MUST_USE uint16_t update_parse(const uint8_t *msg, size_t len, struct update *u);
void update_fini(struct update *u);

/* The rcode of the first prerequisite that does not hold, or NOERROR. */
MUST_USE uint16_t update_require(const struct update *u, struct draft *d);
/*
 * NULL, or why the zone cannot take it (static text). What RFC 2136 3.4.2 says to ignore is
 * ignored: a CNAME beside other data, the last NS of the apex, an older SOA.
 */
MUST_USE const char *update_apply(const struct update *u, struct draft *d);
