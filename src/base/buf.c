/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void
buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){ .max = max };
}

void
buf_fini(struct buf *b)
{
	free(b->data);
	buf_init(b, b->max);
}

void
buf_clear(struct buf *b)
{
	b->len = 0;
	b->overflow = false;
}

/* Where the next `len` bytes go, counted already; NULL when they do not fit. Keeps a byte for NUL.
 */
static uint8_t *
claim(struct buf *b, size_t len)
{
	if (b->overflow || len > b->max - b->len) {
		b->overflow = true;
		return NULL;
	}
	MEM_GROW(&b->data, &b->cap, b->len + len + 1);
	b->len += len;
	return b->data + b->len - len;
}

void
buf_put(struct buf *b, const void *data, size_t len)
{
	uint8_t *to = claim(b, len);

	if (to != NULL && len > 0)
		memcpy(to, data, len);
}

static void
put_number(struct buf *b, uint64_t v, size_t size)
{
	uint8_t *to = claim(b, size);

	if (to == NULL)
		return;
	for (size_t i = size; i-- > 0; v >>= 8)
		to[i] = (uint8_t)v;
}

void
buf_put_u8(struct buf *b, uint8_t v)
{
	put_number(b, v, sizeof(v));
}

void
buf_put_u16(struct buf *b, uint16_t v)
{
	put_number(b, v, sizeof(v));
}

void
buf_put_u32(struct buf *b, uint32_t v)
{
	put_number(b, v, sizeof(v));
}

void
buf_put_u64(struct buf *b, uint64_t v)
{
	put_number(b, v, sizeof(v));
}

void
buf_puts(struct buf *b, const char *s)
{
	buf_put(b, s, strlen(s));
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	const int len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);

	uint8_t *to = len < 0 ? NULL : claim(b, (size_t)len);

	if (to == NULL)
		return;
	va_start(ap, fmt);
	vsnprintf((char *)to, (size_t)len + 1, fmt, ap);
	va_end(ap);
}

void
buf_drop(struct buf *b, size_t len)
{
	if (len > b->len)
		len = b->len;
	b->len -= len;
	if (b->len > 0 && len > 0)
		memmove(b->data, b->data + len, b->len);
}

const char *
buf_str(struct buf *b)
{
	MEM_GROW(&b->data, &b->cap, b->len + 1);
	b->data[b->len] = '\0';
	return (const char *)b->data;
}

uint8_t *
buf_take(struct buf *b, size_t *len)
{
	buf_str(b);

	uint8_t *data = b->data;

	if (len != NULL)
		*len = b->len;
	buf_init(b, b->max);
	return data;
}

const uint8_t *
buf_read_bytes(struct buf_reader *r, size_t len)
{
	if (r->bad || len > r->len - r->pos) {
		r->bad = true;
		return NULL;
	}
	r->pos += len;
	return r->data + r->pos - len;
}

static uint64_t
read_number(struct buf_reader *r, size_t size)
{
	const uint8_t *from = buf_read_bytes(r, size);
	uint64_t v = 0;

	for (size_t i = 0; from != NULL && i < size; i++)
		v = v << 8 | from[i];
	return v;
}

uint8_t
buf_read_u8(struct buf_reader *r)
{
	return (uint8_t)read_number(r, 1);
}

uint16_t
buf_read_u16(struct buf_reader *r)
{
	return (uint16_t)read_number(r, 2);
}

uint32_t
buf_read_u32(struct buf_reader *r)
{
	return (uint32_t)read_number(r, 4);
}

uint64_t
buf_read_u64(struct buf_reader *r)
{
	return read_number(r, 8);
}
