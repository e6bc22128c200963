/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "serve/respond_reply.h"

#include "dns/rrtype.h"

#define EDE_NSEC3_ITERATIONS 27 /* RFC 9276 */

/* Nothing has been said yet, and nothing will be but this. */
static bool
is_all(const struct reply *p)
{
	return p->a.len == DNS_HEADER_LEN + p->q.path.len + 4u && !p->secure && p->denial.n == 0;
}

void
respond_negative(struct reply *p, const struct zone *z, uint16_t rcode)
{
	const struct prepared *ready = zone_negative(z);
	const struct zone_node *apex;
	const struct rrset *soa;
	const uint8_t *rdata;
	uint32_t pos = 0;
	uint16_t len = 0;

	p->a.rcode = rcode;
	answer_section(&p->a, ANSWER_AUTHORITY);
	if (LIKELY(ready != NULL && is_all(p))) {
		(void)answer_prepared(&p->a, ready);
		return;
	}
	apex = zone_apex_node(z);
	soa = apex != NULL ? zone_node_find(apex, RRTYPE_SOA) : NULL;
	if (soa == NULL || (rdata = rrset_next(soa, &pos, &len)) == NULL || len < 4)
		return;

	const uint32_t ttl_s = zone_negative_ttl(soa);

	if (answer_rr(&p->a, zone_apex(z), RRTYPE_SOA, ttl_s, rdata, len) && p->secure)
		respond_signatures(p, zone_apex(z), apex, RRTYPE_SOA, ttl_s);
}

/* The zone at hand may be another one, unsigned: these were gathered where it was not. */
void
respond_proofs(struct reply *p)
{
	const bool secure = p->secure;

	if (p->denial.too_costly)
		p->a.ede = EDE_NSEC3_ITERATIONS + 1;
	if (LIKELY(p->denial.n == 0))
		return;
	answer_section(&p->a, ANSWER_AUTHORITY);
	p->secure = true;
	for (unsigned i = 0; i < p->denial.n; i++) {
		const struct zone_node *n = p->denial.nodes[i];
		const struct rrset *s = zone_node_find(n, RRTYPE_NSEC);

		if (s == NULL)
			s = zone_node_find(n, RRTYPE_NSEC3);
		if (s != NULL && !respond_set(p, n->name, n, s))
			break;
	}
	p->denial.n = 0;
	p->secure = secure;
}
