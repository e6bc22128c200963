/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/warn.h"

#include <stdio.h>
#include <string.h>

#include "api/records.h"
#include "dns/rrtype.h"
#include "model/nouns.h"

#define TTL_LONG_S 300

static bool
is_zone_data(uint16_t type)
{
	return type == RRTYPE_SOA || type == RRTYPE_NS || type == RRTYPE_DS ||
	       type == RRTYPE_RRSIG || type == RRTYPE_NSEC || type == RRTYPE_DNSKEY;
}

/* A steered set stands before the zone's own at that name; a CNAME before all of them. */
static void
warn_hidden(struct edit *e, const char *host, uint16_t steered)
{
	const struct model_object *zone = model_zone_of(e->model, host);
	uint8_t owner[NAME_MAX_LEN];
	char type[RRTYPE_TEXT_SIZE];
	size_t n;

	if (zone == NULL || name_parse_lower(host, owner) < 0)
		return;

	const uint16_t *types = edit_types(e, zone->name, owner, &n);

	for (size_t i = 0; i < n; i++) {
		const char *text = rrtype_text(types[i], type);

		if (types[i] == steered || types[i] == RRTYPE_CNAME)
			edit_warn(e, "hides the static %s records at %s in zone %s", text, host,
			    zone->name);
		else if (steered == RRTYPE_CNAME && !is_zone_data(types[i]))
			edit_warn(e, "a steered CNAME hides the %s records at %s", text, host);
		else if (steered == RRTYPE_CNAME)
			edit_warn(
			    e, "a CNAME next to %s records at %s breaks RFC 1034", text, host);
	}
}

static void
warn_domain(struct edit *e, const char *name, const struct domain_spec *spec)
{
	char host[KIND_NAME_SIZE];
	uint16_t type;

	if (spec->ttl_s > TTL_LONG_S)
		edit_warn(e, "ttl %u: resolvers keep sending clients to a dead site for that long",
		    spec->ttl_s);
	if (spec->pools.count == 0)
		edit_warn(e, "no pool linked: the zone's own records answer");
	if (spec->enabled && spec->pools.count > 0 && domain_name_split(name, host, &type) == 0)
		warn_hidden(e, host, type);
}

void
warn_object(struct edit *e, enum kind kind, const char *name, const void *spec)
{
	if (kind == KIND_DOMAIN)
		warn_domain(e, name, spec);
	if (kind == KIND_POOL && ((const struct pool_spec *)spec)->addresses.count == 0)
		edit_warn(e, "pool %s has no address: it counts as down", name);
}

void
warn_lined(struct edit *e, const char *zone, const uint8_t *apex)
{
	struct rrset *keys = records_find(control_store(e->r->control), zone, apex, RRTYPE_DNSKEY);

	if (keys != NULL)
		edit_warn(e,
		    "zone %s is signed: answers by line have no signatures, and validating "
		    "resolvers refuse them",
		    zone);
	rrset_free(&keys);
}

void
warn_records(struct edit *e, const uint8_t *owner, uint16_t type)
{
	static const uint16_t steered[] = { RRTYPE_A, RRTYPE_AAAA, RRTYPE_CNAME };
	char host[NAME_TEXT_SIZE], text[RRTYPE_TEXT_SIZE], name[NAME_TEXT_SIZE + RRTYPE_TEXT_SIZE];

	for (size_t i = 0; i < ARRAY_LEN(steered); i++) {
		if (type != steered[i] && type != RRTYPE_CNAME && steered[i] != RRTYPE_CNAME)
			continue;
		snprintf(name, sizeof(name), "%s/%s", name_text(owner, host),
		    rrtype_text(steered[i], text));

		const struct model_object *o = model_find(e->model, KIND_DOMAIN, name);
		const struct domain_spec *spec = o != NULL ? o->spec : NULL;

		if (spec != NULL && spec->enabled && spec->pools.count > 0)
			edit_warn(e, "hidden by the enabled domain %s", name);
	}
}
