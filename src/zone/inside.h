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

/* How deep below the apex a name lies. */
static inline unsigned
zone_depth(const struct zone *z, const struct name_path *p)
{
	CHECK(p->labels >= z->apex_labels);
	return (unsigned)p->labels - z->apex_labels;
}

/* The part of the path that lies at `depth`: a name, its length, its hash. */
static inline const uint8_t *
zone_name_at(const struct zone *z, const struct name_path *p, unsigned depth)
{
	return name_path_tail(p, z->apex_labels + depth);
}

static inline unsigned
zone_len_at(const struct zone *z, const struct name_path *p, unsigned depth)
{
	return name_path_tail_len(p, z->apex_labels + depth);
}

static inline uint64_t
zone_hash_at(const struct zone *z, const struct name_path *p, unsigned depth)
{
	return table_hash_name(zone_name_at(z, p, depth), zone_len_at(z, p, depth));
}

static inline bool
name_same(const uint8_t *a, const uint8_t *b, size_t len)
{
	return memcmp(a, b, len) == 0;
}

/* The node of a name, or NULL. */
static inline struct zone_node *
zone_node_of(const struct zone *z, const uint8_t *name, unsigned len)
{
	struct table_probe probe = table_probe(&z->nodes, table_hash_name(name, len));
	struct zone_node *n;

	while ((n = table_next(&probe)) != NULL)
		if (n->name_len == len && name_same(n->name, name, len))
			return n;
	return NULL;
}

static inline struct zone_node *
zone_node_at(const struct zone *z, const struct name_path *p, unsigned depth)
{
	return zone_node_of(z, zone_name_at(z, p, depth), zone_len_at(z, p, depth));
}

static inline uint64_t
depths_word(const struct depths *d, unsigned word)
{
	return __atomic_load_n(&d->bits[word], __ATOMIC_RELAXED);
}
