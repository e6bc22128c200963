/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * health -- folding: checks to address, addresses to pool, pools to domain (2-model, rules 4 to 7).
 *
 * Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum health {
	HEALTH_UNKNOWN,
	HEALTH_OK,
	HEALTH_OK_ALERT,
	HEALTH_EXCEPTIONAL,
	HEALTH_OK_NO_MONITOR
};
extern const char
    *const health_words[]; /* "unknown", "ok", "ok_alert", "exceptional", "ok_no_monitor", NULL */

/* When a part that fails still leaves the whole healthy. `all_ok` is percent 100, `any_ok` is
 * at_least 1. */
enum healthy_kind {
	HEALTHY_ANY_OK,
	HEALTHY_P30_OK,
	HEALTHY_P50_OK,
	HEALTHY_P70_OK,
	HEALTHY_ALL_OK,
	HEALTHY_AT_LEAST,
	HEALTHY_PERCENT
};
struct healthy_when {
	int kind;
	uint32_t n; /* AT_LEAST: count; PERCENT: 1..100 */
};
extern const char *const healthy_words[]; /* the five plain words, NULL */

/* Exact: `ok * 100 >= p * total`, no rounding. AT_LEAST n is never met by fewer than n, even if
 * total < n. */
bool health_met(const struct healthy_when *rule, uint32_t ok, uint32_t total);

/* Address, from its checks: `up` of `total`; `unknown` of them have no verdict yet and are counted
 * in `up` (unknown counts as up). total 0: ok_no_monitor. All unknown: unknown. */
enum health
health_address(const struct healthy_when *rule, uint32_t up, uint32_t unknown, uint32_t total);
/* Pool, from its enabled members. total 0: exceptional. */
enum health health_pool(const struct healthy_when *rule, uint32_t available, uint32_t total);
/* Domain, from its pools. total 0: exceptional (the tree treats it as absent). */
enum health health_domain(uint32_t available, uint32_t total);
bool health_is_available(enum health h); /* anything but exceptional */
