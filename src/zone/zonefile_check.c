/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "zone/zonefile_check.h"

#include "dns/name.h"
#include "dns/rrtype.h"
#include "zone/zonefile.h"

#define TYPE_KEY 25

/* RFC 4034 section 3, 4 and RFC 2931: these accompany a CNAME. */
static bool
beside_cname(uint16_t type)
{
	return type == RRTYPE_RRSIG || type == RRTYPE_NSEC || type == RRTYPE_CNAME ||
	       type == TYPE_KEY;
}

static const char *
check_count(uint16_t type, size_t count)
{
	if (count == 1)
		return NULL;
	switch (type) {
	case RRTYPE_SOA:
		return "only one SOA record is allowed";
	case RRTYPE_CNAME:
		return "only one CNAME record is allowed at a name (RFC 2181)";
	case RRTYPE_DNAME:
		return "only one DNAME record is allowed at a name (RFC 6672)";
	default:
		return NULL;
	}
}

static const char *
check_company(uint16_t type, const uint16_t *have, size_t n_have)
{
	for (size_t i = 0; i < n_have; i++) {
		if (type == RRTYPE_CNAME && !beside_cname(have[i]))
			return "a CNAME cannot stand beside other records (RFC 1034)";
		if (have[i] == RRTYPE_CNAME && !beside_cname(type))
			return "no other record can stand beside a CNAME (RFC 1034)";
	}
	return NULL;
}

const char *
zonefile_check_rule(const uint8_t *apex, const uint8_t *owner, uint16_t type, size_t count,
    const uint16_t *have, size_t n_have)
{
	const char *why;

	if (rrtype_is_meta(type))
		return "this type cannot be stored in a zone";
	if (!name_below(owner, apex))
		return "the name is outside of the zone";
	if (type == RRTYPE_SOA && !name_equal(owner, apex))
		return "a SOA record is allowed at the zone's apex only";
	if (type == RRTYPE_CNAME && name_equal(owner, apex))
		return "a CNAME cannot stand at the zone's apex";
	why = check_count(type, count);
	return why != NULL ? why : check_company(type, have, n_have);
}

int
zonefile_check_set(const uint8_t *apex, const uint8_t *owner, const struct rrset *set,
    const uint16_t *have, size_t n_have, struct diag *d)
{
	const char *why = zonefile_check_rule(apex, owner, set->type, set->count, have, n_have);
	char name[NAME_TEXT_SIZE], type[RRTYPE_TEXT_SIZE];

	if (why == NULL)
		return 0;
	return diag_add(d, DIAG_INVALID, "", "%s %s: %s", name_text(owner, name),
	    rrtype_text(set->type, type), why);
}
