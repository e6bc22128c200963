/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fake_steer.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/mem.h"
#include "dns/query.h"
#include "dns/rdata.h"
#include "dns/rrtype.h"
#include "steer/plan.h"
#include "steer/steered.h"

#define TTL 60

struct plan {
	struct plan_head head;
	struct fake_domain domain;
	size_t n;
	struct plan_rr *rr[FAKE_RRS_MAX];
	struct rrset *all;
};

static struct plan_rr *
compile(uint16_t type, const char *text)
{
	struct buf rdata, tail;
	const char *why;

	buf_init(&rdata, RDATA_MAX_LEN);
	buf_init(&tail, RDATA_MAX_LEN);
	CHECK(rdata_parse(type, text, ".", &rdata, &why) == 0);
	buf_put_u16(&tail, type);
	buf_put_u16(&tail, DNS_CLASS_IN);
	buf_put_u32(&tail, TTL);
	buf_put_u16(&tail, (uint16_t)rdata.len);
	buf_put(&tail, rdata.data, rdata.len);

	struct plan_rr *rr = xmalloc(sizeof(*rr) + tail.len);

	rr->len = (uint16_t)tail.len;
	memcpy(rr->tail, tail.data, tail.len);
	buf_fini(&rdata);
	buf_fini(&tail);
	return rr;
}

static struct rrset *
everybody(const struct plan *p)
{
	struct rrset *set;
	struct buf data;

	buf_init(&data, SIZE_MAX);
	for (size_t i = 0; i < p->n; i++) /* with its rdlength */
		buf_put(
		    &data, p->rr[i]->tail + PLAN_RR_RDATA - 2, p->rr[i]->len - PLAN_RR_RDATA + 2u);
	set = rrset_new(p->domain.type, TTL, data.data, data.len);
	buf_fini(&data);
	return set;
}

static unsigned
traits_of(const struct fake_domain *d)
{
	const enum plan_client client = d->scope == NULL ? PLAN_ANYBODY
					: d->no_ecs      ? PLAN_RESOLVER
							 : PLAN_SUBNET;

	return (d->fallback ? PLAN_IS_FALLBACK : 0u) | (d->type == RRTYPE_A ? PLAN_IS_DIRECT : 0u) |
	       (unsigned)client << PLAN_CLIENT_SHIFT;
}

const void *
fake_steer_new(const struct fake_domain *d)
{
	struct plan *p = xcalloc(1, sizeof(*p));

	p->domain = *d;
	for (; p->n < FAKE_RRS_MAX && d->rdata[p->n] != NULL; p->n++)
		p->rr[p->n] = compile(d->type, d->rdata[p->n]);
	p->all = everybody(p);
	p->head = (struct plan_head){ .rrtype = d->type, .traits = (uint8_t)traits_of(d) };
	return p;
}

void
fake_steer_free(const void *overlay)
{
	struct plan *p = (struct plan *)(uintptr_t)overlay;

	for (size_t i = 0; p != NULL && i < p->n; i++)
		free(p->rr[i]);
	if (p != NULL)
		rrset_free(&p->all);
	free(p);
}

const struct plan *
steered_find(const void *overlay, uint16_t qtype)
{
	const struct plan *p = overlay;

	return p != NULL && (p->domain.type == qtype || p->domain.type == RRTYPE_CNAME) ? p : NULL;
}

size_t
plan_answer(const struct plan *p, unsigned worker, const struct position *at,
    const struct plan_rr *out[PLAN_MAX_ANSWER], unsigned *scope)
{
	(void)worker;
	*scope = p->domain.scope != NULL ? p->domain.scope(at) : 0;
	memcpy(out, p->rr, p->n * sizeof(p->rr[0]));
	return p->n;
}

const struct plan_rr *
plan_answer_one(const struct plan *p, unsigned worker, const struct position *at, unsigned *scope)
{
	const struct plan_rr *rr[PLAN_MAX_ANSWER];

	return p->n == 1 && plan_answer(p, worker, at, rr, scope) == 1 ? rr[0] : NULL;
}

size_t
plan_answer_to(const struct plan *p, unsigned worker, const struct position *at,
    const struct plan_asker *asker, const struct plan_rr *out[PLAN_MAX_ANSWER], unsigned *scope)
{
	(void)asker;
	return plan_answer(p, worker, at, out, scope);
}

uint16_t
plan_rrtype(const struct plan *p)
{
	return p->domain.type;
}

uint32_t
plan_ttl(const struct plan *p)
{
	(void)p;
	return TTL;
}

const struct rrset *
steered_fallback_set(const void *overlay, uint16_t type)
{
	const struct plan *p = overlay;

	return p != NULL && p->domain.type == type ? p->all : NULL;
}

unsigned
steered_types(const void *overlay)
{
	return overlay != NULL;
}

uint16_t
steered_type_at(const void *overlay, unsigned i)
{
	CHECK(i == 0);
	return ((const struct plan *)overlay)->domain.type;
}
