/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The whole query path over the zones of tests/unit/serve/hosted.c. First byte: bit 0 = TCP; the
 * rest is the message. Whatever comes, the answer is a well-formed message within its bounds that
 * echoes the id.
 */
#include <stdlib.h>
#include <urcu/urcu-qsbr.h>

#include "base/buf.h"
#include "base/check.h"
#include "dns/answer.h"
#include "hosted.h"
#include "serve/respond.h"
#include "target.h"

/* Zones hold on to names by tagged pointers, which LeakSanitizer does not follow. */
__attribute__((visibility("default"))) int __lsan_is_turned_off(void);

int
__lsan_is_turned_off(void)
{
	return 1;
}

static const struct zones *
zones(void)
{
	static struct zones *zs;

	if (zs == NULL) {
		urcu_qsbr_register_thread();
		zs = hosted_new();
	}
	return zs;
}

static void
skip_name(struct buf_reader *r)
{
	uint8_t name[NAME_MAX_LEN];

	CHECK(name_expand(r->data, r->len, &r->pos, name) > 0);
}

static void
check_message(const uint8_t *msg, size_t len)
{
	struct buf_reader r = { .data = msg, .len = len, .pos = 4 };
	const uint16_t questions = buf_read_u16(&r);
	unsigned records = 0;

	for (int i = 0; i < 3; i++)
		records += buf_read_u16(&r);
	CHECK(questions <= 1);
	if (questions == 1) {
		skip_name(&r);
		buf_read_u32(&r);
	}
	while (records-- > 0) {
		skip_name(&r);
		buf_read_u64(&r);
		buf_read_bytes(&r, buf_read_u16(&r));
	}
	CHECK(!r.bad && r.pos == len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t out[RESPOND_MAX];
	static struct respond_counters counters;

	if (size == 0)
		return 0;

	const enum respond_transport transport = data[0] & 1 ? RESPOND_TCP : RESPOND_UDP;
	const size_t cap = transport == RESPOND_UDP ? 1232 : RESPOND_MAX;
	const struct respond r = { .zones = zones(), .edns_udp_size = 1232, .counters = &counters };
	const size_t n = respond(&r, transport, data + 1, size - 1, out, cap);

	urcu_qsbr_quiescent_state();
	if (n == 0)
		return 0;
	CHECK(n >= DNS_HEADER_LEN && n <= cap && (out[2] & 0x80) != 0);
	CHECK(out[0] == data[1] && out[1] == data[2]);
	check_message(out, n);
	return 0;
}
