/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * respond_reply -- a query in hand: what the files of respond share.
 *
 *   respond.c             the common query, without all this
 *   respond_any.c         parse, refuse, finish, count
 *   respond_chain.c       name by name: lookup, steering, CNAME and DNAME
 *   respond_denial.c      negative answers, and the proofs of a signed zone
 *   respond_referral.c    delegations and their glue
 *   respond_additional.c  addresses of the names an answer speaks of
 *   respond_edns.c        cookies, NSID, keepalive
 *   respond_chaos.c       who we are
 *   respond_limit.c       the rate limit
 *   respond_set.c         one RRset, static or steered: whole or not at all
 *
 * Everything borrowed from zones lives as long as the caller's RCU read section.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "dns/answer.h"
#include "dns/query.h"
#include "serve/respond.h"
#include "steer/plan.h"
#include "zone/denial.h"
#include "zone/zone.h"

struct reply {
	const struct respond *r;
	const struct respond_client *from;
	const struct serve_options *options;
	struct query q;
	struct answer a;
	struct position at[3]; /* by enum plan_client; found when a plan asks for it */
	bool secure;           /* the zone at hand is signed, and the client wants to see it (DO) */
	uint8_t located;       /* bits of what of `at` is filled in */
	bool by_subnet;        /* at[PLAN_SUBNET] is the query's EDNS Client Subnet */
	bool known;            /* has a cookie of ours: no address is being forged */
	const uint8_t *source; /* what gave the answer: see rrl.h; NULL: nothing */
	struct denial denial;  /* gathered on the way, for the authority section */
};

/* What follows is answered from `z`. */
static inline void
respond_enter(struct reply *p, const struct zone *z)
{
	p->secure = UNLIKELY(p->q.dnssec_ok) && zone_signed(z) != ZONE_UNSIGNED;
}

/* Answer an IN query for a type that zones hold, or ANY. */
void respond_chain(struct reply *p);

/* No such name, or no such type at it: SOA with the negative TTL (RFC 2308 3, 5). */
void respond_negative(struct reply *p, const struct zone *z, uint16_t rcode);
/* Write the proofs gathered so far; before anything goes into the additional section. */
void respond_proofs(struct reply *p);

/* The query has options that want one of ours: add it. May set a->rcode. */
void respond_edns(struct reply *p);
/* Answer in class CHAOS. */
void respond_chaos(struct reply *p);
/* There is a rate limit. false: the answer must not be sent. */
bool respond_limit(struct reply *p);

/* NS of the cut, its DS for who wants them, and glue (RFC 9471). */
void respond_referral(struct reply *p, const struct zone *z, const struct zone_node *cut);

/* `s` was the answer at `owner`: add addresses of its targets in hosted zones, as far as they fit.
 */
void respond_additional(struct reply *p, const uint8_t *owner, const struct rrset *s);
/* Likewise if what a plan gave was: n >= 1 records of one type that names targets. */
void respond_additional_plan(
    struct reply *p, const uint8_t *owner, const struct plan_rr *const *rr, size_t n);

/* `s` of `n`, with its signatures if the reply is secure. false: it did not fit and nothing of it
 * is there. */
bool respond_set(
    struct reply *p, const uint8_t *owner, const struct zone_node *n, const struct rrset *s);
/* The signatures of `type` at `n`, with the TTL of what they cover (RFC 4034 3). */
bool respond_signatures(struct reply *p, const uint8_t *owner, const struct zone_node *n,
    uint16_t type, uint32_t ttl_s);

/*
 * As above, what the plan (of these traits) picks for this query. `*target` becomes the CNAME's
 * target, or NULL if the plan yields no CNAME; the answer's ECS scope grows to the plan's. `target`
 * NULL: this stands beside the answer, where the client's subnet does not count.
 */
enum respond_given { RESPOND_GIVEN, RESPOND_CUT /* did not fit */, RESPOND_NOTHING /* to give */ };
enum respond_given respond_plan(struct reply *p, const uint8_t *owner, const struct plan *plan,
    unsigned traits, const uint8_t **target);

/* As above, what `node` has of `type`; nothing is a fit. CNAMEs are not followed. */
bool
respond_type(struct reply *p, const uint8_t *owner, const struct zone_node *node, uint16_t type);

/* The name at `off` of an rdata; NULL if there is none (RFC 3597 text can spell anything). */
const uint8_t *respond_target(const uint8_t *rdata, uint16_t rdlen, int off);
