/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "verdict/votes.h"

void
votes_add(struct votes *v, enum flap_verdict verdict, bool fresh)
{
	if (!fresh || verdict == FLAP_UNKNOWN)
		return;
	v->fresh++;
	v->down += verdict == FLAP_DOWN;
}

enum flap_verdict
votes_verdict(const struct votes *v, uint32_t failure_rate, enum flap_verdict held)
{
	if (v->fresh == 0)
		return held;
	return v->down > 0 && (uint64_t)v->down * 100 >= (uint64_t)failure_rate * v->fresh
		   ? FLAP_DOWN
		   : FLAP_UP;
}

bool
votes_differ(const struct votes *v)
{
	return v->down > 0 && v->down < v->fresh;
}
