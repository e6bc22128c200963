/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * strategy -- one row per strategy: how it chooses among pools and among addresses. Private to the
 * room.
 *
 * A new strategy is a word in model/nouns.h, a file pick_<word>.c, a row here, a test.
 */
#pragma once

#include "model/nouns.h"
#include "steer/compile.h"

struct strategy_row {
	const char *prose; /* for explain: what it does among the members */
	/* As a domain's strategy: lay out the whole plan. */
	void (*over_pools)(struct compile *c, const struct compile_input *in);
	/* As a pool's strategy: what the pool answers when it is the one chosen, with that share
	 * ... */
	void (*in_share)(
	    struct compile *c, const struct compile_pool *pool, const struct pick_share *share);
	/* ... and what it contributes to the union of all pools. */
	void (*in_union)(struct compile *c, const struct compile_pool *pool);
};

extern const struct strategy_row strategy_table[]; /* by enum strategy */

/* The rows' functions, each in its pick_*.c. */
void pick_weight_pools(struct compile *c, const struct compile_input *in);
void pick_weight_share(
    struct compile *c, const struct compile_pool *pool, const struct pick_share *share);
void pick_weight_union(struct compile *c, const struct compile_pool *pool);
void pick_round_robin_pools(struct compile *c, const struct compile_input *in);
void pick_round_robin_share(
    struct compile *c, const struct compile_pool *pool, const struct pick_share *share);
void pick_round_robin_union(struct compile *c, const struct compile_pool *pool);
void pick_sequence_pools(struct compile *c, const struct compile_input *in);
void pick_sequence_share(
    struct compile *c, const struct compile_pool *pool, const struct pick_share *share);
void pick_sequence_union(struct compile *c, const struct compile_pool *pool);
