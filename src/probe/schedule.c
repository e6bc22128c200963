/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "probe/schedule.h"

#define GOLDEN   0x9e3779b97f4a7c15u /* 2^64 / phi */
#define RETRY_MS 250u
#define TRIES    8u
#define LEAST_MS 20u

static uint64_t
max(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t
min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* `share` * 2^-64 of `whole`. */
static uint64_t
part(uint64_t share, uint32_t whole)
{
	return (uint64_t)((unsigned __int128)share * whole >> 64);
}

uint64_t
schedule_spread(uint64_t n)
{
	return n * GOLDEN;
}

/* The first time of the slot that is not before `earliest_ms`. */
static uint64_t
slot_from(const struct schedule_rhythm *r, uint64_t spread, uint64_t earliest_ms)
{
	const uint64_t place = part(spread, r->interval_ms);
	const uint64_t past = earliest_ms % r->interval_ms;

	return earliest_ms + (place + r->interval_ms - past) % r->interval_ms;
}

/*
 * The slot, if it comes within the interval. If it would have come while the probe still ran, a
 * probe in between bridges the way to the next one. Who overran the whole interval (a paused
 * machine) just waits for the slot, or all would start in the same moment.
 */
static uint64_t
next_round(
    const struct schedule_rhythm *r, uint64_t spread, uint64_t start_ms, uint64_t earliest_ms)
{
	const uint64_t slot_ms = slot_from(r, spread, earliest_ms);
	const uint64_t latest_ms = start_ms + r->interval_ms;

	if (slot_ms <= latest_ms || earliest_ms >= latest_ms)
		return slot_ms;
	return max(earliest_ms, start_ms + r->interval_ms / 2);
}

uint64_t
schedule_next(const struct schedule_rhythm *r, uint64_t spread, uint64_t start_ms,
    uint64_t spent_ms, bool doubt)
{
	const uint64_t earliest_ms = start_ms + max(spent_ms, 1);

	if (!doubt)
		return next_round(r, spread, start_ms, earliest_ms);
	return max(earliest_ms, start_ms + min(r->recheck_ms, r->interval_ms));
}

uint64_t
schedule_retry(const struct schedule_rhythm *r, uint64_t spread, uint64_t now_ms)
{
	const uint32_t wait_ms = (uint32_t)min(RETRY_MS, r->interval_ms);

	return now_ms + (wait_ms + 1) / 2 + part(spread, wait_ms);
}

uint32_t
schedule_repeat_ms(uint32_t timeout_ms)
{
	return (uint32_t)max(timeout_ms / TRIES, LEAST_MS);
}

uint64_t
schedule_pace(struct schedule_pace *p, uint64_t now_ms)
{
	const uint64_t at_us = max(p->next_us, now_ms * 1000);

	p->next_us = at_us + SCHEDULE_PACE_US;
	return at_us / 1000;
}
