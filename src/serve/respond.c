/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The common query, straight through. */
#include "serve/respond.h"

#include <endian.h>
#include <string.h>

#include "base/attr.h"
#include "dns/prepared.h"
#include "dns/query.h"
#include "dns/rrtype.h"
#include "serve/respond_reply.h"
#include "steer/steered.h"
#include "zone/zones_lookup.h"

#define OPT_LEN       11 /* root, type, class, ttl, rdlength */
#define OPTION_HEAD   4  /* code, length */
#define OPTION_ECS    8
#define QUESTION_TAIL 4 /* type, class */
#define OWNER         0xc00c
#define NO_EDNS_MAX   512
#define ITEM_A        6  /* rdlength and rdata of an A record, */
#define TAIL_A        14 /* ... with type, class and TTL */

/*
 * What these functions share is kept apart by whose address is handed on, so that the rest lives in
 * registers: they are all inlined.
 */
struct asked {
	uint16_t qtype;
	bool has_edns, dnssec_ok;
	uint16_t udp_size;
	size_t opt; /* length of the OPT of the answer; 0: none */
};

struct made {
	uint8_t *out;
	size_t at; /* so much is written */
	uint16_t answers, authority;
	uint8_t rcode, scope;
};

/* A message read, and what it asks for: what the ways to answer share. */
struct hot {
	const struct respond *r;
	const struct respond_client *from;
	const uint8_t *in;
	uint8_t *out;
	size_t cap;
	struct asked q;
	size_t name_len;
	const struct ecs *ecs;
	const struct name_path *path;
};

static inline uint16_t
get_u16(const uint8_t *p)
{
	uint16_t big;

	memcpy(&big, p, sizeof(big));
	return be16toh(big);
}

static inline uint64_t
get_u64(const uint8_t *p)
{
	uint64_t big;

	memcpy(&big, p, sizeof(big));
	return be64toh(big);
}

static inline void
set_u16(uint8_t *p, unsigned v)
{
	const uint16_t big = htobe16((uint16_t)v);

	memcpy(p, &big, sizeof(big));
}

static inline void
set_u64(uint8_t *p, uint64_t v)
{
	const uint64_t big = htobe64(v);

	memcpy(p, &big, sizeof(big));
}

/* More than sixteen octets: the last ones twice, rather than one by one. */
static inline void
copy_over_16(uint8_t *out, const uint8_t *in, size_t len)
{
	size_t i = 0;

	do {
		memcpy(out + i, in + i, 16);
		i += 16;
	} while (i + 16 < len);
	memcpy(out + len - 16, in + len - 16, 16);
}

/* -- reading -- */

/* QDCOUNT .. ARCOUNT in one word. */
static inline uint64_t
counts_word(uint64_t questions, uint64_t answers, uint64_t authority, uint64_t additional)
{
	return questions << 48 | answers << 32 | authority << 16 | additional;
}

static ALWAYS_INLINE bool
read_header(struct asked *q, const uint8_t *in, size_t len)
{
	if (len < DNS_HEADER_LEN || (in[2] & 0xf8) != 0)
		return false;

	const uint64_t counts = get_u64(in + 4);

	q->has_edns = (counts & 1) != 0;
	return (counts & ~UINT64_C(1)) == counts_word(1, 0, 0, 0);
}

/*
 * To the end of the message: OPT version 0, with no option or with a client subnet. Its fixed part
 * begins with
 *
 *	root (0)  type (41)  size  extended rcode  version  flags (DO first)
 */
static ALWAYS_INLINE bool
read_opt(struct asked *q, struct ecs *ecs, const uint8_t *p, size_t left)
{
	if (!q->has_edns) {
		q->dnssec_ok = false;
		q->udp_size = NO_EDNS_MAX;
		q->opt = 0;
		return left == 0;
	}
	if (left < OPT_LEN)
		return false;

	const uint64_t fixed = get_u64(p);

	left -= OPT_LEN;
	if ((fixed & 0xffffff000000ff00) != (uint64_t)RRTYPE_OPT << 40 || left != get_u16(p + 9))
		return false;
	q->udp_size = (uint16_t)(fixed >> 24);
	q->dnssec_ok = (fixed & 0x80) != 0;
	q->opt = OPT_LEN + left; /* the answer's option is as long as the query's */
	if (LIKELY(left == 0))
		return true;
	p += OPT_LEN;
	return left > OPTION_HEAD && get_u16(p) == OPTION_ECS &&
	       get_u16(p + 2) == left - OPTION_HEAD &&
	       ecs_read(ecs, p + OPTION_HEAD, left - OPTION_HEAD);
}

/* -- writing -- */

static ALWAYS_INLINE bool
has_ecs(const struct asked *q)
{
	return q->opt > OPT_LEN;
}

static NOINLINE bool
fits_limit(size_t len, size_t max, size_t edns_udp_size, bool is_udp, size_t cap)
{
	if (max < NO_EDNS_MAX)
		max = NO_EDNS_MAX;
	if (max > edns_udp_size)
		max = edns_udp_size;
	if (!is_udp)
		max = RESPOND_MAX;
	return len <= max && len <= cap;
}

/* Everybody takes 512 octets. */
static ALWAYS_INLINE bool
fits(const struct hot *h, const struct made *m, size_t more)
{
	const size_t len = m->at + more + h->q.opt;

	return LIKELY(len <= NO_EDNS_MAX) || fits_limit(len, h->q.udp_size, h->r->edns_udp_size,
						 h->from->transport == RESPOND_UDP, h->cap);
}

static ALWAYS_INLINE void
put_ecs(uint8_t *p, const struct ecs *ecs, uint8_t scope)
{
	const size_t addr_len = ecs_addr_len(ecs);

	set_u64(p, (uint64_t)OPTION_ECS << 48 | (uint64_t)(ECS_HEAD + addr_len) << 32 |
		       (uint64_t)ecs->family << 16 | (uint64_t)ecs->source << 8 | scope);
	for (size_t i = 0; i < addr_len; i++)
		p[OPTION_HEAD + ECS_HEAD + i] = ecs->addr[i];
}

static ALWAYS_INLINE size_t
finish(const struct made *m, const struct asked *q, const struct ecs *ecs, const uint8_t *in,
    uint16_t edns_udp_size)
{
	uint8_t *p = m->out;

	/* QR, AA, RD as it came */
	set_u16(p + 2, 0x8400 | (unsigned)(in[2] & 1) << 8 | m->rcode);
	set_u64(p + 4, counts_word(1, m->answers, m->authority, q->has_edns));
	if (UNLIKELY(q->opt == 0))
		return m->at;

	p += m->at;
	set_u64(p,
	    (uint64_t)RRTYPE_OPT << 40 | (uint64_t)edns_udp_size << 24 | (q->dnssec_ok ? 0x80 : 0));
	p[8] = 0;
	set_u16(p + 9, (unsigned)(q->opt - OPT_LEN));
	if (UNLIKELY(has_ecs(q)))
		put_ecs(p + OPT_LEN, ecs, m->scope);
	return m->at + q->opt;
}

/* The owner is always the question's name. */
static ALWAYS_INLINE void
put_owner(struct made *m)
{
	set_u16(m->out + m->at, OWNER);
	m->at += 2;
}

/* Type, class, ttl, rdlength and rdata as they stand on the wire; most are addresses. */
static ALWAYS_INLINE void
put_tail(struct made *m, const uint8_t *tail, size_t len)
{
	put_owner(m);
	if (LIKELY(len == TAIL_A))
		memcpy(m->out + m->at, tail, TAIL_A);
	else
		memcpy(m->out + m->at, tail, len);
	m->at += len;
}

/* One record: `item` is its rdlength and rdata, as on the wire. */
static ALWAYS_INLINE void
put_record(struct made *m, uint64_t head, const uint8_t *item, size_t len)
{
	put_owner(m);
	set_u64(m->out + m->at, head);
	m->at += sizeof(head);
	if (LIKELY(len == ITEM_A))
		memcpy(m->out + m->at, item, ITEM_A);
	else
		memcpy(m->out + m->at, item, len);
	m->at += len;
}

static ALWAYS_INLINE uint64_t
record_head(const struct rrset *s)
{
	return (uint64_t)s->type << 48 | (uint64_t)DNS_CLASS_IN << 32 |
	       (s->ttl_s > INT32_MAX ? 0 : s->ttl_s);
}

static ALWAYS_INLINE bool
give_set(struct made *m, const struct hot *h, const struct rrset *s)
{
	const uint64_t head = record_head(s);
	const uint8_t *item = s->data, *end = item + s->size;

	if (UNLIKELY(!fits(h, m, s->size + (size_t)s->count * (2 + sizeof(head)))))
		return false;
	for (size_t n; item < end; item += n) {
		n = 2u + get_u16(item);
		put_record(m, head, item, n);
	}
	m->answers = s->count;
	return true;
}

static ALWAYS_INLINE bool
deny(struct made *m, const struct hot *h, const struct zone *z, uint8_t rcode)
{
	const struct prepared *soa = zone_negative(z);

	if (UNLIKELY(soa == NULL || !fits(h, m, soa->len)))
		return false;
	prepared_put(soa, m->out + m->at, (unsigned)h->name_len);
	m->at += soa->len;
	m->authority = 1;
	m->rcode = rcode;
	return true;
}

/* -- deciding -- */

/* RFC 7871: whoever decided by the subnet says for how large a part of the network it holds. */
static ALWAYS_INLINE uint8_t
scope_of(const struct ecs *ecs, const struct position *at, unsigned scope)
{
	/* An IPv4 address wrapped in IPv6 has 96 bits before it. */
	return (uint8_t)(scope > 0 && ecs->family == 2 && at->family == 4 ? scope + 96 : scope);
}

/* Of this type records name nothing. */
static inline bool
is_plain(uint16_t type)
{
	return type == RRTYPE_A || type == RRTYPE_AAAA || type == RRTYPE_TXT;
}

/* There may be more to say of these than that they are not there; 128 to 255 are no data. */
static inline bool
is_special(uint16_t type)
{
	return type >= RRTYPE_OPT && (type <= RRTYPE_NSEC || type >> 7 == 1);
}

static ALWAYS_INLINE void
tally(struct respond_counters *c, const struct respond_client *from, uint8_t rcode)
{
	respond_count(&c->queries);
	if (UNLIKELY(from->transport == RESPOND_TCP))
		respond_count(&c->tcp_queries);
	respond_count(&c->rcodes[rcode]);
}

static ALWAYS_INLINE struct made
begin(const struct hot *h)
{
	return (struct made){
		.out = h->out,
		.at = DNS_HEADER_LEN + h->name_len + QUESTION_TAIL,
	};
}

static ALWAYS_INLINE size_t
end(const struct hot *h, const struct made *m)
{
	copy_over_16(h->out, h->in, DNS_HEADER_LEN + h->name_len + QUESTION_TAIL);
	tally(h->r->counters, h->from, m->rcode);
	return finish(m, &h->q, h->ecs, h->in, h->r->edns_udp_size);
}

static ALWAYS_INLINE size_t
answer_set(const struct hot *h, const struct rrset *s)
{
	struct made m = begin(h);

	return LIKELY(is_plain(h->q.qtype) && give_set(&m, h, s)) ? end(h, &m) : 0;
}

/* The most common of all: it fits, whatever the question. */
static ALWAYS_INLINE size_t
answer_address(const struct hot *h, const struct rrset *s)
{
	struct made m = begin(h);

	put_record(&m, record_head(s), s->data, ITEM_A);
	m.answers = 1;
	return end(h, &m);
}

/* Where the client is, if the plan asks for it; `by_subnet`: as its query says. */
static ALWAYS_INLINE bool
locate(const struct hot *h, unsigned traits, struct position *at)
{
	const enum plan_client client = traits >> PLAN_CLIENT_SHIFT;

	if (client == PLAN_ANYBODY)
		return false;
	if (client == PLAN_SUBNET && has_ecs(&h->q) && h->ecs->source > 0) {
		*at = position_of_prefix(h->ecs->family == 1 ? 4 : 6, h->ecs->addr, h->ecs->source);
		return true;
	}
	*at = position_of_addr(h->from->peer);
	return false;
}

static ALWAYS_INLINE size_t
end_steered(const struct hot *h, struct made *m, unsigned traits)
{
	respond_count(
	    traits & PLAN_IS_ZONE_DATA ? &h->r->counters->lined : &h->r->counters->steered);
	return end(h, m);
}

/* More than one record. */
static ALWAYS_INLINE size_t
answer_several(const struct hot *h, const struct plan *plan, unsigned traits)
{
	const struct plan_rr *rr[PLAN_MAX_ANSWER];
	struct made m = begin(h);
	struct position at;
	unsigned scope;
	const bool by_subnet = locate(h, traits, &at);
	const size_t n = plan_answer(plan, h->r->worker, &at, rr, &scope);
	size_t total = 0;

	for (size_t i = 0; i < n; i++)
		total += 2u + rr[i]->len;
	if (UNLIKELY(n == 0 || !fits(h, &m, total)))
		return 0;
	for (size_t i = 0; i < n; i++)
		put_tail(&m, rr[i]->tail, rr[i]->len);
	m.answers = (uint16_t)n;
	m.scope = by_subnet ? scope_of(h->ecs, &at, scope) : 0;
	return end_steered(h, &m, traits);
}

static ALWAYS_INLINE size_t
answer_plan(const struct hot *h, const struct plan *plan)
{
	const unsigned traits = plan_traits(plan);
	struct made m = begin(h);
	const struct plan_rr *rr;
	struct position at;
	unsigned scope;
	bool by_subnet;

	if (UNLIKELY((traits & (PLAN_IS_DIRECT | PLAN_IS_FALLBACK | PLAN_IS_BALANCED)) !=
		     PLAN_IS_DIRECT))
		return 0;
	rr = plan_always(plan);
	scope = 0;
	by_subnet = false;
	if (rr == NULL) {
		by_subnet = locate(h, traits, &at);
		rr = plan_answer_one(plan, h->r->worker, &at, &scope);
		if (UNLIKELY(rr == NULL))
			return answer_several(h, plan, traits);
	}
	if (UNLIKELY(rr->len != TAIL_A && !fits(h, &m, 2u + rr->len)))
		return 0;
	put_tail(&m, rr->tail, rr->len);
	m.answers = 1;
	m.scope = by_subnet ? scope_of(h->ecs, &at, scope) : 0;
	return end_steered(h, &m, traits);
}

static ALWAYS_INLINE size_t
answer_none(const struct hot *h, const struct zone *z, uint8_t rcode)
{
	struct made m = begin(h);

	return LIKELY(deny(&m, h, z, rcode)) ? end(h, &m) : 0;
}

static ALWAYS_INLINE bool
read_query(struct hot *h, struct name_path *path, uint8_t *qname, struct ecs *ecs, size_t len)
{
	const uint8_t *in = h->in;

	if (UNLIKELY(!read_header(&h->q, in, len)))
		return false;

	const int name_len = name_path_read(path, in, len, DNS_HEADER_LEN);
	const uint8_t *tail = in + DNS_HEADER_LEN + name_len;
	const size_t left = len - DNS_HEADER_LEN - (size_t)name_len;

	if (UNLIKELY(name_len <= 1 || left < QUESTION_TAIL))
		return false;
	name_fold(qname, in + DNS_HEADER_LEN, (size_t)name_len);
	path->name = qname;
	h->name_len = (size_t)name_len;
	h->q.qtype = get_u16(tail);
	return get_u16(tail + 2) == DNS_CLASS_IN && !is_special(h->q.qtype) &&
	       read_opt(&h->q, ecs, tail + QUESTION_TAIL, left - QUESTION_TAIL);
}

static ALWAYS_INLINE size_t
answer_node(const struct hot *h, const struct zone *z, const struct zone_node *n)
{
	const struct plan *plan = n->overlay == NULL ? NULL : steered_find(n->overlay, h->q.qtype);
	const struct rrset *s;

	if (plan != NULL)
		return answer_plan(h, plan);
	s = zone_node_find(n, h->q.qtype);
	if (LIKELY(s != NULL))
		return LIKELY(s->type == RRTYPE_A && s->size == ITEM_A) ? answer_address(h, s)
									: answer_set(h, s);
	return zone_node_find(n, RRTYPE_CNAME) == NULL ? answer_none(h, z, RCODE_NOERROR) : 0;
}

/* Wildcards, deeper names, zones with cuts. A referral or a DNAME leaves `seen` as it is. */
static ALWAYS_INLINE enum lookup_glance
look_around(const struct hot *h, const struct zone *z, enum lookup_glance seen,
    const struct zone_node **node)
{
	struct lookup l;

	lookup_around(z, h->path, h->q.qtype, &l, seen == LOOKUP_LACKS);
	*node = l.node;
	if (l.kind == LOOKUP_NAME)
		return LOOKUP_THERE;
	return l.kind == LOOKUP_NXDOMAIN ? LOOKUP_NOWHERE : seen;
}

static ALWAYS_INLINE size_t
straight(const struct respond *r, const struct respond_client *from, const uint8_t *in, size_t len,
    uint8_t *out, size_t cap)
{
	const struct serve_options *o = __atomic_load_n(r->options, __ATOMIC_ACQUIRE);
	const struct zone_node *node;
	enum lookup_glance seen;
	uint8_t qname[NAME_MAX_LEN];
	struct name_path path;
	const struct zone *z;
	struct ecs ecs;
	struct hot h;

	h.r = r;
	h.from = from;
	h.in = in;
	h.out = out;
	h.cap = cap;
	h.path = &path;
	h.ecs = &ecs;
	if (UNLIKELY((o->allow.count | o->rrl.rate) != 0))
		return 0;
	if (UNLIKELY(!read_query(&h, &path, qname, &ecs, len)))
		return 0;
	z = zones_answering(r->zones, &path);
	if (UNLIKELY(z == NULL || (h.q.dnssec_ok && zone_signed(z) != ZONE_UNSIGNED)))
		return 0;
	seen = lookup_glance(z, &path, &node);
	if (UNLIKELY(seen != LOOKUP_THERE && seen != LOOKUP_NOWHERE))
		seen = look_around(&h, z, seen, &node);
	if (LIKELY(seen == LOOKUP_THERE))
		return answer_node(&h, z, node);
	return seen == LOOKUP_NOWHERE ? answer_none(&h, z, RCODE_NXDOMAIN) : 0;
}

size_t
respond_hot(const struct respond *r, const struct respond_client *from, const uint8_t *in,
    size_t len, uint8_t *out, size_t cap)
{
	return straight(r, from, in, len, out, cap);
}

size_t
respond(const struct respond *r, const struct respond_client *from, const uint8_t *in, size_t len,
    uint8_t *out, size_t cap)
{
	const size_t n = straight(r, from, in, len, out, cap);

	return LIKELY(n > 0) ? n : respond_any(r, from, in, len, out, cap);
}
