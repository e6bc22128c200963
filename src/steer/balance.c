/* SPDX-License-Identifier: GPL-3.0-or-later */
#define URCU_API_MAP
#include <urcu/urcu-qsbr.h>

#include "steer/balance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "steer/assign.h"
#include "steer/charts.h"
#include "steer/learn.h"

#define SEATS_MAX   512
#define HEAVY       (1 / 500.0)  /* a share worth a seat ... */
#define HEAVY_STILL (1 / 1000.0) /* ... and worth keeping it */
#define KNOWN       4            /* idle times an estimate must rest on */
#define HIDDEN      (1 / 100.0)  /* share * TTL of more than that share has its TTL halved */
#define ASSIGN_MS   10000        /* between two assignments */
#define REPACK_MS   300000       /* between two that may move everybody */
#define AWAY_MS     600000       /* after that a refuge is home */

struct variant {
	struct balance_leaf *leaves;
	size_t n_leaves;
};

struct balance {
	uint32_t magic;
#define BALANCE_MAGIC 0xba1a7ce1u
	uint32_t id;
	uint64_t seed;
	struct tape *tape;
	struct warp *warp; /* swapped by RCU; NULL: nobody is heavy */
	struct rcu_head rcu;
	/* the tree's thread's */
	struct learn learn;
	struct variant *variants;
	size_t n_variants;
	unsigned halvings_max;
	uint32_t now_ms, assigned_ms, packed_ms;
	bool ticked; /* those three are known */
	struct balance_view view;
};

/* -- life -- */

struct balance *
balance_new(struct tape *tape, uint32_t id, uint64_t seed)
{
	struct balance *b = xcalloc(1, sizeof(*b));

	b->magic = BALANCE_MAGIC;
	b->id = id;
	b->seed = seed;
	b->tape = tape;
	learn_init(&b->learn);
	return b;
}

static void
drop_variants(struct balance *b)
{
	for (size_t i = 0; i < b->n_variants; i++)
		free(b->variants[i].leaves);
	free(b->variants);
	b->variants = NULL;
	b->n_variants = 0;
}

void
balance_free(struct balance **b)
{
	if (*b == NULL)
		return;
	OBJ_CHECK(*b, BALANCE_MAGIC);
	drop_variants(*b);
	learn_fini(&(*b)->learn);
	warp_free(&(*b)->warp);
	(*b)->magic = 0;
	free(*b);
	*b = NULL;
}

static void
free_late(struct rcu_head *head)
{
	struct balance *b = container_of(head, struct balance, rcu);

	balance_free(&b);
}

void
balance_retire(struct balance **b)
{
	if (*b == NULL)
		return;
	OBJ_CHECK(*b, BALANCE_MAGIC);
	call_rcu(&(*b)->rcu, free_late);
	*b = NULL;
}

/* -- workers -- */

static uint64_t
mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

/* IPv4 stands in the top 32 bits of `hi`, so both families are cut within that word. */
static uint64_t
absorb(uint64_t h, const struct position *p, unsigned bits)
{
	const uint64_t hi = bits >= 64  ? p->hi
			    : bits == 0 ? 0
					: p->hi >> (64 - bits) << (64 - bits);
	const uint64_t lo = bits <= 64    ? 0
			    : bits == 128 ? p->lo
					  : p->lo >> (128 - bits) << (128 - bits);

	return mix(mix(mix(h ^ hi) ^ lo) + p->family);
}

uint64_t
balance_key(const struct balance *b, const struct position *resolver, const struct position *subnet,
    unsigned scope)
{
	uint64_t key = absorb(b->seed, resolver, resolver->family == 6 ? 56 : 24);

	if (subnet != NULL && scope > 0)
		key = absorb(key, subnet, scope);
	return key != 0 ? key : 1;
}

const struct warp *
balance_warp(const struct balance *b)
{
	return __atomic_load_n(&b->warp, __ATOMIC_ACQUIRE);
}

void
balance_saw(const struct balance *b, unsigned worker, const struct warp_asker *who,
    const struct position *at, uint32_t ttl_s)
{
	const struct tape_sighting s = {
		.key = who->key,
		.place = at->hi,
		.at_ms = who->now_ms,
		.ttl_s = ttl_s,
		.domain = b->id,
		.class = (uint16_t)who->variant,
		.family = at->family,
	};

	tape_put(b->tape, worker, &s);
}

/* -- who is heavy -- */

struct heavy {
	struct learn_entry *entry;
	double share; /* of its variant's clients */
};

struct census {
	struct heavy *heavy;
	size_t count, cap;
	double *total; /* clients a second, by variant */
};

static int
heaviest_first(const void *a, const void *b)
{
	const struct heavy *x = a, *y = b;

	if (x->share < y->share || x->share > y->share)
		return x->share > y->share ? -1 : 1;
	return (x->entry->key > y->entry->key) - (x->entry->key < y->entry->key);
}

/* Two passes: everybody's rate adds to the total, and who has a good part of it is heavy. */
static void
take_census(struct balance *b, struct census *c, uint32_t now_ms)
{
	double *rates = xcalloc(b->learn.n_sets * LEARN_WAYS, sizeof(*rates));
	const double scale = learn_scale(&b->learn);

	c->total = xcalloc(b->n_variants + 1, sizeof(*c->total));
	LEARN_EACH(&b->learn, e)
	{
		double weight;
		const double rate = learn_rate(e, now_ms, &weight);

		if (e->class >= b->n_variants)
			continue;
		c->total[e->class] += e->seat != 0 ? rate : rate * scale;
		rates[e - b->learn.entries] = weight >= KNOWN ? rate : 0;
	}
	LEARN_EACH(&b->learn, e)
	{
		const double rate = rates[e - b->learn.entries];
		const double least = e->seat != 0 ? HEAVY_STILL : HEAVY;

		if (e->class < b->n_variants && b->variants[e->class].n_leaves > 1 && rate > 0 &&
		    rate >= least * c->total[e->class]) {
			MEM_GROW(&c->heavy, &c->cap, c->count + 1);
			c->heavy[c->count++] = (struct heavy){ e, rate / c->total[e->class] };
		} else {
			e->home = e->seat = 0;
			e->halvings = 0;
		}
	}
	if (c->count > 0)
		qsort(c->heavy, c->count, sizeof(*c->heavy), heaviest_first);
	for (size_t i = SEATS_MAX; i < c->count; i++) {
		c->heavy[i].entry->home = c->heavy[i].entry->seat = 0;
		c->heavy[i].entry->halvings = 0;
	}
	c->count = c->count < SEATS_MAX ? c->count : SEATS_MAX;
	free(rates);
}

/* -- a warp in the making -- */

struct draft {
	struct warp_row *rows;
	struct warp_step *steps;
	struct warp_seat *seats;
	size_t n_rows, n_steps, n_seats;
	size_t cap_rows, cap_steps, cap_seats;
};

static uint64_t
middle(const struct balance_leaf *l)
{
	return l->lo + (l->last - l->lo) / 2;
}

/* `part(i)` of the circle leads to leaf i; parts sum to 1. Returns the row's number. */
static uint32_t
add_row(struct draft *w, const struct variant *v, const double *parts)
{
	struct warp_row row = { .first = (uint32_t)w->n_steps };
	double sum = 0;

	for (size_t i = 0; i < v->n_leaves; i++) {
		const double end = (sum += parts[i]) * 0x1p64;
		const uint64_t last = end >= 0x1p64 ? UINT64_MAX : (uint64_t)end;

		if (parts[i] <= 0 || (row.count > 0 && last <= w->steps[w->n_steps - 1].last))
			continue;
		MEM_GROW(&w->steps, &w->cap_steps, w->n_steps + 1);
		w->steps[w->n_steps++] = (struct warp_step){ last, middle(&v->leaves[i]) };
		row.count++;
	}
	if (row.count > 0)
		w->steps[w->n_steps - 1].last = UINT64_MAX;
	MEM_GROW(&w->rows, &w->cap_rows, w->n_rows + 1);
	w->rows[w->n_rows] = row;
	return (uint32_t)w->n_rows++;
}

/* -- TTLs -- */

/* Up at once, down only when it is clear: between two steps it would go to and fro. */
static uint8_t
halve(const struct balance *b, const struct heavy *h)
{
	const double steps = log2(h->share / HIDDEN);
	double want = floor(steps);

	if (want < h->entry->halvings && steps > h->entry->halvings - 0.5)
		want = h->entry->halvings;
	return (uint8_t)fmax(0, fmin(want, b->halvings_max));
}

/* -- assigning -- */

struct job {
	struct balance *balance;
	struct census census;
	struct draft draft;
	uint32_t now_ms;
	bool may_repack;
};

static void
set_leaves(const struct variant *v, struct assign *a)
{
	a->n_leaves = v->n_leaves;
	a->leaves = xcalloc(v->n_leaves, sizeof(*a->leaves));
	for (size_t i = 0; i < v->n_leaves; i++)
		a->leaves[i] = (struct assign_leaf){
			.id = v->leaves[i].id,
			.weight = ((double)(v->leaves[i].last - v->leaves[i].lo) + 1) * 0x1p-64,
		};
}

/* Where its refuge has been long enough, it stays. */
static void
settle(struct learn_entry *e, const struct assign_load *l, uint32_t now_ms)
{
	if (l->seat == l->home || e->seat == e->home)
		e->away_ms = now_ms;
	e->home = l->home;
	e->seat = l->seat;
	if (e->seat != 0 && now_ms - e->away_ms > AWAY_MS)
		e->home = e->seat;
}

static void
add_seat(struct job *j, uint32_t variant, const struct heavy *h, const struct assign_load *l,
    uint32_t first_split)
{
	const struct variant *v = &j->balance->variants[variant];
	struct draft *w = &j->draft;
	const bool seated = l->leaf != ASSIGN_SPLIT;

	h->entry->halvings = halve(j->balance, h);
	if (!seated && l->split == ASSIGN_SPLITS && h->entry->halvings == 0)
		return;
	MEM_GROW(&w->seats, &w->cap_seats, w->n_seats + 1);
	w->seats[w->n_seats++] = (struct warp_seat){
		.key = h->entry->key,
		.variant = (uint16_t)variant,
		.row = seated                      ? WARP_SEATED
		       : l->split == ASSIGN_SPLITS ? variant
						   : first_split + l->split,
		.point = seated ? middle(&v->leaves[l->leaf]) : 0,
		.halvings = h->entry->halvings,
	};
	j->balance->view.seated += seated;
	j->balance->view.split += !seated;
	j->balance->view.seated_share += h->share / (double)j->balance->n_variants;
}

static size_t
load_up(const struct job *j, uint32_t variant, struct assign_load *loads, size_t *heavy)
{
	size_t n = 0;

	for (size_t i = 0; i < j->census.count; i++) {
		const struct heavy *h = &j->census.heavy[i];

		if (h->entry->class != variant)
			continue;
		loads[n] = (struct assign_load){
			.share = h->share, .home = h->entry->home, .seat = h->entry->seat
		};
		heavy[n++] = i;
	}
	return n;
}

static void
write_rows(struct job *j, uint32_t variant, const struct assign *a)
{
	const struct variant *v = &j->balance->variants[variant];
	double *room = xcalloc(a->n_leaves, sizeof(*room));

	for (size_t i = 0; i < a->n_leaves; i++)
		room[i] = a->leaves[i].room;

	/* The rows of the variants come first, whatever their order of making. */
	const uint32_t made = add_row(&j->draft, v, room);

	j->draft.rows[variant] = j->draft.rows[made];
	j->draft.n_rows--;
	for (size_t i = 0; i < a->n_splits; i++)
		(void)add_row(&j->draft, v, a->splits + i * a->n_leaves);
	free(room);
}

static void
assign_variant(struct job *j, uint32_t variant)
{
	const struct variant *v = &j->balance->variants[variant];
	struct assign a = { .may_repack = j->may_repack };
	size_t *heavy = xcalloc(j->census.count + 1, sizeof(*heavy));

	if (v->n_leaves > 1) {
		const uint32_t first_split = (uint32_t)j->draft.n_rows;

		set_leaves(v, &a);
		a.loads = xcalloc(j->census.count + 1, sizeof(*a.loads));
		a.splits = xcalloc(ASSIGN_SPLITS * v->n_leaves, sizeof(*a.splits));
		a.n_loads = load_up(j, variant, a.loads, heavy);
		if (a.n_loads > 0) {
			assign(&a);
			write_rows(j, variant, &a);
			j->balance->view.error = fmax(j->balance->view.error, assign_error(&a));
		}
		for (size_t i = 0; i < a.n_loads; i++) {
			const struct heavy *h = &j->census.heavy[heavy[i]];

			settle(h->entry, &a.loads[i], j->now_ms);
			add_seat(j, variant, h, &a.loads[i], first_split);
		}
		free(a.leaves);
		free(a.loads);
		free(a.splits);
	}
	free(heavy);
}

static void
publish(struct balance *b, struct draft *w)
{
	struct warp *old = b->warp, *new = NULL;

	if (w->n_seats > 0)
		new = warp_new(
		    w->rows, w->n_rows, b->n_variants, w->steps, w->n_steps, w->seats, w->n_seats);
	__atomic_store_n(&b->warp, new, __ATOMIC_RELEASE);
	warp_retire(&old);
}

static void
reassign(struct balance *b, uint32_t now_ms, bool may_repack)
{
	struct job j = { .balance = b, .now_ms = now_ms, .may_repack = may_repack };

	b->assigned_ms = now_ms;
	b->view = (struct balance_view){ .resolvers = learn_count(&b->learn) };
	take_census(b, &j.census, now_ms);
	j.draft.rows = xcalloc(b->n_variants + 1, sizeof(*j.draft.rows));
	j.draft.n_rows = j.draft.cap_rows = b->n_variants;
	for (uint32_t i = 0; i < b->n_variants; i++)
		assign_variant(&j, i);
	publish(b, &j.draft);
	free(j.census.heavy);
	free(j.census.total);
	free(j.draft.rows);
	free(j.draft.steps);
	free(j.draft.seats);
}

/* -- the tree's thread -- */

void
balance_heard(struct balance *b, const struct tape_sighting *s)
{
	OBJ_CHECK(b, BALANCE_MAGIC);
	learn_heard(&b->learn, s);
}

void
balance_missed(struct balance *b)
{
	OBJ_CHECK(b, BALANCE_MAGIC);
	learn_missed(&b->learn);
}

/* Variants are numbered anew with every plan: who belongs to which now? */
static void
sort_again(struct balance *b, const struct chart *chart)
{
	LEARN_EACH(&b->learn, e)
	{
		const struct position at = { .hi = e->place, .family = e->family, .bits = 64 };
		unsigned scope;

		e->class = chart == NULL ? 0 : (uint16_t)chart_find(chart, &at, &scope);
	}
}

void
balance_fit(struct balance *b, const struct balance_fit *f)
{
	OBJ_CHECK(b, BALANCE_MAGIC);
	drop_variants(b);
	b->variants = xcalloc(f->n_variants + 1, sizeof(*b->variants));
	b->n_variants = f->n_variants;
	b->halvings_max = f->halvings_max;
	for (size_t i = 0; i < f->n_variants; i++) {
		struct variant *v = &b->variants[i];

		v->n_leaves = f->first[i + 1] - f->first[i];
		v->leaves = xcalloc(v->n_leaves + 1, sizeof(*v->leaves));
		for (size_t k = 0; k < v->n_leaves; k++)
			v->leaves[k] = f->leaves[f->first[i] + k];
	}
	sort_again(b, f->chart);
	reassign(b, b->now_ms, false);
}

void
balance_tick(struct balance *b, uint32_t now_ms)
{
	OBJ_CHECK(b, BALANCE_MAGIC);
	if (!b->ticked)
		b->packed_ms = b->assigned_ms = now_ms;
	b->ticked = true;
	b->now_ms = now_ms;
	if (now_ms - b->assigned_ms < ASSIGN_MS)
		return;

	const bool may_repack = now_ms - b->packed_ms >= REPACK_MS;

	if (may_repack)
		b->packed_ms = now_ms;
	reassign(b, now_ms, may_repack);
}

struct balance_view
balance_view(const struct balance *b)
{
	OBJ_CHECK(b, BALANCE_MAGIC);
	return b->view;
}
