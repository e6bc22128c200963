/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lag -- by how much probes started later than scheduled: a histogram. Pure; the owner locks. */
#pragma once

#include <stdint.h>

#include "base/attr.h"
#include "base/json.h"

#define LAG_BUCKETS 12 /* the last one has no bound */

struct lag {
	uint64_t counts[LAG_BUCKETS];
	uint64_t sum_us;
};

void lag_add(struct lag *l, uint64_t late_us);
/* {histogram: [[bound in seconds, count up to it] ...], sum, count}; the last bound is null. */
MUST_USE json_t *lag_json(const struct lag *l);
