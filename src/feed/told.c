/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "feed/told.h"

#include <errno.h>
#include <string.h>

static void
put_text(struct buf *out, const char *text)
{
	const size_t len = text == NULL ? 0 : strlen(text) + 1;

	buf_put_u32(out, (uint32_t)len);
	buf_put(out, text, len);
}

static const char *
take_text(struct buf_reader *r)
{
	const uint32_t len = buf_read_u32(r);
	const uint8_t *text = len > 0 ? buf_read_bytes(r, len) : NULL;

	if (text != NULL && memchr(text, '\0', len) != text + len - 1)
		r->bad = true;
	return (const char *)text;
}

void
told_put_status(struct buf *out, const struct told_status *s)
{
	buf_put_u8(out, kind_table[s->kind].wire);
	put_text(out, s->name);
	put_text(out, s->status);
}

int
told_take_status(const uint8_t *body, size_t len, struct told_status *s)
{
	struct buf_reader r = { .data = body, .len = len };
	const uint8_t wire = buf_read_u8(&r);

	*s = (struct told_status){ .name = take_text(&r) };
	s->status = take_text(&r);
	if (r.bad || r.pos != len || s->name == NULL || s->status == NULL)
		return -EINVAL;
	return kind_of_wire(wire, &s->kind);
}

void
told_put_event(struct buf *out, const struct told_event *e)
{
	buf_put_u64(out, (uint64_t)e->at_ms);
	put_text(out, e->kind);
	put_text(out, e->object_kind);
	put_text(out, e->object);
	put_text(out, e->severity);
	put_text(out, e->text);
	put_text(out, e->data);
}

int
told_take_event(const uint8_t *body, size_t len, struct told_event *e)
{
	struct buf_reader r = { .data = body, .len = len };

	*e = (struct told_event){ .at_ms = (int64_t)buf_read_u64(&r) };
	e->kind = take_text(&r);
	e->object_kind = take_text(&r);
	e->object = take_text(&r);
	e->severity = take_text(&r);
	e->text = take_text(&r);
	e->data = take_text(&r);
	if (r.bad || r.pos != len || e->kind == NULL || e->severity == NULL || e->text == NULL ||
	    (e->object_kind == NULL) != (e->object == NULL))
		return -EINVAL;
	return 0;
}
