/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "verdict/flap.h"

#include "base/check.h"

void
flap_init(struct flap *f, enum flap_verdict start)
{
	*f = (struct flap){ .magic = FLAP_MAGIC, .verdict = (uint8_t)start };
}

/* Contrary outcomes in a row that overturn the verdict; nothing vouches for UNKNOWN, so a single
 * pass ends it. */
static uint8_t
limit_of(const struct flap *f, const struct flap_rule *rule, bool passed)
{
	if (!passed)
		return rule->fall;
	return f->verdict == FLAP_UNKNOWN ? 1 : rule->rise;
}

enum flap_edge
flap_feed(struct flap *f, const struct flap_rule *rule, bool passed)
{
	const enum flap_verdict says = passed ? FLAP_UP : FLAP_DOWN;

	OBJ_CHECK(f, FLAP_MAGIC);
	CHECK(rule->fall > 0 && rule->rise > 0);

	if (f->verdict == says) {
		f->streak = 0;
		return FLAP_STEADY;
	}
	if (++f->streak < limit_of(f, rule, passed))
		return FLAP_STEADY;

	f->verdict = (uint8_t)says;
	f->streak = 0;
	return passed ? FLAP_WENT_UP : FLAP_WENT_DOWN;
}

bool
flap_doubts(const struct flap *f)
{
	OBJ_CHECK(f, FLAP_MAGIC);
	return f->streak > 0;
}
