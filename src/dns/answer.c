/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Compression: every label written starts a suffix; its offset is a *target*. A name is written
 * label by label until what remains equals a target. What it shares with the end of the question
 * is found in one pass over both, so the question needs no targets: most answers have none.
 */
#include "dns/answer.h"

#include <string.h>

#include "base/check.h"
#include "dns/rrtype.h"

enum { OPTION_ECS = 8, OPTION_EDE = 15 };

#define OPT_LEN     11 /* root, type, class, ttl, rdlength */
#define OPTION_HEAD 4  /* code, length */
#define EDE_LEN     (OPTION_HEAD + 2)
#define POINTER_MAX 0x3fff

static inline void
set_u16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void
put_u16(struct answer *a, unsigned v)
{
	set_u16(a->buf + a->len, v);
	a->len += 2;
}

static inline void
put_bytes(struct answer *a, const void *data, size_t len)
{
	if (len > 0)
		memcpy(a->buf + a->len, data, len);
	a->len += len;
}

static inline bool
fits(const struct answer *a, size_t need)
{
	return a->limit - a->len >= need;
}

static size_t
ecs_len(const struct query *q)
{
	return OPTION_HEAD + 4 + ecs_addr_len(&q->ecs);
}

/* What OPT takes at least; the options of answer_option come on top, EDE has what is left over. */
static size_t
opt_reserve(const struct query *q)
{
	if (!q->has_edns)
		return 0;
	return OPT_LEN + (q->has_ecs ? ecs_len(q) : 0);
}

void
answer_init(struct answer *a, uint8_t *buf, size_t cap, const struct query *q)
{
	CHECK(cap >= ANSWER_MIN_CAP);
	a->buf = buf;
	a->cap = cap > UINT16_MAX ? UINT16_MAX : cap;
	a->limit = a->cap - opt_reserve(q);
	a->len = DNS_HEADER_LEN;
	a->query = q;
	a->rcode = q->rcode;
	a->aa = a->tc = false;
	a->counts[0] = a->counts[1] = a->counts[2] = 0;
	a->section = ANSWER_ANSWER;
	a->n_targets = 0;
	a->ecs_scope = 0;
	a->echo_ecs = q->has_ecs;
	a->edns_udp_size = 1232;
	a->ede = 0;
	a->ede_text = NULL;
	a->options_len = 0;
	if (q->has_question) {
		put_bytes(a, q->qname_wire, q->path.len);
		put_u16(a, q->qtype);
		put_u16(a, q->qclass);
	}
}

void
answer_section(struct answer *a, enum answer_section s)
{
	CHECK(s >= a->section);
	a->section = s;
}

static void
add_target(struct answer *a, size_t off, unsigned labels)
{
	if (a->n_targets == ANSWER_MAX_TARGETS || off > POINTER_MAX)
		return;
	a->target_labels[a->n_targets] = (uint8_t)labels;
	a->targets[a->n_targets++] = (uint16_t)off;
}

static inline uint8_t
fold(uint8_t c)
{
	return (uint8_t)(c - 'A') < 26 ? (uint8_t)(c | 0x20) : c;
}

/* Does the suffix `name` equal what stands at `off`? We wrote it: pointers are sound. */
static bool
equals_written(const uint8_t *msg, size_t off, const uint8_t *name)
{
	for (;;) {
		while (msg[off] >= 0xc0)
			off = (size_t)(msg[off] & 0x3f) << 8 | msg[off + 1];
		if (msg[off] != *name)
			return false;
		if (*name == 0)
			return true;
		for (unsigned n = *name; n > 0; n--)
			if (fold(msg[++off]) != fold(*++name))
				return false;
		off++;
		name++;
	}
}

/* Offset of a target that equals the suffix of `labels` labels, or 0. */
static size_t
find_target(const struct answer *a, unsigned n_targets, const uint8_t *suffix, unsigned labels)
{
	for (unsigned i = 0; i < n_targets; i++)
		if (a->target_labels[i] == labels && equals_written(a->buf, a->targets[i], suffix))
			return a->targets[i];
	return 0;
}

static bool
equal_label(const uint8_t *a, const uint8_t *b)
{
	if (*a != *b)
		return false;
	for (unsigned i = *a; i > 0; i--)
		if (a[i] != b[i] && fold(a[i]) != fold(b[i]))
			return false;
	return true;
}

/* How many labels `name` shares with the end of the question; *at is where the question has them.
 */
static unsigned
shared_labels(const struct query *q, const uint8_t *name, unsigned labels, size_t *at)
{
	unsigned common = labels < q->path.labels ? labels : q->path.labels, shared = common;
	const uint8_t *n = name_skip(name, labels - common);
	const uint8_t *wire = name_skip(q->qname_wire, q->path.labels - common), *start = wire;

	for (unsigned left = common; left > 0; left--) {
		bool same = equal_label(n, wire);

		n += 1 + *n;
		wire += 1 + *wire;
		if (!same) {
			shared = left - 1;
			start = wire;
		}
	}
	*at = DNS_HEADER_LEN + (size_t)(start - q->qname_wire);
	return shared;
}

static bool
put_pointer(struct answer *a, size_t at)
{
	if (!fits(a, 2))
		return false;
	put_u16(a, 0xc000 | (unsigned)at);
	return true;
}

/* Write `name` compressed. False if it may not fit; then `len` is undefined: callers roll back. */
static bool
put_name(struct answer *a, const uint8_t *name)
{
	const unsigned known = a->n_targets; /* this name's own suffixes cannot match it */
	unsigned labels = name_labels(name);
	size_t in_question = 0, at;
	unsigned shared =
	    a->query->has_question ? shared_labels(a->query, name, labels, &in_question) : 0;

	for (; labels > shared; labels--) {
		if ((at = find_target(a, known, name, labels)) != 0)
			return put_pointer(a, at);
		if (!fits(a, 1u + *name))
			return false;
		add_target(a, a->len, labels);
		put_bytes(a, name, 1u + *name);
		name += 1 + *name;
	}
	if (shared > 0)
		return put_pointer(a, in_question);
	if (!fits(a, 1))
		return false;
	a->buf[a->len++] = 0;
	return true;
}

static bool
put_owner(struct answer *a, const uint8_t *owner)
{
	if (owner != a->query->qname || !a->query->has_question || *owner == 0)
		return put_name(a, owner);
	return put_pointer(a, DNS_HEADER_LEN);
}

/* Rdata whose first `names` names after `fixed` bytes are compressed, the rest copied. */
static bool
put_rdata_names(struct answer *a, struct rrtype_layout layout, const uint8_t *rdata, size_t rdlen)
{
	size_t pos = layout.fixed;

	if (pos > rdlen || !fits(a, pos))
		return false;
	put_bytes(a, rdata, pos);
	for (unsigned i = 0; i < layout.names; i++) {
		int n = name_check(rdata, rdlen, pos);

		if (n < 0 || !put_name(a, rdata + pos))
			return false;
		pos += (size_t)n;
	}
	if (!fits(a, rdlen - pos))
		return false;
	put_bytes(a, rdata + pos, rdlen - pos);
	return true;
}

static bool
put_rdata(struct answer *a, uint16_t type, const uint8_t *rdata, uint16_t rdlen)
{
	struct rrtype_layout layout = rrtype_compressible(type);

	if (layout.names > 0)
		return put_rdata_names(a, layout, rdata, rdlen);
	if (!fits(a, rdlen))
		return false;
	put_bytes(a, rdata, rdlen);
	return true;
}

static bool
put_rr(struct answer *a, const uint8_t *owner, uint16_t type, uint32_t ttl, const uint8_t *rdata,
    uint16_t rdlen)
{
	size_t length_at;

	if (!put_owner(a, owner) || !fits(a, 10))
		return false;
	if (ttl > INT32_MAX) /* RFC 2181 section 8 */
		ttl = 0;
	put_u16(a, type);
	put_u16(a, a->query->qclass);
	put_u16(a, ttl >> 16);
	put_u16(a, ttl & 0xffff);
	length_at = a->len;
	put_u16(a, 0);
	if (!put_rdata(a, type, rdata, rdlen))
		return false;
	set_u16(a->buf + length_at, (unsigned)(a->len - length_at - 2));
	return true;
}

/* Count the record, or take it back and tell that something the client needs is missing. */
static bool
settle(struct answer *a, struct answer_mark before, bool written)
{
	if (written) {
		a->counts[a->section]++;
		return true;
	}
	answer_rollback(a, before);
	if (a->section != ANSWER_ADDITIONAL)
		a->tc = true;
	return false;
}

bool
answer_rr(struct answer *a, const uint8_t *owner, uint16_t type, uint32_t ttl, const uint8_t *rdata,
    uint16_t rdlen)
{
	struct answer_mark before = answer_mark(a);

	return !a->tc && settle(a, before, put_rr(a, owner, type, ttl, rdata, rdlen));
}

static bool
put_tail(struct answer *a, const uint8_t *owner, const uint8_t *tail, size_t len)
{
	if (!put_owner(a, owner) || !fits(a, len))
		return false;
	put_bytes(a, tail, len);
	return true;
}

bool
answer_rr_tail(struct answer *a, const uint8_t *owner, const uint8_t *tail, size_t len)
{
	struct answer_mark before = answer_mark(a);

	return !a->tc && settle(a, before, put_tail(a, owner, tail, len));
}

bool
answer_prepared(struct answer *a, const struct prepared *p)
{
	const struct answer_mark before = answer_mark(a);
	const bool has_room = fits(a, p->len);

	CHECK(a->query->has_question && a->query->path.len >= p->apex_len);
	if (has_room) {
		prepared_put(p, a->buf + a->len, a->query->path.len);
		a->len += p->len;
	}
	return settle(a, before, has_room);
}

struct answer_mark
answer_mark(const struct answer *a)
{
	return (struct answer_mark){ a->len, a->n_targets, a->counts[a->section] };
}

void
answer_rollback(struct answer *a, struct answer_mark m)
{
	a->len = m.len;
	a->n_targets = m.n_targets;
	a->counts[a->section] = m.count;
}

void
answer_clear(struct answer *a)
{
	const struct query *q = a->query;

	a->len = DNS_HEADER_LEN + (q->has_question ? q->path.len + 4u : 0);
	a->n_targets = 0;
	a->counts[0] = a->counts[1] = a->counts[2] = 0;
	a->section = ANSWER_ANSWER;
	a->aa = a->tc = false;
}

void
answer_require(struct answer *a)
{
	a->tc = true;
}

bool
answer_option(struct answer *a, uint16_t code, const void *data, uint16_t len)
{
	uint8_t *p = a->options + a->options_len;
	size_t need = (size_t)OPTION_HEAD + len;

	if (!a->query->has_edns || need > sizeof(a->options) - a->options_len || !fits(a, need))
		return false;
	set_u16(p, code);
	set_u16(p + 2, len);
	if (len > 0)
		memcpy(p + OPTION_HEAD, data, len);
	a->options_len = (uint16_t)(a->options_len + need);
	a->limit -= need;
	return true;
}

/* RFC 7871 section 7.2.1: family, source and address as they came, with our scope. */
static void
put_ecs(struct answer *a)
{
	const struct query *q = a->query;

	put_u16(a, OPTION_ECS);
	put_u16(a, (unsigned)ecs_len(q) - OPTION_HEAD);
	put_u16(a, q->ecs.family);
	a->buf[a->len++] = q->ecs.source;
	a->buf[a->len++] = a->ecs_scope;
	put_bytes(a, q->ecs.addr, ecs_addr_len(&q->ecs));
}

/* Explanations never displace records: as much of it as there is room for, in bytes. */
static size_t
ede_len(const struct answer *a)
{
	const size_t text_len = a->ede_text != NULL ? strlen(a->ede_text) : 0;

	if (LIKELY(a->ede == 0) || !fits(a, EDE_LEN))
		return 0;
	return EDE_LEN + (fits(a, EDE_LEN + text_len) ? text_len : 0);
}

static void
put_ede(struct answer *a, size_t len)
{
	put_u16(a, OPTION_EDE);
	put_u16(a, (unsigned)len - OPTION_HEAD);
	put_u16(a, a->ede - 1u);
	put_bytes(a, a->ede_text, len - EDE_LEN);
}

static void
put_opt(struct answer *a)
{
	const size_t ede = ede_len(a);
	size_t length_at;

	a->buf[a->len++] = 0;
	put_u16(a, RRTYPE_OPT);
	put_u16(a, a->edns_udp_size);
	put_u16(a, (unsigned)(a->rcode >> 4) << 8); /* version 0 */
	put_u16(a, a->query->dnssec_ok ? 0x8000 : 0);
	length_at = a->len;
	put_u16(a, 0);
	if (a->echo_ecs && a->query->has_ecs)
		put_ecs(a);
	if (UNLIKELY(ede > 0))
		put_ede(a, ede);
	put_bytes(a, a->options, a->options_len);
	set_u16(a->buf + length_at, (unsigned)(a->len - length_at - 2));
}

size_t
answer_finish(struct answer *a)
{
	const struct query *q = a->query;
	uint8_t *h = a->buf;

	set_u16(h, q->id);
	h[2] = (uint8_t)(0x80 | q->opcode << 3 | a->aa << 2 | a->tc << 1 | q->rd);
	h[3] = a->rcode & 15; /* RA, Z, AD and CD stay clear */
	set_u16(h + 4, q->has_question);
	set_u16(h + 6, a->counts[ANSWER_ANSWER]);
	set_u16(h + 8, a->counts[ANSWER_AUTHORITY]);
	set_u16(h + 10, a->counts[ANSWER_ADDITIONAL] + (unsigned)q->has_edns);
	if (q->has_edns)
		put_opt(a);
	return a->len;
}
