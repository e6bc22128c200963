/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * rrset -- an immutable set of records of one type: what nodes hold and changes carry.
 *
 * One block: header, then `count` times { u16 rdlen; rdata }, in canonical (sorted) order without
 * duplicates. Names inside rdata are uncompressed and in the case they were given.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct rrset {
	uint32_t ttl_s;
	uint16_t type;
	uint16_t count;
	uint32_t size; /* bytes of data[] */
	uint8_t data[];
};

/*
 * From `count` rdatas laid out as { u16 rdlen (network order); rdata }; sorts, drops duplicates.
 * NULL if malformed. The signatures of a name are one set, whose ttl_s is its first record's,
 * whatever is said here.
 */
struct rrset *rrset_new(uint16_t type, uint32_t ttl_s, const uint8_t *data, size_t size);
void rrset_free(struct rrset **s);

/* Walk: *pos starts at 0. Returns NULL at the end. */
const uint8_t *rrset_next(const struct rrset *s, uint32_t *pos, uint16_t *rdlen);
/*
 * The TTL of one of its records: the set's, but each RRSIG has that of the set it covers (RFC 4034
 * 3), which is what it says as Original TTL.
 */
uint32_t rrset_ttl(const struct rrset *s, const uint8_t *rdata, uint16_t rdlen);
bool rrset_equal(const struct rrset *a, const struct rrset *b);
