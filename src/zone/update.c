/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "zone/update.h"

#include <string.h>

#include "dns/query.h"
#include "dns/rdata.h"
#include "dns/rrtype.h"
#include "zone/xfr_message.h"

#define HEADER 12

static uint16_t
get_u16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

/* RFC 2136 3.1: exactly one zone, of type SOA. */
static uint16_t
read_zone(struct xfr_message *m, struct update *u)
{
	if (get_u16(m->data + 4) != 1 || name_expand(m->data, m->len, &m->pos, u->apex) < 0 ||
	    m->len - m->pos < 4)
		return RCODE_FORMERR;
	name_lower(u->apex);

	const uint16_t type = get_u16(m->data + m->pos), class = get_u16(m->data + m->pos + 2);

	m->pos += 4;
	if (type != RRTYPE_SOA)
		return RCODE_FORMERR;
	return class == DNS_CLASS_IN ? RCODE_NOERROR : RCODE_NOTAUTH;
}

/* RFC 2136 3.2.5. */
static uint16_t
check_prerequisite(const struct update *u, const struct update_record *r)
{
	const bool bare = r->class == UPDATE_CLASS_ANY || r->class == UPDATE_CLASS_NONE;

	if (r->ttl_s != 0 || (!bare && r->class != DNS_CLASS_IN) || (bare && r->len != 0))
		return RCODE_FORMERR;
	if (!bare && (rrtype_is_meta(r->type) || !rdata_check(r->type, r->rdata, r->len)))
		return RCODE_FORMERR;
	return name_below(r->owner, u->apex) ? RCODE_NOERROR : RCODE_NOTZONE;
}

/* RFC 2136 3.4.1.3; rdata is looked at here, so that nothing later can fail on it. */
static bool
is_change(const struct update_record *r)
{
	const bool meta = rrtype_is_meta(r->type);

	switch (r->class) {
	case DNS_CLASS_IN:
		return !meta && rdata_check(r->type, r->rdata, r->len);
	case UPDATE_CLASS_ANY:
		return r->ttl_s == 0 && r->len == 0 && (!meta || r->type == RRTYPE_ANY);
	case UPDATE_CLASS_NONE:
		return r->ttl_s == 0 && !meta && rdata_check(r->type, r->rdata, r->len);
	default:
		return false;
	}
}

static uint16_t
check_change(const struct update *u, const struct update_record *r)
{
	if (!name_below(r->owner, u->apex))
		return RCODE_NOTZONE;
	return is_change(r) ? RCODE_NOERROR : RCODE_FORMERR;
}

typedef uint16_t check(const struct update *u, const struct update_record *r);

static uint16_t
read_section(struct xfr_message *m, struct update *u, unsigned n, check *check_record,
    struct update_section *s)
{
	struct xfr_record r;
	uint16_t rcode = RCODE_NOERROR;

	/* No more than can be there: a record takes 11 bytes at least. */
	if (n > (m->len - m->pos) / 11)
		return RCODE_FORMERR;
	s->records = arena_alloc(&u->arena, (n + 1) * sizeof(*s->records));
	for (m->left = n; m->left > 0 && rcode == RCODE_NOERROR;) {
		if (xfr_message_record(m, &r) != NULL)
			return RCODE_FORMERR;

		struct update_record *to = &s->records[s->count++];

		*to = (struct update_record){
			.owner = arena_memdup(&u->arena, r.owner, name_len(r.owner)),
			.type = r.type,
			.class = r.class,
			.ttl_s = r.ttl_s,
			.rdata = arena_memdup(&u->arena, r.rdata, r.len),
			.len = r.len,
		};
		rcode = check_record(u, to);
	}
	return rcode;
}

/* Only EDNS matters here; the signature has been looked at. */
static uint16_t
read_additional(struct xfr_message *m, struct update *u, unsigned n)
{
	struct xfr_record r;

	for (m->left = n; m->left > 0;) {
		if (xfr_message_record(m, &r) != NULL)
			return RCODE_FORMERR;
		if (r.type != RRTYPE_OPT)
			continue;
		if (u->has_edns || r.owner[0] != 0)
			return RCODE_FORMERR;
		u->has_edns = true;
		u->edns_version = (uint8_t)(r.ttl_s >> 16);
	}
	return m->pos == m->len ? RCODE_NOERROR : RCODE_FORMERR;
}

static uint16_t
read_all(struct xfr_message *m, struct update *u)
{
	const uint8_t *h = m->data;
	const uint16_t zone = read_zone(m, u);
	uint16_t worst;

	if (zone == RCODE_FORMERR)
		return zone;
	worst = read_section(m, u, get_u16(h + 6), check_prerequisite, &u->prerequisites);
	if (worst == RCODE_NOERROR)
		worst = read_section(m, u, get_u16(h + 8), check_change, &u->changes);
	if (worst == RCODE_NOERROR)
		worst = read_additional(m, u, get_u16(h + 10));
	return worst == RCODE_NOERROR ? zone : worst;
}

uint16_t
update_parse(const uint8_t *msg, size_t len, struct update *u)
{
	struct xfr_message m;

	memset(u, 0, sizeof(*u));
	arena_init(&u->arena);
	if (len < HEADER)
		return RCODE_FORMERR;
	m.data = msg;
	m.len = len;
	m.pos = HEADER;
	return read_all(&m, u);
}

void
update_fini(struct update *u)
{
	arena_fini(&u->arena);
}
