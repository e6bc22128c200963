/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Entries lie densely in insertion order; `slots` is the index over them, linearly probed. Most
 * maps have one entry or two (who refers to an object): a few are looked through, without an index.
 * Every entry ever put since the last rebuild took a fresh slot, removed ones left a tomb, so
 * `used` is also the number of slots that are not free. At 3/4 both are rebuilt without holes.
 */
#include "base/strmap.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/mem.h"

#define FREE      0u
#define TOMB      UINT32_MAX
#define SLOTS_MIN 16u
#define FEW       8u /* entries without an index, holes included */

void
strmap_init(struct strmap *m)
{
	*m = (struct strmap){ 0 };
}

void
strmap_fini(struct strmap *m)
{
	STRMAP_EACH (m, e)
		free(e->key);
	free(m->entries);
	free(m->slots);
	strmap_init(m);
}

/* The slot of `key`, or NULL; there is an index. */
static uint32_t *
find_slot(const struct strmap *m, const char *key, uint64_t hash)
{
	for (size_t i = hash;; i++) {
		uint32_t *slot = &m->slots[i & (m->n_slots - 1)];

		if (*slot == FREE)
			return NULL;
		if (*slot == TOMB)
			continue;

		const struct strmap_entry *e = &m->entries[*slot - 1];

		if (e->hash == hash && strcmp(e->key, key) == 0)
			return slot;
	}
}

/* NULL if absent; `slot` is where it stands in the index, if there is one. */
static struct strmap_entry *
find_entry(const struct strmap *m, const char *key, uint64_t hash, uint32_t **slot)
{
	if (m->n_slots > 0) {
		*slot = find_slot(m, key, hash);
		return *slot == NULL ? NULL : &m->entries[**slot - 1];
	}
	*slot = NULL;
	for (struct strmap_entry *e = m->entries; e != NULL && e < m->entries + m->used; e++)
		if (e->hash == hash && e->key != NULL && strcmp(e->key, key) == 0)
			return e;
	return NULL;
}

static void
index_entry(struct strmap *m, size_t at)
{
	size_t i = m->entries[at].hash;

	while (m->slots[i & (m->n_slots - 1)] != FREE)
		i++;
	m->slots[i & (m->n_slots - 1)] = (uint32_t)at + 1;
}

/* Close the holes and index anew, at most 3/8 full; a few need none. */
static void
rebuild(struct strmap *m)
{
	size_t n_slots = SLOTS_MIN, kept = 0;

	for (size_t i = 0; i < m->used; i++) {
		if (m->entries[i].key != NULL)
			m->entries[kept++] = m->entries[i];
	}
	m->used = kept;
	if (m->n_slots == 0 && kept < FEW)
		return;

	while (n_slots * 3 < (kept + 1) * 8)
		n_slots *= 2;
	CHECK(n_slots < UINT32_MAX);
	free(m->slots);
	m->slots = xcalloc(n_slots, sizeof(*m->slots));
	m->n_slots = n_slots;
	for (size_t i = 0; i < kept; i++)
		index_entry(m, i);
}

/* For one more: 1, 2, 4, 8, and then as any array. */
static void
make_room(struct strmap *m)
{
	if (m->used < m->cap)
		return;
	if (m->cap >= FEW) {
		MEM_GROW(&m->entries, &m->cap, m->used + 1);
		return;
	}
	m->cap = m->cap == 0 ? 1 : m->cap * 2;
	m->entries = xrealloc(m->entries, m->cap * sizeof(*m->entries));
}

void *
strmap_find(const struct strmap *m, const char *key)
{
	uint32_t *slot;
	const struct strmap_entry *e = find_entry(m, key, hash_str(key), &slot);

	return e == NULL ? NULL : e->value;
}

void *
strmap_put(struct strmap *m, const char *key, void *value)
{
	const uint64_t hash = hash_str(key);
	uint32_t *slot;
	struct strmap_entry *e = find_entry(m, key, hash, &slot);

	if (e != NULL) {
		void *old = e->value;

		e->value = value;
		return old;
	}

	if (m->n_slots == 0 ? m->used == FEW : (m->used + 1) * 4 > m->n_slots * 3)
		rebuild(m);
	make_room(m);
	m->entries[m->used] = (struct strmap_entry){ xstrdup(key), value, hash };
	if (m->n_slots > 0)
		index_entry(m, m->used);
	m->used++;
	m->count++;
	return NULL;
}

void *
strmap_remove(struct strmap *m, const char *key)
{
	uint32_t *slot;
	struct strmap_entry *e = find_entry(m, key, hash_str(key), &slot);

	if (e == NULL)
		return NULL;

	void *old = e->value;

	free(e->key);
	*e = (struct strmap_entry){ 0 };
	if (slot != NULL)
		*slot = TOMB;
	m->count--;
	return old;
}
