/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The pseudocode of RFC 2136 3.2.5 and 3.4.2.7 against a draft. */
#include <ctype.h>
#include <string.h>

#include "base/attr.h"
#include "dns/query.h"
#include "dns/rrtype.h"
#include "zone/update.h"
#include "zone/xfr_message.h"
#include "zone/zonefile_check.h"

#define TYPES_MAX 256

/* ---- records ---- */

/* RFC 2136 1.1.1: names inside the data compare without case. */
static bool
same_data(uint16_t type, const uint8_t *a, uint16_t a_len, const uint8_t *b, uint16_t b_len)
{
	const struct rrtype_layout l = rrtype_compressible(type);
	size_t pos = l.names > 0 ? l.fixed : 0;

	if (a_len != b_len || memcmp(a, b, pos) != 0)
		return false;
	for (unsigned i = 0; i < l.names; i++) {
		if (!name_equal(a + pos, b + pos))
			return false;
		pos += name_len(a + pos);
	}
	return memcmp(a + pos, b + pos, a_len - pos) == 0;
}

/* The record of the draft that equals `r`, or NULL; *len is its. */
static const uint8_t *
find_equal(struct draft *d, const struct update_record *r)
{
	const void *at = NULL;
	const uint8_t *data;
	uint16_t len;

	while ((data = draft_next(d, r->owner, r->type, &at, &len)) != NULL)
		if (same_data(r->type, data, len, r->rdata, r->len))
			return data;
	return NULL;
}

static size_t
count_records(struct draft *d, const uint8_t *owner, uint16_t type)
{
	const void *at = NULL;
	uint16_t len;
	size_t n = 0;

	while (draft_next(d, owner, type, &at, &len) != NULL)
		n++;
	return n;
}

/* ---- prerequisites ---- */

static bool
is_there(struct draft *d, const struct update_record *r)
{
	uint16_t types[TYPES_MAX];

	if (r->type == RRTYPE_ANY)
		return draft_types(d, r->owner, types, ARRAY_LEN(types)) > 0;
	return count_records(d, r->owner, r->type) > 0;
}

static bool
is_first_of_set(const struct update_section *s, size_t i)
{
	const struct update_record *r = &s->records[i];

	for (size_t k = 0; k < i; k++)
		if (s->records[k].class == DNS_CLASS_IN && s->records[k].type == r->type &&
		    name_equal(s->records[k].owner, r->owner))
			return false;
	return true;
}

static bool
is_twin(const struct update_section *s, size_t i)
{
	const struct update_record *r = &s->records[i], *o;

	for (size_t k = 0; k < i; k++) {
		o = &s->records[k];
		if (o->class == DNS_CLASS_IN && o->type == r->type &&
		    name_equal(o->owner, r->owner) &&
		    same_data(r->type, o->rdata, o->len, r->rdata, r->len))
			return true;
	}
	return false;
}

/* RFC 2136 2.4.2: the set is exactly what the message has of it. */
static bool
is_whole_set(const struct update_section *s, size_t first, struct draft *d)
{
	const struct update_record *r = &s->records[first];
	size_t n = 0;

	for (size_t i = first; i < s->count; i++) {
		const struct update_record *o = &s->records[i];

		if (o->class != DNS_CLASS_IN || o->type != r->type ||
		    !name_equal(o->owner, r->owner))
			continue;
		if (find_equal(d, o) == NULL)
			return false;
		n += !is_twin(s, i);
	}
	return n == count_records(d, r->owner, r->type);
}

static uint16_t
require(const struct update_section *s, size_t i, struct draft *d)
{
	const struct update_record *r = &s->records[i];
	const bool name = r->type == RRTYPE_ANY;

	if (r->class == UPDATE_CLASS_ANY && !is_there(d, r))
		return name ? RCODE_NXDOMAIN : RCODE_NXRRSET;
	if (r->class == UPDATE_CLASS_NONE && is_there(d, r))
		return name ? RCODE_YXDOMAIN : RCODE_YXRRSET;
	return RCODE_NOERROR;
}

uint16_t
update_require(const struct update *u, struct draft *d)
{
	const struct update_section *s = &u->prerequisites;

	for (size_t i = 0; i < s->count; i++) {
		const uint16_t rcode = require(s, i, d);

		if (rcode != RCODE_NOERROR)
			return rcode;
	}
	/* RFC 2136 3.2.5: the sets with values come last. */
	for (size_t i = 0; i < s->count; i++)
		if (s->records[i].class == DNS_CLASS_IN && is_first_of_set(s, i) &&
		    !is_whole_set(s, i, d))
			return RCODE_NXRRSET;
	return RCODE_NOERROR;
}

/* ---- changes ---- */

/* One at a name: a new one takes the place of the old. */
static bool
is_single(uint16_t type)
{
	return type == RRTYPE_SOA || type == RRTYPE_CNAME || type == RRTYPE_DNAME;
}

static bool
is_older_soa(const struct update_record *r, struct draft *d)
{
	const void *at = NULL;
	uint16_t len;
	const uint8_t *now = draft_next(d, r->owner, RRTYPE_SOA, &at, &len);

	return now == NULL || !xfr_message_newer(xfr_message_soa(r->rdata, r->len).serial,
				  xfr_message_soa(now, len).serial);
}

static const char *
add(const struct update *u, const struct update_record *r, struct draft *d)
{
	/* RFC 2181 section 8: with the top bit set, a TTL is 0. */
	const uint32_t ttl_s = r->ttl_s > INT32_MAX ? 0 : r->ttl_s;
	uint16_t types[TYPES_MAX];
	const size_t n = draft_types(d, r->owner, types, ARRAY_LEN(types));

	if (zonefile_check_rule(u->apex, r->owner, r->type, 1, types, n) != NULL)
		return NULL;
	if (r->type == RRTYPE_SOA && is_older_soa(r, d))
		return NULL;
	if (is_single(r->type)) {
		draft_drop(d, r->owner, r->type);
	} else {
		const uint8_t *old = find_equal(d, r);

		if (old != NULL) {
			const char *why = draft_remove(d, r->owner, r->type, old, r->len);

			if (why != NULL)
				return why;
		}
	}
	return draft_add(d, r->owner, r->type, ttl_s, r->rdata, r->len);
}

static bool
is_kept(const struct update *u, const uint8_t *owner, uint16_t type)
{
	return (type == RRTYPE_SOA || type == RRTYPE_NS) && name_equal(owner, u->apex);
}

static void
drop_sets(const struct update *u, const struct update_record *r, struct draft *d)
{
	uint16_t types[TYPES_MAX];
	const size_t n = draft_types(d, r->owner, types, ARRAY_LEN(types));

	for (size_t i = 0; i < n; i++)
		if ((r->type == RRTYPE_ANY || r->type == types[i]) &&
		    !is_kept(u, r->owner, types[i]))
			draft_drop(d, r->owner, types[i]);
}

static const char *
drop_record(const struct update *u, const struct update_record *r, struct draft *d)
{
	const uint8_t *old = find_equal(d, r);

	if (old == NULL || r->type == RRTYPE_SOA)
		return NULL;
	if (is_kept(u, r->owner, r->type) && count_records(d, r->owner, r->type) == 1)
		return NULL;
	return draft_remove(d, r->owner, r->type, old, r->len);
}

static const char *
apply(const struct update *u, const struct update_record *r, struct draft *d)
{
	switch (r->class) {
	case UPDATE_CLASS_ANY:
		drop_sets(u, r, d);
		return NULL;
	case UPDATE_CLASS_NONE:
		return drop_record(u, r, d);
	default:
		return add(u, r, d);
	}
}

const char *
update_apply(const struct update *u, struct draft *d)
{
	const char *why = NULL;

	for (size_t i = 0; i < u->changes.count && why == NULL; i++)
		why = apply(u, &u->changes.records[i], d);
	return why;
}
