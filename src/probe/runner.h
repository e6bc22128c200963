/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * runner -- carries one probe at a time through the loop, within its time, and repeats in it what
 * the way may have lost.
 *
 *	start 1/8  2/8  3/8  4/8  5/8  6/8  7/8  timeout
 *	  |----+----+----+----+----+----+----+----|
 *	  ======================================== >   the probe
 *	       ================================== >    a lane beside it: it had no connection yet
 *	                      =================== >    at half time: a connection, but no answer yet
 *
 * A lane is the same probe once more, over a connection of its own. Whichever passes or fails
 * first decides; all keep trying to the end, so a target that is merely slow has its whole time.
 * Datagrams are sent again instead (protocol `again`). Nothing lost: nothing of this happens.
 *
 * Thread: the loop's. Embedded in its owner; `done` is called exactly once per runner_start unless
 * it is cancelled, possibly from within runner_start, with nothing left open but a connection that
 * the probe may keep for the next one of the same recipe; then runner_cancel closes it.
 */
#pragma once

#include "base/list.h"
#include "net/loop.h"
#include "probe/probe.h"

struct runner {
	struct loop *loop;
	struct loop_fd io;
	struct wheel_timer timeout; /* or the time to repeat */
	struct probe probe;         /* of the lane that decided, once it is over */
	struct list lanes;          /* beside it */
	uint64_t begin_ms, deadline_ms;
	bool past_half;
	bool sparing; /* the owner's: no lanes */
	uint64_t total_us;
	struct buf *output; /* where to leave the beginning of what came; NULL = nowhere */
	/* PASS, FAIL or STARVED; may start again. */
	void (*done)(struct runner *r, enum probe_step step);
	/*
	 * A connection that was kept is gone, and closed here, too. `lost`: they closed it, else it
	 * became unusable. NULL = nobody cares.
	 */
	void (*left)(struct runner *r, bool lost);
	/* May there be a lane more? NULL = yes. If so, it is told when that is over. */
	bool (*lane_begins)(struct runner *r);
	void (*lane_ended)(struct runner *r);
	bool resting; /* private: between two probes on one connection */
};

void runner_init(
    struct runner *r, struct loop *loop, void (*done)(struct runner *r, enum probe_step step));
void runner_start(struct runner *r, const struct recipe *recipe); /* borrowed until done */
void runner_cancel(struct runner *r);                             /* harmless when idle */
