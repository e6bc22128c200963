/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * report -- a tally as JSON: shares against weights, loads over windows, drains.
 *
 *	{ name, type, ttl, balance, seed, caches, clients, queries,
 *	  members: [ { pool, address, value, desired, clients, expected: [low, high], answers,
 *	               max_deviation, stddev, peak } ],
 *	  load: { window, windows, max_deviation, stddev, peak, peak_p95 },
 *	  failures: [ { address, down, up, detected, clients, drained: { p50, p90, p99 },
 *dead_clients, curve: [ [seconds, share], ... ] } ] }
 *
 * Shares are parts of 1, times seconds. `expected`: where 95 % of runs would end if each answer
 *were an independent draw by weight: p +- 1.96 sqrt(p (1 - p) / n), n the number of answers that
 *count alike, (sum a)^2 / sum a^2 with a the clients of an answer. Load statistics are of the
 * windows in which the wanted shares have not changed for a TTL: what a failure moves is not a
 * fault of the balance. `peak` is load over wanted load. Pure.
 */
#pragma once

#include "base/json.h"
#include "sim/patrol.h"
#include "sim/stage.h"
#include "sim/tally.h"

struct report {
	const struct sim_spec *spec;
	const struct stage *stage;
	const struct tally *tally;
	const struct patrol *patrol;
	size_t caches;
	double rate;
};

MUST_USE json_t *report_make(const struct report *r);
