/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * json_scan -- reading JSON of one's own writing (json_text), without making a tree of it.
 *
 *	{"name":"a5","port":80}     json_scan_mark '{', json_scan_key "name", json_scan_string ...
 *
 * It takes compact text of plain ASCII only. Whatever looks otherwise (white space, escapes, UTF-8,
 * a real number) is not wrong, it is not taken: false, and who reads begins again with json_parse.
 * After false the place is nowhere in particular.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/attr.h"

struct json_scan {
	const char *at, *end;
};

/* The character, stepped over if it comes next. */
static inline bool
json_scan_mark(struct json_scan *s, char c)
{
	if (s->at == s->end || *s->at != c)
		return false;
	s->at++;
	return true;
}

/* `"key":`, stepped over if it comes next; else the place stays. */
static inline bool
json_scan_key(struct json_scan *s, const char *key)
{
	const size_t len = strlen(key);

	if ((size_t)(s->end - s->at) < len + 3 || s->at[0] != '"' ||
	    memcmp(s->at + 1, key, len) != 0 || s->at[len + 1] != '"' || s->at[len + 2] != ':')
		return false;
	s->at += len + 3;
	return true;
}

/* Within the text scanned, not terminated. */
MUST_USE bool json_scan_string(struct json_scan *s, const char **text, size_t *len);
MUST_USE bool json_scan_integer(struct json_scan *s, int64_t *n);
MUST_USE bool json_scan_bool(struct json_scan *s, bool *yes);
/* The extent of whatever comes next, by its brackets and quotes alone: it need not be plain. */
MUST_USE bool json_scan_value(struct json_scan *s, const char **text, size_t *len);
