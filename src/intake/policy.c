/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "intake/policy.h"

#include <string.h>

#include "dns/name.h"
#include "dns/rrtype.h"

/* "@" is the apex, "*.x" every name below x (also the wildcard itself), "x" itself only. */
static bool
matches(const char *pattern, const uint8_t *apex, const uint8_t *owner)
{
	const bool below = strncmp(pattern, "*.", 2) == 0;
	uint8_t name[NAME_MAX_LEN];

	if (strcmp(pattern, "@") == 0)
		return name_equal(owner, apex);
	if (name_parse_lower(below ? pattern + 2 : pattern, name) < 0)
		return false;
	if (!below)
		return name_equal(owner, name);
	return name_below(owner, name) && !name_equal(owner, name);
}

static bool
has_name(const struct update_spec *u, const uint8_t *apex, const uint8_t *owner)
{
	const char *const *names = u->names.items;

	for (size_t i = 0; i < u->names.count; i++)
		if (matches(names[i], apex, owner))
			return true;
	return false;
}

static bool
has_type(const struct update_spec *u, uint16_t type)
{
	const char *const *types = u->types.items;
	char buf[RRTYPE_TEXT_SIZE];
	const char *text = rrtype_text(type, buf);

	for (size_t i = 0; i < u->types.count; i++)
		if (strcmp(types[i], "any") == 0 || strcmp(types[i], text) == 0)
			return true;
	return false;
}

bool
policy_knows(const struct zone_spec *z, const char *key)
{
	const struct update_spec *u = z->update.items;

	for (size_t i = 0; i < z->update.count; i++)
		if (strcmp(u[i].key, key) == 0)
			return true;
	return false;
}

bool
policy_allows(const struct zone_spec *z, const uint8_t *apex, const char *key, const uint8_t *owner,
    uint16_t type)
{
	const struct update_spec *u = z->update.items;

	for (size_t i = 0; i < z->update.count; i++)
		if (strcmp(u[i].key, key) == 0 && has_name(&u[i], apex, owner) &&
		    has_type(&u[i], type))
			return true;
	return false;
}
