/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "model/noun_rules.h"
#include "model/peer_fields.h"
#include "model/shared_fields.h"

static const char *const role_words[] = { "primary", "secondary", NULL };
static const char *const serial_words[] = { "increment", "unixtime", "dateserial", NULL };
static const char *const axfr_view_words[] = { "fallback", "zone", NULL };

#define AT(member) offsetof(struct zone_spec, member)

const struct field zone_fields[] = {
	{ .name = "role",
	    .offset = AT(role),
	    .type = FIELD_ENUM,
	    .words = role_words,
	    .prose = "primary: records are edited here; secondary: they come from its primaries" },
	{ .name = "primaries",
	    .offset = AT(primaries),
	    .type = FIELD_LIST,
	    .max = 16,
	    .sub = peer_fields,
	    .sub_size = sizeof(struct peer_spec),
	    .prose = "servers a secondary transfers the zone from, in order of preference" },
	{ .name = "nameservers",
	    .offset = AT(nameservers),
	    .type = FIELD_STRS,
	    .max = 16,
	    .prose = "names of the zone's servers, for SOA and NS of a zone that is made empty" },
	{ .name = "contact",
	    .offset = AT(contact),
	    .type = FIELD_STR,
	    .max = 255,
	    .prose = "who is responsible, as a mail address or a name (RNAME); "
		     "empty: hostmaster of the zone" },
	{ .name = "notify",
	    .offset = AT(notify),
	    .type = FIELD_LIST,
	    .max = 64,
	    .sub = peer_fields,
	    .sub_size = sizeof(struct peer_spec),
	    .prose = "servers that are told of every change (NOTIFY)" },
	{ .name = "transfer",
	    .offset = AT(transfer),
	    .type = FIELD_LIST,
	    .max = 64,
	    .sub = peer_transfer_fields,
	    .sub_size = sizeof(struct transfer_spec),
	    .prose = "who may transfer the zone (AXFR, IXFR); none: nobody" },
	{ .name = "update",
	    .offset = AT(update),
	    .type = FIELD_LIST,
	    .max = 64,
	    .sub = peer_update_fields,
	    .sub_size = sizeof(struct update_spec),
	    .prose = "who may change what by DNS UPDATE (RFC 2136); none: nobody" },
	{ .name = "serial",
	    .offset = AT(serial),
	    .type = FIELD_ENUM,
	    .words = serial_words,
	    .prose = "how the SOA serial moves on with a change" },
	{ .name = "axfr_view",
	    .offset = AT(axfr_view),
	    .type = FIELD_ENUM,
	    .words = axfr_view_words,
	    .prose = "steered names in a transfer: their fallback set, or as the zone has them" },
	{ .name = "catalog",
	    .offset = AT(catalog),
	    .type = FIELD_STR,
	    .min = 1,
	    .max = 255,
	    .flags = FIELD_OPTIONAL,
	    .prose = "catalog zone (RFC 9432) this zone is a member of: one that is a primary "
		     "here lists it; one consumed here has made it" },
	{ .name = "catalog_consumer",
	    .offset = AT(catalog_consumer),
	    .type = FIELD_BOOL,
	    .prose = "the zone is a catalog (RFC 9432): what it lists becomes secondary zones with "
		     "the same primaries; of a secondary only" },
	REMARK_FIELD(struct zone_spec),
	LABELS_FIELD(struct zone_spec),
	FIELD_END,
};

void
zone_settle(const char *name, void *spec, struct arena *a)
{
	struct zone_spec *z = spec;
	const char **server = z->nameservers.items;
	char canon[KIND_NAME_SIZE];

	for (size_t i = 0; i < z->nameservers.count; i++) {
		if (hostname_canon(server[i], canon) == NULL)
			server[i] = arena_strdup(a, canon);
	}
	if (z->catalog != NULL && hostname_canon(z->catalog, canon) == NULL)
		z->catalog = arena_strdup(a, canon);
	peer_settle(name, z, a);
}

static void
check_contact(const char *contact, struct diag *d)
{
	char canon[KIND_NAME_SIZE];
	const char *at = strrchr(contact, '@');
	const char *fault = hostname_canon(at == NULL ? contact : at + 1, canon);

	if (contact[0] == '\0' || (fault == NULL && at != contact && strchr(contact, ' ') == NULL))
		return;
	diag_add(d, DIAG_INVALID, "contact", "is neither a mail address nor a domain name");
	diag_detail(d, contact, "\"hostmaster@example.com\", \"hostmaster.example.com\"");
}

static void
check_catalog(const char *zone, const char *catalog, struct diag *d)
{
	char canon[KIND_NAME_SIZE];
	const char *fault = catalog == NULL ? NULL : hostname_canon(catalog, canon);

	if (fault == NULL && catalog != NULL && strcmp(canon, zone) == 0)
		fault = "cannot be the zone itself";
	if (fault == NULL)
		return;
	diag_add(d, DIAG_INVALID, "catalog", "%s", fault);
	diag_detail(d, catalog, HOSTNAME_ALLOWED);
}

int
zone_check(const char *name, const void *spec, struct diag *d)
{
	const struct zone_spec *z = spec;
	const char *const *server = z->nameservers.items;
	const size_t before = d->count;
	char canon[KIND_NAME_SIZE], where[48];

	for (size_t i = 0; i < z->nameservers.count; i++) {
		const char *fault = hostname_canon(server[i], canon);

		if (fault == NULL)
			continue;
		snprintf(where, sizeof(where), "nameservers[%zu]", i);
		diag_add(d, DIAG_INVALID, where, "%s", fault);
		diag_detail(d, server[i], HOSTNAME_ALLOWED);
	}
	check_contact(z->contact, d);
	check_catalog(name, z->catalog, d);
	peer_check(name, z, d);
	return d->count == before ? 0 : -EINVAL;
}

void
zone_refs(const void *spec, kind_ref_f *visit, void *arg)
{
	peer_refs(spec, visit, arg);
}
