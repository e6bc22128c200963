/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/sim.h"

#include <math.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/mem.h"
#include "sim/chance.h"
#include "sim/crowd.h"
#include "sim/extract.h"
#include "sim/heap.h"
#include "sim/patrol.h"
#include "sim/report.h"
#include "sim/stage.h"
#include "sim/tally.h"

enum event { EVENT_MISS, EVENT_PROBE, EVENT_TICK };

#define TICK_S 1.0

struct run {
	const struct sim_spec *spec;
	struct stage *stage;
	struct crowd crowd;
	struct heap heap;
	struct patrol *patrol;
	struct tally tally;
	struct rand_state rand;
	double end_s;
	double *share; /* room for stage_desired and its sum */
	double *sum;
};

/* -- what the members should have -- */

/* Each row of `from` by its share and the first address of its range; they need not have the same
 * lines. */
static void
set_target(struct run *r, double now_s)
{
	const struct sim_from *from = r->spec->resolvers.from.items;
	const size_t rows = r->spec->resolvers.from.count;
	size_t n;
	double whole = 0;

	(void)stage_members(r->stage, &n);
	for (size_t k = 0; k < n; k++)
		r->sum[k] = 0;
	for (size_t i = 0; i < (rows > 0 ? rows : 1); i++) {
		const double part = rows > 0 ? from[i].share : 1;
		struct addr client;

		crowd_first(&client, rows > 0 ? from[i].cidr : NULL);
		if (part > 0)
			stage_desired(r->stage, &client, r->share);
		for (size_t k = 0; k < n && part > 0; k++)
			r->sum[k] += part * r->share[k];
		whole += part;
	}
	for (size_t k = 0; k < n; k++)
		r->sum[k] /= whole;
	tally_target(&r->tally, now_s, r->sum);
}

/* -- events -- */

static void
miss(struct run *r, uint32_t who, double now_s)
{
	const struct crowd_cache *c = &r->crowd.caches[who];
	struct stage_answer a;

	stage_ask(r->stage, c, (uint32_t)(now_s * 1000), &a);

	const double to_s = crowd_until(c, now_s, a.ttl_s);
	const struct tally_hold hold = {
		.from_s = now_s,
		.to_s = to_s,
		.rate = c->rate,
		.members = a.members,
		.count = r->spec->resolvers.take == SIM_TAKE_ANY || a.count == 0 ? a.count : 1,
	};

	if (a.count > 0)
		tally_hold(&r->tally, &hold, &r->rand);
	else
		r->tally.lost += c->rate * (fmin(to_s, r->end_s) - now_s);
	heap_push(&r->heap, to_s + chance_wait(&r->rand, c->rate), EVENT_MISS, who);
}

static void
play(struct run *r)
{
	for (;;) {
		const struct heap_event e = heap_pop(&r->heap);

		if (e.at_s >= r->end_s)
			return;
		switch ((enum event)e.kind) {
		case EVENT_MISS:
			miss(r, e.who, e.at_s);
			break;
		case EVENT_PROBE:
			if (patrol_event(r->patrol, r->stage, &e))
				set_target(r, e.at_s);
			break;
		case EVENT_TICK:
			if (stage_tick(r->stage, (uint64_t)(e.at_s * 1000)))
				set_target(r, e.at_s);
			heap_push(&r->heap, e.at_s + TICK_S, EVENT_TICK, 0);
			break;
		}
	}
}

/* -- life -- */

/*
 * As if it had asked before: within its TTL, so that the caches do not run out in step, then with
 * its next client.
 */
static double
first_miss(struct run *r, const struct crowd_cache *c)
{
	const double left_s = crowd_keeps(c, stage_ttl(r->stage)) * chance_unit(&r->rand);

	return left_s + chance_wait(&r->rand, c->rate);
}

static void
set_up(struct run *r)
{
	const struct sim_failure *f = r->spec->failures.items;
	size_t n;

	(void)stage_members(r->stage, &n);
	r->share = xcalloc(n + 1, sizeof(*r->share));
	r->sum = xcalloc(n + 1, sizeof(*r->sum));
	rand_seed(&r->rand, r->spec->seed);
	crowd_init(&r->crowd, &r->spec->resolvers, &r->rand);
	heap_init(&r->heap);
	r->patrol = patrol_new(r->stage, r->spec, &r->heap, EVENT_PROBE, &r->rand);
	tally_init(&r->tally, r->spec, n);
	for (size_t i = 0; i < r->spec->failures.count; i++)
		tally_failure(&r->tally, i, stage_member_of(r->stage, f[i].address));
	for (uint32_t i = 0; i < r->crowd.count; i++)
		heap_push(&r->heap, first_miss(r, &r->crowd.caches[i]), EVENT_MISS, i);
	heap_push(&r->heap, TICK_S, EVENT_TICK, 0);
	set_target(r, 0);
}

static void
take_down(struct run *r)
{
	tally_fini(&r->tally);
	patrol_free(&r->patrol);
	heap_fini(&r->heap);
	crowd_fini(&r->crowd);
	stage_free(&r->stage);
	free(r->share);
	free(r->sum);
}

double
sim_work(const struct sim_spec *spec, uint32_t ttl_s)
{
	const double duration = spec->duration_ms / 1000.0, window = spec->window_ms / 1000.0;
	struct rand_state r;
	struct crowd crowd;
	double steps = duration;

	rand_seed(&r, spec->seed);
	crowd_init(&crowd, &spec->resolvers, &r);
	for (size_t i = 0; i < crowd.count; i++) {
		const double keeps = crowd_keeps(&crowd.caches[i], ttl_s);

		steps += 1 + duration / (keeps + 1 / crowd.caches[i].rate) * (1 + keeps / window);
	}
	crowd_fini(&crowd);
	return steps;
}

json_t *
sim_run(const struct change_set *set, const struct sim_spec *spec, struct atlas *atlas,
    double work_max, struct diag *d)
{
	struct run r = { .spec = spec, .end_s = spec->duration_ms / 1000.0 };
	char name[KIND_NAME_SIZE];
	json_t *report = NULL;

	if (extract_name(spec, name, d) < 0)
		return NULL;
	r.stage = stage_new(set, name, atlas, spec->starts_ms == TIME_NEVER ? 0 : spec->starts_ms);

	const double work = sim_work(spec, stage_ttl(r.stage));

	if (work > work_max) {
		diag_add(d, DIAG_INVALID, "duration",
		    "so much would take too long: %.0f steps; fewer resolvers, less time or a "
		    "longer window",
		    work);
		diag_detail(d, NULL, arena_printf(&d->arena, "%.0f steps", work_max));
		stage_free(&r.stage);
		return NULL;
	}
	set_up(&r);
	play(&r);
	tally_close(&r.tally);
	report = report_make(
	    &(struct report){ spec, r.stage, &r.tally, r.patrol, r.crowd.count, r.crowd.rate });
	take_down(&r);
	return report;
}
