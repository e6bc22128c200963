/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Variants, choices, intervals and items are appended to growing arrays; at the end everything is
 * laid into one block, the widest alignment first. Records are interned by value, so that equal
 * records are one pointer.
 */
#include "steer/compile.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/check.h"
#include "base/mem.h"
#include "base/strmap.h"
#include "dns/rrtype.h"
#include "steer/pick_weight.h"
#include "steer/plan_types.h"
#include "steer/strategy.h"

#define CLASS_IN     1
#define RR_TTL       4  /* offset in a record's tail */
#define HALVINGS_MAX 10 /* of a TTL */

struct compile {
	const struct compile_input *in;
	struct plan_variant *variants;
	struct plan_choice *pools;
	uint64_t *last;
	struct pick_rank *ranks;
	struct plan_item *items;
	struct balance_leaf *leaves;
	uint32_t *first_leaf;         /* of each variant, and the end */
	struct candidate *candidates; /* of the level in hand: pools, then addresses */
	struct buf records;
	size_t n_variants, n_pools, n_last, n_ranks, n_items, n_leaves, cap_leaves;
	size_t cap_variants, cap_pools, cap_last, cap_ranks, cap_items, cap_candidates;
	struct strmap offsets; /* value -> offset in records + 1 */
	struct strmap fixed;   /* values a union has for sure */
	bool may_repeat;
	bool sticky;     /* of the variant in hand */
	bool all_names;  /* every record is a CNAME */
	bool some_names; /* some record is not of the domain's type */
};

/* -- building blocks -- */

static uint32_t
intern(struct compile *c, const struct compile_member *m)
{
	const uintptr_t known = (uintptr_t)strmap_find(&c->offsets, m->value);

	if (known != 0)
		return (uint32_t)(known - 1);

	const size_t at = c->records.len;
	const uint16_t len = (uint16_t)(10 + m->rdlen);

	buf_put(&c->records, &len, sizeof(len));
	buf_put_u16(&c->records, m->rrtype);
	buf_put_u16(&c->records, CLASS_IN);
	buf_put_u32(&c->records, c->in->ttl_s);
	buf_put_u16(&c->records, m->rdlen);
	buf_put(&c->records, m->rdata, m->rdlen);
	if (c->records.len % 2 != 0)
		buf_put_u8(&c->records, 0); /* the next one's `len` is aligned */
	strmap_put(&c->offsets, m->value, (void *)(at + 1));
	return (uint32_t)at;
}

static void
add_item(struct compile *c, const struct compile_member *m)
{
	MEM_GROW(&c->items, &c->cap_items, c->n_items + 1);
	c->items[c->n_items++] = (struct plan_item){ .rr = intern(c, m), .tag = m->tag };
	c->all_names &= m->rrtype == RRTYPE_CNAME;
	c->some_names |= m->rrtype != c->in->rrtype;
}

static void
add_last(struct compile *c, const struct pick_share *share)
{
	MEM_GROW(&c->last, &c->cap_last, c->n_last + 1);
	c->last[c->n_last++] = (uint64_t)(share->hi - 1);
}

static void
add_rank(struct compile *c, const char *text, uint32_t weight)
{
	MEM_GROW(&c->ranks, &c->cap_ranks, c->n_ranks + 1);
	c->ranks[c->n_ranks++] =
	    (struct pick_rank){ .key = pick_hash_key(text), .burden = 1.0 / weight };
}

static uint32_t
sum_weights(const struct candidate *list, size_t n)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += list[i].weight;
	CHECK(sum <= UINT32_MAX);
	return (uint32_t)sum;
}

/* limit 0: none. */
static uint32_t
least(size_t a, uint32_t limit)
{
	return limit == 0 || a < limit ? (uint32_t)a : limit;
}

/* One among one is no choice: nothing moves, and nobody's position matters. */
static enum plan_how
how_among(int strategy, size_t count)
{
	return count == 1 ? PLAN_FIRST : strategy_table[strategy].how;
}

/* A place the draw can end, for balance traffic: a pool, or an address in it. Names hash the same
 * in every process, so that a simulation can be repeated. */
static void
add_leaf(struct compile *c, const char *pool, const char *value, const struct pick_share *part)
{
	const uint64_t id = pick_hash_key(pool) * 31 + (value != NULL ? pick_hash_key(value) : 0);

	if (c->in->balance == NULL)
		return;
	MEM_GROW(&c->leaves, &c->cap_leaves, c->n_leaves + 1);
	c->leaves[c->n_leaves++] = (struct balance_leaf){
		.id = id != 0 ? id : 1,
		.lo = (uint64_t)part->lo,
		.last = (uint64_t)(part->hi - 1),
	};
}

/* -- among addresses -- */

/* How a pool is answered from: alone, or as a part of all pools' list. */
struct setting {
	const struct pick_share *share; /* of the variant's draw; NULL: none */
	struct cursors *cursors;        /* for a sequence of its own */
	unsigned step;
	bool in_union;
};

static uint32_t
how_many(const struct compile *c, const struct compile_pool *pool, size_t count, bool in_union)
{
	uint32_t limit = pool->max_answers;

	if (limit == 0 && strategy_table[pool->strategy].how != PLAN_ALL)
		limit = 1;
	if (c->in->max_answers > 0 && !in_union)
		limit = least(c->in->max_answers, limit);
	/* A list of all may be longer than an answer, and is rotated as a whole. */
	if (!in_union || limit > 0)
		limit = least(PLAN_MAX_ANSWER, limit);
	/* A CNAME must be alone, whatever the strategy. */
	if (pool->members[0].rrtype == RRTYPE_CNAME)
		limit = 1;
	return least(count, limit);
}

/* The intervals of a weighted pool, and its items; those without a width have neither. */
static size_t
put_intervals(struct compile *c, const struct compile_pool *pool, size_t n,
    const struct pick_share *share, const struct candidate *list)
{
	struct pick_share part;
	struct pick_cut cut;
	size_t count = 0;

	pick_cut_init(&cut, share, sum_weights(list, n), n);
	for (size_t i = 0; i < n; i++) {
		if (!pick_cut_next(&cut, list[i].weight, &part))
			continue;
		add_item(c, &pool->members[list[i].index]);
		add_last(c, &part);
		add_leaf(c, pool->name, pool->members[list[i].index].value, &part);
		count++;
	}
	return count;
}

/* The items of a pool that a union holds for sure: each value once. */
static size_t
put_fixed(
    struct compile *c, const struct compile_pool *pool, size_t n, const struct candidate *list)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		const struct compile_member *m = &pool->members[list[i].index];

		if (strmap_put(&c->fixed, m->value, c) != NULL)
			continue;
		add_item(c, m);
		count++;
	}
	return count;
}

static size_t
put_items(struct compile *c, const struct compile_pool *pool, size_t n, enum plan_how how,
    const struct candidate *list)
{
	for (size_t i = 0; i < n; i++) {
		const struct compile_member *m = &pool->members[list[i].index];

		add_item(c, m);
		if (how == PLAN_HASH)
			add_rank(c, m->value, list[i].weight);
	}
	return n;
}

static struct candidate *
candidates_of(struct compile *c, const struct compile_pool *pool)
{
	MEM_GROW(&c->candidates, &c->cap_candidates, pool->count);
	for (size_t i = 0; i < pool->count; i++)
		c->candidates[i] = (struct candidate){
			.index = (uint32_t)i,
			.weight = pool->members[i].weight,
			.order = pool->members[i].order,
		};
	return c->candidates;
}

/* Append the pool's choice; false: all it has is in the union already. */
static bool
put_pool(struct compile *c, const struct compile_pool *pool, const struct setting *at)
{
	struct candidate *list = candidates_of(c, pool);
	size_t n = strategy_arrange(pool->strategy, list, pool->count, pool->current, 0);
	const enum plan_how how = how_among(pool->strategy, n);
	const uint32_t take = how_many(c, pool, n, at->in_union);
	const bool fixed = how == PLAN_FIRST || (how == PLAN_ALL && take == n);
	struct plan_choice choice = {
		.how = (uint8_t)how,
		.first = (uint32_t)c->n_items,
		.parts = (uint32_t)(how == PLAN_HASH ? c->n_ranks : c->n_last),
	};

	if (how == PLAN_FIRST)
		n = take;
	if (how == PLAN_DRAW)
		n = put_intervals(c, pool, n, at->share != NULL ? at->share : &PICK_WHOLE, list);
	else if (at->in_union && fixed)
		n = put_fixed(c, pool, n, list);
	else
		n = put_items(c, pool, n, how, list);
	if (n == 0)
		return false;
	if (how == PLAN_DRAW && at->share != NULL)
		choice.lo = (uint64_t)at->share->lo;
	if (how == PLAN_DRAW && at->share == NULL)
		choice.step = pick_weight_step(at->step);
	/* A union rotates as a whole; a part of it only if it gives a part of itself. */
	if (choice.step != 0 || (how == PLAN_ALL && !(at->in_union && fixed)))
		choice.cursors = how == PLAN_ALL ? pool->cursors : at->cursors;
	if (how != PLAN_DRAW && at->share != NULL)
		add_leaf(c, pool->name, NULL, at->share);
	choice.count = (uint32_t)n;
	choice.take = least(n, take);
	c->may_repeat |= at->in_union && !fixed;
	c->sticky |= how == PLAN_HASH;
	MEM_GROW(&c->pools, &c->cap_pools, c->n_pools + 1);
	c->pools[c->n_pools++] = choice;
	return true;
}

/* -- among pools -- */

static void
put_union(
    struct compile *c, const struct compile_variant *v, const struct candidate *list, size_t n)
{
	strmap_init(&c->fixed);
	for (size_t i = 0; i < n; i++) {
		const struct compile_pool *pool = &v->pools[list[i].index];

		(void)put_pool(c, pool,
		    &(struct setting){
			.cursors = pool->cursors, .step = pool->ordinal + 1, .in_union = true });
	}
	strmap_fini(&c->fixed);
}

/* Pools with their shares of the draw. */
static void
put_shares(struct compile *c, const struct compile_variant *v, const struct candidate *list,
    size_t n, struct plan_choice *over)
{
	struct pick_share part;
	struct pick_cut cut;
	size_t count = 0;

	/* The intervals of the pools lie together, before those of their addresses. */
	pick_cut_init(&cut, &PICK_WHOLE, sum_weights(list, n), n);
	for (size_t i = 0; i < n; i++, count++) {
		CHECK(pick_cut_next(&cut, list[i].weight, &part));
		add_last(c, &part);
	}
	CHECK(c->last[over->parts + count - 1] == UINT64_MAX);
	pick_cut_init(&cut, &PICK_WHOLE, sum_weights(list, n), n);
	for (size_t i = 0; i < n; i++) {
		CHECK(pick_cut_next(&cut, list[i].weight, &part));
		CHECK(put_pool(c, &v->pools[list[i].index], &(struct setting){ .share = &part }));
	}
}

/* Pools that are not drawn: each weighted one has a sequence to itself. Where there is but one the
 * variant's will do, which outlives the link. */
static void
put_others(
    struct compile *c, const struct compile_variant *v, const struct candidate *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct compile_pool *pool = &v->pools[list[i].index];

		CHECK(put_pool(
		    c, pool, &(struct setting){ .cursors = n == 1 ? v->cursors : pool->cursors }));
	}
}

/* Each of these pools gives all it has, always. */
static bool
is_all_fixed(const struct compile *c, const struct plan_choice *over)
{
	for (size_t i = over->first; i < c->n_pools; i++) {
		const struct plan_choice *pool = &c->pools[i];

		if (pool->cursors != NULL || pool->take != pool->count ||
		    (pool->how != PLAN_ALL && pool->how != PLAN_FIRST))
			return false;
	}
	return over->count > 0;
}

/* Then the list of all is one: their items lie together, each record once. */
static void
join_union(struct compile *c, struct plan_variant *v)
{
	struct plan_choice *all = &c->pools[v->over.first];

	*all = (struct plan_choice){
		.how = PLAN_ALL,
		.first = all->first,
		.count = v->places,
		.take = least(v->places, v->take),
		.parts = all->parts,
		.cursors = v->places > 1 ? v->over.cursors : NULL,
	};
	c->n_pools = v->over.first + 1;
	v->over.how = PLAN_FIRST;
	v->over.count = 1;
}

/* One pool answers, and each of them with one record. */
static bool
is_single(const struct compile *c, const struct plan_choice *over)
{
	if (over->count == 0 || over->how == PLAN_ALL)
		return false;
	for (size_t i = over->first; i < c->n_pools; i++) {
		const struct plan_choice *pool = &c->pools[i];

		if (pool->take != 1 || (pool->how == PLAN_ALL && pool->count > 1))
			return false;
	}
	return true;
}

static void
put_variant(struct compile *c, const struct compile_variant *v)
{
	struct candidate *list = xcalloc(v->count + 1, sizeof(*list));
	struct plan_variant variant = { .over = { .first = (uint32_t)c->n_pools,
					    .parts = (uint32_t)c->n_last } };
	size_t n = v->count;

	for (size_t i = 0; i < v->count; i++)
		list[i] = (struct candidate){
			.index = (uint32_t)i,
			.weight = v->pools[i].weight,
			.order = v->pools[i].order,
		};
	n = n == 0 ? 0 : strategy_arrange(v->strategy, list, n, v->current, 1);

	/* All pools' list is more than the one pool: it rotates by the domain's turns. */
	const bool joins = strategy_table[v->strategy].how == PLAN_ALL;
	const enum plan_how how = n == 0  ? PLAN_FIRST
				  : joins ? PLAN_ALL
					  : how_among(v->strategy, n);

	c->sticky = how == PLAN_HASH;
	if (how == PLAN_HASH) {
		/* The ranks of the pools lie together, before those of their addresses. */
		variant.over.parts = (uint32_t)c->n_ranks;
		for (size_t i = 0; i < n; i++)
			add_rank(c, v->pools[list[i].index].name, list[i].weight);
	}
	c->first_leaf[c->n_variants] = (uint32_t)c->n_leaves;
	if (how == PLAN_ALL)
		put_union(c, v, list, n);
	else if (how == PLAN_DRAW)
		put_shares(c, v, list, n, &variant.over);
	else
		put_others(c, v, list, n);
	/* Several circles, or turns of a list: nothing that could be bent. */
	if (how == PLAN_ALL || how == PLAN_HASH)
		c->n_leaves = c->first_leaf[c->n_variants];
	variant.over.how = (uint8_t)how;
	variant.over.take = 1;
	variant.over.count = (uint32_t)(c->n_pools - variant.over.first);
	variant.over.cursors = v->cursors;
	if (how == PLAN_DRAW)
		variant.over.step = pick_weight_step(0);
	for (size_t i = variant.over.first; i < c->n_pools; i++)
		variant.places += c->pools[i].take;
	/* model_check sees to it that a union has names only or none. */
	variant.take = n > 0 && v->pools[0].members[0].rrtype == RRTYPE_CNAME
			   ? 1
			   : least(PLAN_MAX_ANSWER, c->in->max_answers);
	variant.sticky = c->sticky;
	if (how == PLAN_ALL && is_all_fixed(c, &variant.over))
		join_union(c, &variant);
	variant.single = is_single(c, &variant.over);
	if (variant.over.count == 1 && c->pools[variant.over.first].count == 1)
		variant.only = c->items[c->pools[variant.over.first].first].rr + 1;
	MEM_GROW(&c->variants, &c->cap_variants, c->n_variants + 1);
	c->variants[c->n_variants++] = variant;
	c->first_leaf[c->n_variants] = (uint32_t)c->n_leaves;
	free(list);
}

/* How often the TTL may be halved. */
static uint8_t
count_halvings(const struct compile_input *in)
{
	uint8_t n = 0;

	if (in->balance == NULL || in->ttl_min_s == 0)
		return 0;
	while (n < HALVINGS_MAX && in->ttl_s >> (n + 1) >= in->ttl_min_s)
		n++;
	return n;
}

/* Copies of all records, each with half the TTL of the one before. */
static void
copy_records(struct compile *c, uint8_t halvings)
{
	const size_t size = c->records.len;

	for (uint8_t h = 1; h <= halvings; h++) {
		const uint32_t ttl_s = htonl(c->in->ttl_s >> h);

		for (size_t at = 0; at < size;) {
			const size_t start = c->records.len;
			uint16_t len;

			memcpy(&len, c->records.data + at, sizeof(len));

			const size_t whole = (sizeof(len) + len + 1) / 2 * 2;
			uint8_t *rr = xmemdup(c->records.data + at, whole);

			buf_put(&c->records, rr, whole);
			free(rr);
			if (!c->records.overflow)
				memcpy(c->records.data + start + sizeof(len) + RR_TTL, &ttl_s,
				    sizeof(ttl_s));
			at += whole;
		}
	}
}

/* -- one block -- */

static size_t
reserve(size_t *size, size_t count, size_t each)
{
	const size_t at = *size;

	*size += count * each;
	return at;
}

static void
copy(void *to, const void *from, size_t size)
{
	if (size > 0)
		memcpy(to, from, size);
}

/* Parts in falling order of alignment, so none needs padding. */
static struct plan *
lay_out(const struct compile *c)
{
	size_t size = sizeof(struct plan);
	const size_t variants = reserve(&size, c->n_variants, sizeof(*c->variants));
	const size_t pools = reserve(&size, c->n_pools, sizeof(*c->pools));
	const size_t last = reserve(&size, c->n_last, sizeof(*c->last));
	const size_t ranks = reserve(&size, c->n_ranks, sizeof(*c->ranks));
	const size_t leaves = reserve(&size, c->n_leaves, sizeof(*c->leaves));
	const size_t items = reserve(&size, c->n_items, sizeof(*c->items));
	const size_t firsts = reserve(&size, c->n_variants + 1, sizeof(*c->first_leaf));
	const size_t records = reserve(&size, c->records.len, 1);
	uint8_t *block = xcalloc(1, size);
	struct plan *p = (struct plan *)(void *)block;

	copy(block + variants, c->variants, c->n_variants * sizeof(*c->variants));
	copy(block + pools, c->pools, c->n_pools * sizeof(*c->pools));
	copy(block + last, c->last, c->n_last * sizeof(*c->last));
	copy(block + ranks, c->ranks, c->n_ranks * sizeof(*c->ranks));
	copy(block + items, c->items, c->n_items * sizeof(*c->items));
	copy(block + leaves, c->leaves, c->n_leaves * sizeof(*c->leaves));
	copy(block + firsts, c->first_leaf, (c->n_variants + 1) * sizeof(*c->first_leaf));
	copy(block + records, c->records.data, c->records.len);
	p->variants = (const void *)(block + variants);
	p->pools = (const void *)(block + pools);
	p->last = (const void *)(block + last);
	p->ranks = (const void *)(block + ranks);
	p->items = (const void *)(block + items);
	p->leaves = (const void *)(block + leaves);
	p->first_leaf = (const void *)(block + firsts);
	p->records = block + records;
	return p;
}

static enum plan_client
client_of(const struct compile *c)
{
	bool asks = c->in->chart != NULL;

	for (size_t i = 0; i < c->n_variants; i++)
		asks |= c->variants[i].sticky;
	return !asks ? PLAN_ANYBODY : c->in->ecs ? PLAN_SUBNET : PLAN_RESOLVER;
}

static bool
is_direct(const struct compile *c)
{
	const uint16_t type = c->in->rrtype;

	return !c->some_names && (type == RRTYPE_A || type == RRTYPE_AAAA || type == RRTYPE_TXT);
}

static struct plan_head
head_of(const struct compile *c, const struct plan *p)
{
	const struct plan_variant *v = p->variants;
	const bool balanced = c->in->balance != NULL;

	return (struct plan_head){
		.magic = PLAN_MAGIC,
		.rrtype = c->all_names && c->n_items > 0 ? RRTYPE_CNAME : c->in->rrtype,
		.traits = (uint8_t)((c->in->fallback ? PLAN_IS_FALLBACK : 0) |
				    (c->in->zone_data ? PLAN_IS_ZONE_DATA : 0) |
				    (balanced ? PLAN_IS_BALANCED : 0) |
				    (is_direct(c) ? PLAN_IS_DIRECT : 0) |
				    client_of(c) << PLAN_CLIENT_SHIFT),
		.always = c->n_variants == 1 && v->only != 0 && !balanced
			      ? (const void *)(p->records + v->only - 1)
			      : NULL,
	};
}

static struct plan *
finish(struct compile *c)
{
	const uint32_t copy = (uint32_t)c->records.len;
	const uint8_t halvings = count_halvings(c->in);

	copy_records(c, halvings);

	struct plan *p = lay_out(c);

	p->balance = c->in->balance;
	p->copy = copy;
	p->halvings = halvings;
	p->ttl_s = c->in->ttl_s;
	p->may_repeat = c->may_repeat;
	p->head = head_of(c, p);
	p->n_variants = (uint32_t)c->n_variants;
	p->chart = c->in->chart;
	if (p->chart != NULL)
		chart_ref(p->chart);
	return p;
}

struct plan *
compile_plan(const struct compile_input *in)
{
	struct compile c = { .in = in, .all_names = true };

	buf_init(&c.records, UINT32_MAX);
	strmap_init(&c.offsets);
	c.first_leaf = xcalloc(in->n_variants + 1, sizeof(*c.first_leaf));
	CHECK(in->n_variants > 0 && (in->n_variants == 1) == (in->chart == NULL));
	for (size_t i = 0; i < in->n_variants; i++)
		put_variant(&c, &in->variants[i]);

	struct plan *p = finish(&c);

	CHECK(!c.records.overflow);
	free(c.variants);
	free(c.pools);
	free(c.last);
	free(c.ranks);
	free(c.items);
	free(c.candidates);
	free(c.leaves);
	free(c.first_leaf);
	buf_fini(&c.records);
	strmap_fini(&c.offsets);
	return p;
}
