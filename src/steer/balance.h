/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * balance -- `balance: traffic` of one domain: its resolvers are learned, given seats, and the draw
 * is bent.
 *
 *	worker: plan_answer_to --sighting-> tape --balance_heard--> learn --balance_tick--> assign
 *--> warp ^                                                                                 |
 *	             +---------------------------------- RCU
 *------------------------------------------+
 *
 * Lives as long as the domain's cursors. What a worker does: a hash probe, a few loads, one
 *sighting. The rest is the tree's thread's: balance_heard as the tape is drained, balance_fit when
 *a plan was compiled (members came, went, died), balance_tick about once a second.
 *
 * Who has much traffic also gets a shorter TTL where the domain allows it (ttl_min): with a share s
 *of the clients TTL * s stays below that of one per cent, so no answer moves much traffic and a
 * dead member is left the sooner (the adaptive TTL of Colajanni, Yu and Cardellini, 1998).
 */
#pragma once

#include <stdint.h>

#include "steer/position.h"
#include "steer/tape.h"
#include "steer/warp.h"

/* A place the draw can end: an address, or a pool that chooses by itself. */
struct balance_leaf {
	uint64_t id;       /* the same for the same place in every plan; not 0 */
	uint64_t lo, last; /* its part of the circle */
};

struct balance;

#define BALANCE_TICK_MS 1000

/* -- the tree's thread -- */

/* `id`: this domain's in sightings; the tape outlives it. Positions are hashed with `seed`. */
struct balance *balance_new(struct tape *tape, uint32_t id, uint64_t seed);
void balance_free(struct balance **b);   /* no reader may be left */
void balance_retire(struct balance **b); /* after a grace period */
void balance_heard(struct balance *b, const struct tape_sighting *s);
void balance_missed(struct balance *b); /* sightings were dropped */
/*
 * A plan is about to be published: its leaves, those of variant i from first[i] up to first[i + 1];
 * how often its TTL may be halved; and the chart of its variants, NULL if there is one.
 */
struct balance_fit {
	const struct balance_leaf *leaves;
	const uint32_t *first;
	size_t n_variants;
	unsigned halvings_max;
	const struct chart *chart;
};
void balance_fit(struct balance *b, const struct balance_fit *f);
/* `now_ms`: of the workers' clock. */
void balance_tick(struct balance *b, uint32_t now_ms);

/* What it has learned, for status and metrics. */
struct balance_view {
	size_t resolvers, seated, split; /* known; of them with a seat; sent to several places */
	double seated_share;             /* of the clients, behind those two */
	double error; /* most a member's load is off its weight, as far as known */
};
struct balance_view balance_view(const struct balance *b);

/* -- workers, inside RCU -- */

/*
 * Who asks: the resolver, in all its /24 or /56; together with the client's subnet of `scope` bits,
 * where the resolver keeps answers apart by that (else NULL). Never 0.
 */
uint64_t balance_key(const struct balance *b, const struct position *resolver,
    const struct position *subnet, unsigned scope);
/* What bends its draws at the moment; NULL: nothing, nobody is heavy. */
const struct warp *balance_warp(const struct balance *b);
/* That it was answered, with that TTL; `at`: the position that counted for it. */
void balance_saw(const struct balance *b, unsigned worker, const struct warp_asker *who,
    const struct position *at, uint32_t ttl_s);
