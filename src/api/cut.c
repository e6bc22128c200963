/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/cut.h"

#include <errno.h>

#include "api/records.h"
#include "dns/rrtype.h"
#include "model/nouns.h"

static bool
has(struct edit *e, const char *zone, const uint8_t *owner, uint16_t type)
{
	size_t n;
	const uint16_t *types = edit_types(e, zone, owner, &n);

	for (size_t i = 0; i < n; i++)
		if (types[i] == type)
			return true;
	return false;
}

/* The type that cuts at `owner` for a name `above` labels below it, or 0. */
static uint16_t
cut_at(struct edit *e, const char *zone, const uint8_t *owner, unsigned above)
{
	if (has(e, zone, owner, RRTYPE_NS))
		return RRTYPE_NS;
	return above > 0 && has(e, zone, owner, RRTYPE_DNAME) ? RRTYPE_DNAME : 0;
}

static int
refuse(const char *name, const uint8_t *owner, uint16_t type, struct diag *d)
{
	char text[NAME_TEXT_SIZE];

	name_text(owner, text);
	diag_add(d, DIAG_INVALID, "name",
	    type == RRTYPE_NS
		? "is at or below the delegation of '%s': queries are referred, it "
		  "would never answer"
		: "is below the DNAME of '%s': queries are redirected, it would never "
		  "answer",
	    text);
	diag_detail(d, name, NULL);
	return -EINVAL;
}

int
cut_check_domain(struct edit *e, const char *name, struct diag *d)
{
	uint8_t owner[NAME_MAX_LEN], apex[NAME_MAX_LEN];
	char host[KIND_NAME_SIZE];
	uint16_t type;

	if (domain_name_split(name, host, &type) != 0 || name_parse_lower(host, owner) < 0)
		return 0; /* refused elsewhere */

	const struct model_object *zone = model_zone_of(e->model, host);

	if (zone == NULL || name_parse_lower(zone->name, apex) < 0)
		return 0;
	for (unsigned n = 0; name_labels(owner) - n > name_labels(apex); n++) {
		const uint8_t *at = name_skip(owner, n);
		const uint16_t cut = cut_at(e, zone->name, at, n);

		if (cut != 0)
			return refuse(name, at, cut, d);
	}
	return 0;
}

/* `name` is "host/TYPE". */
static void
warn_below(struct edit *e, const char *what, const char *name, const uint8_t *owner, uint16_t type)
{
	uint8_t wire[NAME_MAX_LEN];
	char host[KIND_NAME_SIZE];
	uint16_t rrtype;

	if (domain_name_split(name, host, &rrtype) != 0 || name_parse_lower(host, wire) < 0)
		return;
	if (name_below(wire, owner) && (type == RRTYPE_NS || !name_equal(wire, owner)))
		edit_warn(e, "the %s %s is below it and answers no more", what, name);
}

void
cut_warn_records(struct edit *e, const char *zone, const uint8_t *owner, uint16_t type)
{
	uint8_t apex[NAME_MAX_LEN];

	if ((type != RRTYPE_NS && type != RRTYPE_DNAME) || name_parse_lower(zone, apex) < 0 ||
	    name_equal(owner, apex))
		return;
	STRMAP_EACH (&e->model->objects[KIND_DOMAIN], entry)
		warn_below(e, "domain", entry->key, owner, type);
	STRMAP_EACH (&e->model->objects[KIND_RRSET], entry)
		warn_below(e, "record set", entry->key, owner, type);
}
