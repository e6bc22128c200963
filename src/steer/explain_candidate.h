/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * explain_candidate -- why an address of a domain gets nothing, or gets something in spite of its
 * health, in a sentence of its own line. Private to explain_*.c. Pure.
 *
 *	the pool (imposed, disabled, too few)  ;  the address (imposed, disabled, down)
 *	neither: lines, standing by, other clients
 */
#pragma once

#include "base/arena.h"
#include "steer/live.h"

/* Where a candidate stands. */
struct explain_candidate {
	const struct live_domain *domain;
	const struct live_link *link;
	const struct live_member *member;
	struct live_state pool, address; /* the states of the two, known or supposed */
	bool supposed;                   /* the address's is */
	enum live_fallback fallback;     /* of the domain, now */
	bool pool_in_reach, in_reach;    /* among those that the client's variant chooses from */
	double pool_share, share;        /* of the answers that begin with them */
};

/* Lives in `a`; NULL: there is nothing to say, it answers and is as it should be. */
const char *explain_candidate_because(const struct explain_candidate *c, struct arena *a);
