/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "steer/plan_types.h"

#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/check.h"
#include "steer/pick_weight.h"

/* A query under way. */
struct ask {
	const struct plan *p;
	unsigned worker;
	const struct position *at;
	const struct plan_rr **out; /* the next one's place */
};

/* balance traffic: draws of this query go to other points. */
struct bent {
	const struct warp *warp;
	const struct warp_seat *seat;
	struct warp_asker who;
};

/* A place of a sequence as this query sees it. */
static struct cursor
bend(const struct bent *b, struct cursor *dial)
{
	return (struct cursor){
		.u = b->warp == NULL ? dial->u : warp_bend(b->warp, b->seat, &b->who, dial->u),
		.turn = dial->turn++,
	};
}

static const struct plan_rr *
record(const struct plan *p, uint32_t item)
{
	return (const void *)(p->records + p->items[item].rr);
}

/* -- among addresses -- */

/* 123, 312, 231: each query starts one place earlier. */
static uint32_t
rotate(struct cursors *cursors, unsigned worker, uint32_t count)
{
	if (count <= 1 || cursors == NULL)
		return 0;

	const uint32_t turned = (uint32_t)(cursors_at(cursors, worker)->turn++ % count);

	return turned == 0 ? 0 : count - turned;
}

static size_t
give_run(const struct ask *a, const struct plan_choice *c, uint32_t at)
{
	for (uint32_t i = 0; i < c->take; i++) {
		a->out[i] = record(a->p, c->first + at);
		at = at + 1 == c->count ? 0 : at + 1;
	}
	return c->take;
}

/* Room for many picks is a large frame, which one pick does without. */
static size_t NOINLINE
give_several(const struct ask *a, const struct plan_choice *c, struct cursor *dial)
{
	const struct pick_circle circle = {
		.last = a->p->last + c->parts,
		.lo = c->lo,
		.count = c->count,
		.step = c->step != 0 ? c->step : pick_weight_step(0),
	};
	uint32_t picks[PLAN_MAX_ANSWER];

	if (c->how == PLAN_DRAW)
		pick_weight_several(&circle, dial->u, dial->turn++, c->take, picks);
	else
		pick_hash_find(
		    a->p->ranks + c->parts, c->count, pick_hash_client(a->at), c->take, picks);
	for (uint32_t i = 0; i < c->take; i++)
		a->out[i] = record(a->p, c->first + picks[i]);
	return c->take;
}

/*
 * `dial`: where the draw among the pools has come to; used if this one was drawn with it. Inlined,
 * so that who is not bent (NULL) does not pay for it.
 */
static ALWAYS_INLINE size_t
give(const struct ask *a, const struct plan_choice *c, struct cursor *dial, const struct bent *bent)
{
	struct cursor own;
	uint32_t pick = 0;

	switch ((enum plan_how)c->how) {
	case PLAN_FIRST:
		return give_run(a, c, 0);
	case PLAN_ALL:
		return give_run(a, c, rotate(c->cursors, a->worker, c->count));
	case PLAN_DRAW:
		if (c->step != 0) {
			dial = cursors_at(c->cursors, a->worker);
			dial->u += c->step;
			if (bent != NULL) {
				own = bend(bent, dial);
				dial = &own;
			}
		}
		if (UNLIKELY(c->take > 1))
			return give_several(a, c, dial);
		pick = pick_weight_find(a->p->last + c->parts, c->count, dial->u);
		break;
	case PLAN_HASH:
		if (UNLIKELY(c->take > 1))
			return give_several(a, c, dial);
		pick_hash_find(a->p->ranks + c->parts, c->count, pick_hash_client(a->at), 1, &pick);
		break;
	}
	a->out[0] = record(a->p, c->first + pick);
	return 1;
}

/* -- among pools -- */

static bool
repeats(const struct plan_rr *const *out, size_t n, const struct plan_rr *rr)
{
	for (size_t i = 0; i < n; i++) {
		if (out[i] == rr)
			return true;
	}
	return false;
}

/* All pools' list under way: where it goes, and how much of it there is. */
struct joined {
	const struct ask *a;
	size_t given, limit;
	const struct plan_rr *drawn[PLAN_MAX_ANSWER]; /* what a pool gave that chooses by itself */
};

/* Places `from` .. `to` of a pool. One that gives all it has, always, is read where it lies. */
static void
join_part(struct joined *j, const struct plan_choice *c, bool chooses, uint32_t from, uint32_t to)
{
	const struct plan *p = j->a->p;

	for (uint32_t i = from; i < to && j->given < j->limit; i++) {
		const struct plan_rr *rr = chooses ? j->drawn[i] : record(p, c->first + i);

		if (!p->may_repeat || !repeats(j->a->out, j->given, rr))
			j->a->out[j->given++] = rr;
	}
}

static bool
choose(struct joined *j, const struct plan_choice *c)
{
	const bool chooses = c->how == PLAN_DRAW || c->how == PLAN_HASH || c->cursors != NULL;
	struct ask part = *j->a;

	part.out = j->drawn;
	if (chooses)
		(void)give(&part, c, NULL, NULL);
	return chooses;
}

/* The list of all is rotated before repeats are left out, so each of its places leads equally
 * often. It may begin within a pool; the head of that one comes last. */
static size_t NOINLINE
give_all(const struct ask *a, const struct plan_variant *v)
{
	const struct plan_choice *pool = a->p->pools + v->over.first;
	struct joined j = { .a = a, .limit = v->take };
	uint32_t begin = rotate(v->over.cursors, a->worker, v->places), at = 0;

	for (; begin >= pool[at].take; at++)
		begin -= pool[at].take;

	const uint32_t first = at;
	const bool chose = choose(&j, &pool[first]);
	const struct plan_rr *head[PLAN_MAX_ANSWER];

	if (chose && begin > 0)
		memcpy(head, j.drawn, begin * sizeof(*head));
	join_part(&j, &pool[first], chose, begin, pool[first].take);
	for (at = first + 1; at < first + v->over.count && j.given < j.limit; at++) {
		const struct plan_choice *c = &pool[at % v->over.count];

		join_part(&j, c, choose(&j, c), 0, c->take);
	}
	if (chose && begin > 0)
		memcpy(j.drawn, head, begin * sizeof(*head));
	join_part(&j, &pool[first], chose, 0, begin);
	return j.given;
}

static ALWAYS_INLINE size_t
answer(const struct ask *a, const struct plan_variant *v, const struct bent *bent)
{
	const struct plan_choice *pool = a->p->pools + v->over.first;
	struct cursor *dial = NULL, own;
	uint32_t pick = 0;

	if (UNLIKELY(v->over.count == 0))
		return 0;
	switch ((enum plan_how)v->over.how) {
	case PLAN_FIRST:
		break;
	case PLAN_ALL:
		return give_all(a, v);
	case PLAN_DRAW:
		dial = cursors_at(v->over.cursors, a->worker);
		dial->u += v->over.step;
		if (bent != NULL) {
			own = bend(bent, dial);
			dial = &own;
		}
		pick = pick_weight_find(a->p->last + v->over.parts, v->over.count, dial->u);
		break;
	case PLAN_HASH:
		pick_hash_find(
		    a->p->ranks + v->over.parts, v->over.count, pick_hash_client(a->at), 1, &pick);
		break;
	}
	return give(a, &pool[pick], dial, bent);
}

size_t
plan_answer_of(const struct plan *p, uint32_t variant, unsigned worker, const struct position *at,
    const struct plan_rr *out[PLAN_MAX_ANSWER])
{
	const struct ask a = { p, worker, at, out };

	OBJ_CHECK(&p->head, PLAN_MAGIC);
	CHECK(variant < p->n_variants);
	return answer(&a, &p->variants[variant], NULL);
}

unsigned
plan_scope(const struct plan *p, uint32_t variant, const struct position *at, unsigned scope)
{
	const unsigned bits = at->family == 6 ? PICK_HASH_V6_BITS : PICK_HASH_V4_BITS;

	return p->variants[variant].sticky && at->family != 0 && scope < bits ? bits : scope;
}

size_t
plan_answer(const struct plan *p, unsigned worker, const struct position *at,
    const struct plan_rr *out[PLAN_MAX_ANSWER], unsigned *scope)
{
	const struct plan_variant *v = p->variants;

	OBJ_CHECK(&p->head, PLAN_MAGIC);
	*scope = 0;
	if (p->chart != NULL)
		v += chart_find(p->chart, at, scope);
	if (LIKELY(v->only != 0)) {
		out[0] = (const void *)(p->records + v->only - 1);
		return 1;
	}
	if (v->sticky)
		*scope = plan_scope(p, (uint32_t)(v - p->variants), at, *scope);

	const struct ask a = { p, worker, at, out };

	return answer(&a, v, NULL);
}

/* What is rare is called, so that the others need not save registers for it. */
static NOINLINE uint32_t
hash_one(const struct plan *p, const struct plan_choice *c, const struct position *at)
{
	uint32_t pick = 0;

	pick_hash_find(p->ranks + c->parts, c->count, pick_hash_client(at), 1, &pick);
	return pick;
}

/* The place of a choice by draw; `u` as it was drawn among the pools, if this one goes with it. */
static ALWAYS_INLINE uint64_t
draw_one(const struct plan_choice *c, unsigned worker, uint64_t u)
{
	struct cursor *dial;

	if (c->step == 0)
		return u;
	dial = cursors_at(c->cursors, worker);
	return dial->u += c->step;
}

static ALWAYS_INLINE uint32_t
pick_one(const struct plan *p, const struct plan_choice *c, const struct position *at, uint64_t u)
{
	if (LIKELY(c->how == PLAN_DRAW))
		return pick_weight_find(p->last + c->parts, c->count, u);
	return c->how == PLAN_HASH ? hash_one(p, c, at) : 0;
}

static ALWAYS_INLINE const struct plan_rr *
answer_one(
    const struct plan *p, const struct plan_variant *v, unsigned worker, const struct position *at)
{
	uint64_t u = 0;
	uint32_t pick;
	const struct plan_choice *c;

	if (LIKELY(v->over.how == PLAN_DRAW))
		u = draw_one(&v->over, worker, 0);
	c = &p->pools[v->over.first + pick_one(p, &v->over, at, u)];
	if (c->count == 1)
		return record(p, c->first);
	if (c->how == PLAN_DRAW)
		u = draw_one(c, worker, u);
	pick = pick_one(p, c, at, u);
	return record(p, c->first + pick);
}

static NOINLINE const struct plan_rr *
answer_one_of(const struct plan *p, unsigned worker, const struct position *at, unsigned *scope)
{
	const uint32_t variant = p->chart == NULL ? 0 : chart_find(p->chart, at, scope);
	const struct plan_variant *v = &p->variants[variant];

	if (v->only != 0)
		return (const void *)(p->records + v->only - 1);
	if (!v->single)
		return NULL;
	*scope = plan_scope(p, variant, at, *scope);
	return answer_one(p, v, worker, at);
}

const struct plan_rr *
plan_answer_one(const struct plan *p, unsigned worker, const struct position *at, unsigned *scope)
{
	OBJ_CHECK(&p->head, PLAN_MAGIC);
	*scope = 0;
	if ((p->head.traits >> PLAN_CLIENT_SHIFT) != PLAN_ANYBODY)
		return answer_one_of(p, worker, at, scope);
	return LIKELY(p->variants->single) ? answer_one(p, p->variants, worker, at) : NULL;
}

/* -- balance traffic -- */

bool
plan_is_balanced(const struct plan *p)
{
	OBJ_CHECK(&p->head, PLAN_MAGIC);
	return (p->head.traits & PLAN_IS_BALANCED) != 0;
}

/* The records with the seat's TTL are copies that lie behind those with the plan's. */
static void
shorten(const struct plan *p, const struct warp_seat *seat, const struct plan_rr **out, size_t n)
{
	const uint8_t halvings = seat->halvings < p->halvings ? seat->halvings : p->halvings;

	for (size_t i = 0; i < n; i++)
		out[i] = (const void *)((const uint8_t *)out[i] + (size_t)p->copy * halvings);
}

static struct warp_asker
asker_at(const struct plan *p, const struct position *at, const struct plan_asker *asker,
    uint32_t variant, unsigned scope)
{
	return (struct warp_asker){
		.key =
		    balance_key(p->balance, asker->resolver, asker->by_subnet ? at : NULL, scope),
		.variant = variant,
		.now_ms = asker->now_ms,
		.ttl_s = p->ttl_s,
	};
}

static size_t
answer_bent(const struct ask *a, const struct warp_asker *who)
{
	struct bent b = { .warp = balance_warp(a->p->balance), .who = *who };

	b.seat = b.warp == NULL ? NULL : warp_find(b.warp, who);

	const size_t n = answer(a, &a->p->variants[who->variant], &b);

	if (b.seat != NULL)
		shorten(a->p, b.seat, a->out, n);
	return n;
}

size_t
plan_answer_to(const struct plan *p, unsigned worker, const struct position *at,
    const struct plan_asker *asker, const struct plan_rr *out[PLAN_MAX_ANSWER], unsigned *scope)
{
	const struct ask a = { p, worker, at, out };
	uint32_t variant = 0;

	OBJ_CHECK(&p->head, PLAN_MAGIC);
	*scope = 0;
	if (p->chart != NULL)
		variant = chart_find(p->chart, at, scope);
	if (plan_client(p) != PLAN_ANYBODY)
		*scope = plan_scope(p, variant, at, *scope);

	const struct warp_asker who = asker_at(p, at, asker, variant, *scope);
	const size_t n = answer_bent(&a, &who);

	if (n > 0)
		balance_saw(p->balance, worker, &who, p->chart == NULL ? asker->resolver : at,
		    plan_rr_ttl(out[0]));
	return n;
}

size_t
plan_answer_as(const struct plan *p, uint32_t variant, const struct position *at,
    const struct plan_asker *asker, unsigned scope, const struct plan_rr *out[PLAN_MAX_ANSWER])
{
	const struct ask a = { p, 0, at, out };
	const struct warp_asker who = asker_at(p, at, asker, variant, scope);

	OBJ_CHECK(&p->head, PLAN_MAGIC);
	CHECK(variant < p->n_variants);
	return answer_bent(&a, &who);
}

enum plan_seat
plan_seat_of(const struct plan *p, uint32_t variant, const struct position *at,
    const struct plan_asker *asker, unsigned scope)
{
	const struct warp *warp = balance_warp(p->balance);
	const struct warp_asker who = asker_at(p, at, asker, variant, scope);
	const struct warp_seat *seat = warp == NULL ? NULL : warp_find(warp, &who);

	return seat == NULL ? PLAN_LIGHT : seat->row == WARP_SEATED ? PLAN_SEATED : PLAN_SPLIT;
}

/* -- what it says of itself -- */

enum plan_client
plan_client(const struct plan *p)
{
	OBJ_CHECK(&p->head, PLAN_MAGIC);
	return p->head.traits >> PLAN_CLIENT_SHIFT;
}

uint16_t
plan_rrtype(const struct plan *p)
{
	OBJ_CHECK(&p->head, PLAN_MAGIC);
	return p->head.rrtype;
}

uint32_t
plan_ttl(const struct plan *p)
{
	OBJ_CHECK(&p->head, PLAN_MAGIC);
	return p->ttl_s;
}

bool
plan_is_fallback(const struct plan *p)
{
	OBJ_CHECK(&p->head, PLAN_MAGIC);
	return (p->head.traits & PLAN_IS_FALLBACK) != 0;
}

bool
plan_is_zone_data(const struct plan *p)
{
	OBJ_CHECK(&p->head, PLAN_MAGIC);
	return (p->head.traits & PLAN_IS_ZONE_DATA) != 0;
}

void
plan_free(struct plan **p)
{
	if (*p == NULL)
		return;
	OBJ_CHECK(&(*p)->head, PLAN_MAGIC);
	if ((*p)->chart != NULL)
		chart_unref(&(*p)->chart);
	(*p)->head.magic = 0;
	free(*p);
	*p = NULL;
}

static void
free_late(struct rcu_head *head)
{
	free(container_of(head, struct plan, rcu));
}

void
plan_retire(struct plan **p)
{
	if (*p == NULL)
		return;
	OBJ_CHECK(&(*p)->head, PLAN_MAGIC);

	/* The count of references is the writer's; the chart waits for its readers by itself. */
	struct chart *chart = (*p)->chart;

	if (chart != NULL)
		chart_unref(&chart);
	call_rcu(&(*p)->rcu, free_late);
	*p = NULL;
}
