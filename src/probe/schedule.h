/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * schedule -- when the next probe of a check is due.
 *
 *	            |<----- interval ----->|
 *	 ...--------s----------------------s----------------------s---> monotonic ms
 *	            its slot                        F  r  r
 *	                                            a contrary outcome, then rechecks, then its slot
 * again
 *
 * Every check has a place of its own within the interval, its *slot*. Places follow the golden
 * ratio in the order of arrival, so that any number of checks is spread evenly whenever you look.
 * From start to start it is never longer than the interval: who leaves the slot (first round,
 * recheck) comes back to it early rather than late.
 *
 * Pure: time is passed in, milliseconds of the monotonic clock.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct schedule_rhythm {
	uint32_t interval_ms, timeout_ms, recheck_ms;
};

/* The place of the n-th check, as a fraction of the interval in units of 2^-64. */
uint64_t schedule_spread(uint64_t n);

/*
 * After a probe that was due at `start_ms` and took `spent_ms` (lateness included). `doubt`: its
 * outcome contradicts the verdict, so look again soon. Never before the probe's own end.
 */
uint64_t schedule_next(const struct schedule_rhythm *r, uint64_t spread, uint64_t start_ms,
    uint64_t spent_ms, bool doubt);

/* After a probe that could not be made for want of descriptors: soon, but not all at once. */
uint64_t schedule_retry(const struct schedule_rhythm *r, uint64_t spread, uint64_t now_ms);

/*
 * Within a probe: how often what may have been lost is repeated. Eight tries, an eighth of its time
 * apart; closer than 20 ms, a slow way would be taken for a loss.
 */
uint32_t schedule_repeat_ms(uint32_t timeout_ms);

/* Lets first probes go out at once, but 5,000 a second at most. Zero-initialised. */
struct schedule_pace {
	uint64_t next_us;
};
#define SCHEDULE_PACE_US 200
uint64_t schedule_pace(struct schedule_pace *p, uint64_t now_ms); /* when to start, in ms */
