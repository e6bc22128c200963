/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "verdict/health.h"

#include <stddef.h>

#include "base/check.h"

const char *const health_words[] = {
	[HEALTH_UNKNOWN] = "unknown",
	[HEALTH_OK] = "ok",
	[HEALTH_OK_ALERT] = "ok_alert",
	[HEALTH_EXCEPTIONAL] = "exceptional",
	[HEALTH_OK_NO_MONITOR] = "ok_no_monitor",
	NULL,
};

const char *const healthy_words[] = {
	[HEALTHY_ANY_OK] = "any_ok",
	[HEALTHY_P30_OK] = "p30_ok",
	[HEALTHY_P50_OK] = "p50_ok",
	[HEALTHY_P70_OK] = "p70_ok",
	[HEALTHY_ALL_OK] = "all_ok",
	NULL,
};

static bool
share_met(uint32_t percent, uint32_t ok, uint32_t total)
{
	return (uint64_t)ok * 100 >= (uint64_t)percent * total;
}

bool
health_met(const struct healthy_when *rule, uint32_t ok, uint32_t total)
{
	switch ((enum healthy_kind)rule->kind) {
	case HEALTHY_ANY_OK:
		return ok >= 1;
	case HEALTHY_P30_OK:
		return share_met(30, ok, total);
	case HEALTHY_P50_OK:
		return share_met(50, ok, total);
	case HEALTHY_P70_OK:
		return share_met(70, ok, total);
	case HEALTHY_ALL_OK:
		return share_met(100, ok, total);
	case HEALTHY_AT_LEAST:
		return ok >= rule->n;
	case HEALTHY_PERCENT:
		return share_met(rule->n, ok, total);
	}
	check_failed("a healthy_when nobody knows", __FILE__, __LINE__, __func__);
}

/* Rules 4 and 6 in common: a whole without a failing part is ok whatever `rule` asks. */
static enum health
fold(const struct healthy_when *rule, uint32_t ok, uint32_t total)
{
	CHECK(ok <= total);
	if (ok == total)
		return HEALTH_OK;
	return health_met(rule, ok, total) ? HEALTH_OK_ALERT : HEALTH_EXCEPTIONAL;
}

enum health
health_address(const struct healthy_when *rule, uint32_t up, uint32_t unknown, uint32_t total)
{
	CHECK(unknown <= up);
	if (total == 0)
		return HEALTH_OK_NO_MONITOR;
	if (unknown == total)
		return HEALTH_UNKNOWN;
	return fold(rule, up, total);
}

enum health
health_pool(const struct healthy_when *rule, uint32_t available, uint32_t total)
{
	return total == 0 ? HEALTH_EXCEPTIONAL : fold(rule, available, total);
}

enum health
health_domain(uint32_t available, uint32_t total)
{
	static const struct healthy_when any = { .kind = HEALTHY_ANY_OK };

	return total == 0 ? HEALTH_EXCEPTIONAL : fold(&any, available, total);
}

bool
health_is_available(enum health h)
{
	return h != HEALTH_EXCEPTIONAL;
}
