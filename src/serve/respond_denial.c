/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "serve/respond_reply.h"

#include "dns/rrtype.h"

#define EDE_NSEC3_ITERATIONS 27 /* RFC 9276 */

static uint32_t
read_u32(const uint8_t *b)
{
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

void
respond_negative(struct reply *p, const struct zone *z, uint16_t rcode)
{
	const struct zone_node *apex = zone_apex_node(z);
	const struct rrset *soa = apex != NULL ? zone_node_find(apex, RRTYPE_SOA) : NULL;
	uint32_t pos = 0;
	uint16_t len = 0;

	p->a.rcode = rcode;
	answer_section(&p->a, ANSWER_AUTHORITY);
	if (soa == NULL)
		return;

	const uint8_t *rdata = rrset_next(soa, &pos, &len);

	if (rdata == NULL || len < 4)
		return;

	const uint32_t minimum = read_u32(rdata + len - 4);
	const uint32_t ttl_s = minimum < soa->ttl_s ? minimum : soa->ttl_s;

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
