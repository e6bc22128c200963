/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "probe/caps.h"

#include <string.h>

#define SECOND_US  UINT64_C(1000000)
#define BURST_ALL  1000 /* probes that may go out at once */
#define BURST_HOST 20
#define LOOK       8 /* places looked at for a host */

static struct caps_rate
rate(uint32_t per_s, uint64_t burst)
{
	if (per_s == 0)
		return (struct caps_rate){ 0 };

	const uint64_t gap_us = SECOND_US / per_s > 0 ? SECOND_US / per_s : 1;

	return (struct caps_rate){ gap_us, gap_us * (burst - 1) };
}

void
caps_all_init(struct caps_all *a, uint32_t per_s)
{
	a->rate = rate(per_s, BURST_ALL);
	atomic_init(&a->next_us, 0);
}

void
caps_init(struct caps *c, struct caps_all *all, uint32_t host_rate)
{
	memset(c, 0, sizeof(*c));
	c->all = all;
	c->host = rate(host_rate, BURST_HOST);
}

/* The host's entry, or a free one for it; NULL: all are busy. */
static struct caps_host *
find(struct caps *c, uint64_t key, uint64_t now_us)
{
	struct caps_host *vacant = NULL;

	for (unsigned i = 0; i < LOOK; i++) {
		struct caps_host *h = &c->hosts[(key + i) % CAPS_HOSTS];

		if (h->next_us <= now_us && (vacant == NULL || h->key == key))
			vacant = h;
		else if (h->key == key)
			return h;
	}
	if (vacant != NULL)
		*vacant = (struct caps_host){ key, 0 };
	return vacant;
}

/* The earliest time that this rate allows. */
static uint64_t
allowed(const struct caps_rate *r, uint64_t next_us, uint64_t at_us)
{
	return next_us > at_us + r->slack_us ? next_us - r->slack_us : at_us;
}

static uint64_t
later(const struct caps_rate *r, uint64_t next_us, uint64_t at_us)
{
	return (next_us > at_us ? next_us : at_us) + r->gap_us;
}

static struct caps_host *
host_of(struct caps *c, const struct addr *ip, uint64_t now_us)
{
	return c->host.gap_us > 0 ? find(c, addr_ip_hash(ip), now_us) : NULL;
}

/* The next place among all that is not before `at_us`; `only_then`: or none. When is it? */
static uint64_t
take(struct caps_all *a, uint64_t at_us, bool only_then)
{
	uint64_t next_us = atomic_load(&a->next_us), mine_us;

	if (a->rate.gap_us == 0)
		return at_us;
	do {
		mine_us = allowed(&a->rate, next_us, at_us);
		if (only_then && mine_us > at_us)
			return mine_us;
	} while (!atomic_compare_exchange_weak(
	    &a->next_us, &next_us, later(&a->rate, next_us, mine_us)));
	return mine_us;
}

uint64_t
caps_reserve(struct caps *c, const struct addr *ip, uint64_t now_us)
{
	struct caps_host *h = host_of(c, ip, now_us);
	const uint64_t host_us = h != NULL ? allowed(&c->host, h->next_us, now_us) : now_us;
	const uint64_t at_us = take(c->all, host_us, false);

	if (h != NULL)
		h->next_us = later(&c->host, h->next_us, at_us);
	return at_us;
}

bool
caps_take(struct caps *c, const struct addr *ip, uint64_t now_us)
{
	struct caps_host *h = host_of(c, ip, now_us);

	if (h != NULL && allowed(&c->host, h->next_us, now_us) > now_us)
		return false;
	if (take(c->all, now_us, true) > now_us)
		return false;
	if (h != NULL)
		h->next_us = later(&c->host, h->next_us, now_us);
	return true;
}
