/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Flights: runners on loan, as many as were ever in the air at once, and who waits for one. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "probe/prober_types.h"

#define IDLE_MAX 1024 /* kept for later */

bool
prober_flight_full(const struct prober_thread *t)
{
	return t->flying + t->beside >= t->connections;
}

/* Who waits for a flight goes in the next turn of the loop: no recursion. */
static void
wake_next(struct prober_thread *t)
{
	if (list_empty(&t->waiting))
		return;

	struct job *next = LIST_ENTRY(t->waiting.next, struct job, waiting);

	list_remove(&next->waiting);
	loop_timer_at(t->loop, &next->timer, 0);
}

/* Kept connections must not keep others from flying. */
bool
prober_flight_crowded(const struct prober_thread *t)
{
	return !list_empty(&t->waiting) || t->flying + t->beside > t->connections / 4 * 3;
}

/* Only where nobody has to wait for it, by any cap. */
static bool
lane_begins(struct runner *r)
{
	const struct job *j = container_of(r, struct flight, runner)->job;
	struct prober_thread *t = j->thread;
	const struct addr target = recipe_target(j->recipe);

	if (t->beside >= t->lanes_max || prober_flight_crowded(t) ||
	    !caps_take(&t->caps, &target, clock_mono_us()))
		return false;
	t->beside++;
	return true;
}

static void
lane_ended(struct runner *r)
{
	struct prober_thread *t = container_of(r, struct flight, runner)->job->thread;

	t->beside--;
	wake_next(t);
}

struct flight *
prober_flight_take(struct job *j)
{
	struct prober_thread *t = j->thread;
	struct flight *f;

	if (list_empty(&t->idle)) {
		f = xcalloc(1, sizeof(*f));
		list_init(&f->idle);
		runner_init(&f->runner, t->loop, prober_run_done);
		f->runner.left = prober_run_left;
		f->runner.lane_begins = lane_begins;
		f->runner.lane_ended = lane_ended;
	} else {
		f = LIST_ENTRY(t->idle.next, struct flight, idle);
		list_remove(&f->idle);
		t->n_idle--;
	}
	f->job = j;
	f->runner.probe.tls_memory = j->tls_memory;
	prober_enter(t->prober);
	t->flying++;
	prober_leave(t->prober);
	return f;
}

/* Locked. */
void
prober_flight_give(struct job *j)
{
	struct prober_thread *t = j->thread;
	struct flight *f = j->flight;

	runner_cancel(&f->runner);
	f->runner.probe.tls_memory = NULL;
	f->job = NULL;
	j->flight = NULL;
	t->flying--;
	if (t->n_idle < IDLE_MAX) {
		list_append(&t->idle, &f->idle);
		t->n_idle++;
	} else {
		free(f);
	}
	wake_next(t);
}

void
prober_flight_stop(struct job *j)
{
	list_remove(&j->waiting);
	if (j->flight == NULL)
		return;
	j->tls_memory = j->flight->runner.probe.tls_memory;
	prober_flight_give(j);
}

void
prober_flight_fini(struct prober_thread *t)
{
	LIST_EACH (it, tmp, &t->idle) {
		list_remove(it);
		free(LIST_ENTRY(it, struct flight, idle));
	}
}
