/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who takes part at all:
 *
 *			member of its pools	may answer		health counts
 *	up		yes			yes			no
 *	down		if enabled		no			-
 *	drain		no			no			-
 *	none, hold	if enabled		if enabled		yes
 */
#include "steer/live.h"

bool
live_address_counts(const struct live_address *a)
{
	const enum force force = a->live.imposed.force;

	return force == FORCE_UP || (live_address_spec(a)->enabled && force != FORCE_DRAIN);
}

bool
live_address_usable(const struct live_address *a)
{
	return live_address_counts(a) && a->live.imposed.force != FORCE_DOWN;
}

bool
live_pool_usable(const struct live_pool *p)
{
	const enum force force = p->live.imposed.force;

	return force == FORCE_UP ||
	       (live_pool_spec(p)->enabled && force != FORCE_DRAIN && force != FORCE_DOWN);
}

bool
live_domain_frozen(const struct live_domain *d)
{
	return d->live.imposed.force == FORCE_UP;
}

bool
live_domain_rests(const struct live_domain *d)
{
	return !live_domain_spec(d)->enabled || d->live.imposed.force == FORCE_DRAIN;
}
