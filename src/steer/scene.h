/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * scene -- who may answer for a domain right now, and for whom: the input of compile. Private to
 * the room. Pure.
 *
 *	class of clients --lines, best first--> the first line that a link serves     "matched"
 *	    none of its pools available: the default line (or the next best one)      "used"
 *	    neither: every available pool
 *	no pool available at all: the domain's fallback, the same for everybody
 *
 * Within a pool whose links have lines the same choice is made among its addresses. Classes that
 * come to the same pools and addresses share a variant.
 */
#pragma once

#include "base/arena.h"
#include "steer/compile.h"
#include "steer/live.h"

/* Where a tag came from: members[member] of links[link]; link n_links is the fallback pool's. */
struct scene_source {
	uint32_t link, member;
};

/* What became of one class of clients (of the domain's chart; without one there is one class). */
struct scene_class {
	const char *matched; /* canonical; NULL: no link serves any line of theirs */
	const char *used;    /* NULL: every available pool */
	uint32_t variant;
};

struct scene {
	struct arena arena;
	struct compile_input input;       /* n_variants 0: the Public Zone answers */
	struct compile_variant *variants; /* those of `input` */
	struct scene_class *classes;
	uint32_t n_classes;
	struct scene_source *sources; /* by tag */
	size_t n_members;
	enum live_fallback fallback;
	char rule;          /* of fail-open: 'b' or 'c'; 0: none */
	uint32_t rule_link; /* the pool it chose */
	bool degraded;      /* some member is unavailable */
};

/* `words` and `w` as for live_pool_state; the chart of `d` must be up to date. */
void scene_init(struct scene *s, struct charts *charts, const struct live_domain *d,
    const struct word_table *words, const struct what_if *w);
void scene_fini(struct scene *s);

/* All enabled addresses of the enabled pools as one RRset, to rrset_free; NULL: there are none. */
struct rrset *scene_fallback_set(const struct live_domain *d);

/*
 * Where the sequence of a lane goes on; NULL: it stays nowhere, the smallest order answers. A
 * non-preemptive one stays while its member is available; a preemptive one with a failback delay
 * until a better one has been available for so long: *due_ms is when (INT64_MAX: not in sight).
 */
struct live *scene_next_address(const struct live_pool *p, const struct live_lane *lane,
    const struct word_table *words, const struct what_if *w, int64_t now_ms, int64_t *due_ms);
struct live *scene_next_pool(const struct live_domain *d, const struct live_lane *lane,
    const struct word_table *words, const struct what_if *w, int64_t now_ms, int64_t *due_ms);
