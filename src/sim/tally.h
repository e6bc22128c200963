/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tally -- what happened in a simulation, counted.
 *
 *	cache   |--answer: member a--|   |--answer: member b--|       each a *hold* of so many
 *clients a second window  |-----|-----|-----|-----|-----|-----|-----|-----|     clients per member
 *and window curve             down|~~~~\___                               clients on the dead
 * member, second by second
 *
 * Clients come as a Poisson process, so their number within a hold is drawn rather than each client
 * played: a hold costs O(windows it touches), and exactly as much randomness as playing them would
 * have. Curves are of rates and know no chance: O(1) a hold and failure. Pure but for memory.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/rand.h"
#include "sim/sim_spec.h"

struct tally_curve {
	uint32_t member;      /* UINT32_MAX: none of the domain's */
	double down_s, up_s;  /* up: or the end */
	double held;          /* clients a second on the member when it died */
	size_t n_bins;        /* of one second, from down */
	double *bins, *steps; /* clients in the bin; `steps`: differences, until tally_close */
};

/* From `at_s` on each member should have that share of the clients. */
struct tally_target {
	double at_s;
	double *share;
};

struct tally {
	size_t n_members, n_windows, first; /* window `first` is the first after the warm-up */
	double window_s, end_s;
	uint64_t *clients; /* [window][member] */
	uint64_t *answers; /* by the member that leads them, after the warm-up */
	double squares;    /* sum of the squares of clients per answer, after the warm-up */
	uint64_t queries;  /* after the warm-up */
	double lost;       /* clients a second behind answers of the zone, times seconds */
	struct tally_curve *curves; /* a failure each */
	size_t n_curves;
	struct tally_target *targets;
	size_t n_targets, cap_targets;
};

/* An answer in a cache. */
struct tally_hold {
	double from_s, to_s, rate;
	const uint32_t *members; /* clients are spread evenly over these */
	size_t count;            /* >= 1 */
};

void tally_init(struct tally *t, const struct sim_spec *spec, size_t n_members);
void tally_fini(struct tally *t);
/* Before the first hold: failure i kills this member. */
void tally_failure(struct tally *t, size_t i, uint32_t member);
void tally_target(struct tally *t, double at_s, const double *share);
void tally_hold(struct tally *t, const struct tally_hold *h, struct rand_state *r);
/* After the last hold. */
void tally_close(struct tally *t);

/* Seconds from the failure until no more than `left` (0..1) of the clients it had are on the dead
 * member, for good; -1: never. */
double tally_drained(const struct tally_curve *c, double left);
