/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A signed message from a stranger, to a server and, as a response, to a client: nothing is read
 * past its end, what is found lies within it, and what is signed in reply can be found again.
 */
#include <string.h>

#include "base/check.h"
#include "dns/query.h"
#include "dns/tsig.h"
#include "target.h"

#define NOW 1767225600u

static void
reply(struct tsig_session *s, uint8_t *buf, size_t cap)
{
	struct tsig_record r;
	size_t len;

	memset(buf, 0, DNS_HEADER_LEN);
	len = tsig_sign(s, buf, DNS_HEADER_LEN, cap, NOW);
	CHECK(len > 0 && len <= DNS_HEADER_LEN + TSIG_ROOM);
	CHECK(tsig_find(buf, len, &r) == 1 && r.off == DNS_HEADER_LEN && r.error == s->error);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t buf[2048];
	struct tsig_key key = { .hash = TSIG_SHA256, .secret_len = 32 };
	struct tsig_session s;
	struct tsig_record r;

	memcpy(key.secret, "0123456789abcdef0123456789abcdef", 32);
	CHECK(name_parse_lower("key.example", key.name) > 0);
	if (tsig_find(data, size, &r) == 1) {
		CHECK(r.mac + r.mac_len <= data + size && r.other + r.other_len <= data + size);
		if (tsig_accept(&s, name_equal(r.key, key.name) ? &key : NULL, data, &r, NOW) == 0)
			reply(&s, buf, sizeof(buf));
		tsig_end(&s);
	}
	tsig_start(&s, &key);
	memset(buf, 0, DNS_HEADER_LEN);
	CHECK(tsig_sign(&s, buf, DNS_HEADER_LEN, sizeof(buf), NOW) > 0);
	if (size >= DNS_HEADER_LEN)
		(void)!tsig_check(&s, data, size, NOW, NULL);
	tsig_end(&s);
	return 0;
}
