/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "zone/zones.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/mem.h"
#include "zone/retire.h"
#include "zone/zones_lookup.h"

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
	free((*zs)->few);
	(*zs)->magic = 0;
	free(*zs);
	*zs = NULL;
}

struct zone *
zones_find_deepest(const struct zones *zs, const struct name_path *p, unsigned most)
{
	for (unsigned w = most / 64 + 1; w-- > 0;) {
		uint64_t bits = depths_word(&zs->apexes, w);

		if (most / 64 == w)
			bits &= ~UINT64_C(0) >> (63 - most % 64);
		while (bits != 0) {
			unsigned bit = 63u - (unsigned)__builtin_clzll(bits);
			struct zone *z = zones_at(zs, p, w * 64 + bit);

			if (z != NULL)
				return z;
			bits &= ~(UINT64_C(1) << bit);
		}
	}
	return NULL;
}

struct zone *
zones_find_path(const struct zones *zs, const struct name_path *p)
{
	return zones_deepest(zs, p);
}

struct zone *
zones_find(const struct zones *zs, const uint8_t *name)
{
	struct name_path p;

	name_path_of(&p, name);
	return zones_find_deepest(zs, &p, p.labels);
}

struct zone *
zones_find_above(const struct zones *zs, const uint8_t *name)
{
	struct name_path p;

	name_path_of(&p, name);
	return p.labels > 0 ? zones_find_deepest(zs, &p, p.labels - 1u) : NULL;
}

struct zone *
zones_exact(const struct zones *zs, const uint8_t *apex)
{
	struct name_path p;

	name_path_of(&p, apex);
	return zones_at(zs, &p, p.labels);
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

/* Deepest first. */
static struct zones_few *
list(const struct zones *zs)
{
	struct zones_few *few = xcalloc(1, sizeof(*few));
	struct zone *z;
	size_t at = 0;

	while ((z = table_walk(zs->table.slots, &at)) != NULL) {
		unsigned i = few->n++;

		for (; i > 0 && few->of[i - 1]->apex_labels < z->apex_labels; i--)
			few->of[i] = few->of[i - 1];
		few->of[i] = z;
	}
	return few;
}

/*
 * After each change, before the zone it took out can go. Those that are left are looked for once
 * or a few times, after as many have been removed.
 */
static void
note_few(struct zones *zs)
{
	struct zones_few *old = zs->few;

	__atomic_store_n(
	    &zs->few, zs->table.count <= ZONES_FEW ? list(zs) : NULL, __ATOMIC_RELEASE);
	if (old != NULL)
		retire(old, free);
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
		note_few(zs);
		retire(old, release_zone);
		return;
	}
	tally(zs, z->apex_labels, 1);
	table_insert(&zs->table, hash_zone(z, NULL), z, hash_zone, NULL);
	note_few(zs);
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
	note_few(zs);
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
