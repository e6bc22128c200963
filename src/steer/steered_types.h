/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inside of an overlay: for the tree, which writes it, steered.c, which reads it, and explain.
 */
#pragma once

#include "steer/plan_types.h"
#include "zone/rrset.h"

struct live_domain;

enum steered_type { STEERED_A, STEERED_AAAA, STEERED_CNAME, STEERED_TYPES };

struct steered {
	uint32_t magic;
#define STEERED_MAGIC 0x57ee2edau
	struct plan *plans[STEERED_TYPES];         /* swapped by RCU; NULL: not steered */
	struct rrset *sets[STEERED_TYPES];         /* their fallback sets; swapped by RCU */
	struct live_domain *owners[STEERED_TYPES]; /* whose plan it is; the writer's */
	const uint8_t *host;                       /* lower wire name, in this block */
	struct rcu_head rcu;
	uint8_t wire[];
};

struct steered *steered_new(const uint8_t *host);
void steered_free(struct steered **s);   /* with its plans; no reader may be left */
void steered_retire(struct steered **s); /* an empty one, after a grace period */
bool steered_is_empty(const struct steered *s);
/*
 * Swap in `plan` (NULL: not steered) with its fallback set, and retire the old ones; both become
 * the overlay's. Is the fallback set another one?
 */
bool
steered_set(struct steered *s, enum steered_type type, struct plan *plan, struct rrset *fallback);
enum steered_type steered_type_of(uint16_t rrtype);
/* The slot that answers `qtype`, STEERED_TYPES if none. */
enum steered_type steered_slot(const struct steered *s, uint16_t qtype);
