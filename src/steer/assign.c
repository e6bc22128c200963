/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "steer/assign.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"

#define OVER       0.03  /* a leaf may be overfull by that part of its weight ... */
#define OVER_LEAST 0.003 /* ... or that part of everything: estimates are no better */
#define WORTH_IT   0.02  /* packing anew must save so much splitting */
#define LEAN                                                                                       \
	0.1 /* one who is nearly alone may lean out by that part of the weight before it is split  \
	     */
#define FAINT 0.01 /* see share_out */
#define LIGHT 0.01 /* what does not fit and is lighter than that is not worth a split */

struct bench { /* the work in hand */
	struct assign *a;
	double *left;    /* room of each leaf; may be below 0 */
	uint32_t *order; /* loads, heaviest first */
};

/* -- who sits where -- */

static uint32_t
leaf_of(const struct assign *a, uint64_t id)
{
	for (uint32_t i = 0; i < a->n_leaves; i++) {
		if (a->leaves[i].id == id)
			return i;
	}
	return ASSIGN_SPLIT;
}

static void
sit(struct bench *b, uint32_t load, uint32_t leaf)
{
	b->a->loads[load].leaf = leaf;
	b->left[leaf] -= b->a->loads[load].share;
}

static void
go_home(struct bench *b)
{
	for (uint32_t i = 0; i < b->a->n_loads; i++) {
		struct assign_load *l = &b->a->loads[i];
		uint32_t leaf = leaf_of(b->a, l->home);

		if (leaf == ASSIGN_SPLIT)
			leaf = leaf_of(b->a, l->seat);
		l->leaf = ASSIGN_SPLIT;
		l->split = ASSIGN_SPLITS;
		if (leaf != ASSIGN_SPLIT)
			sit(b, i, leaf);
	}
}

/* Of an overfull leaf: the lightest who frees enough, or the heaviest. -1: nobody sits there. */
static int64_t
who_leaves(const struct bench *b, uint32_t leaf)
{
	int64_t enough = -1, heaviest = -1;

	for (uint32_t k = 0; k < b->a->n_loads; k++) {
		const uint32_t i = b->order[k];

		if (b->a->loads[i].leaf != leaf)
			continue;
		if (heaviest < 0)
			heaviest = i;
		if (b->a->loads[i].share >= -b->left[leaf])
			enough = i;
	}
	return enough >= 0 ? enough : heaviest;
}

/* How much too full a leaf may be: more, if that is one guest's doing. */
static double
slack(const struct bench *b, uint32_t leaf)
{
	const double weight = b->a->leaves[leaf].weight;
	double heaviest = 0;

	for (size_t i = 0; i < b->a->n_loads; i++) {
		if (b->a->loads[i].leaf == leaf && b->a->loads[i].share > heaviest)
			heaviest = b->a->loads[i].share;
	}
	if (heaviest > weight / 2)
		return weight * (LEAN + OVER);
	return weight * OVER > OVER_LEAST ? weight * OVER : OVER_LEAST;
}

static void
relieve(struct bench *b)
{
	for (uint32_t leaf = 0; leaf < b->a->n_leaves; leaf++) {
		while (b->left[leaf] < -slack(b, leaf)) {
			const int64_t who = who_leaves(b, leaf);

			if (who < 0)
				break;
			b->left[leaf] += b->a->loads[who].share;
			b->a->loads[who].leaf = ASSIGN_SPLIT;
			b->a->loads[who].home = 0;
		}
	}
}

static uint32_t
roomiest(const struct bench *b)
{
	uint32_t best = 0;

	for (uint32_t i = 1; i < b->a->n_leaves; i++) {
		if (b->left[i] > b->left[best])
			best = i;
	}
	return best;
}

/*
 * May it sit there? To be split swings its whole load to and fro, so whoever has more than half of
 * a leaf to itself may rather be somewhat too heavy for it.
 */
static bool
fits(const struct bench *b, const struct assign_load *l, uint32_t leaf)
{
	const double weight = b->a->leaves[leaf].weight;

	return l->share <= b->left[leaf] ||
	       (l->share > weight / 2 && l->share <= b->left[leaf] + weight * LEAN);
}

/* All who have no seat, heaviest first, where the most room is. Who is only away keeps the home. */
static void
seat_rest(struct bench *b)
{
	for (uint32_t k = 0; k < b->a->n_loads; k++) {
		struct assign_load *l = &b->a->loads[b->order[k]];
		const uint32_t leaf = roomiest(b);

		if (l->leaf != ASSIGN_SPLIT || !fits(b, l, leaf))
			continue;
		sit(b, b->order[k], leaf);
		if (l->home == 0)
			l->home = b->a->leaves[leaf].id;
	}
}

/* -- those who fit nowhere -- */

static void
split(struct bench *b, struct assign_load *l)
{
	struct assign *a = b->a;
	double *row = a->splits + a->n_splits * a->n_leaves, rest = l->share;

	memset(row, 0, a->n_leaves * sizeof(*row));
	for (size_t i = 0; i < a->n_leaves && rest > 0; i++) {
		const uint32_t leaf = roomiest(b);
		const double part = b->left[leaf] < rest ? b->left[leaf] : rest;

		if (part <= 0)
			break;
		row[leaf] += part / l->share;
		b->left[leaf] -= part;
		rest -= part;
	}
	/* More load than room in all: estimates are not exact. */
	for (size_t i = 0; i < a->n_leaves && rest > 0; i++)
		row[i] += rest / l->share * a->leaves[i].weight;
	l->split = (uint32_t)a->n_splits++;
}

static void
split_rest(struct bench *b)
{
	b->a->n_splits = 0;
	for (uint32_t k = 0; k < b->a->n_loads; k++) {
		struct assign_load *l = &b->a->loads[b->order[k]];

		if (l->leaf == ASSIGN_SPLIT && l->share >= LIGHT && b->a->n_splits < ASSIGN_SPLITS)
			split(b, l);
	}
}

/* -- packing anew -- */

static double
unseated(const struct assign *a)
{
	double sum = 0;

	for (size_t i = 0; i < a->n_loads; i++)
		sum += a->loads[i].leaf == ASSIGN_SPLIT && a->loads[i].share >= LIGHT
			   ? a->loads[i].share
			   : 0;
	return sum;
}

static void
start(struct bench *b)
{
	for (size_t i = 0; i < b->a->n_leaves; i++)
		b->left[i] = b->a->leaves[i].weight;
}

/* Nobody has a home: the best that longest-first finds. Kept only if it is much better. */
static void
repack(struct bench *b)
{
	struct assign *a = b->a;
	const double was = unseated(a);
	struct assign_load *old = xmemdup(a->loads, a->n_loads * sizeof(*old) + 1);
	double *old_left = xmemdup(b->left, a->n_leaves * sizeof(*old_left));

	start(b);
	for (size_t i = 0; i < a->n_loads; i++) {
		a->loads[i].home = 0;
		a->loads[i].leaf = ASSIGN_SPLIT;
	}
	seat_rest(b);
	a->repacked = unseated(a) < was - WORTH_IT;
	if (!a->repacked) {
		memcpy(a->loads, old, a->n_loads * sizeof(*old));
		memcpy(b->left, old_left, a->n_leaves * sizeof(*old_left));
	}
	free(old);
	free(old_left);
}

/* -- room for the light -- */

/* Share of the clients that is drawn. */
static double
light_share(const struct assign *a)
{
	double light = 1;

	for (size_t k = 0; k < a->n_loads; k++) {
		if (a->loads[k].leaf != ASSIGN_SPLIT || a->loads[k].split < ASSIGN_SPLITS)
			light -= a->loads[k].share;
	}
	return light;
}

/*
 * In proportion to what is left. Where hardly anybody is light that is little more than errors of
 * estimation, and nobody knows how much traffic a stranger has; so the weights themselves come in
 * by degrees.
 */
static void
share_out(const struct bench *b)
{
	const double light = light_share(b->a);
	const double known = light <= 0 ? 0 : light < FAINT ? light / FAINT : 1;
	double sum = 0;

	for (size_t i = 0; i < b->a->n_leaves; i++)
		sum += b->left[i] > 0 ? b->left[i] : 0;
	for (size_t i = 0; i < b->a->n_leaves; i++) {
		struct assign_leaf *l = &b->a->leaves[i];
		const double part = sum > 0 ? (b->left[i] > 0 ? b->left[i] : 0) / sum : l->weight;

		l->room = known * part + (1 - known) * l->weight;
	}
}

static int
compare(const void *x, const void *y, void *arg)
{
	const struct assign_load *loads = arg;
	const uint32_t i = *(const uint32_t *)x, k = *(const uint32_t *)y;

	if (loads[i].share < loads[k].share || loads[i].share > loads[k].share)
		return loads[i].share > loads[k].share ? -1 : 1;
	return (i > k) - (i < k);
}

void
assign(struct assign *a)
{
	struct bench b = {
		.a = a,
		.left = xcalloc(a->n_leaves, sizeof(*b.left)),
		.order = xcalloc(a->n_loads + 1, sizeof(*b.order)),
	};

	CHECK(a->n_leaves > 0);
	for (uint32_t i = 0; i < a->n_loads; i++)
		b.order[i] = i;
	qsort_r(b.order, a->n_loads, sizeof(*b.order), compare, a->loads);
	a->repacked = false;
	start(&b);
	go_home(&b);
	relieve(&b);
	seat_rest(&b);
	if (a->may_repack && unseated(a) > WORTH_IT)
		repack(&b);
	split_rest(&b);
	share_out(&b);
	for (size_t i = 0; i < a->n_loads; i++)
		a->loads[i].seat =
		    a->loads[i].leaf == ASSIGN_SPLIT ? 0 : a->leaves[a->loads[i].leaf].id;
	free(b.left);
	free(b.order);
}

double
assign_error(const struct assign *a)
{
	const double light = light_share(a);
	double worst = 0;

	for (uint32_t i = 0; i < a->n_leaves; i++) {
		double load = light * a->leaves[i].room - a->leaves[i].weight;

		for (size_t k = 0; k < a->n_loads; k++) {
			const struct assign_load *l = &a->loads[k];

			if (l->leaf == i)
				load += l->share;
			else if (l->leaf == ASSIGN_SPLIT && l->split < ASSIGN_SPLITS)
				load += l->share * a->splits[l->split * a->n_leaves + i];
		}
		worst = load > worst ? load : -load > worst ? -load : worst;
	}
	return worst;
}
