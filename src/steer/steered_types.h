/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inside of an overlay: for the tree, which writes it, steered.c, which reads it, and explain.
 */
#pragma once

#include "steer/plan_types.h"
#include "zone/rrset.h"

struct live;

struct steered_slot {
	struct plan *plan;  /* swapped by RCU; NULL: the zone's RRset answers */
	struct rrset *set;  /* its fallback set; swapped by RCU */
	struct live *owner; /* whose plan it is; the writer's */
	uint16_t type;
};

struct steered {
	uint32_t magic;
#define STEERED_MAGIC 0x57ee2edau
	uint32_t n;
	const uint8_t *host; /* lower wire name, in this block */
	struct rcu_head rcu;
	struct steered_slot slots[]; /* by type */
};

/* A block for `host` with an empty slot for `type`. It takes over what `old` (may be NULL) has,
 * which is then to be retired by steered_outgrown. */
struct steered *steered_grow(const struct steered *old, const uint8_t *host, uint16_t type);
/* Its plans belong to another block by now; free it after a grace period. */
void steered_outgrown(struct steered **s);
void steered_free(struct steered **s);   /* with its plans; no reader may be left */
void steered_retire(struct steered **s); /* an empty one, after a grace period */
bool steered_is_empty(const struct steered *s);
/*
 * Swap in `plan` (NULL: none) of `owner` with its fallback set, and retire the old ones; both
 * become the overlay's. Is the fallback set another one?
 */
bool steered_set(
    struct steered_slot *slot, struct live *owner, struct plan *plan, struct rrset *fallback);
/* The slot of exactly this type; NULL if there is none. */
struct steered_slot *steered_slot(struct steered *s, uint16_t type);
/* The one that answers `qtype`, by the rules of steered_find; NULL: the zone's RRset does. */
const struct steered_slot *steered_answers(const struct steered *s, uint16_t qtype);
