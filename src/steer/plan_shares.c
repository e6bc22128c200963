/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How often each item leads. Where one choice leads it follows from widths and weights. In a list
 * of all pools each place leads equally often, so there it is how often an item is in the list at
 * all.
 */
#include <math.h>

#include "base/check.h"
#include "steer/plan_types.h"

typedef void visit_f(void *arg, uint32_t tag, double probability);

#define FEW 10 /* members of which all sets are looked at */

/* A choice being looked at. */
struct scale {
	const struct plan *p;
	const struct position *at; /* NULL: of all clients */
	const struct plan_choice *c;
	double whole;                    /* of all weights */
	double time;                     /* see estimate; of more than FEW */
	double in[FEW];                  /* chances to be drawn, of few */
	uint32_t picks[PLAN_MAX_ANSWER]; /* HASH, if `at` is known */
};

static double
weigh(const struct scale *s, uint32_t i)
{
	const uint64_t *last = s->p->last + s->c->parts;

	if (s->c->how == PLAN_HASH)
		return 1 / s->p->ranks[s->c->parts + i].burden;
	return (double)(last[i] - (i == 0 ? s->c->lo : last[i - 1] + 1)) + 1;
}

static bool
is_weighted(const struct plan_choice *c)
{
	return c->how == PLAN_DRAW || c->how == PLAN_HASH;
}

static double
part(const struct scale *s, uint32_t i)
{
	return weigh(s, i) / s->whole;
}

/* Which place item i has in what rendezvous gives a known client; `take` if none. */
static uint32_t
place(const struct scale *s, uint32_t i)
{
	uint32_t at = 0;

	while (at < s->c->take && s->picks[at] != i)
		at++;
	return at;
}

static bool
is_settled(const struct scale *s)
{
	return s->c->how == PLAN_HASH && s->at != NULL;
}

static double
leads(const struct scale *s, uint32_t i)
{
	const struct plan_choice *c = s->c;

	if (is_settled(s))
		return place(s, i) == 0;
	if (is_weighted(c))
		return part(s, i);
	if (c->how == PLAN_ALL && c->cursors != NULL)
		return 1.0 / c->count;
	return i == 0 ? 1 : 0;
}

/*
 * Draws without replacement, in proportion, for all members at once: the chance that the first
 * draws make up a set is that of any set with one less, times its member's part of what is left
 * then.
 */
static void
draw_sets(struct scale *s)
{
	const struct plan_choice *c = s->c;
	double chance[1u << FEW] = { 1 };

	for (uint32_t i = 0; i < c->count; i++)
		s->in[i] = 0;
	for (uint32_t set = 0; set < 1u << c->count; set++) {
		const bool full = (uint32_t)__builtin_popcount(set) == c->take;
		double left = 0;

		for (uint32_t i = 0; i < c->count; i++) {
			if (full && set >> i & 1)
				s->in[i] += chance[set];
			left += set >> i & 1 ? 0 : part(s, i);
		}
		for (uint32_t i = 0; !full && i < c->count; i++)
			if (!(set >> i & 1))
				chance[set | 1u << i] += chance[set] * part(s, i) / left;
	}
}

/*
 * They also come in the order in which independent clocks ring that have the weights as rates.
 * Among many, when one rings says little about the others: the last draw is about when as many are
 * to be expected.
 */
static double
rung_by(const struct scale *s, double time)
{
	double rung = 0;

	for (uint32_t j = 0; j < s->c->count; j++)
		rung += -expm1(-part(s, j) * time);
	return rung;
}

static double
estimate(const struct scale *s)
{
	double low = 0, high = 1;

	while (rung_by(s, high) < s->c->take)
		high *= 2;
	for (int round = 0; round < 50; round++) {
		const double middle = (low + high) / 2;

		if (rung_by(s, middle) < s->c->take)
			low = middle;
		else
			high = middle;
	}
	return high;
}

/* How often item i is in what the choice gives. */
static double
gives(const struct scale *s, uint32_t i)
{
	const struct plan_choice *c = s->c;

	if (c->take == c->count)
		return 1;
	if (is_settled(s))
		return place(s, i) < c->take;
	if (!is_weighted(c))
		return c->how == PLAN_ALL ? (double)c->take / c->count : i < c->take ? 1 : 0;
	if (c->take == 1)
		return part(s, i);
	return c->count > FEW ? -expm1(-part(s, i) * s->time) : s->in[i];
}

static void
look(struct scale *s, const struct plan *p, const struct plan_choice *c, const struct position *at)
{
	s->p = p;
	s->c = c;
	s->at = at;
	s->whole = 0;
	for (uint32_t i = 0; is_weighted(c) && i < c->count; i++)
		s->whole += weigh(s, i);
	if (is_settled(s))
		pick_hash_find(
		    p->ranks + c->parts, c->count, pick_hash_client(at), c->take, s->picks);
	else if (is_weighted(c) && c->take > 1 && c->take < c->count && c->count > FEW)
		s->time = estimate(s);
	else if (is_weighted(c) && c->take > 1 && c->take < c->count)
		draw_sets(s);
}

void
plan_shares(
    const struct plan *p, uint32_t variant, const struct position *at, visit_f *visit, void *arg)
{
	OBJ_CHECK(&p->head, PLAN_MAGIC);
	CHECK(variant < p->n_variants);

	const struct plan_variant *v = &p->variants[variant];
	const bool list = v->over.how == PLAN_ALL;
	struct scale over, s;

	look(&over, p, &v->over, at);
	for (uint32_t i = 0; i < v->over.count; i++) {
		const struct plan_choice *c = &p->pools[v->over.first + i];
		const double share = list ? 1.0 / v->places : leads(&over, i);

		look(&s, p, c, at);
		for (uint32_t k = 0; k < c->count; k++)
			visit(arg, p->items[c->first + k].tag,
			    share * (list ? gives(&s, k) : leads(&s, k)));
	}
}
