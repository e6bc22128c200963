/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * flap -- turn a noisy stream of probe outcomes into a calm verdict (2-model, rule 2).
 *
 *             `fall` failures in a row
 *      UP  ------------------------------>  DOWN
 *          <------------------------------
 *             `rise` passes in a row
 *
 * An outcome that agrees with the verdict wipes the contrary streak. While a contrary streak is
 * open the next probe is due after `recheck` instead of `interval` (rapid recheck). From UNKNOWN
 * the first outcome is not yet a verdict unless the matching count is 1: `fall` fails make it down,
 * the first pass makes it up.
 *
 * Pure: no clock, no allocation, no I/O. Thread: a flap belongs to one probe thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

struct flap_rule {
	uint8_t fall; /* >= 1 */
	uint8_t rise; /* >= 1 */
};

enum flap_verdict { FLAP_UNKNOWN, FLAP_UP, FLAP_DOWN };

struct flap {
	uint32_t magic;
#define FLAP_MAGIC 0x51a9e3f7u
	uint8_t verdict; /* enum flap_verdict */
	uint8_t streak;  /* outcomes in a row that contradict it */
};

enum flap_edge { FLAP_STEADY, FLAP_WENT_UP, FLAP_WENT_DOWN };

void flap_init(struct flap *f, enum flap_verdict start);
MUST_USE enum flap_edge flap_feed(struct flap *f, const struct flap_rule *rule, bool passed);
/* A contrary streak is open: recheck soon. */
bool flap_doubts(const struct flap *f);
