/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * strmap -- a hash map from strings to pointers, in insertion order when walked.
 *
 * Keys are copied; values are the caller's. Lookup, insert and remove are O(1) amortised.
 * Removing during a STRMAP_EACH walk is allowed, inserting is not. Not thread-safe.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct strmap_entry {
	char *key; /* NULL = removed */
	void *value;
	uint64_t hash;
};

struct strmap {
	struct strmap_entry *entries; /* dense, in insertion order, with holes */
	size_t used;                  /* entries incl. holes */
	size_t cap;
	size_t count;    /* live entries */
	uint32_t *slots; /* open addressing: index + 1 into entries, 0 = free, UINT32_MAX = tomb */
	size_t n_slots;  /* power of two, or 0: a few entries, no index */
};

void strmap_init(struct strmap *m);
void strmap_fini(struct strmap *m); /* frees keys, not values */

void *strmap_find(const struct strmap *m, const char *key);       /* NULL if absent */
void *strmap_put(struct strmap *m, const char *key, void *value); /* returns the old value */
void *strmap_remove(struct strmap *m, const char *key);           /* returns the old value */

#define STRMAP_EACH(m, e)                                                                          \
	for (struct strmap_entry *e = (m)->entries; e != NULL && e < (m)->entries + (m)->used;     \
	     e++)                                                                                  \
		if (e->key != NULL)
