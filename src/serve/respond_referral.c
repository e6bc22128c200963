/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "serve/respond_reply.h"

#include "dns/rrtype.h"

/*
 * Two passes: glue below the cut, without which nobody gets any further, must be there or TC is set
 * (RFC 9471); then that of siblings in this zone as space allows.
 */
enum pass { IN_DOMAIN, SIBLING };

static void
glue(struct reply *p, const struct zone *z, const struct zone_node *cut, const uint8_t *name,
    enum pass pass)
{
	uint8_t lower[NAME_MAX_LEN];

	if ((pass == IN_DOMAIN) != name_below(name, cut->name) || !name_below(name, zone_apex(z)))
		return;
	name_copy_lower(lower, name);

	const struct zone_node *node = zone_find(z, lower);

	if (node == NULL)
		return;

	const bool a = respond_type(p, name, node, RRTYPE_A);
	const bool aaaa = respond_type(p, name, node, RRTYPE_AAAA);

	if (pass == IN_DOMAIN && !(a && aaaa))
		answer_require(&p->a);
}

static void
glue_all(struct reply *p, const struct zone *z, const struct zone_node *cut, const struct rrset *ns,
    enum pass pass)
{
	const uint8_t *rdata;
	uint32_t pos = 0;
	uint16_t rdlen;

	while ((rdata = rrset_next(ns, &pos, &rdlen)) != NULL) {
		const uint8_t *name = respond_target(rdata, rdlen, 0);

		if (name != NULL)
			glue(p, z, cut, name, pass);
	}
}

/* The parent has no authority over them and does not sign them (RFC 4035 2.2). */
static bool
give_ns(struct reply *p, const struct zone_node *cut, const struct rrset *ns)
{
	const bool secure = p->secure;

	p->secure = false;

	const bool fits = respond_set(p, cut->name, cut, ns);

	p->secure = secure;
	return fits;
}

void
respond_referral(struct reply *p, const struct zone *z, const struct zone_node *cut)
{
	const struct rrset *ns = zone_node_find(cut, RRTYPE_NS);
	const struct rrset *ds;

	/* AA speaks of the first owner of the answer section (RFC 1035 4.1.1): a CNAME of ours. */
	if (p->a.counts[ANSWER_ANSWER] == 0)
		p->a.aa = false;
	answer_section(&p->a, ANSWER_AUTHORITY);
	if (ns == NULL || !give_ns(p, cut, ns))
		return;
	ds = p->q.dnssec_ok ? zone_node_find(cut, RRTYPE_DS) : NULL;
	if (ds != NULL && !respond_set(p, cut->name, cut, ds))
		return;
	if (UNLIKELY(p->secure) && ds == NULL)
		denial_type(&p->denial, z, cut);
	respond_proofs(p);
	answer_section(&p->a, ANSWER_ADDITIONAL);
	glue_all(p, z, cut, ns, IN_DOMAIN);
	glue_all(p, z, cut, ns, SIBLING);
}
