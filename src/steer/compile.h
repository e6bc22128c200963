/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * compile -- from "these pools, these addresses, these strategies" to a plan. Private to the room.
 *
 * Who is available and who is current has been decided by the caller (see scene.h); here it is
 *about shares.
 *
 *	plan --top draw--> leaf --rotated--> slot --> item --> record
 *	      by share      \                  \--draw--> item
 *	                     \ weight/sequence over pools: a leaf per address, or per round_robin
 *pool \ round_robin over pools: one leaf, the union of what the pools contribute
 *
 * Pure but for memory.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/strmap.h"
#include "steer/cursors.h"
#include "steer/pick_weight.h"
#include "steer/plan.h"

/* -- what goes in -- */

struct compile_member {
	const char *value; /* canonical text: equal records have equal values */
	const uint8_t *rdata;
	uint16_t rdlen;
	uint16_t rrtype;
	uint32_t weight, order;
	uint32_t tag; /* the caller's number for it, comes back from plan_shares */
};

struct compile_pool {
	int strategy; /* enum strategy */
	uint32_t weight, order;
	const struct compile_member *members;
	size_t count;    /* >= 1 */
	int64_t current; /* sequence: index of the member to stay on, -1: the smallest order */
	struct cursors *cursors; /* of the link */
	unsigned ordinal;        /* of the link: chooses the step of a nested sequence */
};

struct compile_input {
	int strategy;
	uint32_t ttl_s;
	uint16_t rrtype; /* the domain's */
	bool fallback;
	const struct compile_pool *pools;
	size_t count;    /* >= 1 */
	int64_t current; /* sequence: index of the pool to stay on, -1: the smallest order */
	struct cursors *cursors;
};

MUST_USE struct plan *compile_plan(const struct compile_input *in);

/* -- for the rows of the strategy table: what a plan is put together from -- */

struct compile; /* a plan in the making */

/* Start a leaf with that share of the answers (in order, without gaps); `cursors` rotate its slots.
 */
void compile_leaf(struct compile *c, const struct pick_share *share, struct cursors *cursors);
/* Add to the leaf in hand: a fixed record, or one drawn by weight among the pool's members. */
void compile_slot(struct compile *c, const struct compile_member *m);
void compile_drawn_slot(struct compile *c, const struct compile_pool *pool);
