/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A frame as it comes off a wire. What is taken for a query stays inside of it, and its answer is a
 * frame that says the same of both ends, the other way round. Without a good checksum nothing would
 * be taken, so a second try is made with the sums that belong there.
 */
#include <string.h>

#include "base/check.h"
#include "net/frame.h"
#include "target.h"

#define ROOM 4096

static uint8_t in[ROOM], out[ROOM];

static void
check_answer(const struct frame *f)
{
	struct addr peer, local, to, from;
	struct frame back;
	const size_t len = f->data_len < 1232 ? f->data_len : 1232;

	memcpy(out + f->data_at, f->bytes + f->data_at, len);

	const size_t total = frame_answer(f, 1, out, len);
	const enum frame_kind kind = frame_parse(&back, out, total);

	/* The question may have come to an address that is none, which is a filter's affair. */
	CHECK(kind == FRAME_UDP || kind == FRAME_MARTIAN);
	CHECK(total >= FRAME_MIN && back.data_len == len && back.data_at == f->data_at);
	CHECK(memcmp(out + back.data_at, f->bytes + f->data_at, len) == 0);
	frame_peer(f, 0, &peer);
	frame_local(f, &local);
	frame_peer(&back, 0, &from);
	frame_local(&back, &to);
	CHECK(addr_equal(&peer, &to) && addr_equal(&local, &from));
}

static void
try(const uint8_t *data, size_t size)
{
	struct frame f;

	if (frame_parse(&f, data, size) != FRAME_UDP)
		return;
	CHECK((size_t)f.data_at + f.data_len <= size && f.data_at <= FRAME_HEADERS_MAX);
	check_answer(&f);
}

static uint32_t
sum(uint32_t s, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		s += i % 2 == 0 ? (uint32_t)p[i] << 8 : p[i];
	while (s > 0xffff)
		s = (s & 0xffff) + (s >> 16);
	return s;
}

/* Of an untagged IPv4 frame; UDP goes without. */
static void
repair(size_t size)
{
	if (size < 42 || in[12] != 8 || in[13] != 0)
		return;
	in[24] = in[25] = in[40] = in[41] = 0;

	const uint32_t s = ~sum(0, in + 14, 20);

	in[24] = (uint8_t)(s >> 8);
	in[25] = (uint8_t)s;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 2048)
		return 0;
	try(data, size);
	memcpy(in, data, size);
	repair(size);
	try(in, size);
	return 0;
}
