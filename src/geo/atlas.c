/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "geo/atlas.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/check.h"
#include "base/mem.h"
#include "base/strmap.h"
#include "model/line_tree.h"

/* Lists one after the other: list i is items[first[i]..first[i + 1]). */
struct lists {
	uint32_t *first, *items;
};

struct strip {
	uint64_t *hi, *lo; /* lo NULL: all 0 */
	uint32_t *set;
	size_t count;
	struct lists by_set; /* set -> its ranges */
};

struct atlas {
	uint32_t magic;
#define ATLAS_MAGIC 0xa71a5001u
	unsigned refs; /* atomic */
	struct strip strips[ATLAS_FAMILIES];
	struct atlas_set *sets;
	size_t n_sets;
	struct lists by_line; /* line -> its sets */
	struct arena arena;   /* the lines of sets */
};

/* -- life -- */

void
atlas_ref(struct atlas *a)
{
	OBJ_CHECK(a, ATLAS_MAGIC);
	__atomic_add_fetch(&a->refs, 1, __ATOMIC_RELAXED);
}

static void
free_lists(struct lists *l)
{
	free(l->first);
	free(l->items);
}

static void
free_strip(struct strip *s)
{
	free(s->hi);
	free(s->lo);
	free(s->set);
	free_lists(&s->by_set);
}

void
atlas_unref(struct atlas **ap)
{
	struct atlas *a = *ap;

	*ap = NULL;
	if (a == NULL)
		return;
	OBJ_CHECK(a, ATLAS_MAGIC);
	if (__atomic_sub_fetch(&a->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	for (int f = 0; f < ATLAS_FAMILIES; f++)
		free_strip(&a->strips[f]);
	free(a->sets);
	free_lists(&a->by_line);
	arena_fini(&a->arena);
	a->magic = 0;
	free(a);
}

/* -- ranges -- */

size_t
atlas_count(const struct atlas *a, enum atlas_family f)
{
	return a->strips[f].count;
}

struct atlas_point
atlas_start(const struct atlas *a, enum atlas_family f, size_t i)
{
	const struct strip *s = &a->strips[f];

	return (struct atlas_point){ s->hi[i], s->lo != NULL ? s->lo[i] : 0 };
}

struct atlas_point
atlas_end(const struct atlas *a, enum atlas_family f, size_t i)
{
	if (i + 1 == atlas_count(a, f))
		return f == ATLAS_V4 ? (struct atlas_point){ UINT64_MAX << 32, 0 }
				     : (struct atlas_point){ UINT64_MAX, UINT64_MAX };

	struct atlas_point next = atlas_start(a, f, i + 1);

	if (f == ATLAS_V4)
		return (struct atlas_point){ next.hi - (UINT64_C(1) << 32), 0 };
	return (struct atlas_point){ next.hi - (next.lo == 0), next.lo - 1 };
}

uint32_t
atlas_set_at(const struct atlas *a, enum atlas_family f, size_t i)
{
	return a->strips[f].set[i];
}

size_t
atlas_find(const struct atlas *a, enum atlas_family f, struct atlas_point at)
{
	size_t low = 0, high = atlas_count(a, f);

	while (high - low > 1) {
		const size_t mid = low + (high - low) / 2;

		if (atlas_point_compare(atlas_start(a, f, mid), at) <= 0)
			low = mid;
		else
			high = mid;
	}
	return low;
}

/* -- sets -- */

size_t
atlas_sets(const struct atlas *a)
{
	return a->n_sets;
}

struct atlas_set
atlas_set(const struct atlas *a, uint32_t set)
{
	return a->sets[set];
}

static struct atlas_list
list_at(const struct lists *l, size_t i)
{
	return (struct atlas_list){ l->items + l->first[i], l->first[i + 1] - l->first[i] };
}

struct atlas_list
atlas_sets_of(const struct atlas *a, uint16_t line)
{
	return list_at(&a->by_line, line);
}

struct atlas_list
atlas_ranges_of(const struct atlas *a, enum atlas_family f, uint32_t set)
{
	return list_at(&a->strips[f].by_set, set);
}

size_t
atlas_bytes(const struct atlas *a)
{
	size_t bytes = sizeof(*a) + a->n_sets * sizeof(*a->sets);

	for (int f = 0; f < ATLAS_FAMILIES; f++) {
		const struct strip *s = &a->strips[f];

		bytes += s->count * (sizeof(*s->hi) + sizeof(*s->set) + sizeof(uint32_t));
		bytes += s->lo != NULL ? s->count * sizeof(*s->lo) : 0;
	}
	for (size_t i = 0; i < a->n_sets; i++)
		bytes += a->sets[i].count * (sizeof(uint16_t) + sizeof(uint32_t));
	return bytes;
}

/* -- making one -- */

struct atlas_draft {
	struct atlas *atlas; /* its strips and sets grow */
	size_t cap_hi[ATLAS_FAMILIES], cap_lo[ATLAS_FAMILIES], cap_set[ATLAS_FAMILIES];
	size_t cap_sets;
	struct strmap known; /* ranks as text -> number of the set + 1 */
};

struct atlas_draft *
atlas_draft_new(void)
{
	struct atlas_draft *d = xcalloc(1, sizeof(*d));

	d->atlas = xcalloc(1, sizeof(*d->atlas));
	d->atlas->magic = ATLAS_MAGIC;
	d->atlas->refs = 1;
	arena_init(&d->atlas->arena);
	strmap_init(&d->known);
	CHECK(atlas_draft_set(d, NULL, 0) == 0);
	for (int f = 0; f < ATLAS_FAMILIES; f++)
		atlas_draft_from(d, f, (struct atlas_point){ 0, 0 }, 0);
	return d;
}

static void
end_draft(struct atlas_draft **d)
{
	strmap_fini(&(*d)->known);
	free(*d);
	*d = NULL;
}

static int
compare_ranks(const void *a, const void *b)
{
	return *(const uint16_t *)a - *(const uint16_t *)b;
}

uint32_t
atlas_draft_set(struct atlas_draft *d, const uint16_t *lines, size_t count)
{
	return atlas_draft_set_from(d, lines, count, 0, 0);
}

uint32_t
atlas_draft_set_from(struct atlas_draft *d, const uint16_t *lines, size_t count, uint8_t place_from,
    uint8_t network_from)
{
	struct atlas *a = d->atlas;
	uint16_t ranks[ATLAS_SET_MAX];
	char key[4 * ATLAS_SET_MAX + 9] = "";

	CHECK(count <= ATLAS_SET_MAX);
	for (size_t i = 0; i < count; i++)
		ranks[i] = line_tree_at(lines[i])->rank;
	qsort(ranks, count, sizeof(*ranks), compare_ranks);
	for (size_t i = 0; i < count; i++)
		for (int k = 0; k < 4; k++)
			key[4 * i + k] = (char)('a' + (ranks[i] >> 4 * k & 15));

	snprintf(key + 4 * count, 9, ".%x.%x", place_from, network_from);

	const size_t known = (size_t)strmap_find(&d->known, key);

	if (known != 0)
		return (uint32_t)(known - 1);
	uint16_t *copy = arena_alloc(&a->arena, (count + 1) * sizeof(*copy));

	for (size_t i = 0; i < count; i++)
		copy[i] = line_tree_ranked(ranks[i])->index;
	MEM_GROW(&a->sets, &d->cap_sets, a->n_sets + 1);
	a->sets[a->n_sets++] = (struct atlas_set){ copy, count, place_from, network_from };
	strmap_put(&d->known, key, (void *)a->n_sets);
	return (uint32_t)(a->n_sets - 1);
}

static void
need_low_words(struct atlas_draft *d, enum atlas_family f)
{
	struct strip *s = &d->atlas->strips[f];

	if (s->lo == NULL) {
		d->cap_lo[f] = d->cap_hi[f];
		s->lo = xcalloc(d->cap_lo[f], sizeof(*s->lo));
	}
}

void
atlas_draft_from(struct atlas_draft *d, enum atlas_family f, struct atlas_point first, uint32_t set)
{
	struct strip *s = &d->atlas->strips[f];

	CHECK(set < d->atlas->n_sets);
	if (s->count > 0) {
		const int order =
		    atlas_point_compare(atlas_start(d->atlas, f, s->count - 1), first);

		CHECK(order <= 0);
		if (order == 0)
			s->count--;
		if (s->count > 0 && s->set[s->count - 1] == set)
			return;
	}
	MEM_GROW(&s->hi, &d->cap_hi[f], s->count + 1);
	MEM_GROW(&s->set, &d->cap_set[f], s->count + 1);
	if (first.lo != 0)
		need_low_words(d, f);
	if (s->lo != NULL) {
		MEM_GROW(&s->lo, &d->cap_lo[f], s->count + 1);
		s->lo[s->count] = first.lo;
	}
	s->hi[s->count] = first.hi;
	s->set[s->count++] = set;
}

/* first[i + 1] has the count of list i; then where each list ends so far. */
static void
sum_up(uint32_t *first, size_t n)
{
	for (size_t i = 0; i < n; i++)
		first[i + 1] += first[i];
}

static void
index_ranges(struct strip *s, size_t n_sets)
{
	uint32_t *at = xcalloc(n_sets + 1, sizeof(*at));

	s->by_set.first = xcalloc(n_sets + 1, sizeof(uint32_t));
	s->by_set.items = xcalloc(s->count, sizeof(uint32_t));
	for (size_t i = 0; i < s->count; i++)
		s->by_set.first[s->set[i] + 1]++;
	sum_up(s->by_set.first, n_sets);
	memcpy(at, s->by_set.first, (n_sets + 1) * sizeof(*at));
	for (size_t i = 0; i < s->count; i++)
		s->by_set.items[at[s->set[i]]++] = (uint32_t)i;
	free(at);
}

static void
index_sets(struct atlas *a)
{
	const size_t n = line_tree_count();
	uint32_t *at = xcalloc(n + 1, sizeof(*at));

	a->by_line.first = xcalloc(n + 1, sizeof(uint32_t));
	for (size_t i = 0; i < a->n_sets; i++)
		for (size_t k = 0; k < a->sets[i].count; k++)
			a->by_line.first[a->sets[i].lines[k] + 1]++;
	sum_up(a->by_line.first, n);
	memcpy(at, a->by_line.first, (n + 1) * sizeof(*at));
	a->by_line.items = xcalloc(a->by_line.first[n] + 1, sizeof(uint32_t));
	for (size_t i = 0; i < a->n_sets; i++)
		for (size_t k = 0; k < a->sets[i].count; k++)
			a->by_line.items[at[a->sets[i].lines[k]]++] = (uint32_t)i;
	free(at);
}

/* Give back what growing by doubling took too much. */
static void
trim(struct strip *s)
{
	s->hi = xrealloc(s->hi, s->count * sizeof(*s->hi));
	s->set = xrealloc(s->set, s->count * sizeof(*s->set));
	if (s->lo != NULL)
		s->lo = xrealloc(s->lo, s->count * sizeof(*s->lo));
}

struct atlas *
atlas_draft_finish(struct atlas_draft **d)
{
	struct atlas *a = (*d)->atlas;

	for (int f = 0; f < ATLAS_FAMILIES; f++) {
		trim(&a->strips[f]);
		index_ranges(&a->strips[f], a->n_sets);
	}
	index_sets(a);
	end_draft(d);
	return a;
}

void
atlas_draft_free(struct atlas_draft **d)
{
	if (*d == NULL)
		return;
	struct atlas *a = (*d)->atlas;

	atlas_unref(&a);
	end_draft(d);
}
