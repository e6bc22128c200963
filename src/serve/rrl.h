/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * rrl -- response rate limiting: nobody can make this server flood a third party with answers.
 *
 *   (prefix of the client, kind of answer, what gave the answer) -> bucket of tokens
 *
 * "What gave" is the node, wildcard or cut, or the zone of a name that is not there: random names
 * share a bucket. A table has a fixed size and is every worker's: a prefix gets what it may have,
 * whatever sockets the kernel spreads its queries over. A bucket not seen for longest gives way. No
 * lock, no allocation but in rrl_new. Pure: the time comes in.
 */
#pragma once

#include <stdint.h>

#include "base/attr.h"
#include "net/addr.h"

struct rrl_options {
	uint32_t rate;     /* answers per second and bucket; 0: no limit */
	uint32_t slip;     /* of those above, every so manieth is sent truncated; 0: none, 1: all */
	uint8_t ipv4_bits; /* prefix lengths that are one client; at most 32, 64 */
	uint8_t ipv6_bits;
};

enum rrl_kind { RRL_ANSWER, RRL_NODATA, RRL_NXDOMAIN, RRL_REFERRAL, RRL_ERROR };
enum rrl_verdict { RRL_PASS, RRL_SLIP, RRL_DROP };

struct rrl;

MUST_USE struct rrl *rrl_new(void);
void rrl_free(struct rrl **r);
/* One answer is about to go to `peer`. `source`: a name, NULL for errors. From any thread. */
enum rrl_verdict rrl_check(struct rrl *r, const struct rrl_options *o, const struct addr *peer,
    enum rrl_kind kind, const uint8_t *source, uint32_t now_ms);
