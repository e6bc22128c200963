/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "serve/respond.h"

#include "dns/rrtype.h"
#include "serve/respond_reply.h"
#include "serve/transfer_policy.h"

#define PLAIN_UDP_MAX  512 /* RFC 1035 4.2.1: without EDNS */
#define EDNS_UDP_SIZE  1232
#define EDE_PROHIBITED 18

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

static bool
is_tcp(const struct respond_client *from)
{
	return from->transport == RESPOND_TCP;
}

/* What speaks against answering from a zone; NOERROR if nothing does. */
static uint16_t
objection(const struct reply *p)
{
	const struct query *q = &p->q;

	if (q->rcode != RCODE_NOERROR)
		return q->rcode;
	if (q->opcode != OPCODE_QUERY)
		return RCODE_NOTIMP;
	if (UNLIKELY(!q->has_question)) /* it asks for a cookie */
		return p->options->cookies ? RCODE_NOERROR : RCODE_FORMERR;
	if (UNLIKELY(q->qclass != DNS_CLASS_IN))
		return q->qclass == DNS_CLASS_CH ? RCODE_NOERROR : RCODE_REFUSED;
	/* Other types that no zone can hold are just absent, like those that it does not. */
	if (UNLIKELY(q->qtype == RRTYPE_AXFR || (q->qtype == RRTYPE_IXFR && is_tcp(p->from))))
		return RCODE_REFUSED;
	return RCODE_NOERROR;
}

/* What changes something, and what is verified and signed, leaves the query path. */
static bool
is_for_handover(const struct respond *r, const struct query *q)
{
	const bool is_plain = q->opcode == OPCODE_QUERY && !q->has_tsig;

	return !is_plain && r->hands_over && q->rcode == RCODE_NOERROR;
}

/* So do transfers, signed or not; datagrams are too small for them. */
static bool
is_for_transfer(const struct reply *p)
{
	const struct query *q = &p->q;

	return (q->qtype == RRTYPE_AXFR || q->qtype == RRTYPE_IXFR) && q->opcode == OPCODE_QUERY &&
	       q->rcode == RCODE_NOERROR && is_tcp(p->from) && p->r->transfers;
}

/*
 * RFC 1995 section 2: over UDP an SOA alone says "ask by TCP", or that there is nothing new. An SOA
 * query would tell it anybody, so the signature does not matter; strangers hear what all servers
 * tell them.
 */
static void
answer_ixfr(struct reply *p)
{
	const struct zone *z = zones_exact(p->r->zones, p->q.qname);
	const struct zone_node *apex = z == NULL ? NULL : zone_apex_node(z);
	const struct rrset *soa = apex == NULL ? NULL : zone_node_find(apex, RRTYPE_SOA);

	if (z == NULL || !transfer_policy_knows(zone_policy(z), p->from->peer)) {
		p->a.rcode = RCODE_REFUSED;
	} else if (soa == NULL || zone_stale(z)) {
		p->a.rcode = RCODE_SERVFAIL;
	} else {
		p->a.aa = true;
		(void)respond_set(p, p->q.qname, apex, soa);
	}
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

/* false: this client gets nothing at all. */
static bool
admit(struct reply *p)
{
	const struct serve_options *o = p->options;

	if (LIKELY(o->allow.count == 0) || serve_options_hold(&o->allow, p->from->peer))
		return true;
	p->a.rcode = RCODE_REFUSED;
	p->a.ede = EDE_PROHIBITED + 1;
	return !o->drop;
}

static void
answer(struct reply *p)
{
	if (p->a.rcode == RCODE_NOERROR)
		p->a.rcode = objection(p);
	if (UNLIKELY(p->a.rcode != RCODE_NOERROR || !p->q.has_question))
		return;
	if (UNLIKELY(p->q.qclass != DNS_CLASS_IN))
		respond_chaos(p);
	else if (UNLIKELY(p->q.qtype == RRTYPE_IXFR))
		answer_ixfr(p);
	else
		respond_chain(p);
}

static void
init(struct reply *p, const struct respond *r, const struct respond_client *from)
{
	p->r = r;
	p->from = from;
	p->options = __atomic_load_n(r->options, __ATOMIC_ACQUIRE);
	p->secure = p->known = p->by_subnet = false;
	p->located = 0;
	p->source = NULL;
}

size_t
respond_any(const struct respond *r, const struct respond_client *from, const uint8_t *in,
    size_t len, uint8_t *out, size_t cap)
{
	struct reply p;

	if (UNLIKELY(query_parse(in, len, &p.q) == QUERY_DROP)) {
		respond_count(&r->counters->dropped);
		return 0;
	}
	init(&p, r, from);
	answer_init(&p.a, out, limit(r, from->transport, &p.q, cap), &p.q);
	p.a.edns_udp_size = r->edns_udp_size;

	bool sends = admit(&p);

	if (UNLIKELY(is_for_transfer(&p)) && p.a.rcode == RCODE_NOERROR)
		return RESPOND_TRANSFER;
	if (UNLIKELY(is_for_handover(r, &p.q) && p.a.rcode == RCODE_NOERROR)) {
		respond_count(&r->counters->handed_over);
		return RESPOND_HANDOVER;
	}

	if (LIKELY(sends)) {
		if (UNLIKELY(p.q.cookie != NULL || p.q.wants_nsid || p.q.keepalive))
			respond_edns(&p);
		answer(&p);
		sends = LIKELY(p.options->rrl.rate == 0) || respond_limit(&p);
	}
	tally(r->counters, from->transport, &p.a);
	if (LIKELY(sends))
		return answer_finish(&p.a);
	respond_count(&r->counters->dropped);
	return 0;
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
