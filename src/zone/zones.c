/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "zone/zones.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/mem.h"
#include "zone/inside.h"
#include "zone/retire.h"

#define ZONES_MAGIC 0x5a6f6e73u

struct zones {
	uint32_t magic;
	struct table table;
	struct zone *sole;                   /* where there is but one, that one; readers: by RCU */
	struct depths apexes;                /* readers: is any apex of so many labels there? */
	uint32_t tally[NAME_MAX_LABELS + 1]; /* writer */
};

struct zones *
zones_new(void)
{
	struct zones *zs = xcalloc(1, sizeof(*zs));

	zs->magic = ZONES_MAGIC;
	table_open(&zs->table);
	return zs;
}

void
zones_free(struct zones **zs)
{
	struct zone *z;
	size_t at = 0;

	if (*zs == NULL)
		return;
	OBJ_CHECK(*zs, ZONES_MAGIC);
	while ((z = table_walk((*zs)->table.slots, &at)) != NULL)
		zone_free(&z);
	table_close(&(*zs)->table);
	(*zs)->magic = 0;
	free(*zs);
	*zs = NULL;
}

/* The zone whose apex is the last `labels` labels. */
static ALWAYS_INLINE struct zone *
find(const struct zones *zs, const struct name_path *p, unsigned labels)
{
	const uint8_t *apex = name_path_tail(p, labels);
	const unsigned len = name_path_tail_len(p, labels);
	struct table_probe probe = table_probe(&zs->table, name_hash(apex, len));
	struct zone *z;

	while ((z = table_next(&probe)) != NULL)
		if (z->apex_len == len && name_same(z->apex, apex, len))
			return z;
	return NULL;
}

/* The deepest apex of at most `most` labels, tried only where there are apexes. */
static NOINLINE struct zone *
find_deepest(const struct zones *zs, const struct name_path *p, unsigned most)
{
	for (unsigned w = most / 64 + 1; w-- > 0;) {
		uint64_t bits = depths_word(&zs->apexes, w);

		if (most / 64 == w)
			bits &= ~UINT64_C(0) >> (63 - most % 64);
		while (bits != 0) {
			unsigned bit = 63u - (unsigned)__builtin_clzll(bits);
			struct zone *z = find(zs, p, w * 64 + bit);

			if (z != NULL)
				return z;
			bits &= ~(UINT64_C(1) << bit);
		}
	}
	return NULL;
}

static ALWAYS_INLINE bool
covers(const struct zone *z, const struct name_path *p)
{
	return p->labels >= z->apex_labels &&
	       name_path_tail_len(p, z->apex_labels) == z->apex_len &&
	       name_same(name_path_tail(p, z->apex_labels), z->apex, z->apex_len);
}

/* As find_deepest; names of 64 labels and more are for that one. Who hosts one zone need not search
 * for it. */
static ALWAYS_INLINE struct zone *
find_path(const struct zones *zs, const struct name_path *p)
{
	struct zone *sole = __atomic_load_n(&zs->sole, __ATOMIC_ACQUIRE);
	uint64_t bits = depths_word(&zs->apexes, 0);

	if (sole != NULL)
		return LIKELY(covers(sole, p)) ? sole : NULL;
	if (UNLIKELY(p->labels > 63))
		return find_deepest(zs, p, p->labels);
	bits &= ~UINT64_C(0) >> (63 - p->labels);
	while (bits != 0) {
		const unsigned labels = 63u - (unsigned)__builtin_clzll(bits);
		struct zone *z = find(zs, p, labels);

		if (LIKELY(z != NULL))
			return z;
		bits &= ~(UINT64_C(1) << labels);
	}
	return NULL;
}

struct zone *
zones_find_path(const struct zones *zs, const struct name_path *p)
{
	return find_path(zs, p);
}

const struct zone *
zones_lookup(const struct zones *zs, const struct name_path *p, uint16_t qtype, struct lookup *out)
{
	const struct zone *z = find_path(zs, p);

	if (UNLIKELY(z == NULL || __atomic_load_n(&z->stale, __ATOMIC_RELAXED)))
		return NULL;
	lookup_inline(z, p, qtype, out);
	return z;
}

struct zone *
zones_find(const struct zones *zs, const uint8_t *name)
{
	struct name_path p;

	name_path_of(&p, name);
	return find_deepest(zs, &p, p.labels);
}

struct zone *
zones_find_above(const struct zones *zs, const uint8_t *name)
{
	struct name_path p;

	name_path_of(&p, name);
	return p.labels > 0 ? find_deepest(zs, &p, p.labels - 1u) : NULL;
}

struct zone *
zones_exact(const struct zones *zs, const uint8_t *apex)
{
	struct name_path p;

	name_path_of(&p, apex);
	return find(zs, &p, p.labels);
}

size_t
zones_count(const struct zones *zs)
{
	return zs->table.count;
}

static uint64_t
hash_zone(const void *item, UNUSED const void *arg)
{
	const struct zone *z = item;

	return name_hash(z->apex, z->apex_len);
}

static void
tally(struct zones *zs, unsigned labels, int by)
{
	uint64_t *word = &zs->apexes.bits[labels / 64], bit = UINT64_C(1) << labels % 64;

	zs->tally[labels] += (uint32_t)by;
	__atomic_store_n(
	    word, zs->tally[labels] > 0 ? *word | bit : *word & ~bit, __ATOMIC_RELEASE);
}

static void
release_zone(void *ptr)
{
	struct zone *z = ptr;

	zone_free(&z);
}

/* After each change. The one that is left is looked for once, after as many have been removed. */
static void
note_sole(struct zones *zs)
{
	struct zone *z = NULL;
	size_t at = 0;

	if (zs->table.count == 1)
		z = table_walk(zs->table.slots, &at);
	__atomic_store_n(&zs->sole, z, __ATOMIC_RELEASE);
}

void
zones_add(struct zones *zs, struct zone *z)
{
	struct zone *old;

	OBJ_CHECK(zs, ZONES_MAGIC);
	OBJ_CHECK(z, ZONE_MAGIC);
	old = zones_exact(zs, z->apex);
	CHECK(old != z);
	if (old != NULL) {
		table_replace(&zs->table, hash_zone(z, NULL), old, z);
		note_sole(zs);
		retire(old, release_zone);
		return;
	}
	tally(zs, z->apex_labels, 1);
	table_insert(&zs->table, hash_zone(z, NULL), z, hash_zone, NULL);
	note_sole(zs);
}

void
zones_remove(struct zones *zs, const uint8_t *apex)
{
	struct zone *z;

	OBJ_CHECK(zs, ZONES_MAGIC);
	z = zones_exact(zs, apex);
	if (z == NULL)
		return;
	table_remove(&zs->table, hash_zone(z, NULL), z);
	tally(zs, z->apex_labels, -1);
	note_sole(zs); /* before it can go */
	retire(z, release_zone);
}

void
zones_walk(const struct zones *zs, void (*visit)(struct zone *z, void *arg), void *arg)
{
	const struct table_slots *slots = __atomic_load_n(&zs->table.slots, __ATOMIC_ACQUIRE);
	struct zone *z;
	size_t at = 0;

	while ((z = table_walk(slots, &at)) != NULL)
		visit(z, arg);
}
