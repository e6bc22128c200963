/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/zone_lines.h"

#include <string.h>
#include <strings.h>

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static const char *
skip_blanks(const char *p, const char *end)
{
	while (p < end && is_blank(*p))
		p++;
	return p;
}

/* Past the newline that ends the entry; notes the newlines and whether a parenthesis is open. */
static const char *
entry_end(const char *p, const char *end, struct zone_entry *e)
{
	unsigned depth = 0;
	bool quoted = false, comment = false;

	for (; p < end; p++) {
		if (*p == '\n') {
			e->lines++;
			comment = false;
			if (depth == 0)
				return p + 1;
		} else if (comment) {
			continue;
		} else if (*p == '\\' && p + 1 < end && p[1] != '\n') {
			p++;
		} else if (*p == '"') {
			quoted = !quoted;
		} else if (!quoted) {
			comment = *p == ';';
			depth += *p == '(';
			depth -= *p == ')' && depth > 0;
		}
	}
	e->open = depth > 0;
	return end;
}

static bool
begins_with(const struct zone_entry *e, const char *word)
{
	const size_t n = strlen(word);

	return e->len > n && strncasecmp(e->text, word, n) == 0 &&
	       (is_blank(e->text[n]) || e->text[n] == '\n');
}

static enum zone_entry_kind
kind_of(const struct zone_entry *e)
{
	const char *p = skip_blanks(e->text, e->text + e->len);

	if (p == e->text + e->len || *p == '\n' || *p == ';')
		return ZONE_ENTRY_EMPTY;
	if (*e->text != '$')
		return ZONE_ENTRY_RECORD;
	if (begins_with(e, "$ORIGIN"))
		return ZONE_ENTRY_ORIGIN;
	return begins_with(e, "$INCLUDE") ? ZONE_ENTRY_INCLUDE : ZONE_ENTRY_DIRECTIVE;
}

bool
zone_lines_next(struct zone_lines *l, struct zone_entry *e)
{
	if (l->at == l->end)
		return false;
	*e = (struct zone_entry){ .text = l->at, .line = l->line };
	l->at = entry_end(l->at, l->end, e);
	l->line += e->lines;
	e->len = (size_t)(l->at - e->text);
	e->kind = kind_of(e);
	e->indented = e->kind == ZONE_ENTRY_RECORD && is_blank(*e->text);
	return true;
}

bool
zone_lines_word(const struct zone_entry *e, size_t *pos, char *out, size_t size)
{
	const char *end = e->text + e->len, *p = skip_blanks(e->text + *pos, end);
	const bool quoted = p < end && *p == '"';
	size_t n = 0;

	for (p += quoted; p < end && *p != '\n'; p++) {
		if (quoted ? *p == '"' : is_blank(*p) || *p == ';')
			break;
		if (n + 2 >= size)
			return false;
		if (*p == '\\' && p + 1 < end && p[1] != '\n')
			out[n++] = *p++;
		out[n++] = *p;
	}
	out[n] = '\0';
	*pos = (size_t)(p - e->text) + (quoted && p < end && *p == '"');
	return n > 0;
}
