/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * rrtype -- RR types: numbers, mnemonics, and where names sit inside their rdata.
 *
 * One table (rrtype.c) says it all; unknown types are TYPEnnn (RFC 3597). Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

enum rrtype {
	RRTYPE_A = 1,
	RRTYPE_NS = 2,
	RRTYPE_CNAME = 5,
	RRTYPE_SOA = 6,
	RRTYPE_PTR = 12,
	RRTYPE_HINFO = 13,
	RRTYPE_MX = 15,
	RRTYPE_TXT = 16,
	RRTYPE_AAAA = 28,
	RRTYPE_SRV = 33,
	RRTYPE_NAPTR = 35,
	RRTYPE_DNAME = 39,
	RRTYPE_OPT = 41,
	RRTYPE_DS = 43,
	RRTYPE_RRSIG = 46,
	RRTYPE_NSEC = 47,
	RRTYPE_DNSKEY = 48,
	RRTYPE_NSEC3 = 50,
	RRTYPE_NSEC3PARAM = 51,
	RRTYPE_SVCB = 64,
	RRTYPE_HTTPS = 65,
	RRTYPE_CAA = 257,
	RRTYPE_TSIG = 250,
	RRTYPE_IXFR = 251,
	RRTYPE_AXFR = 252,
	RRTYPE_ANY = 255,
};

#define RRTYPE_TEXT_SIZE 16
/* "A", "TYPE1234". */
const char *rrtype_text(uint16_t type, char out[RRTYPE_TEXT_SIZE]);
/* Ignores case; -EINVAL if unknown. */
MUST_USE int rrtype_parse(const char *text, uint16_t *type);
/* A meta type (OPT, TSIG, IXFR, AXFR, ANY, 128..255): never stored in a zone. */
bool rrtype_is_meta(uint16_t type);

/*
 * Rdata layout as far as names go: `fixed` bytes, then `names` names that may be compressed
 * (RFC 3597 section 4: only the types of RFC 1035), then anything. names = 0: opaque.
 */
struct rrtype_layout {
	uint8_t fixed;
	uint8_t names;
};
struct rrtype_layout rrtype_compressible(uint16_t type);
/* Offset of the name in rdata whose addresses belong into the additional section
 * (NS 0, MX 2, SRV 6, SVCB/HTTPS 2), or -1. */
int rrtype_additional(uint16_t type);
