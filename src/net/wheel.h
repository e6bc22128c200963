/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * wheel -- very many timers, each set and cancelled in O(1), in ticks of a millisecond.
 *
 *	level 0   64 slots of      1 ms    the rest of this 64 ms block
 *	level 1   64 slots of     64 ms    the rest of this 4 s block
 *	level 2   64 slots of   4096 ms    the rest of this 4 min block
 *	...       11 levels hold any 64-bit time
 *
 * A timer lies on the level of the highest digit (base 64) in which its due time differs from
 * now, so all of a lower level is due before all of a higher one. When time enters a slot of a
 * higher level, its timers move down; each timer moves at most once per level.
 *
 * Pure: time is passed in. Thread: the owner's. Timers live in the caller's structs; a timer
 * must be cancelled before its memory goes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/list.h"

#define WHEEL_LEVELS 11
#define WHEEL_SLOTS  64
#define WHEEL_NEVER  UINT64_MAX

struct wheel_timer {
	struct list link;
	uint64_t due_ms;
	void (*fire)(struct wheel_timer *t); /* not pending any more: may set it again or free it */
	uint16_t place;                      /* which list it is on; private */
};

struct wheel {
	uint64_t now_ms;               /* all timers due until then have fired */
	uint64_t filled[WHEEL_LEVELS]; /* bit = slot is not empty */
	struct list slots[WHEEL_LEVELS][WHEEL_SLOTS];
	struct list overdue; /* set with a time that was past already */
	size_t count;        /* pending timers */
};

void wheel_init(struct wheel *w, uint64_t now_ms);
void wheel_fini(struct wheel *w); /* cancels what is pending */

void wheel_timer_init(struct wheel_timer *t, void (*fire)(struct wheel_timer *t));
bool wheel_pending(const struct wheel_timer *t);

/* (Re)arm. A past time fires at the next wheel_advance, never inside the running one. */
void wheel_set(struct wheel *w, struct wheel_timer *t, uint64_t due_ms);
void wheel_cancel(struct wheel *w, struct wheel_timer *t); /* harmless when not pending */

/*
 * Fire all that is due until `now_ms`, in the order of their ticks. Callbacks may set and
 * cancel any timer; what they set for until `now_ms` fires in its turn, too.
 */
void wheel_advance(struct wheel *w, uint64_t now_ms);

/*
 * How long to sleep from `now_ms` before wheel_advance may have something to do, or WHEEL_NEVER.
 * Exact within the current 64 ms block; for later timers it may be early (a move down), never
 * late.
 */
uint64_t wheel_next(const struct wheel *w, uint64_t now_ms);
