/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "probe/dns_reply.h"

#include <errno.h>
#include <string.h>

#include "dns/name.h"
#include "dns/rrtype.h"

#define HEADER 12
#define FIXED  10 /* type, class, TTL, length */

static uint16_t
u16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

/* The question of `msg` at *pos is that of the query; *pos goes behind it. */
static bool
same_question(const uint8_t *query, size_t query_len, const uint8_t *msg, size_t len, size_t *pos)
{
	uint8_t asked[NAME_MAX_LEN], named[NAME_MAX_LEN];
	size_t query_pos = HEADER;

	if (name_expand(query, query_len, &query_pos, asked) < 0 || query_len - query_pos < 4 ||
	    name_expand(msg, len, pos, named) < 0 || len - *pos < 4)
		return false;
	*pos += 4;
	return name_equal(asked, named) && memcmp(query + query_pos, msg + *pos - 4, 4) == 0;
}

bool
dns_reply_read(
    struct dns_reply *r, const uint8_t *query, size_t query_len, const uint8_t *msg, size_t len)
{
	if (len < HEADER || u16(msg) != u16(query) || (msg[2] & 0xf8) != 0x80)
		return false;
	*r = (struct dns_reply){
		.rcode = msg[3] & 15,
		.truncated = (msg[2] & 2) != 0,
		.answers = u16(msg + 6),
		.at = HEADER,
	};
	/* Who cannot read the question need not repeat it. */
	if (u16(msg + 4) == 0)
		return r->rcode != 0 && r->answers == 0;
	return u16(msg + 4) == 1 && same_question(query, query_len, msg, len, &r->at);
}

/* Both hold the same; `at` and `end` bound ours in the message. 1, 0, or -EINVAL. */
static int
same_rdata(const uint8_t *msg, size_t at, size_t end, uint16_t type, const uint8_t *rdata,
    size_t rdata_len)
{
	const struct rrtype_layout layout = rrtype_compressible(type);
	uint8_t name[NAME_MAX_LEN];
	size_t k = layout.fixed;

	if (end - at < k || rdata_len < k)
		return layout.names > 0 ? -EINVAL : 0;
	if (memcmp(msg + at, rdata, k) != 0)
		return 0;
	at += k;
	for (unsigned i = 0; i < layout.names; i++) {
		if (name_expand(msg, end, &at, name) < 0)
			return -EINVAL;
		if (!name_equal(name, rdata + k))
			return 0;
		k += name_len(rdata + k);
	}
	return end - at == rdata_len - k && memcmp(msg + at, rdata + k, end - at) == 0;
}

int
dns_reply_holds(const struct dns_reply *r, const uint8_t *msg, size_t len, uint16_t type,
    const uint8_t *rdata, size_t rdata_len)
{
	uint8_t owner[NAME_MAX_LEN];
	size_t pos = r->at;

	for (unsigned i = 0; i < r->answers; i++) {
		if (name_expand(msg, len, &pos, owner) < 0 || len - pos < FIXED)
			return -EINVAL;

		const uint16_t here = u16(msg + pos), size = u16(msg + pos + 8);

		pos += FIXED;
		if (len - pos < size)
			return -EINVAL;

		const int same =
		    here == type ? same_rdata(msg, pos, pos + size, type, rdata, rdata_len) : 0;

		if (same != 0)
			return same;
		pos += size;
	}
	return 0;
}
