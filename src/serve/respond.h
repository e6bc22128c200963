/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * respond -- one request in, one response out: the whole query path.
 *
 *	            +--> respond_hot: read once, hashed once, answered by copying
 *	message ----+
 *	            +--> respond_any: parse -> zone -> lookup -> (plan or RRset) -> CNAME chain ->
 *	                 negative, referral, additional -> message
 *
 * Must be called inside an RCU read section (a QSBR reader that is online). No allocation, no lock,
 * no syscall.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "net/addr.h"
#include "serve/serve_options.h"
#include "zone/zones.h"

#define RESPOND_MAX 65535
/* Lengths that say: not for the query path. */
#define RESPOND_HANDOVER SIZE_MAX
#define RESPOND_TRANSFER (SIZE_MAX - 1) /* over TCP only */

/*
 * Counters of one worker: stored by its thread only, read by anyone (relaxed). `dropped` counts
 * requests not answered and answers not sent.
 */
struct respond_counters {
	uint64_t queries, tcp_queries, dropped, handed_over, steered, fallback, truncated;
	uint64_t lined;   /* links answered from record sets with lines */
	uint64_t limited; /* answers that the rate limit kept back or cut */
	uint64_t rcodes[24];
};

/* A plain increment: there is no second writer, so it needs no lock prefix. */
static inline void
respond_count(uint64_t *counter)
{
	__atomic_store_n(counter, *counter + 1, __ATOMIC_RELAXED);
}

struct respond {
	const struct zones *zones;
	unsigned worker;                            /* index for the plans' cursors */
	uint16_t edns_udp_size;                     /* 1232 */
	bool hands_over;                            /* UPDATE, NOTIFY, signed queries */
	bool transfers;                             /* by TCP; else they are REFUSED */
	unsigned tcp_idle_ms;                       /* to be told to clients */
	const struct serve_options *const *options; /* published by RCU */
	struct rrl *rrl;                            /* all workers'; NULL: no limit */
	struct respond_counters *counters;
};

enum respond_transport { RESPOND_UDP, RESPOND_TCP };

/* Who asks, and when. */
struct respond_client {
	enum respond_transport transport;
	const struct addr *peer;
	uint32_t now_s;  /* since 1970 */
	uint32_t now_ms; /* of a clock that only goes forward */
};

/* Length of the response in `out` (cap >= 512, 65535 for TCP); 0 = no response,
 * RESPOND_HANDOVER, RESPOND_TRANSFER = the caller hands the message over. */
size_t respond(const struct respond *r, const struct respond_client *from, const uint8_t *in,
    size_t len, uint8_t *out, size_t cap);

/*
 * The two ways of respond. What the short one answers, it answers octet for octet as the long one
 * would, which tests and fuzzing hold it to; whatever is not common it leaves to that one (0),
 * before anything has been counted or drawn. Common is:
 *   - opcode QUERY, class IN, no option but EDNS Client Subnet, nothing signed in sight (DO may be
 *     set, the zone is unsigned);
 *   - records that name nothing (A, AAAA, TXT) from the zone or from a plan that has no other, or
 *     that there are none: no such name, no such type;
 *   - everybody may ask, no rate limit, the answer fits.
 */
size_t respond_hot(const struct respond *r, const struct respond_client *from, const uint8_t *in,
    size_t len, uint8_t *out, size_t cap);
size_t respond_any(const struct respond *r, const struct respond_client *from, const uint8_t *in,
    size_t len, uint8_t *out, size_t cap);

/* A response that says nothing but `rcode`; 0 = no response. Pure. */
size_t respond_error(const uint8_t *in, size_t len, uint16_t rcode, uint8_t *out, size_t cap);
