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
	const char *cause, *text;                             /* static */
	uint32_t connect_us, tls_us, first_byte_us, total_us; /* 0 = not got there */
	uint16_t status;                                      /* of HTTP, 0 = none */
	bool passed;
};

struct history {
	struct observation ring[HISTORY_MAX];
	uint64_t count; /* ever */
};

void history_add(struct history *h, const struct observation *o);
/* [{at, passed, cause, connect, tls, first_byte, total, text}], newest first; times in ms or null.
 */
MUST_USE json_t *history_json(const struct history *h);
