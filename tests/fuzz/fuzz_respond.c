/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The whole query path over the zones of tests/unit/serve/hosted.c. First byte: bit 0 = TCP,
 * bit 1 = all options; the rest is the message. Whatever comes, the answer is a well-formed message
 * within its bounds that echoes the id.
 */
#include <stdlib.h>
#include <string.h>
#include <urcu/urcu-qsbr.h>

#include "base/buf.h"
#include "base/check.h"
#include "dns/answer.h"
#include "hosted.h"
#include "serve/respond.h"
#include "target.h"

/* That of RFC 9018 appendix A.1, so that the corpus can have a cookie that is good. */
#define SECRET "\xe5\xe9\x73\xe5\xa6\xb2\xa4\x3f\x48\xe7\xdc\x84\x9e\x37\xbf\xcf"
#define NOW_S  1559731985

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

/* Bit 1 of the first byte: everything configured, and a rate limit that is soon reached. */
static const struct serve_options *const *
options(uint8_t bits)
{
	static const struct serve_options *plain, *full;

	if (plain == NULL) {
		struct serve_options *o = serve_options_new();
		struct cidr all;

		plain = serve_options_new();
		CHECK(cidr_parse(&all, "198.51.0.0/16") == 0);
		memcpy(o->secrets.current, SECRET, sizeof(o->secrets.current));
		strcpy(o->nsid, "node-1");
		strcpy(o->id, "node-1");
		strcpy(o->version, "opengtm");
		serve_options_add(&o->allow, &all);
		o->rrl.rate = 2;
		full = o;
	}
	return bits & 2 ? &full : &plain;
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
	static struct rrl *limits;
	static struct addr peer;
	static uint32_t now_ms;

	if (size == 0)
		return 0;
	if (limits == NULL) {
		limits = rrl_new();
		CHECK(addr_parse(&peer, "198.51.100.100", 53) == 0);
	}

	const enum respond_transport transport = data[0] & 1 ? RESPOND_TCP : RESPOND_UDP;
	const size_t cap = transport == RESPOND_UDP ? 1232 : RESPOND_MAX;
	const struct respond r = {
		.zones = zones(),
		.edns_udp_size = 1232,
		.tcp_idle_ms = 10000,
		.options = options(data[0]),
		.rrl = limits,
		.counters = &counters,
	};
	const struct respond_client from = {
		.transport = transport,
		.peer = &peer,
		.now_s = NOW_S,
		.now_ms = ++now_ms,
	};
	/* First the short way: what it counts and says must be what the long way would. */
	static uint8_t hot[RESPOND_MAX];
	const size_t short_way = respond_hot(&r, &from, data + 1, size - 1, hot, cap);
	const size_t n = respond_any(&r, &from, data + 1, size - 1, out, cap);

	CHECK(short_way == 0 || (short_way == n && memcmp(hot, out, n) == 0));
	urcu_qsbr_quiescent_state();
	if (n == 0)
		return 0;
	CHECK(n >= DNS_HEADER_LEN && n <= cap && (out[2] & 0x80) != 0);
	CHECK(out[0] == data[1] && out[1] == data[2]);
	check_message(out, n);
	return 0;
}
