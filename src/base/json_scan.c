/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/json_scan.h"

#define DIGITS_MAX 18 /* fit into an int64_t, whatever they are */
#define DEPTH_MAX  64 /* as json_parse */

/* ASCII that stands for itself within quotes. */
static const bool plain[256] = {
	[' ' ... '!'] = true,
	['#' ... '['] = true,
	[']' ... '~'] = true,
};

bool
json_scan_string(struct json_scan *s, const char **text, size_t *len)
{
	const char *p = s->at;

	if (p == s->end || *p++ != '"')
		return false;
	*text = p;
	while (p < s->end && plain[(uint8_t)*p])
		p++;
	if (p == s->end || *p != '"')
		return false;
	*len = (size_t)(p - *text);
	s->at = p + 1;
	return true;
}

bool
json_scan_integer(struct json_scan *s, int64_t *n)
{
	const bool minus = json_scan_mark(s, '-');
	const char *first = s->at;
	int64_t sum = 0;

	while (s->at < s->end && *s->at >= '0' && *s->at <= '9' && s->at - first < DIGITS_MAX)
		sum = sum * 10 + (*s->at++ - '0');
	if (s->at == first || (*first == '0' && s->at - first > 1))
		return false;
	*n = minus ? -sum : sum;
	/* More digits, or a real number: what is next is none of these. */
	return s->at < s->end && (*s->at == ',' || *s->at == '}' || *s->at == ']');
}

static bool
scan_word(struct json_scan *s, const char *word)
{
	const size_t len = strlen(word);

	if ((size_t)(s->end - s->at) < len || memcmp(s->at, word, len) != 0)
		return false;
	s->at += len;
	return true;
}

bool
json_scan_bool(struct json_scan *s, bool *yes)
{
	*yes = scan_word(s, "true");
	return *yes || scan_word(s, "false");
}

/* Behind the closing quote; NULL: there is none. */
static const char *
skip_string(const char *p, const char *end)
{
	for (p++; p < end && *p != '"'; p++)
		p += *p == '\\';
	return p < end ? p + 1 : NULL;
}

static bool
is_end(char c, int depth)
{
	return depth == 0 && (c == ',' || c == '}' || c == ']');
}

bool
json_scan_value(struct json_scan *s, const char **text, size_t *len)
{
	const char *p = s->at;
	int depth = 0;

	while (p != NULL && p < s->end && !is_end(*p, depth)) {
		if (*p == '"') {
			p = skip_string(p, s->end);
			continue;
		}
		depth += (*p == '{' || *p == '[') - (*p == '}' || *p == ']');
		if (depth > DEPTH_MAX)
			return false;
		p++;
	}
	if (p == NULL || depth != 0 || p == s->at)
		return false;
	*text = s->at;
	*len = (size_t)(p - s->at);
	s->at = p;
	return true;
}
