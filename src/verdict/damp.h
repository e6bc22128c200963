/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * damp -- an address that keeps going up and down is held in one state (2-model, rule 9).
 *
 *	verdict  ______--__--__--__--__--_____--______________________________
 *	                             ^ more than `transitions` in `window`
 *	says     ______--__--__--__--________________________________________
 *	                             |<- hold ->|<---- twice as long ---->| released
 *	                                        ^ still flapping
 *
 * The hold says down, or up where the caller finds that safer when it begins. When it ends it is
 * prolonged, each time to twice the length up to `hold_max`, if there was a transition during it
 * and still too many are in the window; else the verdict is heard again. So while it is held
 * nothing reaches the answers, and a hold costs one change at most beside the transition that began
 * it, and one more where it is turned. A window without a transition forgets everything, the length
 * of the holds included.
 *
 * Pure: the time is passed in and never goes back. How often it is asked makes no difference.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

#define DAMP_TRANSITIONS_MAX 30

struct damp_rule {
	uint32_t transitions; /* so many are fine; 0: no damping */
	uint32_t window_ms;
	uint32_t hold_ms, hold_max_ms; /* hold_max_ms >= hold_ms */
};

struct damp {
	bool known, up; /* the latest verdict */
	bool held, held_up;
	uint32_t hold_ms; /* the latest hold's length; 0: none of late */
	int64_t until_ms; /* of the hold */
	unsigned n;       /* transitions of late, at most as many as matter, oldest first */
	int64_t at_ms[DAMP_TRANSITIONS_MAX + 1];
};

enum damp_news { DAMP_NO_NEWS, DAMP_HELD, DAMP_RELEASED };

/* The verdict is this now; the first one is no transition. All zero is a fresh damp. */
MUST_USE enum damp_news
damp_feed(struct damp *d, const struct damp_rule *rule, bool up, bool up_is_safer, int64_t now_ms);
/* Is it held down, though up? */
bool damp_waits(const struct damp *d);
/* It is missed now: what waits is held up instead, to the end of the hold. */
void damp_turn(struct damp *d);
/* What counts: the verdict, or what is held. */
bool damp_says_up(const struct damp *d);
/* When it wants to be fed even if nothing changes; INT64_MAX: it remembers nothing. */
int64_t damp_due(const struct damp *d, const struct damp_rule *rule);

/* For memory over a restart. Parsing: 0, or -EINVAL and a fresh damp. */
#define DAMP_TEXT_SIZE 768
char *damp_text(const struct damp *d, char out[DAMP_TEXT_SIZE]);
MUST_USE int damp_parse(struct damp *d, const char *text);
