/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * track -- the last edges of a verdict, with their causes: where it came from, for people.
 *
 * Room is taken with the first edges only: most verdicts never change. Causes are kept by
 * reference. Single-threaded, no clock.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/json.h"
#include "verdict/flap.h"

#define TRACK_MAX 16

struct track_edge {
	int64_t at_ms; /* real time */
	const char *cause;
	uint8_t verdict;
};

struct track {
	struct track_edge *edges; /* a ring once it is full */
	uint8_t count, cap, next; /* next: where the next one goes */
};

void track_fini(struct track *t);
/* `cause` must outlive the track; "" for up. */
void track_add(struct track *t, enum flap_verdict v, const char *cause, int64_t at_ms);
/* The newest; NULL if there is none. */
const struct track_edge *track_last(const struct track *t);
/* Newest first: [{at, verdict, cause}]. New reference. */
MUST_USE json_t *track_json(const struct track *t);

extern const char *const track_words[]; /* by flap_verdict: "unknown", "up", "down" */
