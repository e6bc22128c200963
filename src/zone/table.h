/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * table -- a hash table of pointers with one writer and wait-free readers; inside of room zone.
 *
 *   slot (64 bits)   | tag: 15 bits of the hash, 1 | 48-bit pointer |     0 free, 1 tombstone
 *
 * Open addressing, linear probing, a power of two of slots, at most 3/4 of them used. The tag
 * spares nearly all visits to items that do not match; it is odd, so neither free nor tombstone
 * matches any. The table knows no keys: it proposes
 * candidates, the caller compares. Invariants that make readers safe without a lock:
 *   1. an item is complete before its slot is stored (release), and retired, not freed, after;
 *   2. a slot goes from used to free only when the next one is free: no probe chain is cut;
 *   3. growth fills a new array, publishes it and retires the old one. It costs the writer
 *      O(items), amortised O(1); readers notice nothing.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "dns/name_hash.h"

#define TABLE_FREE         0u
#define TABLE_TOMB         1u
#define TABLE_POINTER_MASK ((UINT64_C(1) << 48) - 1)
#define TABLE_TAG_ODD      (UINT64_C(1) << 48)

struct table_slots {
	size_t mask;
	uint64_t slot[];
};

struct table {
	struct table_slots *slots; /* readers: one acquire load */
	size_t count;              /* writer: items */
	size_t used;               /* writer: items and tombstones */
};

typedef uint64_t table_hash_fn(const void *item, const void *arg);

void table_open(struct table *t);
void table_close(struct table *t); /* no reader left; the items are the caller's */

/* Writer. The item must not be in yet; `hash_of` serves growth. */
void
table_insert(struct table *t, uint64_t hash, void *item, table_hash_fn *hash_of, const void *arg);
/* Writer: room for `count` items in all. */
void table_reserve(struct table *t, size_t count, table_hash_fn *hash_of, const void *arg);
void table_replace(struct table *t, uint64_t hash, const void *old, void *item);
void table_remove(struct table *t, uint64_t hash, const void *item);

static inline void
table_prefetch(const struct table *t, uint64_t hash)
{
	__builtin_prefetch(&t->slots->slot[hash & t->slots->mask], 1);
}

/* A probe: `for (p = table_probe(t, h); (item = table_next(&p)) != NULL;)` yields candidates. */
struct table_probe {
	const struct table_slots *slots;
	size_t at;
	uint64_t tag;
};

static inline struct table_probe
table_probe(const struct table *t, uint64_t hash)
{
	const struct table_slots *s = __atomic_load_n(&t->slots, __ATOMIC_ACQUIRE);

	return (
	    struct table_probe){ s, hash & s->mask, (hash & ~TABLE_POINTER_MASK) | TABLE_TAG_ODD };
}

static inline void *
table_next(struct table_probe *p)
{
	for (;;) {
		uint64_t v = __atomic_load_n(&p->slots->slot[p->at], __ATOMIC_ACQUIRE);

		p->at = (p->at + 1) & p->slots->mask;
		if ((v & ~TABLE_POINTER_MASK) == p->tag)
			return (void *)(uintptr_t)(v & TABLE_POINTER_MASK);
		if (v == TABLE_FREE)
			return NULL;
	}
}

/* Walk: *at starts at 0; NULL at the end. A reader's walk may miss or repeat what changes. */
static inline void *
table_walk(const struct table_slots *s, size_t *at)
{
	while (*at <= s->mask) {
		uint64_t v = __atomic_load_n(&s->slot[(*at)++], __ATOMIC_ACQUIRE);

		if (v != TABLE_FREE && v != TABLE_TOMB)
			return (void *)(uintptr_t)(v & TABLE_POINTER_MASK);
	}
	return NULL;
}
