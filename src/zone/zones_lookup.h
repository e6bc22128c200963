/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * zones_lookup -- what every query asks of the hosted zones, in line; for zones.c and the query
 * path only.
 *
 *	few zones: the deepest whose apex ends the name, compared one by one
 *	many:      one probe for each depth at which there are apexes, the deepest first
 */
#pragma once

#include "zone/inside.h"
#include "zone/zones.h"

#define ZONES_MAGIC 0x5a6f6e73u
/* To compare with so many costs less than to hash. */
#define ZONES_FEW 4

struct zones_few {
	unsigned n;
	struct zone *of[ZONES_FEW]; /* deepest first */
};

struct zones {
	uint32_t magic;
	struct table table;
	struct zones_few *few;               /* NULL: more than that; readers: by RCU */
	struct depths apexes;                /* readers: is any apex of so many labels there? */
	uint32_t tally[NAME_MAX_LABELS + 1]; /* writer */
};

/* The zone whose apex is the last `labels` labels. */
static ALWAYS_INLINE struct zone *
zones_at(const struct zones *zs, const struct name_path *p, unsigned labels)
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
struct zone *zones_find_deepest(const struct zones *zs, const struct name_path *p, unsigned most);

static ALWAYS_INLINE bool
zones_covers(const struct zone *z, const struct name_path *p)
{
	return p->labels >= z->apex_labels &&
	       name_path_tail_len(p, z->apex_labels) == z->apex_len &&
	       name_same(name_path_tail(p, z->apex_labels), z->apex, z->apex_len);
}

/* As zones_find_path. */
static ALWAYS_INLINE struct zone *
zones_deepest(const struct zones *zs, const struct name_path *p)
{
	const struct zones_few *few = __atomic_load_n(&zs->few, __ATOMIC_ACQUIRE);
	uint64_t bits;

	if (LIKELY(few != NULL)) {
		for (unsigned i = 0; i < few->n; i++)
			if (zones_covers(few->of[i], p))
				return few->of[i];
		return NULL;
	}
	if (UNLIKELY(p->labels > 63))
		return zones_find_deepest(zs, p, p->labels);
	bits = depths_word(&zs->apexes, 0) & ~UINT64_C(0) >> (63 - p->labels);
	while (bits != 0) {
		const unsigned labels = 63u - (unsigned)__builtin_clzll(bits);
		struct zone *z = zones_at(zs, p, labels);

		if (LIKELY(z != NULL))
			return z;
		bits &= ~(UINT64_C(1) << labels);
	}
	return NULL;
}

/* The zone that answers; NULL also if it is stale. */
static ALWAYS_INLINE const struct zone *
zones_answering(const struct zones *zs, const struct name_path *p)
{
	const struct zone *z = zones_deepest(zs, p);

	return LIKELY(z != NULL && !__atomic_load_n(&z->stale, __ATOMIC_RELAXED)) ? z : NULL;
}
