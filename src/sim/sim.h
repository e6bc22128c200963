/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sim -- a population of resolvers asks the real plan on a virtual clock, while sites fail and come
 * back.
 *
 *	crowd --miss--> stage (tree, plan) --answer--> tally --> report
 *	  ^               ^ verdicts
 *	  |             patrol (virtual probes)
 *	  +---- heap: what happens next
 *
 * Event by event: a cache is touched when an answer has run out and a client comes, never for a
 *hit. Cost: O(queries x (log caches + windows per TTL)). The same input and seed give the same
 * output, bit by bit.
 */
#pragma once

#include "base/attr.h"
#include "base/diag.h"
#include "base/json.h"
#include "model/change.h"
#include "sim/sim_spec.h"

#define SIM_WORK_MAX 20000000.0 /* what one request may cost, in steps of sim_work */

/* The steps a run will take, roughly: queries and windows counted. */
double sim_work(const struct sim_spec *spec, uint32_t ttl_s);

/*
 * Run it: `set` as extract_domain filled it, `atlas` (borrowed, NULL: none) where clients are. The
 * report (report.h says what is in it) as a new reference, or NULL with a problem at "duration"
 * when it would take more than `work_max` steps. The calling thread must not be a registered RCU
 * reader.
 */
struct atlas;
MUST_USE json_t *sim_run(const struct change_set *set, const struct sim_spec *spec,
    struct atlas *atlas, double work_max, struct diag *d);
