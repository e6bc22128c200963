/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dns/name.h"
#include "model/shared_fields.h"

const char *
hostname_canon(const char *text, char *out)
{
	uint8_t wire[NAME_MAX_LEN];
	char canon[NAME_TEXT_SIZE];
	size_t label = 0;

	for (const char *p = text; *p != '\0'; p++) {
		label = *p == '.' ? 0 : label + 1;
		if ((unsigned char)*p > 0x7e)
			return "is not ASCII: write it in its punycode form (xn--...)";
		if ((unsigned char)*p <= ' ' || strchr("\\\"@();$", *p) != NULL)
			return "contains a character that domain names here may not have";
		if (label > 63)
			return "has a label longer than 63 bytes";
	}

	const int len = name_parse_lower(text, wire);

	if (len == -ENAMETOOLONG)
		return "is longer than 255 bytes";
	if (len < 0)
		return text[0] == '\0' ? "must not be empty" : "has an empty label";
	snprintf(out, KIND_NAME_SIZE, "%.255s", name_text(wire, canon)); /* no escapes in it */
	return NULL;
}

bool
hostname_below(const char *name, const char *zone)
{
	uint8_t wire[NAME_MAX_LEN], apex[NAME_MAX_LEN];

	return name_parse_lower(name, wire) > 0 && name_parse_lower(zone, apex) > 0 &&
	       name_below(wire, apex);
}
