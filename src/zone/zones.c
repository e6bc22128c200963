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

/* The name's suffixes by number of labels, hashed from the root as far as asked for. */
struct suffixes {
	const uint8_t *name;
	unsigned labels;
	uint8_t off[NAME_MAX_LABELS + 1];
	uint64_t hash[NAME_MAX_LABELS + 1];
};

static void
hash_suffixes(struct suffixes *s, const uint8_t *name, unsigned most)
{
	uint64_t hash = TABLE_HASH_START;

	s->name = name;
	s->labels = name_offsets(name, s->off);
	s->hash[0] = hash;
	if (most > s->labels)
		most = s->labels;
	for (unsigned n = 1; n <= most; n++)
		s->hash[n] = hash = table_hash_label(hash, name + s->off[s->labels - n]);
}

static struct zone *
find(const struct zones *zs, const struct suffixes *s, unsigned labels)
{
	unsigned off = s->off[s->labels - labels];
	unsigned len = s->off[s->labels] + 1u - off;
	struct table_probe probe = table_probe(&zs->table, s->hash[labels]);
	struct zone *z;

	while ((z = table_next(&probe)) != NULL)
		if (z->apex_len == len && memcmp(z->apex, s->name + off, len) == 0)
			return z;
	return NULL;
}

/* The deepest apex of at most `most` labels, tried only where there are apexes. */
static struct zone *
find_deepest(const struct zones *zs, const struct suffixes *s, unsigned most)
{
	for (unsigned w = most / 64 + 1; w-- > 0;) {
		uint64_t bits = depths_word(&zs->apexes, w);

		if (most / 64 == w)
			bits &= ~UINT64_C(0) >> (63 - most % 64);
		while (bits != 0) {
			unsigned bit = 63u - (unsigned)__builtin_clzll(bits);
			struct zone *z = find(zs, s, w * 64 + bit);

			if (z != NULL)
				return z;
			bits &= ~(UINT64_C(1) << bit);
		}
	}
	return NULL;
}

/* The labels of the longest apex: what a name has beyond them need not be hashed. */
static unsigned
longest(const struct zones *zs)
{
	for (unsigned w = ARRAY_LEN(zs->apexes.bits); w-- > 0;) {
		const uint64_t bits = depths_word(&zs->apexes, w);

		if (bits != 0)
			return w * 64 + 63u - (unsigned)__builtin_clzll(bits);
	}
	return 0;
}

struct zone *
zones_find(const struct zones *zs, const uint8_t *name)
{
	const unsigned most = longest(zs);
	struct suffixes s;

	hash_suffixes(&s, name, most);
	return find_deepest(zs, &s, s.labels < most ? s.labels : most);
}

struct zone *
zones_find_above(const struct zones *zs, const uint8_t *name)
{
	struct suffixes s;

	hash_suffixes(&s, name, NAME_MAX_LABELS);
	return s.labels > 0 ? find_deepest(zs, &s, s.labels - 1) : NULL;
}

struct zone *
zones_exact(const struct zones *zs, const uint8_t *apex)
{
	struct suffixes s;

	hash_suffixes(&s, apex, NAME_MAX_LABELS);
	return find(zs, &s, s.labels);
}

size_t
zones_count(const struct zones *zs)
{
	return zs->table.count;
}

static uint64_t
hash_zone(const void *item, UNUSED const void *arg)
{
	struct suffixes s;

	hash_suffixes(&s, zone_apex(item), NAME_MAX_LABELS);
	return s.hash[s.labels];
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

void
zones_add(struct zones *zs, struct zone *z)
{
	struct suffixes s;
	struct zone *old;

	OBJ_CHECK(zs, ZONES_MAGIC);
	OBJ_CHECK(z, ZONE_MAGIC);
	hash_suffixes(&s, z->apex, NAME_MAX_LABELS);
	old = find(zs, &s, s.labels);
	CHECK(old != z);
	if (old != NULL) {
		table_replace(&zs->table, s.hash[s.labels], old, z);
		retire(old, release_zone);
		return;
	}
	tally(zs, s.labels, 1);
	table_insert(&zs->table, s.hash[s.labels], z, hash_zone, NULL);
}

void
zones_remove(struct zones *zs, const uint8_t *apex)
{
	struct suffixes s;
	struct zone *z;

	OBJ_CHECK(zs, ZONES_MAGIC);
	hash_suffixes(&s, apex, NAME_MAX_LABELS);
	z = find(zs, &s, s.labels);
	if (z == NULL)
		return;
	table_remove(&zs->table, s.hash[s.labels], z);
	tally(zs, s.labels, -1);
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
