/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "feed/forward.h"

#include <errno.h>

void
forward_put(struct buf *out, const struct forward *f)
{
	size_t ip_len;
	const uint8_t *ip = addr_ip(&f->peer, &ip_len);

	buf_put_u32(out, f->id);
	buf_put_u8(out, f->tcp);
	buf_put_u8(out, (uint8_t)ip_len);
	if (ip_len > 0)
		buf_put(out, ip, ip_len);
	buf_put_u16(out, ip_len > 0 ? addr_port(&f->peer) : 0);
	buf_put(out, f->message, f->len);
}

int
forward_take(const uint8_t *data, size_t len, struct forward *f)
{
	struct buf_reader r = { .data = data, .len = len };

	*f = (struct forward){ .id = buf_read_u32(&r) };

	const uint8_t transport = buf_read_u8(&r), ip_len = buf_read_u8(&r);
	const uint8_t *ip = buf_read_bytes(&r, ip_len);
	const uint16_t port = buf_read_u16(&r);

	if (r.bad || transport > 1 || (ip_len != 0 && ip_len != 4 && ip_len != 16))
		return -EINVAL;
	f->tcp = transport == 1;
	if (ip_len > 0)
		addr_ip_set(&f->peer, ip_len == 4 ? AF_INET : AF_INET6, ip, port);
	f->message = data + r.pos;
	f->len = len - r.pos;
	return 0;
}
