/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A message is read front to back through one cursor. Every step that fails leaves an rcode in
 * the query and ends the reading; what was understood before stays valid for the answer.
 */
#include "dns/query.h"

#include <string.h>

#include "dns/rrtype.h"

enum { OPTION_NSID = 3, OPTION_ECS = 8, OPTION_COOKIE = 10, OPTION_KEEPALIVE = 11 };

struct cursor {
	const uint8_t *msg;
	size_t len;
	size_t pos;
};

static inline uint16_t
get_u16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

/* All of the question or nothing: name as sent and folded, type, class. */
static bool
read_question(struct cursor *c, struct query *q)
{
	const int len = name_path_read(&q->path, c->msg, c->len, c->pos);

	if (len < 0 || c->len - c->pos < (size_t)len + 4) {
		q->path.len = q->path.labels = 0;
		return false;
	}
	q->qname_wire = c->msg + c->pos;
	name_fold(q->qname, q->qname_wire, (size_t)len);
	q->path.name = q->qname;
	c->pos += (size_t)len;
	q->qtype = get_u16(c->msg + c->pos);
	q->qclass = get_u16(c->msg + c->pos + 2);
	c->pos += 4;
	q->has_question = true;
	q->body_off = c->pos;
	return true;
}

/* The first one counts, but all must be sound. */
static bool
read_ecs(const uint8_t *data, size_t len, struct query *q)
{
	struct ecs more;

	if (!ecs_read(q->has_ecs ? &more : &q->ecs, data, len))
		return false;
	q->has_ecs = true;
	return true;
}

/* RFC 7873 section 5.2: client cookie alone, or with a server cookie of 8..32 bytes. */
static bool
read_cookie(const uint8_t *data, size_t len, struct query *q)
{
	if (len != 8 && (len < 16 || len > 40))
		return false;
	if (q->cookie == NULL) { /* only the first counts */
		q->cookie = data;
		q->cookie_len = (uint8_t)len;
	}
	return true;
}

static bool
read_option(uint16_t code, const uint8_t *data, size_t len, struct query *q)
{
	switch (code) {
	case OPTION_NSID:
		q->wants_nsid = true;
		return true;
	case OPTION_ECS:
		return read_ecs(data, len, q);
	case OPTION_COOKIE:
		return read_cookie(data, len, q);
	case OPTION_KEEPALIVE: /* where it came decides whether it counts */
		q->keepalive = len == 0 ? QUERY_KEEPALIVE : QUERY_KEEPALIVE_BAD;
		return true;
	default:
		return true;
	}
}

static bool
read_options(const uint8_t *data, size_t len, struct query *q)
{
	while (len > 0) {
		size_t n;

		if (len < 4)
			return false;
		n = get_u16(data + 2);
		if (len - 4 < n || !read_option(get_u16(data), data + 4, n, q))
			return false;
		data += 4 + n;
		len -= 4 + n;
	}
	return true;
}

/* `fixed` is type, class, ttl, rdlength. Options of a version we do not know are not looked at. */
static bool
read_opt(const uint8_t *fixed, size_t rdlen, struct query *q)
{
	uint16_t size = get_u16(fixed + 2);

	if (q->has_edns)
		return false;
	q->has_edns = true;
	q->udp_size = size < 512 ? 512 : size;
	q->edns_version = fixed[5];
	q->dnssec_ok = (fixed[6] & 0x80) != 0;
	if (q->edns_version != 0) {
		q->rcode = RCODE_BADVERS;
		return true;
	}
	return read_options(fixed + 10, rdlen, q);
}

/* Step over an owner that may be compressed; it is not followed. */
static bool
skip_owner(struct cursor *c)
{
	size_t start = c->pos;

	while (c->pos < c->len && c->pos - start < NAME_MAX_LEN) {
		uint8_t n = c->msg[c->pos];

		if (n >= 0xc0) {
			c->pos += 2;
			return c->pos <= c->len;
		}
		if (n > 63)
			return false;
		c->pos += 1u + n;
		if (n == 0)
			return true;
	}
	return false;
}

static bool
read_record(struct cursor *c, bool additional, struct query *q)
{
	size_t owner = c->pos;
	const uint8_t *fixed;
	size_t rdlen;

	/* RFC 8945 5.1: a TSIG is the last of all. */
	if (q->has_tsig || !skip_owner(c) || c->len - c->pos < 10)
		return false;
	fixed = c->msg + c->pos;
	rdlen = get_u16(fixed + 8);
	c->pos += 10;
	if (c->len - c->pos < rdlen)
		return false;
	c->pos += rdlen;
	q->has_tsig = get_u16(fixed) == RRTYPE_TSIG;
	if (q->has_tsig)
		return additional;
	if (get_u16(fixed) != RRTYPE_OPT)
		return true;
	return additional && c->msg[owner] == 0 && read_opt(fixed, rdlen, q);
}

static bool
read_body(struct cursor *c, struct query *q)
{
	unsigned before = (unsigned)get_u16(c->msg + 6) + get_u16(c->msg + 8);
	unsigned total = before + get_u16(c->msg + 10);

	/* Bounded by the message: every record takes 11 bytes at least. */
	for (unsigned i = 0; i < total; i++)
		if (!read_record(c, i >= before, q))
			return false;
	return c->pos == c->len;
}

static void
clear(struct query *q)
{
	memset(q, 0, offsetof(struct query, path));
	q->path.len = q->path.labels = 0;
	q->udp_size = 512;
	q->body_off = DNS_HEADER_LEN;
}

static void
read_header(const uint8_t *msg, struct query *q)
{
	q->id = get_u16(msg);
	q->opcode = (msg[2] >> 3) & 15;
	q->rd = (msg[2] & 1) != 0;
	q->cd = (msg[3] & 0x10) != 0;
}

/* What such a message means is unknown; if it reads like a query with OPT, the answer has one. */
static void
refuse_opcode(struct cursor *c, struct query *q)
{
	(void)read_body(c, q);
	q->rcode = RCODE_NOTIMP;
}

/* No question: right for nothing but asking for a cookie. */
static void
read_bare(struct cursor *c, struct query *q)
{
	if (!read_body(c, q) || (q->rcode == RCODE_NOERROR && q->cookie == NULL))
		q->rcode = RCODE_FORMERR;
}

enum query_verdict
query_parse(const uint8_t *msg, size_t len, struct query *q)
{
	struct cursor c = { msg, len, DNS_HEADER_LEN };
	bool known;

	if (len < DNS_HEADER_LEN || (msg[2] & 0x80) != 0)
		return QUERY_DROP;
	clear(q);
	read_header(msg, q);
	known =
	    q->opcode == OPCODE_QUERY || q->opcode == OPCODE_NOTIFY || q->opcode == OPCODE_UPDATE;
	const uint16_t questions = get_u16(msg + 4);

	/* RFC 9619: QDCOUNT is 1, or 0. What follows the header of an unknown opcode may be
	 * anything. */
	if (questions == 0 && q->opcode == OPCODE_QUERY)
		read_bare(&c, q);
	else if (questions != 1 || !read_question(&c, q))
		q->rcode = known ? RCODE_FORMERR : RCODE_NOTIMP;
	else if (!known)
		refuse_opcode(&c, q);
	else if (q->opcode == OPCODE_QUERY && !read_body(&c, q))
		q->rcode = RCODE_FORMERR;
	return QUERY_OK;
}
