/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "serve/respond_reply.h"

#include "dns/rrtype.h"
#include "steer/steered.h"

bool
respond_signatures(
    struct reply *p, const uint8_t *owner, const struct zone_node *n, uint16_t type, uint32_t ttl_s)
{
	const struct rrset *sigs = zone_node_find(n, RRTYPE_RRSIG);
	const uint8_t *rdata;
	uint32_t pos = 0;
	uint16_t rdlen;

	while (sigs != NULL && (rdata = rrset_next(sigs, &pos, &rdlen)) != NULL)
		if (rdlen >= 2 && (rdata[0] << 8 | rdata[1]) == type &&
		    !answer_rr(&p->a, owner, RRTYPE_RRSIG, ttl_s, rdata, rdlen))
			return false;
	return true;
}

/* Each of them has the TTL of what it covers, though they are kept as one set. */
static bool
put_signatures(
    struct reply *p, const uint8_t *owner, const struct zone_node *n, const struct rrset *sigs)
{
	const struct answer_mark mark = answer_mark(&p->a);
	const uint8_t *rdata;
	uint32_t pos = 0;
	uint16_t rdlen;

	while ((rdata = rrset_next(sigs, &pos, &rdlen)) != NULL) {
		const uint16_t covered = (uint16_t)(rdlen < 2 ? 0 : rdata[0] << 8 | rdata[1]);
		const struct rrset *s = zone_node_find(n, covered);

		if (!answer_rr(&p->a, owner, RRTYPE_RRSIG,
			s != NULL ? s->ttl_s : rrset_ttl(sigs, rdata, rdlen), rdata, rdlen)) {
			answer_rollback(&p->a, mark);
			return false;
		}
	}
	return true;
}

bool
respond_set(struct reply *p, const uint8_t *owner, const struct zone_node *n, const struct rrset *s)
{
	if (UNLIKELY(s->type == RRTYPE_RRSIG))
		return put_signatures(p, owner, n, s);

	const struct answer_mark mark = answer_mark(&p->a);
	const uint8_t *rdata;
	uint32_t pos = 0;
	uint16_t rdlen;

	while ((rdata = rrset_next(s, &pos, &rdlen)) != NULL)
		if (UNLIKELY(!answer_rr(&p->a, owner, s->type, s->ttl_s, rdata, rdlen))) {
			answer_rollback(&p->a, mark);
			return false;
		}
	if (UNLIKELY(p->secure) && !respond_signatures(p, owner, n, s->type, s->ttl_s)) {
		answer_rollback(&p->a, mark);
		return false;
	}
	return true;
}

/* RFC 7871 7.1.2: a source of 0 bits asks not to be looked at; then the resolver is. */
static void
locate(struct reply *p, enum plan_client client)
{
	const struct query *q = &p->q;

	p->located = (uint8_t)(p->located | 1u << client);
	if (client == PLAN_SUBNET && q->ecs.source > 0) {
		p->by_subnet = true;
		p->at[client] =
		    position_of_prefix(q->ecs.family == 1 ? 4 : 6, q->ecs.addr, q->ecs.source);
	} else {
		p->at[client] = position_of_addr(p->from->peer);
	}
}

/* Whoever decided by the subnet says for how large a part of the network that decision holds. */
static void
widen_scope(struct reply *p, unsigned scope)
{
	/* An IPv4 address wrapped in IPv6 has 96 bits before it. */
	if (scope > 0 && p->q.ecs.family == 2 && p->at[PLAN_SUBNET].family == 4)
		scope += 96;
	if (scope > p->a.ecs_scope)
		p->a.ecs_scope = (uint8_t)scope;
}

/* RFC 7871 7.3.1: what stands beside the answer is tied to no network, so the resolver counts. */
static enum plan_client
whose_position(unsigned traits, bool beside)
{
	const enum plan_client client = traits >> PLAN_CLIENT_SHIFT;

	return beside && client == PLAN_SUBNET ? PLAN_RESOLVER : client;
}

static void
find_out(struct reply *p, enum plan_client client)
{
	if (client != PLAN_ANYBODY && (p->located >> client & 1) == 0)
		locate(p, client);
}

/* balance traffic: who resolves matters, whatever the subnet. */
static size_t
ask_for(struct reply *p, const struct plan *plan, enum plan_client client,
    const struct plan_rr *rr[PLAN_MAX_ANSWER], unsigned *scope)
{
	const struct plan_asker asker = {
		.resolver = &p->at[PLAN_RESOLVER],
		.by_subnet = client == PLAN_SUBNET && p->by_subnet,
		.now_ms = p->from->now_ms,
	};

	find_out(p, PLAN_RESOLVER);
	return plan_answer_to(plan, p->r->worker, &p->at[client], &asker, rr, scope);
}

/* What the records lead to: the name behind an alias, and addresses of the hosts they name. */
static const uint8_t *
follow_up(struct reply *p, const uint8_t *owner, const struct plan_rr *const *rr, size_t n)
{
	const uint16_t type = plan_rr_type(rr[0]);

	if (LIKELY(type == RRTYPE_A || type == RRTYPE_AAAA))
		return NULL;
	if (type == RRTYPE_CNAME)
		return rr[0]->tail + PLAN_RR_RDATA;
	if (p->q.qtype != RRTYPE_ANY && rrtype_additional(type) >= 0)
		respond_additional_plan(p, owner, rr, n);
	return NULL;
}

enum respond_given
respond_plan(struct reply *p, const uint8_t *owner, const struct plan *plan, unsigned traits,
    const uint8_t **target)
{
	const struct plan_rr *rr[PLAN_MAX_ANSWER];
	const struct answer_mark mark = answer_mark(&p->a);
	const enum plan_client client = whose_position(traits, target == NULL);
	unsigned scope;

	find_out(p, client);

	const size_t n = UNLIKELY(traits & PLAN_IS_BALANCED)
			     ? ask_for(p, plan, client, rr, &scope)
			     : plan_answer(plan, p->r->worker, &p->at[client], rr, &scope);

	if (client == PLAN_SUBNET && p->by_subnet)
		widen_scope(p, scope);
	if (target != NULL)
		*target = NULL;
	if (UNLIKELY(n == 0))
		return RESPOND_NOTHING;
	for (size_t i = 0; i < n; i++)
		if (UNLIKELY(!answer_rr_tail(&p->a, owner, rr[i]->tail, rr[i]->len))) {
			answer_rollback(&p->a, mark);
			return RESPOND_CUT;
		}
	if (target != NULL)
		*target = follow_up(p, owner, rr, n);
	return RESPOND_GIVEN;
}

bool
respond_type(struct reply *p, const uint8_t *owner, const struct zone_node *node, uint16_t type)
{
	const struct plan *plan = steered_find(node->overlay, type);

	if (plan != NULL)
		return plan_rrtype(plan) != type ||
		       respond_plan(p, owner, plan, plan_traits(plan), NULL) != RESPOND_CUT;

	const struct rrset *s = zone_node_find(node, type);

	return s == NULL || respond_set(p, owner, node, s);
}

const uint8_t *
respond_target(const uint8_t *rdata, uint16_t rdlen, int off)
{
	return name_check(rdata, rdlen, (size_t)off) < 0 ? NULL : rdata + off;
}
