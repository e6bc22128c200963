/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "model/noun_rules.h"
#include "model/shared_fields.h"

#define AT(member) offsetof(struct zone_spec, member)

const struct field zone_fields[] = {
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

	(void)name;
	for (size_t i = 0; i < z->nameservers.count; i++) {
		if (hostname_canon(server[i], canon) == NULL)
			server[i] = arena_strdup(a, canon);
	}
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

int
zone_check(const char *name, const void *spec, struct diag *d)
{
	const struct zone_spec *z = spec;
	const char *const *server = z->nameservers.items;
	const size_t before = d->count;
	char canon[KIND_NAME_SIZE], where[48];

	(void)name;
	for (size_t i = 0; i < z->nameservers.count; i++) {
		const char *fault = hostname_canon(server[i], canon);

		if (fault == NULL)
			continue;
		snprintf(where, sizeof(where), "nameservers[%zu]", i);
		diag_add(d, DIAG_INVALID, where, "%s", fault);
		diag_detail(d, server[i], HOSTNAME_ALLOWED);
	}
	check_contact(z->contact, d);
	return d->count == before ? 0 : -EINVAL;
}
