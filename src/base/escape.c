/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/escape.h"

#include <errno.h>
#include <string.h>

static int
digit(char c)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *at = c == '\0' ? NULL : strchr(digits, c);

	return at == NULL ? -1 : (int)(at - digits) % 16;
}

/* The octet of "xHH", or -1. */
static int
hex(const char *at)
{
	const int high = digit(at[1]), low = high < 0 ? -1 : digit(at[2]);

	return low < 0 ? -1 : high * 16 + low;
}

/* Of what follows the backslash; -1 = is none of ours. */
static int
octet(const char *at)
{
	switch (*at) {
	case 'r':
		return '\r';
	case 'n':
		return '\n';
	case 't':
		return '\t';
	case 'x':
		return hex(at);
	default:
		return -1;
	}
}

int
escape_decode(const char *text, char *out)
{
	char *to = out;

	for (; *text != '\0'; text++) {
		int c = (unsigned char)*text;

		if (c == '\\') {
			text++;
			c = *text == '\\' ? '\\' : *text == '0' ? 0 : octet(text);
			if (c < 0)
				return -EINVAL;
			if (*text == 'x')
				text += 2;
		}
		*to++ = (char)c;
	}
	return (int)(to - out);
}

int
escape_pattern(const char *text, char *out)
{
	for (; *text != '\0'; text++) {
		const int c = *text == '\\' ? octet(text + 1) : -1;

		if (*text == '\\' && text[1] == 'x') {
			if (c <= 0)
				return -EINVAL;
			if (strchr("^.[]$()|*+?{}\\", c) != NULL)
				*out++ = '\\';
			text += 3;
			*out++ = (char)c;
		} else if (c >= 0) {
			*out++ = (char)c;
			text++;
		} else {
			*out++ = *text;
			if (*text == '\\' && text[1] != '\0')
				*out++ = *++text;
		}
	}
	*out = '\0';
	return 0;
}
