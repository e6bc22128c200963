/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/target.h"

#include <stdio.h>
#include <string.h>

#include "base/attr.h"

static const enum kind kinds[] = { KIND_ADDRESS, KIND_POOL, KIND_DOMAIN };

const char *
target_parse(const char *text, enum kind *kind, char *name)
{
	const char *slash = strchr(text, '/'), *fault = NULL;
	struct diag d;

	for (size_t i = 0; slash != NULL && i < ARRAY_LEN(kinds); i++) {
		const char *word = kind_table[kinds[i]].name;

		if (strlen(word) != (size_t)(slash - text) ||
		    strncmp(word, text, (size_t)(slash - text)) != 0)
			continue;
		*kind = kinds[i];
		diag_init(&d);
		if (kind_name(*kind, slash + 1, name, &d) < 0)
			fault = "names no object that there could be";
		diag_fini(&d);
		return fault;
	}
	return "must be a kind and a name";
}

char *
target_text(enum kind kind, const char *name, char *out)
{
	snprintf(out, KIND_NAME_SIZE, "%s/%.280s", kind_table[kind].name, name);
	return out;
}
