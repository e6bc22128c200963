/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Most comparisons are settled by the first eight bytes of the owners, which stand beside the
 * pointers: no record is visited for them.
 */
#include "zone/pile.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"

#define BLOCK_SIZE (1u << 20) /* no record is as large as that */

struct block {
	struct block *next;
	uint8_t bytes[BLOCK_SIZE - sizeof(struct block *)];
};

struct ref {
	uint64_t prefix;
	const struct pile_record *record;
};

struct pile {
	struct block *blocks; /* newest first */
	size_t used;          /* of the newest */
	struct ref *refs;
	size_t count, cap;
	bool sorted;
};

struct pile *
pile_new(void)
{
	struct pile *p = xcalloc(1, sizeof(*p));

	p->sorted = true;
	return p;
}

void
pile_free(struct pile **pp)
{
	struct pile *p = *pp;
	struct block *next;

	if (p == NULL)
		return;
	for (struct block *b = p->blocks; b != NULL; b = next) {
		next = b->next;
		free(b);
	}
	free(p->refs);
	free(p);
	*pp = NULL;
}

static struct pile_record *
alloc(struct pile *p, size_t size)
{
	size = (size + 3) & ~(size_t)3;
	if (p->blocks == NULL || size > sizeof(p->blocks->bytes) - p->used) {
		struct block *b = xmalloc(sizeof(*b));

		b->next = p->blocks;
		p->blocks = b;
		p->used = 0;
	}
	CHECK(size <= sizeof(p->blocks->bytes) - p->used);
	p->used += size;
	return (struct pile_record *)(void *)(p->blocks->bytes + p->used - size);
}

static uint64_t
prefix_of(const struct pile_record *r)
{
	uint8_t first[8] = { 0 };
	uint64_t prefix = 0;

	memcpy(first, r->owner, r->owner_len < 8 ? r->owner_len : 8);
	for (unsigned i = 0; i < 8; i++)
		prefix = prefix << 8 | first[i];
	return prefix;
}

static inline int
order(const struct ref *a, const struct ref *b)
{
	const struct pile_record *x = a->record, *y = b->record;
	int diff;

	if (a->prefix != b->prefix)
		return a->prefix < b->prefix ? -1 : 1;
	diff =
	    memcmp(x->owner, y->owner, x->owner_len < y->owner_len ? x->owner_len : y->owner_len);
	if (diff == 0)
		diff = (int)x->type - (int)y->type;
	return diff;
}

void
pile_add(struct pile *p, const struct pile_record *head, const uint8_t *owner, const uint8_t *rdata)
{
	struct pile_record *r = alloc(p, sizeof(*r) + head->owner_len + head->rdata_len);
	struct ref *ref;

	CHECK(p->count < UINT32_MAX);
	*r = *head;
	r->turn = (uint32_t)p->count;
	memcpy(r->owner, owner, r->owner_len);
	memcpy(r->owner + r->owner_len, rdata, r->rdata_len);
	MEM_GROW(&p->refs, &p->cap, p->count + 1);
	ref = &p->refs[p->count++];
	*ref = (struct ref){ prefix_of(r), r };
	if (p->sorted && p->count > 1)
		p->sorted = order(ref - 1, ref) <= 0;
}

size_t
pile_count(const struct pile *p)
{
	return p->count;
}

/* -- sorting: runs that are in order already are merged, two by two -- */

/* Ends of the runs of refs[0..n); their number. */
static size_t
find_runs(const struct ref *refs, size_t n, size_t **ends)
{
	size_t count = 0, cap = 0;

	*ends = NULL;
	for (size_t i = 1; i <= n; i++) {
		if (i < n && order(&refs[i - 1], &refs[i]) <= 0)
			continue;
		MEM_GROW(ends, &cap, count + 1);
		(*ends)[count++] = i;
	}
	return count;
}

/* Stable: of equals, those of `a` come first. */
static void
merge(struct ref *to, const struct ref *a, const struct ref *a_end, const struct ref *b,
    const struct ref *b_end)
{
	while (a < a_end && b < b_end)
		*to++ = order(a, b) <= 0 ? *a++ : *b++;
	memcpy(to, a, (size_t)(a_end - a) * sizeof(*to));
	to += a_end - a;
	memcpy(to, b, (size_t)(b_end - b) * sizeof(*to));
}

/* Half as many runs, in `to`; the last may have no partner. */
static size_t
merge_runs(const struct ref *from, struct ref *to, size_t *ends, size_t count)
{
	size_t start = 0, n = 0;

	for (size_t i = 0; i < count; i += 2) {
		const size_t middle = ends[i], end = i + 1 < count ? ends[i + 1] : middle;

		merge(to + start, from + start, from + middle, from + middle, from + end);
		ends[n++] = start = end;
	}
	return n;
}

void
pile_sort(struct pile *p)
{
	size_t *ends, runs;
	struct ref *spare;

	if (p->sorted)
		return;
	spare = xmalloc(p->count * sizeof(*spare));
	for (runs = find_runs(p->refs, p->count, &ends); runs > 1;) {
		struct ref *merged = spare;

		runs = merge_runs(p->refs, merged, ends, runs);
		spare = p->refs;
		p->refs = merged;
	}
	free(spare);
	free(ends);
	p->cap = p->count;
	p->sorted = true;
}

const struct pile_record *
pile_at(const struct pile *p, size_t i)
{
	return p->refs[i].record;
}

static bool
same_owner(const struct pile_record *a, const struct pile_record *b)
{
	return a->owner_len == b->owner_len && memcmp(a->owner, b->owner, a->owner_len) == 0;
}

size_t
pile_owner_run(const struct pile *p, size_t i)
{
	size_t n = 1;

	CHECK(p->sorted && i < p->count);
	while (i + n < p->count && same_owner(p->refs[i].record, p->refs[i + n].record))
		n++;
	return n;
}

size_t
pile_set_run(const struct pile *p, size_t i)
{
	size_t n = 1;

	CHECK(p->sorted && i < p->count);
	while (i + n < p->count && order(&p->refs[i], &p->refs[i + n]) == 0)
		n++;
	return n;
}
