/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "zone/xfr_message.h"

#include <string.h>

#include "dns/query.h"
#include "dns/rdata.h"
#include "dns/rrtype.h"

#define HEADER  12
#define FLAG_QR 0x8000u
#define FLAG_AA 0x0400u
#define FLAG_TC 0x0200u

static uint16_t
get_u16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t
get_u32(const uint8_t *p)
{
	return (uint32_t)get_u16(p) << 16 | get_u16(p + 2);
}

/* -- out -- */

/* RFC 1995 section 3: the authority section tells our version; only its serial is looked at. */
static void
put_our_soa(struct buf *b, const struct xfr_question *q)
{
	buf_put(b, q->apex, name_len(q->apex));
	buf_put_u16(b, RRTYPE_SOA);
	buf_put_u16(b, DNS_CLASS_IN);
	buf_put_u32(b, 0);
	buf_put_u16(b, 22);
	buf_put_u16(b, 0); /* two root names */
	buf_put_u32(b, q->serial);
	for (int i = 0; i < 4; i++)
		buf_put_u32(b, 0);
}

size_t
xfr_message_ask(const struct xfr_question *q, uint8_t out[XFR_QUESTION_SIZE])
{
	const bool ixfr = q->type == RRTYPE_IXFR;
	struct buf b;

	buf_init(&b, XFR_QUESTION_SIZE);
	buf_put_u16(&b, q->id);
	buf_put_u16(&b, 0); /* QUERY, no recursion */
	buf_put_u16(&b, 1);
	buf_put_u16(&b, 0);
	buf_put_u16(&b, ixfr);
	buf_put_u16(&b, 0);
	buf_put(&b, q->apex, name_len(q->apex));
	buf_put_u16(&b, q->type);
	buf_put_u16(&b, DNS_CLASS_IN);
	if (ixfr)
		put_our_soa(&b, q);

	const size_t len = b.len;

	memcpy(out, b.data, len);
	buf_fini(&b);
	return len;
}

/* -- in -- */

static const char *
read_question(struct xfr_message *m, const struct xfr_question *q)
{
	uint8_t name[NAME_MAX_LEN];

	if (name_expand(m->data, m->len, &m->pos, name) < 0 || m->len - m->pos < 4)
		return "the question of the answer is malformed";

	const uint16_t type = get_u16(m->data + m->pos), class = get_u16(m->data + m->pos + 2);

	m->pos += 4;
	if (!name_equal(name, q->apex) || type != q->type || class != DNS_CLASS_IN)
		return "the answer is to another question";
	return NULL;
}

const char *
xfr_message_open(
    struct xfr_message *m, const uint8_t *msg, size_t len, const struct xfr_question *q, bool first)
{
	if (len < HEADER)
		return "the answer is too short for a message";

	const uint16_t flags = get_u16(msg + 2), questions = get_u16(msg + 4);

	m->data = msg;
	m->len = len;
	m->pos = HEADER;
	m->left = get_u16(msg + 6);
	m->aa = (flags & FLAG_AA) != 0;
	m->rcode = flags & 15;
	if (get_u16(msg) != q->id)
		return "the answer has another id than the question";
	if ((flags & FLAG_QR) == 0 || (flags >> 11 & 15) != OPCODE_QUERY)
		return "what came is not the answer to a query";
	if ((flags & FLAG_TC) != 0)
		return "the answer is truncated";
	/* Who refuses may leave the question away. */
	if (questions > 1 || (questions == 0 && first && m->rcode == RCODE_NOERROR))
		return "the answer does not repeat the question";
	return questions == 1 ? read_question(m, q) : NULL;
}

/* Where names may be compressed by those who write (RFC 1035), or were once (RFC 3597 section 4).
 */
static struct rrtype_layout
layout(uint16_t type)
{
	switch (type) {
	case 17: /* RP */
		return (struct rrtype_layout){ 0, 2 };
	case 18: /* AFSDB */
	case 21: /* RT */
		return (struct rrtype_layout){ 2, 1 };
	case 26: /* PX */
		return (struct rrtype_layout){ 2, 2 };
	case RRTYPE_SRV:
		return (struct rrtype_layout){ 6, 1 };
	default:
		return rrtype_compressible(type);
	}
}

/* Expand the rdata that ends at `end` into m->rdata. */
static const char *
read_rdata(struct xfr_message *m, struct xfr_record *r, size_t end)
{
	static const char malformed[] = "malformed data for this type";
	struct rrtype_layout l = layout(r->type);
	size_t n = 0;

	if (l.names == 0 || end == m->pos)
		l = (struct rrtype_layout){ 0, 0 };
	if (end - m->pos < l.fixed)
		return malformed;
	memcpy(m->rdata, m->data + m->pos, l.fixed);
	n = l.fixed;
	m->pos += l.fixed;
	for (unsigned i = 0; i < l.names; i++) {
		const int len = name_expand(m->data, end, &m->pos, m->rdata + n);

		if (len < 0)
			return malformed;
		n += name_len(m->rdata + n);
	}
	memcpy(m->rdata + n, m->data + m->pos, end - m->pos);
	n += end - m->pos;
	m->pos = end;
	if (n > UINT16_MAX)
		return malformed;
	r->rdata = m->rdata;
	r->len = (uint16_t)n;
	return NULL;
}

const char *
xfr_message_record(struct xfr_message *m, struct xfr_record *r)
{
	static const char cut[] = "a message of the answer ends within a record";

	if (name_expand(m->data, m->len, &m->pos, r->owner) < 0 || m->len - m->pos < 10)
		return cut;

	const uint8_t *p = m->data + m->pos;
	const uint16_t rdlen = get_u16(p + 8);

	m->pos += 10;
	if (m->len - m->pos < rdlen)
		return cut;
	name_lower(r->owner);
	r->type = get_u16(p);
	r->class = get_u16(p + 2);
	r->ttl_s = get_u32(p + 4);
	m->left--;
	return read_rdata(m, r, m->pos + rdlen);
}

const char *
xfr_message_next(struct xfr_message *m, struct xfr_record *r)
{
	const char *why = xfr_message_record(m, r);

	if (why == NULL && r->class != DNS_CLASS_IN)
		return "a record is not of class IN";
	return why;
}

const char *
xfr_message_refusal(const struct xfr_message *m)
{
	static const char *const text[16] = {
		[RCODE_FORMERR] = "the primary answers FORMERR",
		[RCODE_SERVFAIL] = "the primary answers SERVFAIL",
		[RCODE_NXDOMAIN] = "the primary answers NXDOMAIN",
		[RCODE_NOTIMP] = "the primary answers NOTIMP",
		[RCODE_REFUSED] = "the primary answers REFUSED",
		[RCODE_NOTAUTH] = "the primary answers NOTAUTH",
	};

	return text[m->rcode] != NULL ? text[m->rcode] : "the primary answers with an error";
}

struct xfr_soa
xfr_message_soa(const uint8_t *rdata, size_t len)
{
	const uint8_t *p = rdata + len - 20;

	return (struct xfr_soa){ get_u32(p), get_u32(p + 4), get_u32(p + 8), get_u32(p + 12),
		get_u32(p + 16) };
}

bool
xfr_message_newer(uint32_t a, uint32_t b)
{
	return a != b && a - b < 0x80000000u;
}
