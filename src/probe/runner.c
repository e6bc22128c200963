/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "probe/runner.h"

#include <errno.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "probe/protocol.h"

static void
finish(struct runner *r, enum probe_step step)
{
	const struct buf *in = &r->probe.in;

	r->total_us = clock_mono_us() - r->probe.start_us;
	if (r->output != NULL && in->len > 0)
		buf_put(r->output, in->data, in->len < r->output->max ? in->len : r->output->max);
	if (step == PROBE_PASS && r->probe.keep) {
		loop_timer_cancel(r->loop, &r->timeout);
		loop_fd_mod(r->loop, &r->io, EPOLLIN);
		r->resting = true;
		probe_keep(&r->probe);
	} else {
		runner_cancel(r);
	}
	r->done(r, step);
}

static void ready(struct loop_fd *io, uint32_t events);

/* 0, or a negative errno when the loop takes no more descriptors. */
static int
await(struct runner *r, enum probe_step step)
{
	const uint32_t events = step == PROBE_READ ? EPOLLIN : EPOLLOUT;

	if (r->io.ready == NULL)
		return loop_fd_add(r->loop, &r->io, r->probe.fd, events, ready);
	loop_fd_mod(r->loop, &r->io, events);
	return 0;
}

/* A new connection, before anything is watched of it. */
static enum probe_step
start_anew(struct runner *r)
{
	loop_fd_drop(r->loop, &r->io);
	probe_hang_up(&r->probe);
	return r->probe.recipe->protocol->start(&r->probe);
}

static void
proceed(struct runner *r, enum probe_step step)
{
	if (step == PROBE_ANEW)
		step = start_anew(r);
	if (step == PROBE_READ || step == PROBE_WRITE) {
		const int error = await(r, step);

		if (error == 0)
			return;
		step = probe_error(&r->probe, -error);
	}
	finish(r, step);
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
		proceed(r, r->probe.recipe->protocol->on_io(&r->probe));
}

static void
time_up(struct wheel_timer *t)
{
	struct runner *r = container_of(t, struct runner, timeout);

	finish(r, probe_late(&r->probe));
}

void
runner_init(
    struct runner *r, struct loop *loop, void (*done)(struct runner *r, enum probe_step step))
{
	*r = (struct runner){ .loop = loop, .done = done };
	probe_init(&r->probe);
	wheel_timer_init(&r->timeout, time_up);
}

/* The timer first: the probe may be over before probe_begin returns. */
void
runner_start(struct runner *r, const struct recipe *recipe)
{
	r->resting = false;
	loop_timer_in(r->loop, &r->timeout, recipe->rhythm.timeout_ms);
	proceed(r, probe_begin(&r->probe, recipe));
}

void
runner_cancel(struct runner *r)
{
	r->resting = false;
	loop_timer_cancel(r->loop, &r->timeout);
	loop_fd_drop(r->loop, &r->io);
	probe_close(&r->probe);
}
