/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/zone_origin.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "cli/zone_lines.h"

static bool
is_absolute(const char *name)
{
	bool dot = false;

	for (; *name != '\0'; name++) {
		dot = *name == '.';
		if (*name == '\\' && name[1] != '\0')
			name++;
	}
	return dot;
}

bool
zone_origin_resolve(const char *name, const uint8_t *origin, uint8_t out[NAME_MAX_LEN])
{
	uint8_t wire[NAME_MAX_LEN];
	char apex[NAME_TEXT_SIZE];
	char *full = NULL;

	if (strcmp(name, "@") == 0)
		full = xasprintf("%s.", origin[0] == 0 ? "" : name_text(origin, apex));
	else if (is_absolute(name) || origin[0] == 0)
		full = xstrdup(name);
	else
		full = xasprintf("%s.%s", name, name_text(origin, apex));

	const int n = name_parse(full, wire);

	free(full);
	if (n > 0)
		memcpy(out, wire, (size_t)n);
	return n > 0;
}

char *
zone_origin_find(const char *text, size_t len)
{
	struct zone_lines lines = { text, text + len, 1 };
	char word[NAME_TEXT_SIZE], type[NAME_TEXT_SIZE];
	struct zone_entry e;

	while (zone_lines_next(&lines, &e)) {
		const bool origin = e.kind == ZONE_ENTRY_ORIGIN;
		size_t pos = origin ? sizeof("$ORIGIN") - 1 : 0;

		if (e.kind == ZONE_ENTRY_INCLUDE)
			break;
		if (e.kind != ZONE_ENTRY_RECORD && !origin)
			continue;
		if (!zone_lines_word(&e, &pos, word, sizeof(word)) || !is_absolute(word))
			break;
		while (!origin && zone_lines_word(&e, &pos, type, sizeof(type)))
			if (strcasecmp(type, "SOA") == 0)
				return xstrdup(word);
		return origin ? xstrdup(word) : NULL;
	}
	return NULL;
}
