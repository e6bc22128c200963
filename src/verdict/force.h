/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * force -- what operators impose on an object at a moment: its override or one of its maintenance
 * windows (2-model, rule 5).
 *
 *	override   ----[============until)---------------------------
 *	window 0   --------------[======)---------[======)---------[=    every ...
 *	in force   ----[override   )[w 0)---------[w 0   )---------[w
 *
 * An override in force wins over every window. Of windows open at the same time the most cautious
 * wins: down, drain, hold, up; of equal ones the first. A moment belongs to the span that begins
 * with it.
 *
 * Pure: the time is passed in, so that server, restart and simulation come to the same.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

enum force {
	FORCE_NONE,
	FORCE_UP,
	FORCE_HOLD, /* of windows only: verdicts stay as they were when it began */
	FORCE_DRAIN,
	FORCE_DOWN
};

struct force_override {
	enum force force; /* NONE: there is no override */
	int64_t until_ms; /* INT64_MAX: until it is lifted */
};

/* The first time [starts_ms, ends_ms), then again each `every_ms`, which is no less than that. */
struct force_window {
	int64_t starts_ms, ends_ms;
	int64_t every_ms; /* 0: once */
	enum force force;
};

#define FORCE_BY_OVERRIDE (-1)

struct force_verdict {
	enum force force;
	int by;           /* which window, or FORCE_BY_OVERRIDE; of NONE without meaning */
	int64_t until_ms; /* when that override or window ends; INT64_MAX: never by itself */
	int64_t next_ms;  /* later than now; nothing changes before; INT64_MAX: never */
};

/* One time that a window is open: [starts, ends). */
struct force_span {
	int64_t starts_ms, ends_ms;
};

/* The first one that ends later than now, so it is open or to come; false: it is over for good. */
MUST_USE bool force_span(const struct force_window *w, int64_t now_ms, struct force_span *out);

/* O(n). */
struct force_verdict force_at(
    const struct force_override *o, const struct force_window *windows, size_t n, int64_t now_ms);
