/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Entries lie densely in insertion order; `slots` is the index over them, linearly probed.
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

/* The slot of `key`, or NULL. */
static uint32_t *
find_slot(const struct strmap *m, const char *key, uint64_t hash)
{
	if (m->n_slots == 0)
		return NULL;
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

static void
index_entry(struct strmap *m, size_t at)
{
	size_t i = m->entries[at].hash;

	while (m->slots[i & (m->n_slots - 1)] != FREE)
		i++;
	m->slots[i & (m->n_slots - 1)] = (uint32_t)at + 1;
}

/* Close the holes and index anew, at most 3/8 full. */
static void
rebuild(struct strmap *m)
{
	size_t n_slots = SLOTS_MIN, kept = 0;

	for (size_t i = 0; i < m->used; i++) {
		if (m->entries[i].key != NULL)
			m->entries[kept++] = m->entries[i];
	}
	m->used = kept;

	while (n_slots * 3 < (kept + 1) * 8)
		n_slots *= 2;
	CHECK(n_slots < UINT32_MAX);
	free(m->slots);
	m->slots = xcalloc(n_slots, sizeof(*m->slots));
	m->n_slots = n_slots;
	for (size_t i = 0; i < kept; i++)
		index_entry(m, i);
}

void *
strmap_find(const struct strmap *m, const char *key)
{
	const uint32_t *slot = find_slot(m, key, hash_str(key));

	return slot == NULL ? NULL : m->entries[*slot - 1].value;
}

void *
strmap_put(struct strmap *m, const char *key, void *value)
{
	const uint64_t hash = hash_str(key);
	const uint32_t *slot = find_slot(m, key, hash);

	if (slot != NULL) {
		struct strmap_entry *e = &m->entries[*slot - 1];
		void *old = e->value;

		e->value = value;
		return old;
	}

	if ((m->used + 1) * 4 > m->n_slots * 3)
		rebuild(m);
	MEM_GROW(&m->entries, &m->cap, m->used + 1);
	m->entries[m->used] = (struct strmap_entry){ xstrdup(key), value, hash };
	index_entry(m, m->used);
	m->used++;
	m->count++;
	return NULL;
}

void *
strmap_remove(struct strmap *m, const char *key)
{
	uint32_t *slot = find_slot(m, key, hash_str(key));

	if (slot == NULL)
		return NULL;

	struct strmap_entry *e = &m->entries[*slot - 1];
	void *old = e->value;

	free(e->key);
	*e = (struct strmap_entry){ 0 };
	*slot = TOMB;
	m->count--;
	return old;
}
