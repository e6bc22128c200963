/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/json_out.h"

#include <string.h>

void
json_out_init(struct json_out *o, struct buf *to)
{
	*o = (struct json_out){ .to = to };
}

/* What stands before a value. */
static void
begin(struct json_out *o, const char *key)
{
	if (o->more)
		buf_put_u8(o->to, ',');
	o->more = true;
	if (key == NULL)
		return;
	buf_put_u8(o->to, '"');
	buf_put(o->to, key, strlen(key));
	buf_put(o->to, "\":", 2);
}

void
json_out_open(struct json_out *o, const char *key, char bracket)
{
	begin(o, key);
	buf_put_u8(o->to, (uint8_t)bracket);
	o->more = false;
}

void
json_out_close(struct json_out *o, char bracket)
{
	buf_put_u8(o->to, (uint8_t)bracket);
	o->more = true;
}

static bool
is_plain(unsigned char c)
{
	return c >= ' ' && c != '"' && c != '\\';
}

/* RFC 8259 section 7. */
static void
put_escaped(struct buf *to, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	const char code[] = { '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] };

	if (c == '"' || c == '\\') {
		buf_put_u8(to, '\\');
		buf_put_u8(to, c);
	} else {
		buf_put(to, code, sizeof(code));
	}
}

void
json_out_text(struct json_out *o, const char *key, const char *text)
{
	begin(o, key);
	if (text == NULL) {
		buf_put(o->to, "null", 4);
		return;
	}
	buf_put_u8(o->to, '"');
	while (*text != '\0') {
		size_t len = 0;

		while (is_plain((unsigned char)text[len]))
			len++;
		buf_put(o->to, text, len);
		text += len;
		if (*text != '\0')
			put_escaped(o->to, (unsigned char)*text++);
	}
	buf_put_u8(o->to, '"');
}

void
json_out_json(struct json_out *o, const char *key, const char *json)
{
	begin(o, key);
	buf_put(o->to, json, strlen(json));
}

void
json_out_number(struct json_out *o, const char *key, int64_t n)
{
	char text[20], *at = text + sizeof(text);
	uint64_t left = n < 0 ? -(uint64_t)n : (uint64_t)n;

	begin(o, key);
	do
		*--at = (char)('0' + left % 10);
	while ((left /= 10) > 0);
	if (n < 0)
		*--at = '-';
	buf_put(o->to, at, (size_t)(text + sizeof(text) - at));
}
