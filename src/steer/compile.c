/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The strategies append leaves, slots, draws and items to growing arrays; at the end everything is
 * laid into one block, the widest alignment first. Records are interned by value, so that equal
 * records are one pointer.
 */
#include "steer/compile.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "dns/rrtype.h"
#include "steer/plan_types.h"
#include "steer/strategy.h"

#define CLASS_IN 1

struct compile {
	const struct compile_input *in;
	struct plan_leaf *leaves;
	struct plan_draw *draws;
	uint64_t *last;
	struct plan_slot *slots;
	struct plan_item *items;
	struct buf records;
	size_t n_leaves, n_draws, n_last, n_slots, n_items;
	size_t cap_leaves, cap_draws, cap_last, cap_slots, cap_items;
	struct strmap offsets; /* value -> offset in records + 1 */
	struct strmap fixed;   /* values of the fixed slots of a union */
	bool may_repeat;
	bool all_names; /* every record is a CNAME */
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

static uint32_t
add_item(struct compile *c, const struct compile_member *m)
{
	MEM_GROW(&c->items, &c->cap_items, c->n_items + 1);
	c->items[c->n_items] = (struct plan_item){ .rr = intern(c, m), .tag = m->tag };
	return (uint32_t)c->n_items++;
}

static void
add_last(struct compile *c, const struct pick_share *share)
{
	MEM_GROW(&c->last, &c->cap_last, c->n_last + 1);
	c->last[c->n_last++] = (uint64_t)(share->hi - 1);
}

static void
add_slot(struct compile *c, const struct compile_member *m, uint32_t at, bool drawn)
{
	struct plan_leaf *l = &c->leaves[c->n_leaves - 1];
	const bool name = m->rrtype == RRTYPE_CNAME;

	MEM_GROW(&c->slots, &c->cap_slots, c->n_slots + 1);
	c->slots[c->n_slots++] = (struct plan_slot){ .at = at, .drawn = drawn };
	l->count++;
	/* A CNAME must be alone, whatever the strategy. */
	if (l->emit < PLAN_MAX_ANSWER && (!name || l->emit == 0))
		l->emit++;
	c->all_names &= name;
}

void
compile_leaf(struct compile *c, const struct pick_share *share, struct cursors *cursors)
{
	CHECK(c->n_last == c->n_leaves); /* the top draw's intervals come first, one per leaf */
	MEM_GROW(&c->leaves, &c->cap_leaves, c->n_leaves + 1);
	c->leaves[c->n_leaves++] =
	    (struct plan_leaf){ .cursors = cursors, .slot = (uint32_t)c->n_slots };
	add_last(c, share);
}

/* The leaves of one address each need no such care: only a leaf with several slots is a union. */
void
compile_slot(struct compile *c, const struct compile_member *m)
{
	if (c->in->strategy == STRATEGY_ROUND_ROBIN && strmap_put(&c->fixed, m->value, c) != NULL)
		return;
	add_slot(c, m, add_item(c, m), false);
}

void
compile_drawn_slot(struct compile *c, const struct compile_pool *pool)
{
	struct plan_draw d = {
		.cursors = pool->cursors,
		.step = pick_weight_step(pool->ordinal + 1),
		.last = (uint32_t)c->n_last,
		.first = (uint32_t)c->n_items,
	};
	struct pick_share part;
	struct pick_cut cut;
	uint64_t sum = 0;

	for (size_t i = 0; i < pool->count; i++)
		sum += pool->members[i].weight;
	pick_cut_init(&cut, &PICK_WHOLE, sum, pool->count);
	for (size_t i = 0; i < pool->count; i++) {
		if (!pick_cut_next(&cut, pool->members[i].weight, &part))
			continue;
		add_item(c, &pool->members[i]);
		add_last(c, &part);
		d.count++;
	}
	MEM_GROW(&c->draws, &c->cap_draws, c->n_draws + 1);
	c->draws[c->n_draws] = d;
	add_slot(c, &pool->members[0], (uint32_t)c->n_draws++, true);
	c->may_repeat = true;
}

/* -- one block -- */

static size_t
reserve(size_t *size, size_t count, size_t each)
{
	const size_t at = *size;

	*size += count * each;
	return at;
}

/* Parts in falling order of alignment, so none needs padding. */
static struct plan *
lay_out(const struct compile *c)
{
	size_t size = sizeof(struct plan);
	const size_t leaves = reserve(&size, c->n_leaves, sizeof(*c->leaves));
	const size_t draws = reserve(&size, c->n_draws, sizeof(*c->draws));
	const size_t last = reserve(&size, c->n_last, sizeof(*c->last));
	const size_t slots = reserve(&size, c->n_slots, sizeof(*c->slots));
	const size_t items = reserve(&size, c->n_items, sizeof(*c->items));
	const size_t records = reserve(&size, c->records.len, 1);
	uint8_t *block = xcalloc(1, size);
	struct plan *p = (struct plan *)(void *)block;

	memcpy(block + leaves, c->leaves, c->n_leaves * sizeof(*c->leaves));
	if (c->n_draws > 0)
		memcpy(block + draws, c->draws, c->n_draws * sizeof(*c->draws));
	memcpy(block + last, c->last, c->n_last * sizeof(*c->last));
	memcpy(block + slots, c->slots, c->n_slots * sizeof(*c->slots));
	memcpy(block + items, c->items, c->n_items * sizeof(*c->items));
	memcpy(block + records, c->records.data, c->records.len);
	p->leaves = (const void *)(block + leaves);
	p->draws = (const void *)(block + draws);
	p->last = (const void *)(block + last);
	p->slots = (const void *)(block + slots);
	p->items = (const void *)(block + items);
	p->records = block + records;
	return p;
}

static struct plan *
finish(const struct compile *c)
{
	/* A gap in the top draw would be an answer for nobody: an interval per leaf, up to 2^64
	 * - 1. */
	CHECK(c->n_leaves > 0 && c->last[c->n_leaves - 1] == UINT64_MAX);

	struct plan *p = lay_out(c);

	p->magic = PLAN_MAGIC;
	p->ttl_s = c->in->ttl_s;
	p->rrtype = c->all_names ? RRTYPE_CNAME : c->in->rrtype;
	p->fallback = c->in->fallback;
	p->may_repeat = c->may_repeat;
	p->n_leaves = (uint32_t)c->n_leaves;
	p->top = (struct plan_draw){
		.cursors = c->in->cursors,
		.step = pick_weight_step(0),
		.count = p->n_leaves,
	};
	return p;
}

struct plan *
compile_plan(const struct compile_input *in)
{
	struct compile c = { .in = in, .all_names = true };

	buf_init(&c.records, UINT32_MAX);
	strmap_init(&c.offsets);
	strmap_init(&c.fixed);
	CHECK(in->count > 0);
	strategy_table[in->strategy].over_pools(&c, in);

	struct plan *p = finish(&c);

	CHECK(!c.records.overflow);
	free(c.leaves);
	free(c.draws);
	free(c.last);
	free(c.slots);
	free(c.items);
	buf_fini(&c.records);
	strmap_fini(&c.offsets);
	strmap_fini(&c.fixed);
	return p;
}
