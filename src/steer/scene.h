/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * scene -- who may answer for a domain right now: the input of compile. Private to the room.
 *
 * Sets the available pools with their available addresses, or, when there is none, the fallback of
 * 2-model: b) the smallest-order non-empty pool of the default line, c) of any line; all its
 * enabled addresses in rotation. Pure.
 */
#pragma once

#include "steer/compile.h"
#include "steer/live.h"

/* Where a tag came from: members[member] of links[link]. */
struct scene_source {
	uint32_t link, member;
};

struct scene {
	struct compile_input input; /* count 0: nothing can answer, the Public Zone does */
	struct compile_pool *pools;
	struct compile_member *members;
	struct scene_source *sources; /* by tag */
	size_t n_members;
	enum live_fallback fallback;
	char rule;          /* of the fallback: 'b' or 'c'; 0: none */
	uint32_t rule_link; /* the pool it chose */
};

/* `words` and `w` as for live_pool_state. */
void scene_init(struct scene *s, const struct live_domain *d, const struct word_table *words,
    const struct what_if *w);
void scene_fini(struct scene *s);

/* All enabled addresses of the enabled pools as one RRset, to rrset_free; NULL: there are none. */
struct rrset *scene_fallback_set(const struct live_domain *d);

/* Where a non-preemptive sequence goes on: stay while available, else the smallest order; NULL if
 * none is available. */
struct live_address *scene_next_address(
    const struct live_pool *p, const struct word_table *words, const struct what_if *w);
struct live_pool *scene_next_pool(
    const struct live_domain *d, const struct word_table *words, const struct what_if *w);
