/* SPDX-License-Identifier: GPL-3.0-or-later */
/* account -- an explanation in the making. Private to explain_*.c. */
#pragma once

#include "base/attr.h"
#include "base/json.h"
#include "dns/name.h"
#include "steer/compile.h"
#include "steer/live.h"
#include "steer/position.h"
#include "steer/tree_types.h"
#include "zone/zone.h"

struct account {
	const struct tree *tree;
	/* what was asked */
	uint8_t qname[NAME_MAX_LEN];
	uint16_t qtype;
	struct position client; /* whose address the query has; family 0: not told */
	struct position subnet; /* its EDNS Client Subnet; family 0: none */
	bool wrapped;           /* the subnet is IPv4 in IPv6 */
	struct strmap verdicts; /* address -> "up" or "down" */
	uint32_t draws;
	/* what is told */
	const char *rcode;
	uint32_t ttl_s;
	bool steered, lined;
	const char *fallback, *line;
	unsigned scope;
	json_t *rdata, *candidates, *decision, *drawn; /* drawn: NULL if not asked for */
};

void explain_step(struct account *a, const char *step, const char *fmt, ...) PRINTF(3, 4);
void explain_rdata(struct account *a, uint16_t type, const uint8_t *rdata, uint16_t rdlen);

/* A plan of one's own, so that nothing of the running one moves: copies in place of the cursors. */
void explain_borrow(struct compile_variant *variants, size_t n);
void explain_return(struct compile_variant *variants, size_t n);
/* Whose line it is and what says so; `who` has it: "a pool serves". */
void explain_why(struct account *a, const struct position *at, const char *line, const char *who);
/* One more answer that began with `value`. */
void explain_draw(struct account *a, const char *value);

/* Who imposes what is, until when and why: "by ops until it is lifted: racks". It lives in `arena`.
 */
const char *explain_imposed_by(const struct live *l, struct arena *arena);
/* What is imposed on it, if anything is; what its verdict is held at, if it is. */
void explain_imposed(struct account *a, const struct live *l);
void explain_steadied(struct account *a, const struct live_address *of);

/* false: as things are supposed to be the domain leaves the name to the Public Zone. */
bool explain_steered(struct account *a, const struct live_domain *d);
/* The answer of the record set with lines, if `n` has one for the query; false: it has not. */
bool explain_lined(struct account *a, const struct zone_node *n);
/* The Public Zone's answer. */
void explain_zone(struct account *a, const struct lookup *l);
