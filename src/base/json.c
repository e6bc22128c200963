/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/json.h"

#include <stdbool.h>
#include <stdio.h>

#include "base/check.h"

#define DEPTH_MAX 64

/* 15 digits bring every decimal a person writes back as it was ("0.1", not 0.1000...01). */
#define DUMP_FLAGS (JSON_ENCODE_ANY | JSON_REAL_PRECISION(15))

static void
complain(struct diag *d, int line, int column, const char *what)
{
	char where[64];

	snprintf(where, sizeof(where), "line %d, column %d", line, column);
	diag_add(d, DIAG_INVALID, where, "%s", what);
}

/* jansson's own limit is 2048 deep, too much for our recursive readers. Knows only strings. */
static bool
too_deep(const char *text, size_t len, struct diag *d)
{
	bool quoted = false;
	int depth = 0, line = 1, column = 0;

	for (size_t i = 0; i < len; i++) {
		const char c = text[i];

		column++;
		if (c == '\n') {
			line++;
			column = 0;
		} else if (c == '"') {
			quoted = !quoted;
		} else if (c == '\\' && quoted) {
			i++;
			column++;
		} else if (!quoted && (c == '{' || c == '[')) {
			if (++depth > DEPTH_MAX) {
				complain(d, line, column, "nested deeper than 64 levels");
				return true;
			}
		} else if (!quoted && (c == '}' || c == ']')) {
			depth--;
		}
	}
	return false;
}

json_t *
json_parse(const char *text, size_t len, struct diag *d)
{
	json_error_t error;

	if (too_deep(text, len, d))
		return NULL;

	json_t *j = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);

	if (j == NULL)
		complain(d, error.line > 0 ? error.line : 1, error.column > 0 ? error.column : 0,
		    error.text);
	return j;
}

char *
json_text(const json_t *j)
{
	char *text = json_dumps(j, DUMP_FLAGS | JSON_COMPACT);

	CHECK(text != NULL);
	return text;
}

char *
json_pretty(const json_t *j)
{
	char *text = json_dumps(j, DUMP_FLAGS | JSON_INDENT(2));

	CHECK(text != NULL);
	return text;
}
