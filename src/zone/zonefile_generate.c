/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "zone/zonefile_generate.h"

#include <ctype.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define WIDTH_MAX 255 /* a name is not longer */

struct cursor {
	const char *at, *end;
};

static void
skip_blanks(struct cursor *c)
{
	while (c->at < c->end && isspace((unsigned char)*c->at))
		c->at++;
}

static size_t
take_word(struct cursor *c, const char **word)
{
	skip_blanks(c);
	*word = c->at;
	while (c->at < c->end && !isspace((unsigned char)*c->at))
		c->at++;
	return (size_t)(c->at - *word);
}

static bool
take_char(struct cursor *c, char wanted)
{
	if (c->at == c->end || *c->at != wanted)
		return false;
	c->at++;
	return true;
}

/* Digits up to INT32_MAX; false if there are none or too many. */
static bool
take_number(struct cursor *c, uint32_t *out)
{
	const char *start = c->at;
	uint64_t n = 0;

	for (; c->at < c->end && isdigit((unsigned char)*c->at) && n <= INT32_MAX; c->at++)
		n = n * 10 + (uint64_t)(*c->at - '0');
	*out = (uint32_t)n;
	return c->at > start && n <= INT32_MAX;
}

static bool
read_range(struct zonefile_generate *g, struct cursor c)
{
	g->step = 1;
	if (!take_number(&c, &g->start) || !take_char(&c, '-') || !take_number(&c, &g->stop))
		return false;
	if (take_char(&c, '/') && !take_number(&c, &g->step))
		return false;
	return c.at == c.end && g->start <= g->stop && g->step > 0;
}

/* Where the line's text ends: before its comment, its newline and the blanks there. */
static const char *
text_end(const char *p, const char *end)
{
	bool quoted = false;
	const char *last = p;

	for (; p < end && *p != '\n' && (quoted || *p != ';'); p++) {
		if (*p == '"')
			quoted = !quoted;
		if (*p == '\\' && p + 1 < end && p[1] != '\n')
			p++;
		if (!isspace((unsigned char)*p))
			last = p + 1;
	}
	return last;
}

static bool
is_class(const char *word, size_t len)
{
	return len == 2 && (strncasecmp(word, "IN", 2) == 0 || strncasecmp(word, "CH", 2) == 0 ||
			       strncasecmp(word, "HS", 2) == 0);
}

/* TTL and class in either order, then the type. */
static bool
read_fields(struct zonefile_generate *g, struct cursor *c)
{
	const char *word;
	size_t len = take_word(c, &word);

	g->fields = word;
	for (int i = 0; i < 2 && len > 0; i++)
		if (isdigit((unsigned char)*word) || is_class(word, len))
			len = take_word(c, &word);
	g->fields_len = (size_t)(c->at - g->fields);
	return len > 0;
}

static void
read_rdata(struct zonefile_generate *g, struct cursor *c)
{
	const char *close;

	skip_blanks(c);
	g->rdata = c->at;
	g->rdata_len = (size_t)(c->end - c->at);
	if (!take_char(c, '"'))
		return;
	for (close = c->at; close < c->end && *close != '"'; close++)
		if (*close == '\\')
			close++;
	if (close == c->end - 1) {
		g->rdata++;
		g->rdata_len -= 2;
	}
}

const char *
zonefile_generate_read(struct zonefile_generate *g, const char *line, size_t len)
{
	struct cursor c = { line, text_end(line, line + len) };
	const char *range;
	size_t range_len;

	(void)take_word(&c, &range); /* $GENERATE */
	range_len = take_word(&c, &range);
	if (!read_range(g, (struct cursor){ range, range + range_len }))
		return "$GENERATE needs a range: start-stop or start-stop/step, up to 2147483647";
	g->owner_len = take_word(&c, &g->owner);
	if (g->owner_len == 0)
		return "$GENERATE needs an owner after the range";
	if (!read_fields(g, &c))
		return "$GENERATE needs a type after the owner";
	read_rdata(g, &c);
	return g->rdata_len > 0 ? NULL : "$GENERATE needs data after the type";
}

size_t
zonefile_generate_count(const struct zonefile_generate *g)
{
	return (g->stop - g->start) / g->step + 1;
}

/* Low nibble first, dots between them; `width` counts both. */
static void
write_nibbles(uint32_t n, uint32_t width, const char *digits, struct buf *out)
{
	bool more;

	do {
		buf_put_u8(out, (uint8_t)digits[n & 15]);
		n >>= 4;
		width -= width > 0;
		more = n != 0 || width > 0;
		if (more)
			buf_puts(out, ".");
		width -= more && width > 0;
	} while (n != 0 || width > 0);
}

static bool
write_number(int64_t n, uint32_t width, char base, struct buf *out)
{
	if (base == 'd') {
		buf_printf(out, "%0*lld", (int)width, (long long)n);
		return true;
	}
	if (n < 0)
		return false;
	switch (base) {
	case 'o':
		buf_printf(out, "%0*llo", (int)width, (unsigned long long)n);
		break;
	case 'x':
		buf_printf(out, "%0*llx", (int)width, (unsigned long long)n);
		break;
	case 'X':
		buf_printf(out, "%0*llX", (int)width, (unsigned long long)n);
		break;
	case 'n':
		write_nibbles((uint32_t)n, width, "0123456789abcdef", out);
		break;
	default:
		write_nibbles((uint32_t)n, width, "0123456789ABCDEF", out);
	}
	return true;
}

/* What follows "${". */
static const char *
write_modified(struct cursor *c, uint32_t n, struct buf *out)
{
	uint32_t offset, width = 0;
	const bool minus = take_char(c, '-');
	char base = 'd';

	if (!minus)
		(void)take_char(c, '+');
	if (!take_number(c, &offset))
		return "${offset,width,base}: the offset is not a number";
	if (take_char(c, ',') && (!take_number(c, &width) || width > WIDTH_MAX))
		return "${offset,width,base}: the width is not a number up to 255";
	if (take_char(c, ',')) {
		if (c->at == c->end || strchr("doxXnN", *c->at) == NULL || *c->at == '\0')
			return "${offset,width,base}: the base is not one of d, o, x, X, n, N";
		base = *c->at++;
	}
	if (!take_char(c, '}'))
		return "${offset,width,base} is not closed";
	if (!write_number((int64_t)n + (minus ? -(int64_t)offset : offset), width, base, out))
		return "${offset,width,base} becomes negative";
	return NULL;
}

static const char *
expand(const char *text, size_t len, uint32_t n, struct buf *out)
{
	struct cursor c = { text, text + len };
	const char *why = NULL;

	while (why == NULL && c.at < c.end) {
		const char byte = *c.at++;

		if (byte == '\\' && c.at < c.end) {
			buf_put(out, c.at - 1, 2);
			c.at++;
		} else if (byte != '$') {
			buf_put_u8(out, (uint8_t)byte);
		} else if (take_char(&c, '$')) {
			buf_puts(out, "$");
		} else if (take_char(&c, '{')) {
			why = write_modified(&c, n, out);
		} else {
			buf_printf(out, "%u", n);
		}
	}
	return why;
}

const char *
zonefile_generate_write(const struct zonefile_generate *g, uint32_t n, struct buf *out)
{
	const char *why = expand(g->owner, g->owner_len, n, out);

	buf_puts(out, " ");
	buf_put(out, g->fields, g->fields_len);
	buf_puts(out, " ");
	if (why == NULL)
		why = expand(g->rdata, g->rdata_len, n, out);
	buf_puts(out, "\n");
	return why;
}
