/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * learn -- how much traffic is behind each resolver, from nothing but the times at which it asks.
 *
 * A resolver asks when the answer it has is out and a client comes. What it tells is how long that
 * took:
 *
 *	ask              expires   client: ask          expires  client: ask
 *	 |<----- ttl ------>|~~ idle ~~|<----- ttl ------>|~~ idle ~~|       mean idle = 1 / clients
 * a second
 *
 * The number of its queries tells almost nothing: a thousand clients a second and one a second both
 *ask about once a TTL. So the rate is n / sum(idle). Seen in the field, and provided for:
 *
 *  - whole seconds: most resolvers count TTLs in seconds of their own clock, so a query comes just
 *after the second begins, and `ask - expiry` is the *difference* of two idle times, often negative.
 *The mean of |a - b| of two exponential times is the mean of one: n / sum(|idle|) serves both
 * kinds.
 *  - several caches behind one address: each answer is a *token* that runs out; a query takes the
 *oldest token that has (nearly) run out, or shows a further cache. With C caches a token idles C /
 *rate: rate = C n / sum(|idle|).
 *  - stretching, capping, prefetching: the idle times have a floor (or a token too many has); where
 * the smallest of a round is more than half of the mean, it is taken off first.
 *  - more caches than tokens: the queries themselves are counted.
 *
 * What is old counts half after LEARN_HALF_MS. The table is bounded: who has a seat (assign.h)
 * stays, the other places are given to strangers in turn, each for long enough to be judged, so in
 * time everybody is, and those present are a fair sample of those who are not. Strangers who are
 * invented gain nothing by it. Single-threaded, no clock; pure but for memory.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steer/tape.h"

#define LEARN_TOKENS  8
#define LEARN_ROUND   8                 /* idle times that are judged together */
#define LEARN_HALF_MS (60 * 60 * 1000u) /* half-life of what was learned */
#define LEARN_MAX     16384             /* entries */

struct learn_entry {
	uint64_t key; /* 0: free */
	uint64_t place;
	uint8_t family;
	uint16_t class;
	uint32_t since_ms;            /* here */
	uint32_t heard_ms;            /* last */
	uint32_t token[LEARN_TOKENS]; /* when answers run out, oldest first */
	uint8_t tokens;               /* how many */
	uint8_t spare;                /* the fewest tokens that were out and unused, this round */
	uint8_t n;                    /* idle times of this round */
	int32_t idle_ms[LEARN_ROUND]; /* of this round */
	int32_t floor_ms;             /* of the last round */
	uint32_t closed_ms;           /* when it was */
	float rounds_n, rounds_early; /* idle times of all rounds, faded; those below 0 */
	float rounds_idle_ms;         /* their sum */
	/* For the assignment (assign.h), which follows the entry. */
	uint64_t home, seat;
	uint32_t away_ms;
	uint8_t halvings;
};

struct learn {
	struct learn_entry *entries; /* sets of LEARN_WAYS */
	size_t n_sets;               /* a power of two */
	/* Queries of those who are here without a seat, and of those who are not; faded. */
	double here, absent;
	uint32_t counted_ms;
};
#define LEARN_WAYS 4

void learn_init(struct learn *l);
void learn_fini(struct learn *l);
/* A query, as the tape has it. In order of time, `key` not 0. */
void learn_heard(struct learn *l, const struct tape_sighting *s);
/* Queries were missed: idle times across the gap would be wrong. */
void learn_missed(struct learn *l);
/* Clients a second behind it, as far as known; `*weight` (may be NULL): idle times it rests on. */
double learn_rate(const struct learn_entry *e, uint32_t now_ms, double *weight);
/* By how much the rates of those here without a seat stand for everybody without one; at least 1.
 */
double learn_scale(const struct learn *l);
size_t learn_count(const struct learn *l);
#define LEARN_EACH(l, e)                                                                           \
	for (struct learn_entry *e = (l)->entries;                                                 \
	     e != NULL && e < (l)->entries + (l)->n_sets * LEARN_WAYS; e++)                        \
		if (e->key != 0)
