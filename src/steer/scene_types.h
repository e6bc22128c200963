/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The inside of a scene in the making.
 *
 *	scene.c            muster all members; then the first that has somebody to answer:
 *	scene_available.c  by class of clients, who is available
 *	scene_fallback.c   what the domain's fallback says
 */
#pragma once

#include "steer/reach.h"
#include "steer/scene.h"

/* How the states of things are looked at. */
struct light {
	const struct word_table *words;
	const struct what_if *what_if;
	const struct strmap *good; /* fallback last_good: who was available then; else NULL */
	bool frozen;               /* health is ignored: whoever may answer lives */
};

/* A pool as some classes see it; equal ones of a link have the same number. */
struct sight {
	struct compile_pool pool;
	uint32_t shape;
};

/* A pool as one of the domain's links has it. */
struct crew {
	const struct live_link *link;
	struct compile_member *members; /* all of them, available or not */
	struct reach reach;
	struct sight **by_used; /* made so far, by list of reach; the last: REACH_NONE */
};

struct build {
	struct scene *s;
	const struct live_domain *d;
	struct light light;
	struct crew *crews; /* by link */
	struct reach reach;
	const struct chart *chart;
	uint32_t *list; /* scratch: numbers of links */
	struct compile_variant *variants;
	size_t n_variants;
	struct strmap known;  /* what a variant consists of -> its number + 1 */
	struct strmap shapes; /* likewise of pools */
};

/* -- scene_available.c -- */

/* May this member of a pool answer? `opens`: of the pool's state. */
bool scene_lives(const struct live_address *a, bool opens, const struct light *l);
/* Whoever is available, by class. false: nobody is. */
bool scene_add_available(struct build *b);

/* -- scene_fallback.c -- */

enum live_fallback scene_add_fallback(struct build *b);
