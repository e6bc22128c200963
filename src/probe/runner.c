/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "probe/runner.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/mem.h"
#include "probe/protocol.h"

struct lane {
	struct list in; /* runner.lanes */
	struct runner *runner;
	struct loop_fd io;
	struct probe probe;
	bool past_half; /* began then */
};

/* -- lanes -- */

static struct lane *
lane_new(struct runner *r)
{
	struct lane *l = xcalloc(1, sizeof(*l));

	l->runner = r;
	l->past_half = r->past_half;
	probe_init(&l->probe);
	list_append(&r->lanes, &l->in);
	return l;
}

static void
lane_free(struct lane *l)
{
	struct runner *r = l->runner;

	loop_fd_drop(r->loop, &l->io);
	probe_close(&l->probe);
	probe_forget(&l->probe);
	list_remove(&l->in);
	free(l);
	if (r->lane_ended != NULL)
		r->lane_ended(r);
}

/* What this lane found is what the probe found. */
static void
take_over(struct runner *r, struct lane *l)
{
	loop_fd_drop(r->loop, &l->io);
	probe_close(&l->probe);
	loop_fd_drop(r->loop, &r->io);
	probe_close(&r->probe);
	if (l->probe.tls_memory == NULL)
		l->probe.tls_memory = r->probe.tls_memory;
	else
		probe_forget(&r->probe);
	r->probe = l->probe;
	l->probe.tls_memory = NULL;
}

static struct lane *
lane_of(const struct runner *r, const struct probe *p)
{
	return p == &r->probe ? NULL
			      : container_of((struct probe *)(uintptr_t)p, struct lane, probe);
}

/* Has an attempt of this half of the time a connection? */
static bool
stands(const struct runner *r)
{
	LIST_EACH (it, tmp, &r->lanes) {
		const struct lane *l = LIST_ENTRY(it, struct lane, in);

		if (l->past_half == r->past_half && l->probe.connected)
			return true;
	}
	return !r->past_half && r->probe.connected;
}

/* -- the way of an attempt: `p` and `io` are the runner's own, or those of a lane -- */

static void
finish(struct runner *r, struct probe *p, enum probe_step step)
{
	struct lane *lane = lane_of(r, p);
	const struct buf *in = &p->in;

	if (lane != NULL && step == PROBE_STARVED) {
		lane_free(lane); /* the others go on */
		return;
	}
	r->total_us = clock_mono_us() - r->probe.start_us;
	if (r->output != NULL && in->len > 0)
		buf_put(r->output, in->data, in->len < r->output->max ? in->len : r->output->max);
	if (step == PROBE_PASS && p->keep && lane == NULL) {
		LIST_EACH (it, tmp, &r->lanes)
			lane_free(LIST_ENTRY(it, struct lane, in));
		loop_timer_cancel(r->loop, &r->timeout);
		loop_fd_mod(r->loop, &r->io, EPOLLIN);
		r->resting = true;
		probe_keep(p);
	} else {
		if (lane != NULL)
			take_over(r, lane);
		runner_cancel(r);
	}
	r->done(r, step);
}

static void ready(struct loop_fd *io, uint32_t events);
static void lane_ready(struct loop_fd *io, uint32_t events);

/* 0, or a negative errno when the loop takes no more descriptors. */
static int
await(struct runner *r, struct loop_fd *io, const struct probe *p, enum probe_step step)
{
	const uint32_t events = step == PROBE_READ ? EPOLLIN : EPOLLOUT;

	if (io->ready == NULL)
		return loop_fd_add(
		    r->loop, io, p->fd, events, lane_of(r, p) == NULL ? ready : lane_ready);
	loop_fd_mod(r->loop, io, events);
	return 0;
}

/* A new connection, before anything is watched of it. */
static enum probe_step
start_anew(struct runner *r, struct loop_fd *io, struct probe *p)
{
	loop_fd_drop(r->loop, io);
	probe_hang_up(p);
	return p->recipe->protocol->start(p);
}

static void
proceed(struct runner *r, struct loop_fd *io, struct probe *p, enum probe_step step)
{
	if (step == PROBE_ANEW)
		step = start_anew(r, io, p);
	if (step == PROBE_READ || step == PROBE_WRITE) {
		const int error = await(r, io, p, step);

		if (error == 0)
			return;
		step = probe_error(p, -error);
	}
	finish(r, p, step);
}

/* Nothing should come between two probes: mostly it is their end of the connection. */
static void
disturbed(struct runner *r)
{
	char octet;
	const ssize_t n = recv(r->probe.fd, &octet, 1, MSG_PEEK | MSG_DONTWAIT);

	if (n < 0 && errno == EAGAIN)
		return;
	runner_cancel(r);
	if (r->left != NULL)
		r->left(r, n <= 0);
}

static void
ready(struct loop_fd *io, uint32_t events UNUSED)
{
	struct runner *r = container_of(io, struct runner, io);

	if (r->resting)
		disturbed(r);
	else
		proceed(r, io, &r->probe, r->probe.recipe->protocol->on_io(&r->probe));
}

static void
lane_ready(struct loop_fd *io, uint32_t events UNUSED)
{
	struct lane *l = container_of(io, struct lane, io);

	proceed(l->runner, io, &l->probe, l->probe.recipe->protocol->on_io(&l->probe));
}

/* -- time -- */

/* One more, beside what is under way. Its phases count from the beginning of the probe. */
static void
open_lane(struct runner *r)
{
	if (r->sparing || (r->lane_begins != NULL && !r->lane_begins(r)))
		return;

	struct lane *l = lane_new(r);
	const enum probe_step step = probe_begin(&l->probe, r->probe.recipe);

	l->probe.start_us = r->probe.start_us;
	proceed(r, &l->io, &l->probe, step);
}

/* How far an attempt got. */
static unsigned
progress(const struct probe *p)
{
	return p->connected + p->secured + (p->first_byte_us != 0);
}

/* Who got farthest can tell best what is missing. */
static void
give_up(struct runner *r)
{
	struct probe *best = &r->probe;

	LIST_EACH (it, tmp, &r->lanes) {
		struct lane *l = LIST_ENTRY(it, struct lane, in);

		if (progress(&l->probe) > progress(best))
			best = &l->probe;
	}
	finish(r, best, probe_late(best));
}

static void
repeat(struct runner *r, uint64_t now_ms)
{
	const struct protocol_row *protocol = r->probe.recipe->protocol;
	const bool half = !r->past_half && 2 * now_ms >= r->begin_ms + r->deadline_ms;
	const enum probe_step step =
	    protocol->again != NULL ? protocol->again(&r->probe) : PROBE_ANEW;

	r->past_half |= half;
	if (step != PROBE_ANEW)
		proceed(r, &r->io, &r->probe, step);
	else if (half || !stands(r))
		open_lane(r);
}

static void
set_timer(struct runner *r, uint64_t now_ms)
{
	const uint32_t repeat_ms = r->probe.recipe->repeat_ms;
	uint64_t due_ms = r->deadline_ms;

	if (repeat_ms != 0)
		due_ms = now_ms + repeat_ms - (now_ms - r->begin_ms) % repeat_ms;
	loop_timer_at(r->loop, &r->timeout, due_ms < r->deadline_ms ? due_ms : r->deadline_ms);
}

/*
 * This machine was stalled, and meanwhile nothing was repeated: that time does not count, or each
 * stall would make failures of losses. Once over the time there is, not again and again.
 */
static void
forgive(struct runner *r, uint64_t late_ms)
{
	const struct recipe *recipe = r->probe.recipe;
	const uint64_t last_ms = r->begin_ms + 2ull * recipe->rhythm.timeout_ms;

	if (recipe->repeat_ms == 0 || late_ms < recipe->repeat_ms)
		return;
	r->deadline_ms += late_ms;
	if (r->deadline_ms > last_ms)
		r->deadline_ms = last_ms;
}

/* The timer first: the probe may be over, and its runner gone, after a repetition. */
static void
time_up(struct wheel_timer *t)
{
	struct runner *r = container_of(t, struct runner, timeout);
	const uint64_t now_ms = clock_mono_ms();

	forgive(r, now_ms - t->due_ms);
	if (now_ms >= r->deadline_ms) {
		give_up(r);
		return;
	}
	set_timer(r, now_ms);
	repeat(r, now_ms);
}

/* -- for the owner -- */

void
runner_init(
    struct runner *r, struct loop *loop, void (*done)(struct runner *r, enum probe_step step))
{
	*r = (struct runner){ .loop = loop, .done = done };
	list_init(&r->lanes);
	probe_init(&r->probe);
	wheel_timer_init(&r->timeout, time_up);
}

/* The timer first: the probe may be over before its protocol's start returns. */
void
runner_start(struct runner *r, const struct recipe *recipe)
{
	/* Rounded up, so that the last millisecond is a whole one. */
	r->begin_ms = (clock_mono_us() + 999) / 1000;
	r->deadline_ms = r->begin_ms + recipe->rhythm.timeout_ms;
	r->resting = r->past_half = false;
	r->probe.recipe = recipe;
	set_timer(r, r->begin_ms);
	proceed(r, &r->io, &r->probe, probe_begin(&r->probe, recipe));
}

void
runner_cancel(struct runner *r)
{
	r->resting = false;
	loop_timer_cancel(r->loop, &r->timeout);
	loop_fd_drop(r->loop, &r->io);
	probe_close(&r->probe);
	LIST_EACH (it, tmp, &r->lanes)
		lane_free(LIST_ENTRY(it, struct lane, in));
}
