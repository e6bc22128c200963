/* SPDX-License-Identifier: GPL-3.0-or-later */
/* balance traffic, as explain tells it: what has been learned, and what becomes of who asks. */
#include "steer/explain_balance.h"

#include <string.h>

#define DRAWS 2520 /* every number of records up to ten divides it */

static struct plan_asker
asker_of(const struct explain_asker *e)
{
	return (struct plan_asker){ .resolver = e->resolver, .by_subnet = e->by_subnet };
}

size_t
explain_balance_answer(const struct explain_asker *e, const struct plan_rr *out[PLAN_MAX_ANSWER])
{
	const struct plan_asker asker = asker_of(e);

	if (!plan_is_balanced(e->plan) || e->resolver->family == 0)
		return plan_answer_of(e->plan, e->variant, 0, e->at, out);
	return plan_answer_as(e->plan, e->variant, e->at, &asker, e->scope, out);
}

static uint32_t
tag_of(const struct plan *p, const struct plan_choice *from, size_t n, const struct plan_rr *rr)
{
	for (size_t i = 0; i < n; i++) {
		for (uint32_t k = 0; k < from[i].count; k++) {
			const struct plan_item *item = &p->items[from[i].first + k];
			const struct plan_rr *have = (const void *)(p->records + item->rr);

			if (have->len == rr->len &&
			    memcmp(have->tail + PLAN_RR_RDATA, rr->tail + PLAN_RR_RDATA,
				rr->len - PLAN_RR_RDATA) == 0)
				return item->tag;
		}
	}
	return UINT32_MAX;
}

bool
explain_balance_shares(const struct explain_asker *e,
    void (*visit)(void *arg, uint32_t tag, double probability), void *arg)
{
	const struct plan_asker asker = asker_of(e);
	const struct plan_variant *v = &e->plan->variants[e->variant];
	const struct plan_rr *out[PLAN_MAX_ANSWER];

	if (!plan_is_balanced(e->plan) || e->resolver->family == 0 ||
	    plan_seat_of(e->plan, e->variant, e->at, &asker, e->scope) != PLAN_SEATED)
		return false;
	for (int i = 0; i < DRAWS; i++) {
		(void)explain_balance_answer(e, out);
		visit(arg, tag_of(e->plan, e->plan->pools + v->over.first, v->over.count, out[0]),
		    1.0 / DRAWS);
	}
	return true;
}

void
explain_balance_tell(struct account *a, const struct explain_asker *e)
{
	static const char *const fate[] = {
		[PLAN_LIGHT] = "this one has little traffic, or none that is known: it is drawn",
		[PLAN_SEATED] = "this one has much traffic: it always gets the same member",
		[PLAN_SPLIT] = "this one has more than a member's part: it is sent to several",
	};
	const struct plan_asker asker = asker_of(e);

	if (!plan_is_balanced(e->plan))
		return;

	const struct balance_view v = balance_view(e->plan->balance);

	explain_step(a, "balance",
	    "traffic: %zu resolvers are known; %zu of them, with %.0f %% of the clients, have a "
	    "member each, "
	    "%zu are split%s%s",
	    v.resolvers, v.seated, v.seated_share * 100, v.split,
	    e->resolver->family == 0 ? "" : "; ",
	    e->resolver->family == 0
		? ""
		: fate[plan_seat_of(e->plan, e->variant, e->at, &asker, e->scope)]);
}
