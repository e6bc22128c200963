/* SPDX-License-Identifier: GPL-3.0-or-later */
/* inside -- how a zone is made; for zone.c (which changes it) and lookup.c (which reads it) only.
 */
#pragma once

#include <pthread.h>
#include <string.h>

#include "base/check.h"
#include "dns/name.h"
#include "zone/table.h"
#include "zone/zone.h"

#define ZONE_MAGIC 0x205a6f6eu

/* One bit per depth below the apex (0 = the apex). */
struct depths {
	uint64_t bits[2];
};

/* Writer: how many nodes with a flag there are at each depth. */
struct tallies {
	uint32_t cuts[NAME_MAX_LABELS + 1];
	uint32_t dnames[NAME_MAX_LABELS + 1];
};

struct zone {
	uint32_t magic;
	uint8_t apex_len, apex_labels;
	struct table nodes;
	size_t bytes;               /* of all nodes; readers: atomically */
	struct depths cuts, dnames; /* readers: is any there? */
	struct tallies *tallies;    /* NULL until the first cut or DNAME */
	struct ordered *chain;      /* nodes with NSEC or NSEC3; NULL until the first */
	uint8_t is_signed;          /* enum zone_signed */
	pthread_mutex_t gate;       /* held during a change set; see snapshot.h */
	uint64_t generation;        /* odd: a change set is under way */
	struct history *history;    /* NULL: nobody may transfer it */
	void *policy;               /* the room above's, swapped by RCU */
	bool stale;                 /* readers: atomically */
	uint8_t apex[];
};

/* A name in a zone, with the hash of each of its suffixes from the apex (depth 0) down. */
struct path {
	const uint8_t *name;
	unsigned len;
	unsigned depth;
	uint8_t off[NAME_MAX_LABELS + 1];   /* by label, from the left */
	uint64_t hash[NAME_MAX_LABELS + 1]; /* by depth */
};

static inline void
path_of(struct path *p, const struct zone *z, const uint8_t *name)
{
	unsigned labels = name_offsets(name, p->off);
	uint64_t hash = TABLE_HASH_START;

	CHECK(labels >= z->apex_labels);
	p->name = name;
	p->len = p->off[labels] + 1u;
	p->depth = labels - z->apex_labels;
	p->hash[0] = hash;
	for (unsigned d = 1; d <= p->depth; d++)
		p->hash[d] = hash = table_hash_label(hash, name + p->off[p->depth - d]);
}

static inline const uint8_t *
path_name(const struct path *p, unsigned depth)
{
	return p->name + p->off[p->depth - depth];
}

/* The node at `depth` of the path, or NULL. */
static inline struct zone_node *
path_node(const struct path *p, const struct zone *z, unsigned depth)
{
	const uint8_t *name = path_name(p, depth);
	unsigned len = p->len - p->off[p->depth - depth];
	struct table_probe probe = table_probe(&z->nodes, p->hash[depth]);
	struct zone_node *n;

	while ((n = table_next(&probe)) != NULL)
		if (n->name_len == len && memcmp(n->name, name, len) == 0)
			return n;
	return NULL;
}

static inline uint64_t
depths_word(const struct depths *d, unsigned word)
{
	return __atomic_load_n(&d->bits[word], __ATOMIC_RELAXED);
}
