/* SPDX-License-Identifier: GPL-3.0-or-later */
/* history -- the last observations of a check, for people. Pure; the owner locks. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/json.h"

#define HISTORY_MAX 16

struct observation {
	int64_t at_ms;                                        /* real time of its end */
	uint32_t connect_us, tls_us, first_byte_us, total_us; /* 0 = not got there */
	uint16_t status;                                      /* of HTTP or a script, 0 = none */
	uint16_t reason;                                      /* reason_of(cause, text) */
	bool passed;
};

/* Most of what a check costs in memory is this, so it is kept small: times in units of 4 us. */
struct history_entry {
	uint16_t at_ms[3];
	uint16_t status;
	uint16_t reason; /* the highest bit: passed */
	uint8_t phases[4][3];
};

struct history {
	struct history_entry ring[HISTORY_MAX];
	uint32_t count; /* ever, or at least HISTORY_MAX */
};

void history_add(struct history *h, const struct observation *o);
/*
 * {at, passed, cause, resolve, connect, tls, first_byte, total, text}; times in ms since the start,
 * or null. `resolve` is null: targets are numeric.
 */
MUST_USE json_t *history_observation_json(const struct observation *o);
/* An array of them, newest first. */
MUST_USE json_t *history_json(const struct history *h);
