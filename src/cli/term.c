/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/term.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool
term_colour(FILE *f)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(fileno(f)) && (no == NULL || *no == '\0') &&
	       (term == NULL || strcmp(term, "dumb") != 0);
}

const char *
term_on(bool colour, enum style s)
{
	static const char *const codes[] = {
		[STYLE_PLAIN] = "",
		[STYLE_BOLD] = "\033[1m",
		[STYLE_DIM] = "\033[2m",
		[STYLE_GOOD] = "\033[32m",
		[STYLE_WARN] = "\033[33m",
		[STYLE_BAD] = "\033[31m",
	};

	return colour ? codes[s] : "";
}

const char *
term_off(bool colour, enum style s)
{
	return colour && s != STYLE_PLAIN ? "\033[0m" : "";
}

/* The code point at *s, and past it; a bad byte counts as one. */
static uint32_t
next_point(const unsigned char **s)
{
	uint32_t c = *(*s)++;
	const int more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;

	if (more > 0)
		c &= 0x3fu >> more;
	for (int i = 0; i < more && (**s & 0xc0) == 0x80; i++)
		c = c << 6 | (*(*s)++ & 0x3f);
	return c;
}

static bool
is_wide(uint32_t c)
{
	return (c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xa4cf) ||
	       (c >= 0xac00 && c <= 0xd7a3) || (c >= 0xf900 && c <= 0xfaff) ||
	       (c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xff00 && c <= 0xff60) ||
	       (c >= 0x1f300 && c <= 0x1faff) || (c >= 0x20000 && c <= 0x3fffd);
}

size_t
term_width(const char *text)
{
	size_t width = 0;

	for (const unsigned char *s = (const unsigned char *)text; *s != '\0';)
		width += is_wide(next_point(&s)) ? 2 : 1;
	return width;
}

void
term_clean(struct buf *b, const char *text)
{
	for (const unsigned char *s = (const unsigned char *)text; *s != '\0';) {
		const unsigned char *start = s;
		const uint32_t c = next_point(&s);

		/* C0, DEL and C1: what terminals act upon */
		if (c < 0x20 || (c >= 0x7f && c < 0xa0))
			buf_puts(b, "?");
		else
			buf_put(b, start, (size_t)(s - start));
	}
}

void
term_bar(struct buf *b, double share, unsigned width)
{
	const double clipped = share < 0 ? 0 : share > 1 ? 1 : share;
	const unsigned full = (unsigned)(clipped * width + 0.5);

	for (unsigned i = 0; i < width; i++)
		buf_puts(b, i < full ? "\xe2\x96\x88" : "\xe2\x96\x91");
}

enum style
term_state_style(const char *state)
{
	static const struct {
		const char *state;
		enum style style;
	} table[] = {
		{ "healthy", STYLE_GOOD },
		{ "ok", STYLE_GOOD },
		{ "available", STYLE_GOOD },
		{ "up", STYLE_GOOD },
		{ "info", STYLE_PLAIN },
		{ "degraded", STYLE_WARN },
		{ "ok_alert", STYLE_WARN },
		{ "drained", STYLE_WARN },
		{ "forced", STYLE_WARN },
		{ "warning", STYLE_WARN },
		{ "down", STYLE_BAD },
		{ "exceptional", STYLE_BAD },
		{ "unavailable", STYLE_BAD },
		{ "fail-open", STYLE_BAD },
		{ "fail_open", STYLE_BAD },
		{ "critical", STYLE_BAD },
		{ "error", STYLE_BAD },
		{ "disabled", STYLE_DIM },
		{ "unmonitored", STYLE_DIM },
		{ "checking", STYLE_DIM },
		{ "unknown", STYLE_DIM },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (strcmp(table[i].state, state) == 0)
			return table[i].style;
	return STYLE_PLAIN;
}
