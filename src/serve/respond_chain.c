/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The walk of RFC 1034 4.3.2 and RFC 6672 3.2: answer the name at hand; if that was an alias, go on
 * with its target as long as a hosted zone has it. Rcode and authority speak of the last name.
 */
#include "serve/respond_reply.h"

#include <string.h>

#include "dns/rrtype.h"
#include "steer/steered.h"

#define LINKS_MAX             8 /* aliases followed in one answer */
#define EDE_OTHER             0
#define EDE_NOT_READY         14
#define EDE_NOT_AUTHORITATIVE 20
#define EDE_INVALID_DATA      24

/* Names of the chain; for most queries just the first, and nothing is copied. */
struct chain {
	const uint8_t *owner;          /* the name at hand, as it goes on the wire */
	const struct name_path *lower; /* the same as tables know it */
	unsigned links;
	const struct zone_node *dname; /* the newest one written */
	struct name_path path;         /* of `folded` */
	uint8_t folded[NAME_MAX_LEN];
	uint8_t synthesised[NAME_MAX_LEN];
	uint8_t owners[LINKS_MAX][NAME_MAX_LEN];
};

/* The deepest zone; for DS at an apex the parent's side of the cut, if that is here too (RFC
 * 4035 3.1.4.1). */
static const struct zone *
find_zone(const struct reply *p, const struct name_path *lower)
{
	const struct zone *z = zones_find_path(p->r->zones, lower), *above;

	if (UNLIKELY(p->q.qtype == RRTYPE_DS) && z != NULL &&
	    name_equal(zone_apex(z), lower->name) &&
	    (above = zones_find_above(p->r->zones, lower->name)) != NULL)
		return above;
	return z;
}

/* NOERROR without data; what proves it depends on whether the node is a wildcard's. */
static void
deny_type(struct reply *p, const struct chain *c, const struct zone *z, const struct lookup *l)
{
	if (UNLIKELY(p->secure) && l->wildcard)
		denial_wildcard_type(&p->denial, z, c->lower->name, l->encloser, l->node);
	else if (UNLIKELY(p->secure))
		denial_type(&p->denial, z, l->node);
	respond_negative(p, z, RCODE_NOERROR);
}

static void
deny_name(struct reply *p, const struct chain *c, const struct zone *z, const struct lookup *l)
{
	if (UNLIKELY(p->secure))
		denial_name(&p->denial, z, c->lower->name, l->encloser);
	respond_negative(p, z, RCODE_NXDOMAIN);
}

/* A set of the name at hand; if a wildcard gave it, nothing closer may exist (RFC 4035 3.1.3.3). */
static bool
give(struct reply *p, const struct chain *c, const struct zone *z, const struct lookup *l,
    const struct rrset *s)
{
	if (UNLIKELY(p->secure) && l->wildcard)
		denial_expansion(&p->denial, z, c->lower->name, l->encloser);
	return respond_set(p, c->owner, l->node, s);
}

static const uint8_t *
alias_target(const struct rrset *cname)
{
	uint32_t pos = 0;
	uint16_t rdlen = 0;
	const uint8_t *rdata = rrset_next(cname, &pos, &rdlen);

	return rdata != NULL ? respond_target(rdata, rdlen, 0) : NULL;
}

static const uint8_t *
steer(struct reply *p, const struct chain *c, const struct zone *z, const struct lookup *l,
    const struct plan *plan)
{
	const unsigned traits = plan_traits(plan);
	const uint8_t *target;

	respond_count(
	    traits & PLAN_IS_ZONE_DATA ? &p->r->counters->lined : &p->r->counters->steered);
	if (UNLIKELY(traits & PLAN_IS_FALLBACK)) {
		respond_count(&p->r->counters->fallback);
		p->a.ede = EDE_OTHER + 1;
		p->a.ede_text = "no healthy address: the fallback answers";
	}
	if (UNLIKELY(respond_plan(p, c->owner, plan, traits, &target) == RESPOND_NOTHING))
		deny_type(p, c, z, l);
	return p->q.qtype != RRTYPE_CNAME ? target : NULL;
}

/* The first set of the node that no plan stands before, or NULL. */
static const struct rrset *
first_plain(const struct zone_node *n)
{
	for (unsigned i = 0; i < n->n_rrsets; i++)
		if (steered_find(n->overlay, n->rrsets[i]->type) == NULL)
			return n->rrsets[i];
	return NULL;
}

/* ANY: one RRset of the name, which is enough to be correct (RFC 8482 4.1). Aliases are not
 * followed. */
static void
answer_any(struct reply *p, const struct chain *c, const struct zone *z, const struct lookup *l)
{
	const struct plan *plan = steered_find(l->node->overlay, RRTYPE_A);
	const struct rrset *plain;

	if (plan == NULL)
		plan = steered_find(l->node->overlay, RRTYPE_AAAA);
	plain = plan != NULL ? NULL : first_plain(l->node);
	for (unsigned i = 0; plan == NULL && plain == NULL && i < steered_types(l->node->overlay);
	     i++)
		plan = steered_find(l->node->overlay, steered_type_at(l->node->overlay, i));
	if (plan != NULL)
		(void)steer(p, c, z, l, plan);
	else if (plain != NULL)
		(void)give(p, c, z, l, plain);
	else
		deny_type(p, c, z, l);
}

/* RFC 4035 2.5: what signs an alias lives beside it, and is not looked for behind it. */
static bool
is_beside_alias(uint16_t type)
{
	return type == RRTYPE_RRSIG || type == RRTYPE_NSEC;
}

/* Each step returns the next name of the chain, or NULL at its end. */
static const uint8_t *
answer_node(struct reply *p, const struct chain *c, const struct zone *z, const struct lookup *l)
{
	const struct zone_node *n = l->node;
	const uint16_t qtype = p->q.qtype;

	if (UNLIKELY(qtype == RRTYPE_ANY)) {
		answer_any(p, c, z, l);
		return NULL;
	}

	const struct plan *plan = steered_find(n->overlay, qtype);

	if (plan != NULL)
		return steer(p, c, z, l, plan);

	const struct rrset *s = zone_node_find(n, qtype);

	if (s != NULL) {
		/* Addresses, which most queries are for, speak of no names. */
		if (give(p, c, z, l, s) && qtype != RRTYPE_A && qtype != RRTYPE_AAAA)
			respond_additional(p, c->owner, s);
		return NULL;
	}
	s = zone_node_find(n, RRTYPE_CNAME);
	if (s != NULL && LIKELY(!is_beside_alias(qtype)))
		return give(p, c, z, l, s) ? alias_target(s) : NULL;
	deny_type(p, c, z, l);
	return NULL;
}

/* The DNAME, and the CNAME that it makes of the name at hand (RFC 6672 3.1). */
static const uint8_t *
substitute(struct reply *p, struct chain *c, const struct zone_node *n)
{
	const struct rrset *s = zone_node_find(n, RRTYPE_DNAME);
	uint32_t pos = 0;
	uint16_t rdlen = 0;
	const uint8_t *rdata = s != NULL ? rrset_next(s, &pos, &rdlen) : NULL;

	if (rdata == NULL || (rdata = respond_target(rdata, rdlen, 0)) == NULL)
		return NULL;
	if (n != c->dname && !respond_set(p, n->name, n, s))
		return NULL;
	c->dname = n;

	const uint8_t *spelled = c->links == 0 ? p->q.qname_wire : c->owner;
	const size_t prefix = name_len(spelled) - name_len(n->name), len = name_len(rdata);

	if (prefix + len > NAME_MAX_LEN) {
		p->a.rcode = RCODE_YXDOMAIN;
		return NULL;
	}
	memcpy(c->synthesised, spelled, prefix);
	memcpy(c->synthesised + prefix, rdata, len);
	if (!answer_rr(
		&p->a, c->owner, RRTYPE_CNAME, s->ttl_s, c->synthesised, (uint16_t)(prefix + len)))
		return NULL;
	/* The synthesised CNAME answers these. */
	return p->q.qtype == RRTYPE_CNAME || p->q.qtype == RRTYPE_ANY ? NULL : c->synthesised;
}

static const uint8_t *
answer_name(struct reply *p, struct chain *c, const struct zone *z)
{
	struct lookup l;

	respond_enter(p, z);
	lookup_path(z, c->lower, p->q.qtype, &l);
	if (p->source == NULL) /* the first link */
		p->source = l.kind == LOOKUP_NXDOMAIN ? zone_apex(z) : l.node->name;
	switch (l.kind) {
	case LOOKUP_NAME:
		return answer_node(p, c, z, &l);
	case LOOKUP_NXDOMAIN:
		deny_name(p, c, z, &l);
		return NULL;
	case LOOKUP_DELEGATION:
		respond_referral(p, z, l.node);
		return NULL;
	case LOOKUP_DNAME:
		return substitute(p, c, l.node);
	}
	return NULL;
}

/* Make `target` the name at hand; false if the chain is too long or would go round. */
static bool
advance(const struct reply *p, struct chain *c, const uint8_t *target)
{
	if (c->links == LINKS_MAX || name_equal(target, p->q.qname))
		return false;
	for (unsigned i = 0; i < c->links; i++)
		if (name_equal(target, c->owners[i]))
			return false;

	uint8_t *owner = c->owners[c->links++];

	memcpy(owner, target, name_len(target));
	name_copy_lower(c->folded, owner);
	c->owner = owner;
	name_path_of(&c->path, c->folded);
	c->lower = &c->path;
	return true;
}

/* A secondary's zone that never came, or has expired (RFC 1034 4.3.5). */
static void
excuse(struct reply *p, const struct zone *z)
{
	const struct zone_node *apex = zone_apex_node(z);
	const bool empty = apex == NULL || zone_node_find(apex, RRTYPE_SOA) == NULL;

	p->a.rcode = RCODE_SERVFAIL;
	p->a.ede = (empty ? EDE_NOT_READY : EDE_INVALID_DATA) + 1;
}

static void
follow(struct reply *p)
{
	struct chain c;
	const struct zone *z = find_zone(p, &p->q.path);
	const uint8_t *target;

	if (z == NULL) {
		p->a.rcode = RCODE_REFUSED;
		p->a.ede = EDE_NOT_AUTHORITATIVE + 1;
		return;
	}
	if (UNLIKELY(zone_stale(z))) {
		excuse(p, z);
		return;
	}
	p->a.aa = true;
	c.owner = p->q.qname;
	c.lower = &p->q.path;
	c.links = 0;
	c.dname = NULL;
	while ((target = answer_name(p, &c, z)) != NULL && advance(p, &c, target))
		if ((z = find_zone(p, c.lower)) == NULL || zone_stale(z))
			return; /* out of our zones: the resolver goes on by itself */
}

void
respond_chain(struct reply *p)
{
	p->denial.n = 0;
	p->denial.too_costly = false;
	follow(p);
	if (UNLIKELY(p->denial.n > 0 || p->denial.too_costly))
		respond_proofs(p);
}
