/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fake_steer -- for tests: overlays with a fixed answer in place of the room steer.
 *
 * Answers in the order given, so what respond makes of plans is repeatable.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steer/position.h"

#define FAKE_RRS_MAX 8

/* What stands behind zone_node.overlay. `rdata` is text of `type`, NULL after the last. */
struct fake_domain {
	uint16_t type;
	bool fallback;
	const char *rdata[FAKE_RRS_MAX];
	unsigned (*scope)(const struct position *at); /* NULL: the client does not matter */
	bool no_ecs;                                  /* the subnet does not count */
};

const void *fake_steer_new(const struct fake_domain *d);
void fake_steer_free(const void *overlay);
