/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * assign -- which resolver is sent where, so that clients, not answers, follow the weights.
 *
 *	loads      |####|###|##|##|#|#|. . . . . . . . .|     heavy ones by name, the rest ("light")
 *as one leaves     [########......][######......][####..]     as wide as their weights; heavy ones
 * fill them from the left seats    what is left: shares for the light ones' sequence
 *
 * A heavy resolver gets a *seat*: one leaf, the same in every answer. It has a *home*, and moves
 * only if its home dies or is overfull; when the home is back, so is it. One too heavy for every
 *leaf is *split*: answer by answer it is sent to several leaves, in the proportion of the room they
 * have. Light ones are drawn over what room is left, so that the total comes out at the weights
 * although nobody moves.
 *
 * Longest load first into the leaf with the most room, O(H log H + H L). When time has made a
 * patchwork of it, the whole is packed anew, but only if that saves much splitting. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ASSIGN_SPLITS 16 /* split resolvers at most; more are treated as light */
#define ASSIGN_SPLIT  UINT32_MAX

struct assign_leaf {
	uint64_t id; /* the same while it is the same place, whatever else comes and goes; not 0 */
	double weight; /* share wanted; all sum to 1 */
	double room;   /* out: for light ones; all sum to 1 */
};

struct assign_load {
	double share;   /* of all clients */
	uint64_t home;  /* in and out: leaf id; 0: none yet */
	uint64_t seat;  /* in and out: where it sits now, home or away; 0: nowhere */
	uint32_t leaf;  /* out: index of its leaf, or ASSIGN_SPLIT */
	uint32_t split; /* out: which of the splits, if it is one; ASSIGN_SPLITS: light */
};

struct assign {
	struct assign_leaf *leaves;
	size_t n_leaves; /* >= 1 */
	struct assign_load *loads;
	size_t n_loads;
	double *splits; /* out: n_splits rows of n_leaves parts, each row sums to 1; room for
			   ASSIGN_SPLITS rows */
	size_t n_splits;
	bool may_repack;
	bool repacked; /* out */
};

void assign(struct assign *a);
/* Most by which a leaf's load differs from its weight, were the loads right; of 1. */
double assign_error(const struct assign *a);
