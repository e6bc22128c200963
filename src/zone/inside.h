/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * inside -- how a zone is made; for those who change it, who walk it, and for the look-ups that a
 * query does in line.
 */
#pragma once

#include <pthread.h>
#include <string.h>

#include "base/check.h"
#include "dns/name.h"
#include "dns/prepared.h"
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
	bool barred;                /* readers: is any at all? */
	struct tallies *tallies;    /* NULL until the first cut or DNAME */
	struct zone_node *top;      /* the apex node; readers: by RCU */
	struct prepared *negative;  /* NULL: no SOA; readers: by RCU */
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
	return name_hash(zone_name_at(z, p, depth), zone_len_at(z, p, depth));
}

/* memcmp without the call: sixteen octets at a time, the last ones twice. */
static inline bool
name_same(const uint8_t *a, const uint8_t *b, size_t len)
{
	typedef uint64_t words __attribute__((vector_size(16)));
	words x, y, differ = { 0 };
	uint64_t v[4];

	if (len < sizeof(v[0]))
		return memcmp(a, b, len) == 0;
	if (len < sizeof(x)) {
		memcpy(&v[0], a, sizeof(v[0]));
		memcpy(&v[1], b, sizeof(v[1]));
		memcpy(&v[2], a + len - sizeof(v[2]), sizeof(v[2]));
		memcpy(&v[3], b + len - sizeof(v[3]), sizeof(v[3]));
		return ((v[0] ^ v[1]) | (v[2] ^ v[3])) == 0;
	}
	for (size_t at = 0; at + sizeof(x) < len; at += sizeof(x)) {
		memcpy(&x, a + at, sizeof(x));
		memcpy(&y, b + at, sizeof(y));
		differ |= x ^ y;
	}
	memcpy(&x, a + len - sizeof(x), sizeof(x));
	memcpy(&y, b + len - sizeof(y), sizeof(y));
	differ |= x ^ y;
	return (differ[0] | differ[1]) == 0;
}

/* The node of a name, or NULL. */
static ALWAYS_INLINE struct zone_node *
zone_node_of(const struct zone *z, const uint8_t *name, unsigned len)
{
	struct table_probe probe = table_probe(&z->nodes, name_hash(name, len));
	struct zone_node *n;

	while ((n = table_next(&probe)) != NULL)
		if (n->name_len == len && name_same(n->name, name, len))
			return n;
	return NULL;
}

static inline struct zone_node *
zone_node_at(const struct zone *z, const struct name_path *p, unsigned depth)
{
	if (depth == 0)
		return __atomic_load_n(&z->top, __ATOMIC_ACQUIRE);
	return zone_node_of(z, zone_name_at(z, p, depth), zone_len_at(z, p, depth));
}

static inline uint64_t
depths_word(const struct depths *d, unsigned word)
{
	return __atomic_load_n(&d->bits[word], __ATOMIC_RELAXED);
}

/* What is only the owner of an NSEC3 does not exist for queries. */
static inline bool
zone_node_exists(const struct zone_node *n)
{
	return n != NULL && LIKELY((n->flags & ZONE_NODE_HASHED) == 0);
}

/* lookup.c: by all the rules; `sure`: nothing ends the way down, and there is no such node. */
void lookup_around(
    const struct zone *z, const struct name_path *p, uint16_t qtype, struct lookup *out, bool sure);

/*
 * Most names exist, in zones without cuts, and most that do not would be right below the apex: that
 * is all there is to do for them.
 */
enum lookup_glance {
	LOOKUP_THERE,   /* `*node` is the name */
	LOOKUP_NOWHERE, /* NXDOMAIN, and the apex is the closest encloser */
	LOOKUP_LACKS,   /* there is no such node, and nothing ends the way down */
	LOOKUP_BARRED,  /* something may: not looked for */
};

static ALWAYS_INLINE enum lookup_glance
lookup_glance(const struct zone *z, const struct name_path *p, const struct zone_node **node)
{
	const struct zone_node *top;

	*node = NULL;
	if (UNLIKELY(__atomic_load_n(&z->barred, __ATOMIC_RELAXED)))
		return LOOKUP_BARRED;
	*node = zone_node_of(z, p->name, p->len);
	if (LIKELY(zone_node_exists(*node)))
		return LOOKUP_THERE;
	top = __atomic_load_n(&z->top, __ATOMIC_ACQUIRE);
	return p->labels == z->apex_labels + 1 && !(top->flags & ZONE_NODE_WILD_CHILD)
		   ? LOOKUP_NOWHERE
		   : LOOKUP_LACKS;
}
