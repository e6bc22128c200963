/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * strategy -- one row per strategy: how it chooses, alike among pools and among addresses. Private
 * to the room.
 *
 * A new strategy is a word in model/nouns.h, a file pick_<word>.c, a row here, a test.
 */
#pragma once

#include <stddef.h>

#include "model/nouns.h"
#include "steer/plan_types.h"

/* Somebody available, while it is being laid out who answers. */
struct candidate {
	uint32_t index; /* the caller's */
	uint32_t weight, order;
};

struct strategy_row {
	const char *prose; /* for explain: what it does among the members */
	enum plan_how how;
	/*
	 * Leave out who is not to answer, put the others in order, and return how many they are, at
	 * least 1 of n >= 1. `current`: the index to stay on, -1 if none. NULL: all as they are.
	 */
	size_t (*arrange)(struct candidate *c, size_t n, int64_t current);
};

extern const struct strategy_row strategy_table[]; /* by enum strategy */

/*
 * Who of n >= 1 candidates is chosen from, in order; returns how many, at least 1. What is always
 * the first few of them is cut to `limit` (0: none).
 */
size_t
strategy_arrange(int strategy, struct candidate *c, size_t n, int64_t current, uint32_t limit);

size_t pick_weight_arrange(struct candidate *c, size_t n, int64_t current);
size_t pick_sequence_arrange(struct candidate *c, size_t n, int64_t current);
