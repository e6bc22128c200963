/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/name.h"

#include <errno.h>
#include <string.h>

/* Length bytes (0..63) lie below 'A', so folding a whole name byte by byte leaves them alone. */
static inline uint8_t
fold(uint8_t c)
{
	return (uint8_t)(c - 'A') < 26 ? (uint8_t)(c | 0x20) : c;
}

size_t
name_len(const uint8_t *name)
{
	size_t n = 0;

	while (name[n] != 0)
		n += 1u + name[n];
	return n + 1;
}

unsigned
name_labels(const uint8_t *name)
{
	unsigned n = 0;

	for (; *name != 0; name += 1 + *name)
		n++;
	return n;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* One byte of a label, escaped or not; advances *text. -EINVAL for a bad escape. */
static int
unescape(const char **text)
{
	const char *s = *text;
	int value;

	if (*s != '\\') {
		*text = s + 1;
		return (uint8_t)*s;
	}
	s++;
	if (*s == '\0')
		return -EINVAL;
	if (!is_digit(*s)) {
		*text = s + 1;
		return (uint8_t)*s;
	}
	if (!is_digit(s[1]) || !is_digit(s[2]))
		return -EINVAL;
	value = (s[0] - '0') * 100 + (s[1] - '0') * 10 + (s[2] - '0');
	*text = s + 3;
	return value <= 255 ? value : -EINVAL;
}

/* One label up to a dot or the end; returns its length, the length byte included. */
static int
parse_label(const char **text, uint8_t *out, size_t room)
{
	size_t n = 0;

	while (**text != '\0' && **text != '.') {
		int c = unescape(text);

		if (c < 0 || n == 63)
			return -EINVAL;
		/* Two bytes stay: this label's length and the root. */
		if (n + 2 >= room)
			return -ENAMETOOLONG;
		out[1 + n++] = (uint8_t)c;
	}
	if (n == 0)
		return -EINVAL;
	out[0] = (uint8_t)n;
	return (int)n + 1;
}

int
name_parse(const char *text, uint8_t out[NAME_MAX_LEN])
{
	size_t len = 0;

	if (strcmp(text, ".") == 0) {
		out[0] = 0;
		return 1;
	}
	do {
		int n = parse_label(&text, out + len, NAME_MAX_LEN - len);

		if (n < 0)
			return n;
		len += (size_t)n;
		if (*text == '.')
			text++;
	} while (*text != '\0');
	out[len] = 0;
	return (int)len + 1;
}

int
name_parse_lower(const char *text, uint8_t out[NAME_MAX_LEN])
{
	int n = name_parse(text, out);

	if (n > 0)
		name_lower(out);
	return n;
}

static bool
is_plain(uint8_t c)
{
	return (uint8_t)((c | 0x20) - 'a') < 26 || (uint8_t)(c - '0') < 10 || c == '-' ||
	       c == '_' || c == '*' || c == '/';
}

/* What is not plain gets a backslash: zscanner takes no more than that bare. */
static char *
escape(char *out, uint8_t c)
{
	if (c <= ' ' || c >= 0x7f) {
		*out++ = '\\';
		*out++ = (char)('0' + c / 100);
		*out++ = (char)('0' + c / 10 % 10);
		*out++ = (char)('0' + c % 10);
		return out;
	}
	if (!is_plain(c))
		*out++ = '\\';
	*out++ = (char)c;
	return out;
}

char *
name_text(const uint8_t *name, char out[NAME_TEXT_SIZE])
{
	char *p = out;

	if (*name == 0)
		*p++ = '.';
	while (*name != 0) {
		unsigned n = *name++;

		if (p != out)
			*p++ = '.';
		for (; n > 0; n--)
			p = escape(p, *name++);
	}
	*p = '\0';
	return out;
}

void
name_lower(uint8_t *name)
{
	name_copy_lower(name, name);
}

void
name_copy_lower(uint8_t *out, const uint8_t *name)
{
	name_fold(out, name, name_len(name));
}

static bool
equal_folded(const uint8_t *a, const uint8_t *b, size_t len)
{
	if (memcmp(a, b, len) == 0)
		return true;
	for (size_t i = 0; i < len; i++)
		if (fold(a[i]) != fold(b[i]))
			return false;
	return true;
}

bool
name_equal(const uint8_t *a, const uint8_t *b)
{
	size_t len = name_len(a);

	return len == name_len(b) && equal_folded(a, b, len);
}

bool
name_below(const uint8_t *name, const uint8_t *ancestor)
{
	unsigned have = name_labels(name), want = name_labels(ancestor);

	return have >= want && name_equal(name_skip(name, have - want), ancestor);
}

const uint8_t *
name_skip(const uint8_t *name, unsigned n)
{
	while (n-- > 0)
		name += 1 + *name;
	return name;
}

/* Labels as unsigned bytes, the shorter first when one is the head of the other. */
static int
order_label(const uint8_t *a, const uint8_t *b)
{
	size_t common = *a < *b ? *a : *b;
	int diff = memcmp(a + 1, b + 1, common);

	return diff != 0 ? diff : (int)*a - (int)*b;
}

int
name_order(const uint8_t *a, const uint8_t *b)
{
	struct name_path ap, bp;

	name_path_of(&ap, a);
	name_path_of(&bp, b);
	for (unsigned i = 1; i <= ap.labels && i <= bp.labels; i++) {
		int diff = order_label(name_path_tail(&ap, i), name_path_tail(&bp, i));

		if (diff != 0)
			return diff;
	}
	return (int)ap.labels - (int)bp.labels;
}

bool
name_is_wildcard(const uint8_t *name)
{
	return name[0] == 1 && name[1] == '*';
}

void
name_path_of(struct name_path *p, const uint8_t *name)
{
	unsigned n = 0, pos = 0;

	for (; name[pos] != 0; pos += 1u + name[pos])
		p->off[n++] = (uint8_t)pos;
	p->off[n] = (uint8_t)pos;
	p->name = name;
	p->labels = (uint8_t)n;
	p->len = (uint8_t)(pos + 1);
}

int
name_check(const uint8_t *msg, size_t len, size_t pos)
{
	struct name_path p;

	return pos < len ? name_path_read(&p, msg, len, pos) : -EINVAL;
}

int
name_expand(const uint8_t *msg, size_t len, size_t *pos, uint8_t out[NAME_MAX_LEN])
{
	size_t at = *pos, n = 0, bound = *pos;
	bool jumped = false;

	for (;;) {
		uint8_t c;

		if (at >= len)
			return -EINVAL;
		c = msg[at];
		if (c >= 0xc0) {
			size_t to;

			if (at + 1 >= len)
				return -EINVAL;
			to = (size_t)(c & 0x3f) << 8 | msg[at + 1];
			if (!jumped)
				*pos = at + 2;
			jumped = true;
			/* Each jump lands before everything read so far: no loop is possible. */
			if (to >= bound)
				return -EINVAL;
			at = bound = to;
			continue;
		}
		if (c > 63 || at + 1 + c > len || n + 1 + c > NAME_MAX_LEN - (c != 0))
			return -EINVAL;
		memcpy(out + n, msg + at, 1u + c);
		n += 1u + c;
		at += 1u + c;
		if (c == 0)
			break;
	}
	if (!jumped)
		*pos = at;
	return (int)n;
}
