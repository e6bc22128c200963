/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "probe/grpc_reply.h"

#include <errno.h>
#include <string.h>

#define FRAME 5

enum wire { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };

static void
put_varint(struct buf *out, size_t value)
{
	for (; value >= 128; value >>= 7)
		buf_put_u8(out, (uint8_t)(value | 128));
	buf_put_u8(out, (uint8_t)value);
}

void
grpc_reply_ask(struct buf *out, const char *service)
{
	const size_t len = strlen(service);

	buf_put_u8(out, 0);
	if (len == 0) { /* a default is not sent */
		buf_put_u32(out, 0);
		return;
	}
	buf_put_u32(out, (uint32_t)(1 + (len < 128 ? 1 : 2) + len));
	buf_put_u8(out, 1 << 3 | BYTES);
	put_varint(out, len);
	buf_puts(out, service);
}

static uint64_t
read_varint(struct buf_reader *r)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		const uint8_t octet = buf_read_u8(r);

		value |= (uint64_t)(octet & 127) << shift;
		if (octet < 128)
			return value;
	}
	r->bad = true;
	return 0;
}

/* Skip a field's value; field 1 as a varint is returned. */
static uint64_t
read_value(struct buf_reader *r, uint64_t tag)
{
	switch (tag & 7) {
	case VARINT:
		return read_varint(r);
	case FIXED64:
		return buf_read_u64(r), 0;
	case FIXED32:
		return buf_read_u32(r), 0;
	case BYTES:
		buf_read_bytes(r, (size_t)read_varint(r));
		return 0;
	default:
		r->bad = true;
		return 0;
	}
}

int
grpc_reply_read(const uint8_t *data, size_t len)
{
	struct buf_reader r = { .data = data, .len = len };
	uint64_t health = GRPC_UNKNOWN;

	if (buf_read_u8(&r) != 0 || buf_read_u32(&r) != len - FRAME || r.bad)
		return -EINVAL;
	while (r.pos < r.len && !r.bad) {
		const uint64_t tag = read_varint(&r), value = read_value(&r, tag);

		if (tag == (1 << 3 | VARINT))
			health = value;
	}
	return r.bad || health > INT32_MAX ? -EINVAL : (int)health;
}
