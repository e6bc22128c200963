/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * zone -- the records of one zone: a hash table of names, changed in place one RRset at a time.
 *
 *   reader (DNS worker, inside RCU)                writer (the engine's one thread)
 *   zones_find -> lookup -> node -> rrset           zone_put / zone_del / zone_overlay
 *
 * Every node is immutable and replaced whole through RCU, so a change is O(labels + records at the
 * name), whatever the size of the zone, and a reader sees the old or the new node, never a mixture.
 * Empty non-terminals are nodes too, kept by a count of children. Cuts (NS below the apex) and
 * DNAMEs are counted by depth, so that a zone without any at some depth costs a query nothing
 * there.
 *
 * An *overlay* is an opaque pointer at a name, owned by the room above (steered RRsets). A node
 * exists while it has RRsets, an overlay or children.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "dns/name.h"
#include "zone/rrset.h"

struct zone;

/* One name, one block of memory: header, pointers, name, RRsets. Borrowed inside an RCU read
 * section. */
struct zone_node {
	const void *overlay; /* steered RRsets, or NULL */
	const uint8_t *name; /* lower, wire */
	uint8_t flags;       /* ZONE_NODE_* */
	uint8_t name_len;
	uint16_t n_rrsets;
	uint32_t n_children; /* the writer's own, the one field that changes: readers keep off */
	const struct rrset *rrsets[]; /* sorted by type */
};
#define ZONE_NODE_CUT        1 /* NS here and not the apex */
#define ZONE_NODE_DNAME      2
#define ZONE_NODE_WILD_CHILD 4 /* "*.name" exists */
#define ZONE_NODE_CHAIN      8 /* NSEC or NSEC3 here: one of the chain that denies */
#define ZONE_NODE_HASHED                                                                           \
	16 /* nothing but an NSEC3, nothing below: to a lookup it does not exist (RFC 5155 7.2.8)  \
	    */

/* NULL if there is none. */
static inline const struct rrset *
zone_node_find(const struct zone_node *n, uint16_t type)
{
	for (unsigned i = 0; i < n->n_rrsets && n->rrsets[i]->type <= type; i++)
		if (n->rrsets[i]->type == type)
			return n->rrsets[i];
	return NULL;
}

struct zone *zone_new(const uint8_t *apex); /* lower; holds the apex node, empty, from the start */
void zone_free(struct zone **z); /* no reader may be left; zones_add and zones_remove see to that */
const uint8_t *zone_apex(const struct zone *z);
size_t zone_names(const struct zone *z); /* nodes, empty non-terminals included */
size_t zone_bytes(const struct zone *z); /* of the nodes; any thread */
const struct zone_node *
zone_find(const struct zone *z, const uint8_t *lower_name); /* exact, or NULL */

/* NULL only before it has its first RRset. */
const struct zone_node *zone_apex_node(const struct zone *z);

/* Its SOA with the TTL of negative answers (RFC 2308 5), ready to be sent; NULL: it has none. */
struct prepared;
const struct prepared *zone_negative(const struct zone *z);
uint32_t zone_negative_ttl(const struct rrset *soa); /* 0 if it is none */

/* Pre-signed: the apex has DNSKEY, and NSEC or NSEC3PARAM (which counts if both are there). */
enum zone_signed { ZONE_UNSIGNED, ZONE_NSEC, ZONE_NSEC3 };
enum zone_signed zone_signed(const struct zone *z);

/* Writer. `set` becomes the zone's (it is copied into the node and freed). The owner must be at or
 * below the apex (CHECKed). */
void zone_put(struct zone *z, const uint8_t *owner, struct rrset *set);
void zone_del(struct zone *z, const uint8_t *owner, uint16_t type); /* absent: no-op */
/* Writer: that many names are to come; they will not make the table grow step by step. */
void zone_reserve(struct zone *z, size_t names);
/* Writer: this owner's turn will come soon: have its place in the table fetched. */
void zone_prefetch(const struct zone *z, const uint8_t *owner);
/* Set or (NULL) clear; returns the old one, which readers may still see until a grace period. */
const void *zone_overlay(struct zone *z, const uint8_t *owner, const void *overlay);
/*
 * What the zone carries for transfers. `policy`: a block of the room above's, immutable; it becomes
 * the zone's and is freed with it or, replaced, after a grace period. Readers: NULL is "none".
 */
struct history;
void zone_set_policy(struct zone *z, void *policy);
const void *zone_policy(const struct zone *z);
void zone_set_history(struct zone *z, struct history *h); /* once; it becomes the zone's */
struct history *zone_history(const struct zone *z);

/* A stale zone is not answered from: a secondary's, before its first transfer or expired. */
void zone_set_stale(struct zone *z, bool stale);
bool zone_stale(const struct zone *z);

/* Walk every node in no particular order (writer, or inside a read section). */
void
zone_walk(const struct zone *z, void (*visit)(const struct zone_node *n, void *arg), void *arg);

/* Outcome of a lookup, RFC 1034 4.3.2 / 4592 / 6672. */
enum lookup_kind {
	LOOKUP_NAME, /* `node` is the name (or the wildcard that covers it, `wildcard`) */
	LOOKUP_NXDOMAIN,
	LOOKUP_DELEGATION, /* `node` is the cut; qname at or below it */
	LOOKUP_DNAME,      /* `node` holds the DNAME; qname strictly below */
};
struct lookup {
	enum lookup_kind kind;
	const struct zone_node *node;
	const struct zone_node *encloser; /* closest encloser of a wildcard match or NXDOMAIN */
	bool wildcard;
};
/* `qname` lower, at or below the apex. A DS query at a cut is answered by the parent: pass the
 * type. */
void lookup(const struct zone *z, const uint8_t *qname, uint16_t qtype, struct lookup *out);
void lookup_path(
    const struct zone *z, const struct name_path *qname, uint16_t qtype, struct lookup *out);
