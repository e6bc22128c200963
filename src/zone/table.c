/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "zone/table.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/mem.h"
#include "zone/retire.h"

#define MIN_SLOTS 8

static struct table_slots *
new_slots(size_t n)
{
	struct table_slots *s = xcalloc(1, sizeof(*s) + n * sizeof(s->slot[0]));

	s->mask = n - 1;
	return s;
}

void
table_open(struct table *t)
{
	name_hash_ready();
	t->slots = new_slots(MIN_SLOTS);
	t->count = t->used = 0;
}

void
table_close(struct table *t)
{
	free(t->slots);
	t->slots = NULL;
}

static uint64_t
pack(uint64_t hash, const void *item)
{
	CHECK((uintptr_t)item > TABLE_TOMB && ((uintptr_t)item & ~TABLE_POINTER_MASK) == 0);
	return (hash & ~TABLE_POINTER_MASK) | TABLE_TAG_ODD | (uintptr_t)item;
}

static void
store(struct table_slots *s, size_t at, uint64_t value)
{
	__atomic_store_n(&s->slot[at], value, __ATOMIC_RELEASE);
}

/* The first free or tombstone slot of the chain. */
static size_t
vacancy(const struct table_slots *s, uint64_t hash)
{
	size_t at = hash & s->mask;

	while (s->slot[at] > TABLE_TOMB)
		at = (at + 1) & s->mask;
	return at;
}

/* Where `item` is; it must be there. */
static size_t
locate(const struct table_slots *s, uint64_t hash, const void *item)
{
	uint64_t value = pack(hash, item);
	size_t at = hash & s->mask;

	while (s->slot[at] != value) {
		CHECK(s->slot[at] != TABLE_FREE);
		at = (at + 1) & s->mask;
	}
	return at;
}

/* Hashing visits every item once, in no order of memory: have those to come on their way. */
static void
prefetch(const struct table_slots *s, size_t at)
{
	/* A free slot leads nowhere, which is no pointer to calculate with. */
	const uintptr_t item = s->slot[at & s->mask] & TABLE_POINTER_MASK;

	__builtin_prefetch((const void *)item);
	__builtin_prefetch((const void *)(item + 64));
}

/* A new array of `n` slots, without tombstones. */
static void
rebuild(struct table *t, size_t n, table_hash_fn *hash_of, const void *arg)
{
	struct table_slots *old = t->slots, *s = new_slots(n);
	size_t at = 0;
	void *item;

	while ((item = table_walk(old, &at)) != NULL) {
		uint64_t hash = hash_of(item, arg);

		prefetch(old, at + 16);
		s->slot[vacancy(s, hash)] = pack(hash, item);
	}
	t->used = t->count;
	__atomic_store_n(&t->slots, s, __ATOMIC_RELEASE);
	retire(old, free);
}

static bool
fits(size_t used, size_t slots)
{
	return used * 4 <= slots * 3;
}

/* Grow to at most half full. */
static void
grow(struct table *t, table_hash_fn *hash_of, const void *arg)
{
	size_t n = MIN_SLOTS;

	while (n < t->count * 2)
		n *= 2;
	rebuild(t, n, hash_of, arg);
}

void
table_reserve(struct table *t, size_t count, table_hash_fn *hash_of, const void *arg)
{
	size_t n = t->slots->mask + 1;

	if (fits(count, n))
		return;
	while (!fits(count, n))
		n *= 2;
	rebuild(t, n, hash_of, arg);
}

void
table_insert(struct table *t, uint64_t hash, void *item, table_hash_fn *hash_of, const void *arg)
{
	size_t at;

	if (!fits(t->used + 1, t->slots->mask + 1))
		grow(t, hash_of, arg);
	at = vacancy(t->slots, hash);
	if (t->slots->slot[at] == TABLE_FREE)
		t->used++;
	t->count++;
	store(t->slots, at, pack(hash, item));
}

void
table_replace(struct table *t, uint64_t hash, const void *old, void *item)
{
	store(t->slots, locate(t->slots, hash, old), pack(hash, item));
}

/* A chain that ends here needs no tombstone, nor do the tombstones before its end. */
void
table_remove(struct table *t, uint64_t hash, const void *item)
{
	struct table_slots *s = t->slots;
	size_t at = locate(s, hash, item);

	store(s, at, TABLE_TOMB);
	t->count--;
	if (s->slot[(at + 1) & s->mask] != TABLE_FREE)
		return;
	while (s->slot[at] == TABLE_TOMB) {
		store(s, at, TABLE_FREE);
		t->used--;
		at = (at - 1) & s->mask;
	}
}
