/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * patrol -- the probes of what is going to fail, on the virtual clock: the prober's rhythm
 * (probe/schedule.h) and verdicts (verdict/flap.h), with the schedule of failures in place of a
 * network.
 *
 *	     down                        verdict
 *	------|-----x...x--x--x-----------|----->   a probe of a dead address ends with its timeout
 *
 * Checks of addresses that never fail are up and not probed, unless the way to them loses packets
 * (loss.h).
 */
#pragma once

#include "base/json.h"
#include "sim/heap.h"
#include "sim/sim_spec.h"
#include "sim/stage.h"

struct patrol;

/* Its events go to `heap` as `kind`; `r` spreads the probes over their intervals. */
struct patrol *patrol_new(const struct stage *s, const struct sim_spec *spec, struct heap *heap,
    uint32_t kind, struct rand_state *r);
void patrol_free(struct patrol **p);
/* An event of its kind. Did a verdict change (and with it, maybe, what the stage answers)? */
bool patrol_event(struct patrol *p, struct stage *s, const struct heap_event *e);
/* When the verdict of failure i went down first, in seconds; -1: not yet, or nothing probes it. */
double patrol_detected(const struct patrol *p, size_t failure);
/* Probes of living targets: {made, failed, false_downs}. */
json_t *patrol_json(const struct patrol *p);
