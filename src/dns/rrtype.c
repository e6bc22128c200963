/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/rrtype.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define OPAQUE                                                                                     \
	{                                                                                          \
		0, 0                                                                               \
	}
#define NO_TARGET (-1)

/*
 * Sorted by number. `layout`: only the types of RFC 1035 may be compressed (RFC 3597 section 4).
 * `target`: offset of the name whose addresses go into the additional section.
 */
static const struct row {
	uint16_t type;
	struct rrtype_layout layout;
	int8_t target;
	const char *name;
} rows[] = {
	{ 1, OPAQUE, NO_TARGET, "A" },
	{ 2, { 0, 1 }, 0, "NS" },
	{ 3, { 0, 1 }, NO_TARGET, "MD" },
	{ 4, { 0, 1 }, NO_TARGET, "MF" },
	{ 5, { 0, 1 }, NO_TARGET, "CNAME" },
	{ 6, { 0, 2 }, NO_TARGET, "SOA" },
	{ 7, { 0, 1 }, NO_TARGET, "MB" },
	{ 8, { 0, 1 }, NO_TARGET, "MG" },
	{ 9, { 0, 1 }, NO_TARGET, "MR" },
	{ 10, OPAQUE, NO_TARGET, "NULL" },
	{ 11, OPAQUE, NO_TARGET, "WKS" },
	{ 12, { 0, 1 }, NO_TARGET, "PTR" },
	{ 13, OPAQUE, NO_TARGET, "HINFO" },
	{ 14, { 0, 2 }, NO_TARGET, "MINFO" },
	{ 15, { 2, 1 }, 2, "MX" },
	{ 16, OPAQUE, NO_TARGET, "TXT" },
	{ 17, OPAQUE, NO_TARGET, "RP" },
	{ 18, OPAQUE, 2, "AFSDB" },
	{ 19, OPAQUE, NO_TARGET, "X25" },
	{ 20, OPAQUE, NO_TARGET, "ISDN" },
	{ 21, OPAQUE, 2, "RT" },
	{ 22, OPAQUE, NO_TARGET, "NSAP" },
	{ 24, OPAQUE, NO_TARGET, "SIG" },
	{ 25, OPAQUE, NO_TARGET, "KEY" },
	{ 26, OPAQUE, NO_TARGET, "PX" },
	{ 28, OPAQUE, NO_TARGET, "AAAA" },
	{ 29, OPAQUE, NO_TARGET, "LOC" },
	{ 33, OPAQUE, 6, "SRV" },
	{ 35, OPAQUE, NO_TARGET, "NAPTR" },
	{ 36, OPAQUE, 2, "KX" },
	{ 37, OPAQUE, NO_TARGET, "CERT" },
	{ 39, OPAQUE, NO_TARGET, "DNAME" },
	{ 41, OPAQUE, NO_TARGET, "OPT" },
	{ 42, OPAQUE, NO_TARGET, "APL" },
	{ 43, OPAQUE, NO_TARGET, "DS" },
	{ 44, OPAQUE, NO_TARGET, "SSHFP" },
	{ 45, OPAQUE, NO_TARGET, "IPSECKEY" },
	{ 46, OPAQUE, NO_TARGET, "RRSIG" },
	{ 47, OPAQUE, NO_TARGET, "NSEC" },
	{ 48, OPAQUE, NO_TARGET, "DNSKEY" },
	{ 49, OPAQUE, NO_TARGET, "DHCID" },
	{ 50, OPAQUE, NO_TARGET, "NSEC3" },
	{ 51, OPAQUE, NO_TARGET, "NSEC3PARAM" },
	{ 52, OPAQUE, NO_TARGET, "TLSA" },
	{ 53, OPAQUE, NO_TARGET, "SMIMEA" },
	{ 55, OPAQUE, NO_TARGET, "HIP" },
	{ 59, OPAQUE, NO_TARGET, "CDS" },
	{ 60, OPAQUE, NO_TARGET, "CDNSKEY" },
	{ 61, OPAQUE, NO_TARGET, "OPENPGPKEY" },
	{ 62, OPAQUE, NO_TARGET, "CSYNC" },
	{ 63, OPAQUE, NO_TARGET, "ZONEMD" },
	{ 64, OPAQUE, 2, "SVCB" },
	{ 65, OPAQUE, 2, "HTTPS" },
	{ 99, OPAQUE, NO_TARGET, "SPF" },
	{ 104, OPAQUE, NO_TARGET, "NID" },
	{ 105, OPAQUE, NO_TARGET, "L32" },
	{ 106, OPAQUE, NO_TARGET, "L64" },
	{ 107, OPAQUE, NO_TARGET, "LP" },
	{ 108, OPAQUE, NO_TARGET, "EUI48" },
	{ 109, OPAQUE, NO_TARGET, "EUI64" },
	{ 249, OPAQUE, NO_TARGET, "TKEY" },
	{ 250, OPAQUE, NO_TARGET, "TSIG" },
	{ 251, OPAQUE, NO_TARGET, "IXFR" },
	{ 252, OPAQUE, NO_TARGET, "AXFR" },
	{ 255, OPAQUE, NO_TARGET, "ANY" },
	{ 256, OPAQUE, NO_TARGET, "URI" },
	{ 257, OPAQUE, NO_TARGET, "CAA" },
};

static int
order_rows(const void *key, const void *row)
{
	return (int)*(const uint16_t *)key - (int)((const struct row *)row)->type;
}

static const struct row *
find(uint16_t type)
{
	return bsearch(&type, rows, ARRAY_LEN(rows), sizeof(rows[0]), order_rows);
}

const char *
rrtype_text(uint16_t type, char out[RRTYPE_TEXT_SIZE])
{
	const struct row *row = find(type);

	if (row != NULL)
		return row->name;
	(void)snprintf(out, RRTYPE_TEXT_SIZE, "TYPE%u", type);
	return out;
}

static int
parse_number(const char *digits, uint16_t *type)
{
	unsigned value = 0, n = 0;

	for (; digits[n] >= '0' && digits[n] <= '9' && n < 5; n++)
		value = value * 10 + (unsigned)(digits[n] - '0');
	if (n == 0 || digits[n] != '\0' || value > UINT16_MAX)
		return -EINVAL;
	*type = (uint16_t)value;
	return 0;
}

int
rrtype_parse(const char *text, uint16_t *type)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (strcasecmp(text, rows[i].name) == 0) {
			*type = rows[i].type;
			return 0;
		}
	}
	return strncasecmp(text, "TYPE", 4) == 0 ? parse_number(text + 4, type) : -EINVAL;
}

bool
rrtype_is_meta(uint16_t type)
{
	return type == 0 || type == RRTYPE_OPT || (type >= 128 && type <= 255);
}

struct rrtype_layout
rrtype_compressible(uint16_t type)
{
	/* The hot ones without a search; nothing above MX is compressed. */
	if (type == RRTYPE_A || type > RRTYPE_MX)
		return (struct rrtype_layout)OPAQUE;
	const struct row *row = find(type);

	return row != NULL ? row->layout : (struct rrtype_layout)OPAQUE;
}

int
rrtype_additional(uint16_t type)
{
	const struct row *row;

	if (type == RRTYPE_A || type == RRTYPE_AAAA)
		return NO_TARGET;
	row = find(type);
	return row != NULL ? row->target : NO_TARGET;
}
