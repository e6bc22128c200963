/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Datagrams from anybody: a DNS reply to a question of ours, an echo reply, a gRPC message. */
#include <string.h>

#include "base/check.h"
#include "probe/dns_reply.h"
#include "probe/grpc_reply.h"
#include "probe/icmp.h"
#include "target.h"

/* id "??", "a.example" MX */
static const uint8_t query[] = "??\1\0\0\1\0\0\0\0\0\0\1a\7example\0\0\17\0\1";

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t mx[] = "\0\12\1b\7example", address[] = { 192, 0, 2, 1 };
	const uint64_t cookie = 0x4141414141414141;
	struct dns_reply r;

	if (dns_reply_read(&r, query, sizeof(query) - 1, data, size)) {
		const int a = dns_reply_holds(&r, data, size, 1, address, sizeof(address));
		const int b = dns_reply_holds(&r, data, size, 15, mx, sizeof(mx));

		CHECK(r.rcode < 16 && r.at <= size && a <= 1 && b <= 1);
		CHECK(r.answers > 0 || (a == 0 && b == 0));
	}
	CHECK(grpc_reply_read(data, size) >= -22);
	for (int i = 0; i < 4; i++) {
		const int sequence = icmp_reply(i & 1, i & 2, cookie, data, size);

		CHECK(sequence >= -1 && sequence <= 65535);
		CHECK(sequence < 0 || size >= ICMP_ECHO_SIZE);
	}
	return 0;
}
