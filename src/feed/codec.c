/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "feed/codec.h"

#include <errno.h>
#include <string.h>

#include "dns/name.h"

#define ABSENT UINT32_MAX
/* The first byte of an encoded set; a new layout gets a new number. */
#define CODEC_VERSION 1

static void
put_bytes(struct buf *b, const void *data, size_t len)
{
	buf_put_u32(b, (uint32_t)len);
	buf_put(b, data, len);
}

static void
put_str(struct buf *b, const char *s)
{
	if (s == NULL)
		buf_put_u32(b, ABSENT);
	else
		put_bytes(b, s, strlen(s));
}

static void
put_op(struct buf *b, const struct change_op *op)
{
	buf_put_u8(b, (uint8_t)op->op);
	put_str(b, op->name);
	switch (op->op) {
	case CHANGE_PUT:
		buf_put_u8(b, kind_table[op->kind].wire);
		put_str(b, op->id);
		put_str(b, op->spec);
		buf_put_u64(b, op->revision);
		buf_put_u64(b, (uint64_t)op->created_ms);
		buf_put_u64(b, (uint64_t)op->updated_ms);
		break;
	case CHANGE_DELETE:
		buf_put_u8(b, kind_table[op->kind].wire);
		break;
	case CHANGE_RRSET_PUT:
	case CHANGE_RRSET_DELETE:
		put_bytes(b, op->owner, name_len(op->owner));
		buf_put_u16(b, op->type);
		if (op->op == CHANGE_RRSET_PUT) {
			buf_put_u32(b, op->ttl_s);
			put_bytes(b, op->rdata, op->rdata_len);
		}
		break;
	case CHANGE_ZONE_CLEAR:
		break;
	case CHANGE_ZONE_PAGE:
		put_bytes(b, op->rdata, op->rdata_len);
		break;
	}
}

void
codec_put(struct buf *out, const struct change_set *c)
{
	buf_put_u8(out, CODEC_VERSION);
	buf_put_u64(out, c->revision);
	put_str(out, c->author);
	put_str(out, c->summary);
	buf_put_u32(out, (uint32_t)c->count);
	for (size_t i = 0; i < c->count; i++)
		put_op(out, &c->ops[i]);
}

static const char *
take_str(struct buf_reader *r, struct arena *a)
{
	const uint32_t len = buf_read_u32(r);
	if (len == ABSENT)
		return NULL;
	const uint8_t *bytes = buf_read_bytes(r, len);
	return bytes == NULL ? NULL : arena_strndup(a, (const char *)bytes, len);
}

static void
take_kind(struct buf_reader *r, struct change_op *op)
{
	if (kind_of_wire(buf_read_u8(r), &op->kind) < 0)
		r->bad = true;
}

static void
take_owner(struct buf_reader *r, struct change_op *op)
{
	const uint32_t len = buf_read_u32(r);
	const uint8_t *bytes = buf_read_bytes(r, len);
	if (bytes == NULL || len > NAME_MAX_LEN || name_check(bytes, len, 0) != (int)len)
		r->bad = true;
	op->owner = bytes;
}

/* Strings and bytes of `op` point into `r` or the scratch arena; change_add copies them. */
static bool
take_op(struct buf_reader *r, struct change_op *op, struct arena *scratch)
{
	op->op = buf_read_u8(r);
	op->name = take_str(r, scratch);
	switch (op->op) {
	case CHANGE_PUT:
		take_kind(r, op);
		op->id = take_str(r, scratch);
		op->spec = take_str(r, scratch);
		op->revision = buf_read_u64(r);
		op->created_ms = (int64_t)buf_read_u64(r);
		op->updated_ms = (int64_t)buf_read_u64(r);
		return !r->bad && op->name != NULL && op->id != NULL && op->spec != NULL;
	case CHANGE_DELETE:
		take_kind(r, op);
		return !r->bad && op->name != NULL;
	case CHANGE_RRSET_PUT:
	case CHANGE_RRSET_DELETE:
		take_owner(r, op);
		op->type = buf_read_u16(r);
		if (op->op == CHANGE_RRSET_PUT) {
			op->ttl_s = buf_read_u32(r);
			op->rdata_len = buf_read_u32(r);
			op->rdata = buf_read_bytes(r, op->rdata_len);
		}
		return !r->bad && op->name != NULL;
	case CHANGE_ZONE_CLEAR:
		return !r->bad && op->name != NULL;
	case CHANGE_ZONE_PAGE:
		op->rdata_len = buf_read_u32(r);
		op->rdata = buf_read_bytes(r, op->rdata_len);
		return !r->bad && op->name != NULL;
	}
	return false;
}

static int
take_ops(struct buf_reader *r, uint32_t count, struct change_set *out, struct arena *scratch)
{
	for (uint32_t i = 0; i < count; i++) {
		struct change_op op = { 0 };
		if (!take_op(r, &op, scratch))
			return -EINVAL;
		change_add(out, &op);
	}
	return r->bad || r->pos != r->len ? -EINVAL : 0;
}

int
codec_take(const uint8_t *data, size_t len, struct change_set *out)
{
	struct buf_reader r = { .data = data, .len = len };
	if (buf_read_u8(&r) != CODEC_VERSION)
		return -EINVAL;

	struct arena scratch;
	arena_init(&scratch);
	change_init(out);
	out->revision = buf_read_u64(&r);
	out->author = take_str(&r, &out->arena);
	out->summary = take_str(&r, &out->arena);
	const int err = take_ops(&r, buf_read_u32(&r), out, &scratch);
	arena_fini(&scratch);
	if (err != 0)
		change_fini(out);
	return err;
}
