/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inside of a plan, one block of memory: for compile.c, which lays it out, and plan.c, which
 * reads it. */
#pragma once

#include "steer/cursors.h"
#include "steer/plan.h"

#define URCU_API_MAP
#include <urcu/urcu-qsbr.h>

struct plan_item {
	uint32_t rr;  /* offset in the records */
	uint32_t tag; /* the caller's number */
};

/* One record of an answer: item `at`, or what draw `at` yields. */
struct plan_slot {
	uint32_t at;
	bool drawn;
};

struct plan_leaf {
	struct cursors *cursors; /* of the rotation */
	uint32_t slot, count;
	uint32_t emit; /* how many slots of the rotated leaf make the answer */
};

/* `count` intervals from `last`; interval i stands for the target `first` + i (an item; of the top
 * draw: a leaf). */
struct plan_draw {
	struct cursors *cursors;
	uint64_t step;
	uint32_t last, first, count;
};

struct plan {
	uint32_t magic;
#define PLAN_MAGIC 0x91a2c0deu
	uint32_t ttl_s;
	uint16_t rrtype;
	bool fallback;
	bool may_repeat; /* draws of the union may yield a record twice */
	uint32_t n_leaves;
	struct plan_draw top;
	const struct plan_leaf *leaves;
	const struct plan_draw *draws;
	const uint64_t *last;
	const struct plan_slot *slots;
	const struct plan_item *items;
	const uint8_t *records;
	struct rcu_head rcu;
};

/* `probability` that the item with `tag` is the first record of an answer; they sum to 1. Repeats
 * tags. */
void plan_shares(
    const struct plan *p, void (*visit)(void *arg, uint32_t tag, double probability), void *arg);
void plan_free(struct plan **p);   /* no reader may be left */
void plan_retire(struct plan **p); /* free after a grace period */
