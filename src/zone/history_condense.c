/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * All records that went (-1) or came (+1) are sorted, so that the same ones are neighbours. They
 * come and go in turn: the sum of each is what remains of it, -1, 0 or 1, in whatever order.
 */
#include "zone/history_condense.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "dns/name.h"
#include "dns/rrtype.h"

struct record {
	const uint8_t *owner, *rdata;
	const struct rrset *set;
	uint16_t len;
	int8_t sign;
};

struct records {
	struct record *at;
	size_t count, cap;
};

static void
collect(struct records *r, const struct history_item *items, size_t n, int8_t sign)
{
	for (size_t i = 0; i < n; i++) {
		const uint8_t *rdata;
		uint32_t pos = 0;
		uint16_t len;

		while ((rdata = rrset_next(items[i].set, &pos, &len)) != NULL) {
			MEM_GROW(&r->at, &r->cap, r->count + 1);
			r->at[r->count++] =
			    (struct record){ items[i].owner, rdata, items[i].set, len, sign };
		}
	}
}

/* Which set of the result it belongs to: a change of TTL makes two. */
static int
order_of_set(const struct record *a, const struct record *b)
{
	const int owner = name_order(a->owner, b->owner);

	if (owner != 0)
		return owner;
	if (a->set->type != b->set->type)
		return a->set->type < b->set->type ? -1 : 1;
	if (a->set->ttl_s != b->set->ttl_s && a->set->type != RRTYPE_RRSIG)
		return a->set->ttl_s < b->set->ttl_s ? -1 : 1;
	return 0;
}

static int
order(const void *x, const void *y)
{
	const struct record *a = x, *b = y;
	const int set = order_of_set(a, b);
	const int data =
	    set != 0 ? set : memcmp(a->rdata, b->rdata, a->len < b->len ? a->len : b->len);

	return data != 0 ? data : (int)a->len - (int)b->len;
}

/* Each record once, with what remains of it; those of which nothing does are left out. */
static void
cancel(struct records *r)
{
	size_t kept = 0;

	for (size_t i = 0, next; i < r->count; i = next) {
		struct record sum = r->at[i];

		for (next = i + 1; next < r->count && order(&r->at[next], &sum) == 0; next++)
			sum.sign = (int8_t)(sum.sign + r->at[next].sign);
		if (sum.sign != 0)
			r->at[kept++] = sum;
	}
	r->count = kept;
}

/* The records of one set, from `i` on, that have this sign. */
static struct rrset *
make_set(const struct records *r, size_t i, size_t end, int8_t sign)
{
	const struct rrset *like = r->at[i].set;
	struct rrset *set = NULL;
	struct buf b;

	buf_init(&b, SIZE_MAX);
	for (; i < end; i++) {
		if (r->at[i].sign != sign)
			continue;
		buf_put_u16(&b, r->at[i].len);
		buf_put(&b, r->at[i].rdata, r->at[i].len);
	}
	if (b.len > 0)
		set = rrset_new(like->type, like->ttl_s, b.data, b.len);
	buf_fini(&b);
	return set;
}

static void
fill(struct history_step *s, const struct records *r)
{
	for (size_t i = 0, end; i < r->count; i = end) {
		for (end = i + 1; end < r->count && order_of_set(&r->at[end], &r->at[i]) == 0;)
			end++;
		history_step_gone(s, r->at[i].owner, make_set(r, i, end, -1));
		history_step_come(s, r->at[i].owner, make_set(r, i, end, 1));
	}
}

static struct rrset *
copy(const struct rrset *s)
{
	return rrset_new(s->type, s->ttl_s, s->data, s->size);
}

struct history_step *
history_condense(struct history_step *const *steps, size_t n)
{
	struct history_step *s = NULL;
	struct records r = { .at = NULL };
	size_t all;

	for (size_t i = 0; i < n; i++) {
		collect(&r, steps[i]->gone, steps[i]->n_gone, -1);
		collect(&r, steps[i]->come, steps[i]->n_come, 1);
	}
	all = r.count;
	if (all > 0)
		qsort(r.at, all, sizeof(*r.at), order);
	cancel(&r);
	if (r.count < all) {
		s = xcalloc(1, sizeof(*s));
		*s = (struct history_step){ .refs = 1,
			.from = steps[0]->from,
			.to = steps[n - 1]->to,
			.bytes = sizeof(*s),
			.old_soa = copy(steps[0]->old_soa),
			.new_soa = copy(steps[n - 1]->new_soa) };
		fill(s, &r);
	}
	free(r.at);
	return s;
}
