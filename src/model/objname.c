/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/objname.h"

#include <stdint.h>
#include <string.h>

#include "base/attr.h"

/* Read one character beyond ASCII at *p; 0 if it is malformed, overlong or a surrogate. */
static uint32_t
read_wide(const char **p)
{
	const uint8_t *s = (const uint8_t *)*p;
	const unsigned extra = s[0] >= 0xf0 ? 3 : s[0] >= 0xe0 ? 2 : 1;
	static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };
	uint32_t c = s[0] & (0x3fu >> extra);

	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	for (unsigned i = 1; i <= extra; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	*p += extra + 1;
	if (c < least[extra] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	return c;
}

/*
 * Not Unicode's own table of letters, but all that is surely none: signs of Latin-1, general
 * punctuation (blanks, joiners, direction marks), ideographic space and punctuation, private use,
 * variation selectors, specials, tags.
 */
static bool
is_letter(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} none[] = {
		{ 0, 0xa9 },
		{ 0xab, 0xb4 },
		{ 0xb6, 0xb9 },
		{ 0xbb, 0xbf },
		{ 0xd7, 0xd7 },
		{ 0xf7, 0xf7 },
		{ 0x180b, 0x180f },
		{ 0x1680, 0x1680 },
		{ 0x2000, 0x2bff },
		{ 0x2e00, 0x2e7f },
		{ 0x3000, 0x3004 },
		{ 0x3008, 0x3020 },
		{ 0xe000, 0xf8ff },
		{ 0xfe00, 0xfe6f },
		{ 0xfeff, 0xff0f },
		{ 0xfff0, 0xffff },
		{ 0xe0000, 0x10ffff },
	};

	for (size_t i = 0; i < ARRAY_LEN(none); i++) {
		if (c >= none[i].first && c <= none[i].last)
			return false;
	}
	return true;
}

static bool
is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("._:*-", c) != NULL);
}

const char *
objname_fault(const char *text)
{
	size_t count = 0;

	if (text[0] == '\0')
		return "must not be empty";
	for (const char *p = text; *p != '\0'; count++) {
		if ((*p & 0x80) == 0) {
			if (!is_plain(*p++))
				return "contains a character that names may not have";
		} else if (!is_letter(read_wide(&p))) {
			return "contains a character that names may not have";
		}
	}
	return count > OBJNAME_MAX ? "is longer than 64 characters" : NULL;
}

bool
objname_is_printable(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		const uint8_t c = (uint8_t)text[i], next = i + 1 < len ? (uint8_t)text[i + 1] : 0;

		if (c < 0x20 || c == 0x7f || (c == 0xc2 && next >= 0x80 && next <= 0x9f))
			return false;
	}
	return true;
}
