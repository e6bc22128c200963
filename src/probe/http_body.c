/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 *	PLAIN --------------------------------------------------------> END
 *	SIZE_FIRST --> SIZE --> EXTENSION --> DATA --> DATA_END --.
 *	  ^               `-- 0: EXTENSION --> TRAILER --> END    |
 *	  `-------------------------------------------------------'
 */
#include "probe/http_body.h"

#define DIGITS_MAX 15 /* of a chunk's size: no overflow */

enum state { PLAIN, SIZE_FIRST, SIZE, EXTENSION, DATA, DATA_END, TRAILER, TRAILER_LINE, END, BAD };

void
http_body_init(struct http_body *b, const struct http_reply *r)
{
	const bool none = r->status < 200 || r->status == 204 || r->status == 304;

	*b = (struct http_body){ .state = PLAIN };
	if (none || (!r->chunked && r->length == 0))
		b->state = END;
	else if (r->chunked)
		b->state = SIZE_FIRST;
	else if (r->length > 0)
		b->left = (uint64_t)r->length;
	else
		b->until_close = true;
}

static enum state
refuse(struct http_body *b)
{
	b->why = "malformed chunk";
	return BAD;
}

static int
digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static enum state
size_next(struct http_body *b, uint8_t c)
{
	const int value = digit(c);

	if (value >= 0) {
		if (b->left >> (4 * DIGITS_MAX - 4) != 0)
			return refuse(b);
		b->left = b->left * 16 + (unsigned)value;
		return SIZE;
	}
	if (b->state == SIZE_FIRST)
		return refuse(b);
	if (c == '\n')
		return b->left > 0 ? DATA : TRAILER;
	return c == ';' || c == ' ' || c == '\t' || c == '\r' ? EXTENSION : refuse(b);
}

/* One octet of the framing. */
static enum state
next(struct http_body *b, uint8_t c)
{
	switch ((enum state)b->state) {
	case SIZE_FIRST:
		b->left = 0;
		return size_next(b, c);
	case SIZE:
		return size_next(b, c);
	case EXTENSION:
		if (c != '\n')
			return EXTENSION;
		return b->left > 0 ? DATA : TRAILER;
	case DATA_END:
		if (c == '\n')
			return SIZE_FIRST;
		return c == '\r' ? DATA_END : refuse(b);
	case TRAILER:
		if (c == '\n')
			return END;
		return c == '\r' ? TRAILER : TRAILER_LINE;
	case TRAILER_LINE:
		return c == '\n' ? TRAILER : TRAILER_LINE;
	case PLAIN:
	case DATA:
	case END:
	case BAD:
		break;
	}
	return (enum state)b->state;
}

/* Octets of the body itself: how many of `len`. */
static size_t
take(struct http_body *b, const uint8_t *data, size_t len, struct buf *out)
{
	const size_t room = HTTP_BODY_MAX - out->len;
	size_t n = b->until_close || b->left > len ? len : (size_t)b->left;

	if (n > room)
		n = room;
	buf_put(out, data, n);
	if (!b->until_close)
		b->left -= n;
	if (out->len >= HTTP_BODY_MAX)
		b->state = END;
	else if (!b->until_close && b->left == 0)
		b->state = b->state == DATA ? DATA_END : END;
	return n;
}

static enum http_reply_progress
progress(const struct http_body *b)
{
	if (b->state == BAD)
		return HTTP_REPLY_BAD;
	return b->state == END ? HTTP_REPLY_DONE : HTTP_REPLY_MORE;
}

enum http_reply_progress
http_body_feed(struct http_body *b, const void *data, size_t len, struct buf *out)
{
	const uint8_t *at = data;

	for (size_t i = 0; i < len && progress(b) == HTTP_REPLY_MORE;) {
		if (b->state == PLAIN || b->state == DATA)
			i += take(b, at + i, len - i, out);
		else
			b->state = (uint8_t)next(b, at[i++]);
	}
	return progress(b);
}

enum http_reply_progress
http_body_end(const struct http_body *b)
{
	return b->until_close ? HTTP_REPLY_DONE : progress(b);
}
