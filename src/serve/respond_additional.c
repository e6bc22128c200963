/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "serve/respond_reply.h"

#include "dns/rrtype.h"

/* More would only feed an amplifier; a resolver asks for what it misses. */
#define TARGETS_MAX 16

struct targets {
	unsigned n;
	const uint8_t *seen[TARGETS_MAX];
};

static bool
is_service(uint16_t type)
{
	return type == RRTYPE_SVCB || type == RRTYPE_HTTPS;
}

/* false: had it already (an RRset goes into a message once), or enough is enough. */
static bool
note(struct targets *t, const uint8_t *name)
{
	if (t->n == TARGETS_MAX)
		return false;
	for (unsigned i = 0; i < t->n; i++)
		if (name_equal(t->seen[i], name))
			return false;
	t->seen[t->n++] = name;
	return true;
}

static void
add(struct reply *p, const uint8_t *name, const uint8_t *owner, uint16_t of_type)
{
	uint8_t lower[NAME_MAX_LEN];
	struct lookup l;

	name_copy_lower(lower, name);

	const struct zone *z = zones_find(p->r->zones, lower);

	if (z == NULL)
		return;
	respond_enter(p, z);
	lookup(z, lower, RRTYPE_A, &l);
	/* A zone may be served from below one of its cuts, as the root is: priming wants the
	 * addresses (RFC 9609 4.1), and glue will do. */
	if (l.kind == LOOKUP_DELEGATION && of_type == RRTYPE_NS)
		l.node = zone_find(z, lower);
	else if (l.kind != LOOKUP_NAME)
		return;
	if (l.node == NULL)
		return;
	respond_type(p, name, l.node, RRTYPE_A);
	respond_type(p, name, l.node, RRTYPE_AAAA);
	/* RFC 9460 4.1: the records of the target too, unless they were the answer. */
	if (is_service(of_type) && !name_equal(name, owner))
		respond_type(p, name, l.node, of_type);
}

/* The addresses of the name in one rdata of the answer. */
static void
add_target(struct reply *p, struct targets *t, const uint8_t *owner, uint16_t type,
    const uint8_t *rdata, uint16_t rdlen)
{
	const uint8_t *name = respond_target(rdata, rdlen, rrtype_additional(type));

	/* RFC 9460 2.5.2: with a priority, "." means the owner; elsewhere it means none. */
	if (name != NULL && *name == 0)
		name = is_service(type) && (rdata[0] | rdata[1]) != 0 ? owner : NULL;
	if (name != NULL && note(t, name))
		add(p, name, owner, type);
}

static void
enter(struct reply *p)
{
	respond_proofs(p);
	answer_section(&p->a, ANSWER_ADDITIONAL);
}

void
respond_additional(struct reply *p, const uint8_t *owner, const struct rrset *s)
{
	struct targets targets = { 0 };
	const uint8_t *rdata;
	uint32_t pos = 0;
	uint16_t rdlen;

	if (LIKELY(rrtype_additional(s->type) < 0))
		return;
	enter(p);
	while ((rdata = rrset_next(s, &pos, &rdlen)) != NULL)
		add_target(p, &targets, owner, s->type, rdata, rdlen);
}

void
respond_additional_plan(
    struct reply *p, const uint8_t *owner, const struct plan_rr *const *rr, size_t n)
{
	struct targets targets = { 0 };

	enter(p);
	for (size_t i = 0; i < n; i++)
		add_target(p, &targets, owner, plan_rr_type(rr[i]), rr[i]->tail + PLAN_RR_RDATA,
		    (uint16_t)(rr[i]->len - PLAN_RR_RDATA));
}
