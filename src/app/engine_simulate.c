/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A simulation takes seconds, so it runs beside the engine: the loop copies what the domain refers
 * to, a thread of low priority plays it on a tree of its own, the loop sends the reply. One at a
 * time, bounded in work.
 */
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "app/engine_state.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"
#include "geo/atlas.h"
#include "sim/extract.h"
#include "sim/sim.h"

#define WORK_MAX (SIM_WORK_MAX / 4)

struct engine_simulate {
	struct engine *engine;
	pthread_t thread;
	struct arena arena;
	struct sim_spec spec;
	struct change_set set;
	struct atlas *atlas; /* NULL: none */
	struct diag diag;
	uint32_t id; /* of the question */
	bool asker_lost;
	json_t *report;
};

static void
end(struct engine_simulate *s)
{
	s->engine->simulate = NULL;
	json_decref(s->report);
	if (s->atlas != NULL)
		atlas_unref(&s->atlas);
	change_fini(&s->set);
	diag_fini(&s->diag);
	arena_fini(&s->arena);
	free(s);
}

static void
finish(void *arg)
{
	struct engine_simulate *s = arg;
	thread_join(s->thread);
	if (!s->asker_lost) {
		engine_feed_reply(s->engine, s->id, s->report, &s->diag);
		s->report = NULL;
	}
	end(s);
}

static void *
run(void *arg)
{
	struct engine_simulate *s = arg;
	/* A thread's own, on Linux. If it is refused, so be it. */
	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), 10);
	s->report = sim_run(&s->set, &s->spec, s->atlas, WORK_MAX, &s->diag);
	loop_post(s->engine->loop, finish, s);
	return NULL;
}

bool
engine_simulate_start(struct engine *e, uint32_t id, const json_t *request, struct diag *d)
{
	if (e->simulate != NULL) {
		diag_add(d, DIAG_UNAVAILABLE, "", "another simulation is running; ask again soon");
		return false;
	}
	struct engine_simulate *s = xcalloc(1, sizeof(*s));
	*s = (struct engine_simulate){ .engine = e, .id = id };
	arena_init(&s->arena);
	diag_init(&s->diag);
	change_init(&s->set);
	e->simulate = s;
	if (sim_spec_read(&s->spec, request, &s->arena, d) != 0 ||
	    extract_domain(tree_model(e->tree), &s->spec, &s->set, d) != 0) {
		end(s);
		return false;
	}
	if (s->spec.starts_ms == TIME_NEVER)
		s->spec.starts_ms = clock_real_ms();
	s->atlas = engine_geo_atlas(e);
	thread_start(&s->thread, "simulate", run, s);
	return true;
}

void
engine_simulate_lost(struct engine *e)
{
	if (e->simulate != NULL)
		e->simulate->asker_lost = true;
}

/* The loop has ended, so what it posts will not be run. */
void
engine_simulate_close(struct engine *e)
{
	if (e->simulate == NULL)
		return;
	thread_join(e->simulate->thread);
	end(e->simulate);
}
