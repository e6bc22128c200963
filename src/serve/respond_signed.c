/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "serve/respond_signed.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "dns/query.h"

#define UDP_MAX 1232

/* The query as it was before it was signed; to free(). */
static uint8_t *
strip(const uint8_t *in, const struct tsig_record *sig)
{
	uint8_t *bare = xmemdup(in, sig->off);
	const unsigned more = (unsigned)(bare[10] << 8 | bare[11]) - 1;

	bare[10] = (uint8_t)(more >> 8);
	bare[11] = (uint8_t)more;
	return bare;
}

static size_t
limit(enum respond_transport transport, const uint8_t *in, size_t len)
{
	struct query q;

	if (transport == RESPOND_TCP || query_parse(in, len, &q) == QUERY_DROP)
		return RESPOND_MAX;
	return q.udp_size < UDP_MAX ? q.udp_size : UDP_MAX;
}

/* RFC 8945 5.3: what does not fit together with its signature is truncated, and signed. */
static size_t
truncate_answer(uint8_t *out)
{
	const int name = out[5] == 1 ? name_check(out, RESPOND_MAX, DNS_HEADER_LEN) : 0;

	out[2] |= 0x02;
	memset(out + 6, 0, 6);
	return DNS_HEADER_LEN + (name > 0 ? (size_t)name + 4 : 0);
}

static size_t
sign(struct tsig_session *s, uint8_t *out, size_t len, size_t max, uint64_t now_s)
{
	size_t n = tsig_sign(s, out, len, max, now_s);

	if (n == 0)
		n = tsig_sign(s, out, truncate_answer(out), RESPOND_SIGNED_MAX, now_s);
	return n;
}

size_t
respond_signed(const struct respond *r, const struct respond_client *from, const uint8_t *in,
    const struct tsig_record *sig, const struct tsig_key *key, uint8_t *out)
{
	struct tsig_session s;
	const int known = tsig_accept(&s, key, in, sig, from->now_s);
	uint8_t *bare = strip(in, sig);
	const size_t max = limit(from->transport, bare, sig->off);
	size_t len;

	if (known == 0 && s.error == TSIG_OK)
		len = respond(r, from, bare, sig->off, out, RESPOND_MAX);
	else
		len = respond_error(
		    bare, sig->off, known == 0 ? RCODE_NOTAUTH : RCODE_FORMERR, out, RESPOND_MAX);
	if (known == 0) {
		if (len > 0)
			len = sign(&s, out, len, max, from->now_s);
		tsig_end(&s);
	}
	free(bare);
	return len;
}
