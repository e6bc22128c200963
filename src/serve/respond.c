/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "serve/respond.h"

#include "dns/rrtype.h"
#include "serve/respond_reply.h"

#define PLAIN_UDP_MAX 512 /* RFC 1035 4.2.1: without EDNS */
#define EDNS_UDP_SIZE 1232

static size_t
limit(const struct respond *r, enum respond_transport transport, const struct query *q, size_t cap)
{
	size_t max = RESPOND_MAX;

	if (transport == RESPOND_UDP) {
		max = q->has_edns ? q->udp_size : PLAIN_UDP_MAX;
		if (max > r->edns_udp_size)
			max = r->edns_udp_size;
	}
	return max < cap ? max : cap;
}

/* What speaks against answering from a zone; NOERROR if nothing does. */
static uint16_t
objection(const struct query *q)
{
	if (q->rcode != RCODE_NOERROR)
		return q->rcode;
	if (q->opcode != OPCODE_QUERY)
		return RCODE_NOTIMP;
	if (!q->has_question)
		return RCODE_FORMERR;
	/* CHAOS is there to tell who we are, which stays hidden. */
	if (q->qclass != DNS_CLASS_IN)
		return RCODE_REFUSED;
	/* Other types that no zone can hold are just absent, like those that it does not. */
	if (UNLIKELY(q->qtype == RRTYPE_AXFR || q->qtype == RRTYPE_IXFR))
		return RCODE_REFUSED;
	return RCODE_NOERROR;
}

/* What changes something leaves the query path. */
static bool
is_for_handover(const struct respond *r, const struct query *q)
{
	return q->opcode != OPCODE_QUERY && r->hands_over && q->rcode == RCODE_NOERROR;
}

static void
tally(struct respond_counters *c, enum respond_transport transport, const struct answer *a)
{
	respond_count(&c->queries);
	if (transport == RESPOND_TCP)
		respond_count(&c->tcp_queries);
	if (UNLIKELY(a->tc))
		respond_count(&c->truncated);
	if (LIKELY(a->rcode < ARRAY_LEN(c->rcodes)))
		respond_count(&c->rcodes[a->rcode]);
}

size_t
respond(const struct respond *r, enum respond_transport transport, const uint8_t *in, size_t len,
    uint8_t *out, size_t cap)
{
	struct reply p;

	if (UNLIKELY(query_parse(in, len, &p.q) == QUERY_DROP)) {
		respond_count(&r->counters->dropped);
		return 0;
	}
	if (UNLIKELY(is_for_handover(r, &p.q))) {
		respond_count(&r->counters->handed_over);
		return RESPOND_HANDOVER;
	}
	p.r = r;
	answer_init(&p.a, out, limit(r, transport, &p.q, cap), &p.q);
	p.a.edns_udp_size = r->edns_udp_size;
	p.a.rcode = objection(&p.q);
	if (LIKELY(p.a.rcode == RCODE_NOERROR))
		respond_chain(&p);
	tally(r->counters, transport, &p.a);
	return answer_finish(&p.a);
}

size_t
respond_error(const uint8_t *in, size_t len, uint16_t rcode, uint8_t *out, size_t cap)
{
	struct query q;
	struct answer a;

	if (query_parse(in, len, &q) == QUERY_DROP)
		return 0;
	answer_init(&a, out, cap, &q);
	a.edns_udp_size = EDNS_UDP_SIZE;
	a.rcode = rcode;
	return answer_finish(&a);
}
