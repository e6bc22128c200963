/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "steer/plan_types.h"

#include <stdlib.h>

#include "base/attr.h"
#include "base/check.h"
#include "steer/pick_weight.h"

/* The index of the interval this query falls into. */
static uint32_t
draw(const struct plan *p, const struct plan_draw *d, unsigned worker)
{
	if (d->count == 1)
		return d->first;

	struct cursor *c = cursors_at(d->cursors, worker);

	c->u += d->step;
	return d->first + pick_weight_find(p->last + d->last, d->count, c->u);
}

static const struct plan_rr *
take(const struct plan *p, const struct plan_slot *s, unsigned worker)
{
	const uint32_t at = s->drawn ? draw(p, &p->draws[s->at], worker) : s->at;

	return (const void *)(p->records + p->items[at].rr);
}

/* 123, 312, 231: each query starts one place earlier. */
static uint32_t
rotate(const struct plan_leaf *l, unsigned worker)
{
	if (l->count == 1)
		return 0;

	const uint32_t turned = (uint32_t)(cursors_at(l->cursors, worker)->turn++ % l->count);

	return turned == 0 ? 0 : l->count - turned;
}

static bool
repeats(const struct plan_rr *const *out, size_t n, const struct plan_rr *rr)
{
	for (size_t i = 0; i < n; i++) {
		if (out[i] == rr)
			return true;
	}
	return false;
}

size_t
plan_answer(const struct plan *p, unsigned worker, const struct plan_rr *out[PLAN_MAX_ANSWER])
{
	OBJ_CHECK(p, PLAN_MAGIC);

	const struct plan_leaf *l = &p->leaves[draw(p, &p->top, worker)];
	uint32_t at = rotate(l, worker);
	size_t n = 0;

	for (uint32_t i = 0; i < l->emit; i++) {
		const struct plan_rr *rr = take(p, &p->slots[l->slot + at], worker);

		if (!p->may_repeat || !repeats(out, n, rr))
			out[n++] = rr;
		at = at + 1 == l->count ? 0 : at + 1;
	}
	return n;
}

uint16_t
plan_rrtype(const struct plan *p)
{
	OBJ_CHECK(p, PLAN_MAGIC);
	return p->rrtype;
}

uint32_t
plan_ttl(const struct plan *p)
{
	OBJ_CHECK(p, PLAN_MAGIC);
	return p->ttl_s;
}

bool
plan_is_fallback(const struct plan *p)
{
	OBJ_CHECK(p, PLAN_MAGIC);
	return p->fallback;
}

/* Width of interval i of a draw as a part of 1. */
static double
width(const struct plan *p, const struct plan_draw *d, uint32_t i)
{
	const uint64_t *last = p->last + d->last;
	const uint64_t lo = i == 0 ? 0 : last[i - 1] + 1;

	return ((double)(last[i] - lo) + 1.0) * 0x1p-64;
}

void
plan_shares(
    const struct plan *p, void (*visit)(void *arg, uint32_t tag, double probability), void *arg)
{
	for (uint32_t i = 0; i < p->top.count; i++) {
		const struct plan_leaf *l = &p->leaves[i];
		const double first = width(p, &p->top, i) / l->count;

		for (uint32_t k = 0; k < l->count; k++) {
			const struct plan_slot *s = &p->slots[l->slot + k];
			const struct plan_draw *d = s->drawn ? &p->draws[s->at] : NULL;

			if (d == NULL)
				visit(arg, p->items[s->at].tag, first);
			for (uint32_t j = 0; d != NULL && j < d->count; j++)
				visit(arg, p->items[d->first + j].tag, first * width(p, d, j));
		}
	}
}

void
plan_free(struct plan **p)
{
	if (*p == NULL)
		return;
	OBJ_CHECK(*p, PLAN_MAGIC);
	(*p)->magic = 0;
	free(*p);
	*p = NULL;
}

static void
free_late(struct rcu_head *head)
{
	struct plan *p = container_of(head, struct plan, rcu);

	plan_free(&p);
}

void
plan_retire(struct plan **p)
{
	if (*p == NULL)
		return;
	OBJ_CHECK(*p, PLAN_MAGIC);
	call_rcu(&(*p)->rcu, free_late);
	*p = NULL;
}
