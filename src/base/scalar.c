/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/scalar.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static bool
is_one_of(const char *text, const char *const *words)
{
	for (; *words != NULL; words++)
		if (strcmp(text, *words) == 0)
			return true;
	return false;
}

static const char *const nulls[] = { "", "~", "null", "Null", "NULL", NULL };
static const char *const trues[] = { "true", "True", "TRUE", NULL };
static const char *const falses[] = { "false", "False", "FALSE", NULL };
static const char *const unsayable[] = { ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf",
	"-.Inf", "-.INF", ".nan", ".NaN", ".NAN", NULL };

static const char *
skip_digits(const char *s)
{
	while (isdigit((unsigned char)*s))
		s++;
	return s;
}

/* 10, 8 or 16 by the core schema, or 0 if it is no integer; `*digits` is where they start. */
static int
integer_base(const char *text, const char **digits)
{
	const char *s = text + (*text == '-' || *text == '+');

	*digits = text;
	if (isdigit((unsigned char)*s) && *skip_digits(s) == '\0')
		return 10;
	if (strncmp(text, "0o", 2) != 0 && strncmp(text, "0x", 2) != 0)
		return 0;
	*digits = text + 2;
	const char *set = text[1] == 'o' ? "01234567" : "0123456789abcdefABCDEF";

	if (text[2] == '\0' || text[2 + strspn(text + 2, set)] != '\0')
		return 0;
	return text[1] == 'o' ? 8 : 16;
}

/* [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )? */
static bool
is_float(const char *s)
{
	s += *s == '-' || *s == '+';
	const char *whole = skip_digits(s);
	const bool has_whole = whole != s;

	s = whole;
	if (*s == '.') {
		const char *fraction = skip_digits(s + 1);

		if (!has_whole && fraction == s + 1)
			return false;
		s = fraction;
	} else if (!has_whole) {
		return false;
	}
	if (*s == 'e' || *s == 'E') {
		s++;
		s += *s == '-' || *s == '+';
		if (!isdigit((unsigned char)*s))
			return false;
		s = skip_digits(s);
	}
	return *s == '\0';
}

json_t *
scalar_resolve(const char *text, const char **why)
{
	const char *digits;

	if (is_one_of(text, nulls))
		return json_null();
	if (is_one_of(text, trues))
		return json_true();
	if (is_one_of(text, falses))
		return json_false();
	if (is_one_of(text, unsayable)) {
		*why = "infinity and not-a-number are not supported";
		return NULL;
	}

	const int base = integer_base(text, &digits);

	errno = 0;
	if (base != 0) {
		const long long v = strtoll(digits, NULL, base);

		*why = "integer out of range";
		return errno != 0 ? NULL : json_integer(v);
	}
	if (is_float(text)) {
		*why = "number out of range";
		return json_real(strtod(text, NULL)); /* NULL for what overflowed */
	}
	*why = "not valid UTF-8";
	return json_string(text);
}

/* Readers of YAML 1.1 (PyYAML, so Ansible) take more words and numbers than the core schema. */
static bool
old_reader_differs(const char *s)
{
	static const char *const words[] = { "y", "Y", "yes", "Yes", "YES", "n", "N", "no", "No",
		"NO", "on", "On", "ON", "off", "Off", "OFF", "=", "<<", NULL };

	if (is_one_of(s, words) || strncmp(s, "0b", 2) == 0)
		return true;
	if (!isdigit((unsigned char)*s))
		return false;
	/* 12_000, 1:30:00, 2026-12-01 and times on that day */
	return s[strspn(s, "0123456789_:.,")] == '\0' ? strpbrk(s, "_:,") != NULL
						      : strlen(s) >= 8 && s[4] == '-';
}

bool
scalar_is_plain(const char *s)
{
	const char *why;

	if (!isalnum((unsigned char)*s) && *s != '_' && *s != '/')
		return false;
	for (const char *c = s; *c != '\0'; c++) {
		const char next = c[1];

		if (*c == ' ' ? next == '\0' || next == '#' || next == ' '
		    : *c == ':'
			? next == '\0' || next == ' '
			: !isalnum((unsigned char)*c) && strchr("_-./@+=*()$;<>~^", *c) == NULL)
			return false;
	}
	if (old_reader_differs(s))
		return false;

	json_t *j = scalar_resolve(s, &why);
	const bool is_text = json_is_string(j);

	json_decref(j);
	return is_text;
}

/* The length of the printable character at s that may stand unescaped, else 0. */
static size_t
printable(const unsigned char *s)
{
	if (*s < 0x80)
		return *s >= 0x20 && *s != 0x7f;

	const size_t len = *s >= 0xf0 ? 4 : *s >= 0xe0 ? 3 : 2;
	const bool c1 = len == 2 && s[0] == 0xc2 && s[1] < 0xa0;
	const bool separator =
	    len == 3 && s[0] == 0xe2 && s[1] == 0x80 && (s[2] == 0xa8 || s[2] == 0xa9);
	const bool bom_or_beyond =
	    len == 3 && s[0] == 0xef && s[1] >= 0xbb && (s[1] == 0xbf || s[2] == 0xbf);

	return c1 || separator || bom_or_beyond ? 0 : len;
}

/* Appends \xNN or \uNNNN and returns the bytes taken; only for what `printable` refuses. */
static size_t
escape(struct buf *b, const unsigned char *s)
{
	if (*s == '\n' || *s == '\t' || *s == '\r')
		return buf_puts(b, *s == '\n' ? "\\n" : *s == '\t' ? "\\t" : "\\r"), 1;
	if (*s < 0x80)
		return buf_printf(b, "\\x%02X", *s), 1;
	if (*s < 0xe0)
		return buf_printf(b, "\\x%02X", (*s & 0x03u) << 6 | (s[1] & 0x3fu)), 2;
	buf_printf(b, "\\u%04X", (*s & 0x0fu) << 12 | (s[1] & 0x3fu) << 6 | (s[2] & 0x3fu));
	return 3;
}

void
scalar_write(struct buf *b, const char *text)
{
	if (scalar_is_plain(text)) {
		buf_puts(b, text);
		return;
	}
	buf_puts(b, "\"");
	for (const unsigned char *s = (const unsigned char *)text; *s != '\0';) {
		const size_t len = printable(s);

		if (len == 0) {
			s += escape(b, s);
			continue;
		}
		if (*s == '"' || *s == '\\')
			buf_puts(b, "\\");
		buf_put(b, s, len);
		s += len;
	}
	buf_puts(b, "\"");
}
