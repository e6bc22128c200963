/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * plan -- one steered (name, type), compiled: what a query needs and nothing else.
 *
 *	position --chart--> variant --over pools--> choice --over addresses--> records
 *	                    (per class        ALL FIRST DRAW HASH, at both levels
 *	                     of clients)
 *
 * Clients that get the same candidates share a variant; a domain without lines has one and no
 * chart. Compiled anew whenever its domain, a pool, an address or a verdict of it changes: cost
 * O(that domain). Unavailable members are not in it; every fallback has been decided. Immutable,
 * swapped by RCU. What moves with every query (positions in the sequences) is in the *cursor*, one
 * line per worker, which outlives the plans of a domain so that a verdict edge does not disturb the
 * ratio.
 *
 * plan_answer does not allocate, lock or look at a clock.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "steer/position.h"

#define PLAN_MAX_ANSWER 256 /* RRs in one answer */

/* type, class, ttl, rdlength, rdata as they go on the wire; the owner is written by the answer
 * writer. */
struct plan_rr {
	uint16_t len;
	uint8_t tail[];
};
#define PLAN_RR_RDATA 10 /* offset of the rdata in `tail` */

static inline uint16_t
plan_rr_type(const struct plan_rr *rr)
{
	return (uint16_t)(rr->tail[0] << 8 | rr->tail[1]);
}

static inline uint32_t
plan_rr_ttl(const struct plan_rr *rr)
{
	const uint8_t *ttl = rr->tail + 4;

	return (uint32_t)ttl[0] << 24 | (uint32_t)ttl[1] << 16 | (uint32_t)ttl[2] << 8 | ttl[3];
}

struct plan;

/* What a query looks at first: every plan begins with it. */
struct plan_head {
	uint32_t magic;
	uint16_t rrtype;
	uint8_t traits;               /* as plan_traits tells */
	const struct plan_rr *always; /* what everybody gets; NULL: there is more to it */
};

/*
 * The records to answer with, in order, at most PLAN_MAX_ANSWER. 0: there is nothing to answer
 * (fallback nodata). `worker` < workers of the tree. `at` may be anything unless
 * plan_client says so. `*scope` (RFC 7871): the largest prefix of the position that gets the same
 * decision; 0 exactly if the decision does not depend on the client.
 */
size_t plan_answer(const struct plan *p, unsigned worker, const struct position *at,
    const struct plan_rr *out[PLAN_MAX_ANSWER], unsigned *scope);

/*
 * The same where one record is the answer to everybody of the client's variant; NULL, with nothing
 * drawn, if there may be more or none: then ask plan_answer. Not for balance traffic.
 */
const struct plan_rr *
plan_answer_one(const struct plan *p, unsigned worker, const struct position *at, unsigned *scope);

static inline const struct plan_rr *
plan_always(const struct plan *p)
{
	return ((const struct plan_head *)(const void *)p)->always;
}

/*
 * balance traffic: the answer depends on who resolves, and is learned from. Such a plan is asked
 * with plan_answer_to; plan_answer is what it would answer to somebody unknown.
 */
struct plan_asker {
	const struct position *resolver;
	bool by_subnet;  /* `at` is an EDNS Client Subnet */
	uint32_t now_ms; /* of a clock that only goes forward */
};
bool plan_is_balanced(const struct plan *p);
size_t plan_answer_to(const struct plan *p, unsigned worker, const struct position *at,
    const struct plan_asker *asker, const struct plan_rr *out[PLAN_MAX_ANSWER], unsigned *scope);

/* Whose position counts, if any. */
enum plan_client { PLAN_ANYBODY, PLAN_RESOLVER, PLAN_SUBNET /* ECS, else the resolver */ };
enum plan_client plan_client(const struct plan *p);
/* What is asked of every plan before it answers, at once. */
enum plan_trait {
	PLAN_IS_FALLBACK = 1,  /* as plan_is_fallback, ... */
	PLAN_IS_ZONE_DATA = 2, /* ... plan_is_zone_data, ... */
	PLAN_IS_BALANCED = 4,  /* ... plan_is_balanced say */
	PLAN_IS_DIRECT = 8,    /* every record is of the domain's type, which names nothing */
	PLAN_CLIENT_SHIFT = 4, /* above that: plan_client */
};
static inline unsigned
plan_traits(const struct plan *p)
{
	return ((const struct plan_head *)(const void *)p)->traits;
}
/*
 * RR type of what plan_answer yields: the domain's type, or CNAME if every pool that answers is of
 * type domain. Where both kinds of pools answer by turns this is the domain's type, and
 * plan_rr_type tells about the answer in hand.
 */
uint16_t plan_rrtype(const struct plan *p);
uint32_t plan_ttl(const struct plan *p);
/* No pool is available and the fallback answers. */
bool plan_is_fallback(const struct plan *p);
/* It is of a record set of the zone, no domain's. */
bool plan_is_zone_data(const struct plan *p);
