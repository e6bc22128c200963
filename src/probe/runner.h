/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * runner -- carries one probe at a time through the loop, within its time.
 *
 * Thread: the loop's. Embedded in its owner; `done` is called exactly once per runner_start unless
 * it is cancelled, possibly from within runner_start, with nothing left open but a connection that
 * the probe may keep for the next one of the same recipe; then runner_cancel closes it.
 */
#pragma once

#include "net/loop.h"
#include "probe/probe.h"

struct runner {
	struct loop *loop;
	struct loop_fd io;
	struct wheel_timer timeout;
	struct probe probe;
	uint64_t total_us;
	struct buf *output; /* where to leave the beginning of what came; NULL = nowhere */
	/* PASS, FAIL or STARVED; may start again. */
	void (*done)(struct runner *r, enum probe_step step);
	/*
	 * A connection that was kept is gone, and closed here, too. `lost`: they closed it, else it
	 * became unusable. NULL = nobody cares.
	 */
	void (*left)(struct runner *r, bool lost);
	bool resting; /* private: between two probes on one connection */
};

void runner_init(
    struct runner *r, struct loop *loop, void (*done)(struct runner *r, enum probe_step step));
void runner_start(struct runner *r, const struct recipe *recipe); /* borrowed until done */
void runner_cancel(struct runner *r);                             /* harmless when idle */
