/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "flat.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "dns/rrtype.h"
#include "zone/inside.h"
#include "zone/ordered.h"

static const uint8_t overlay_mark;

/* -- changes -- */

static const struct flat_fact *
find(const struct flat *f, const uint8_t *owner, uint16_t type)
{
	for (unsigned i = 0; i < f->n; i++)
		if (f->facts[i].type == type && name_equal(f->facts[i].owner, owner))
			return &f->facts[i];
	return NULL;
}

const struct flat_fact *
flat_find(const struct flat *f, const uint8_t *owner, uint16_t type)
{
	return find(f, owner, type);
}

static void
put_fact(struct zone *z, const struct flat_fact *fact)
{
	uint8_t data[6] = { 0, 4 };

	memcpy(data + 2, &fact->payload, 4);
	if (fact->type == FLAT_OVERLAY)
		zone_overlay(z, fact->owner, &overlay_mark);
	else
		zone_put(z, fact->owner, rrset_new(fact->type, 300, data, sizeof(data)));
}

void
flat_put(struct flat *f, struct zone *z, const uint8_t *owner, uint16_t type, uint32_t payload)
{
	const struct flat_fact *old = find(f, owner, type);
	struct flat_fact *fact = &f->facts[old != NULL ? (unsigned)(old - f->facts) : f->n];

	if (old == NULL) {
		assert_true(f->n++ < FLAT_MAX);
		memcpy(fact->owner, owner, name_len(owner));
		fact->type = type;
	}
	fact->payload = payload;
	put_fact(z, fact);
}

void
flat_del(struct flat *f, struct zone *z, const uint8_t *owner, uint16_t type)
{
	const struct flat_fact *fact = find(f, owner, type);
	uint8_t name[NAME_MAX_LEN];

	memcpy(name, owner, name_len(owner)); /* it may be the list's own */
	if (fact != NULL)
		f->facts[fact - f->facts] = f->facts[--f->n];
	if (type == FLAT_OVERLAY)
		assert_ptr_equal(zone_overlay(z, name, NULL), fact != NULL ? &overlay_mark : NULL);
	else
		zone_del(z, name, type);
}

/* -- the oracle -- */

/*
 * RFC 4592 2.2.2: a name exists if it or any name below it owns something. RFC 5155 7.2.8: a name
 * that owns an NSEC3 (and its signatures) only, with nothing below, does not.
 */
static bool
exists(const struct flat *f, const uint8_t *name)
{
	const bool hashed = find(f, name, RRTYPE_NSEC3) != NULL;

	if (name_equal(name, f->apex))
		return true;
	for (unsigned i = 0; i < f->n; i++) {
		const struct flat_fact *fact = &f->facts[i];

		if (!name_below(fact->owner, name))
			continue;
		if (!hashed || !name_equal(fact->owner, name))
			return true;
		if (fact->type != RRTYPE_NSEC3 && fact->type != RRTYPE_RRSIG)
			return true;
	}
	return false;
}

struct verdict {
	enum lookup_kind kind;
	uint8_t node[NAME_MAX_LEN];     /* empty non-terminals included; for NXDOMAIN unused */
	uint8_t encloser[NAME_MAX_LEN]; /* wildcard and NXDOMAIN */
	bool wildcard;
};

/* RFC 1034 4.3.2 3b and RFC 6672 3.2, walking down from the apex. */
static bool
meets_barrier(const struct flat *f, const uint8_t *qname, uint16_t qtype, struct verdict *v)
{
	for (unsigned skip = name_labels(qname) - name_labels(f->apex) + 1; skip-- > 0;) {
		const uint8_t *at = name_skip(qname, skip);

		v->kind = LOOKUP_DELEGATION;
		memcpy(v->node, at, name_len(at));
		if (!name_equal(at, f->apex) && find(f, at, RRTYPE_NS) != NULL &&
		    !(skip == 0 && qtype == RRTYPE_DS))
			return true;
		v->kind = LOOKUP_DNAME;
		if (skip > 0 && find(f, at, RRTYPE_DNAME) != NULL)
			return true;
	}
	return false;
}

static void
judge(const struct flat *f, const uint8_t *qname, uint16_t qtype, struct verdict *v)
{
	const uint8_t *up = qname;
	uint8_t star[NAME_MAX_LEN + 2] = { 1, '*' };

	memset(v, 0, sizeof(*v));
	if (meets_barrier(f, qname, qtype, v))
		return;
	v->kind = LOOKUP_NAME;
	memcpy(v->node, qname, name_len(qname));
	if (exists(f, qname))
		return;
	while (!exists(f, up))
		up = name_skip(up, 1);
	memcpy(v->encloser, up, name_len(up));
	memcpy(star + 2, up, name_len(up));
	v->wildcard = name_len(up) + 2 <= NAME_MAX_LEN && exists(f, star);
	v->kind = v->wildcard ? LOOKUP_NAME : LOOKUP_NXDOMAIN;
	if (v->wildcard)
		memcpy(v->node, star, name_len(star));
}

/* -- comparing -- */

static void
compare_content(const struct flat *f, const struct zone_node *n)
{
	unsigned sets = 0;
	bool overlay = false;

	for (unsigned i = 0; i < f->n; i++) {
		const struct flat_fact *fact = &f->facts[i];
		const struct rrset *s;

		if (!name_equal(fact->owner, n->name))
			continue;
		if (fact->type == FLAT_OVERLAY) {
			overlay = true;
			continue;
		}
		s = zone_node_find(n, fact->type);
		assert_non_null(s);
		assert_memory_equal(s->data + 2, &fact->payload, 4);
		sets++;
	}
	assert_int_equal(n->n_rrsets, sets);
	assert_ptr_equal(n->overlay, overlay ? &overlay_mark : NULL);
}

void
flat_compare_lookup(
    const struct flat *f, const struct zone *z, const uint8_t *qname, uint16_t qtype)
{
	char text[NAME_TEXT_SIZE];
	struct verdict v;
	struct lookup l;

	judge(f, qname, qtype, &v);
	lookup(z, qname, qtype, &l);
	if (l.kind != v.kind || l.wildcard != v.wildcard)
		fail_msg("%s %u: kind %d want %d, wildcard %d want %d", name_text(qname, text),
		    qtype, l.kind, v.kind, l.wildcard, v.wildcard);
	if (l.kind != LOOKUP_NXDOMAIN) {
		assert_true(name_equal(l.node->name, v.node));
		compare_content(f, l.node);
	}
	if (l.wildcard || l.kind == LOOKUP_NXDOMAIN)
		assert_true(name_equal(l.encloser->name, v.encloser));
}

void
flat_compare_chain(const struct flat *f, const struct zone *z, const uint8_t *name)
{
	const struct zone_node *got = z->chain != NULL ? ordered_floor(z->chain, name) : NULL;
	const bool key = find(f, f->apex, RRTYPE_DNSKEY) != NULL;
	const uint8_t *want = NULL;
	enum zone_signed is = ZONE_UNSIGNED;

	for (unsigned i = 0; i < f->n; i++) {
		const struct flat_fact *fact = &f->facts[i];

		if (fact->type != RRTYPE_NSEC && fact->type != RRTYPE_NSEC3)
			continue;
		if (name_order(fact->owner, name) <= 0 &&
		    (want == NULL || name_order(fact->owner, want) > 0))
			want = fact->owner;
	}
	assert_int_equal(got != NULL, want != NULL);
	if (want != NULL)
		assert_true(name_equal(got->name, want));
	if (key && find(f, f->apex, RRTYPE_NSEC) != NULL)
		is = ZONE_NSEC;
	if (key && find(f, f->apex, RRTYPE_NSEC3PARAM) != NULL)
		is = ZONE_NSEC3;
	assert_int_equal(zone_signed(z), is);
}

static void
compare_node(const struct zone_node *n, void *other)
{
	const struct zone_node *m = zone_find(other, n->name);

	assert_non_null(m);
	assert_int_equal(m->flags, n->flags);
	assert_int_equal(m->n_children, n->n_children);
	assert_int_equal(m->n_rrsets, n->n_rrsets);
	assert_ptr_equal(m->overlay, n->overlay);
	for (unsigned i = 0; i < n->n_rrsets; i++)
		assert_true(rrset_equal(n->rrsets[i], m->rrsets[i]));
}

static void
compare_chains(const struct zone *a, const struct zone *b)
{
	const struct zone_node *x = a->chain != NULL ? ordered_last(a->chain) : NULL;
	const struct zone_node *y = b->chain != NULL ? ordered_last(b->chain) : NULL;

	while (x != NULL && y != NULL) {
		assert_true(name_equal(x->name, y->name));
		x = ordered_before(a->chain, x->name);
		y = ordered_before(b->chain, y->name);
	}
	assert_null(x);
	assert_null(y);
}

void
flat_compare_rebuilt(const struct flat *f, struct zone *z)
{
	static const struct tallies none;
	struct zone *fresh = zone_new(f->apex);

	for (unsigned i = f->n; i-- > 0;)
		put_fact(fresh, &f->facts[i]);
	assert_int_equal(zone_names(z), zone_names(fresh));
	assert_int_equal(zone_bytes(z), zone_bytes(fresh));
	zone_walk(z, compare_node, fresh);
	assert_memory_equal(&z->cuts, &fresh->cuts, sizeof(z->cuts));
	assert_memory_equal(&z->dnames, &fresh->dnames, sizeof(z->dnames));
	assert_memory_equal(z->tallies != NULL ? z->tallies : &none,
	    fresh->tallies != NULL ? fresh->tallies : &none, sizeof(none));
	compare_chains(z, fresh);
	assert_int_equal(zone_signed(z), zone_signed(fresh));
	zone_free(&fresh);
}
