/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/crowd.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "net/cidr.h"
#include "sim/chance.h"

/* -- where -- */

/* The bits after the prefix by chance; of IPv6 the subnet, as hosts within it are alike to
 * everybody. */
static void
draw_in(struct addr *a, const struct cidr *c, struct rand_state *r)
{
	const size_t len = c->family == AF_INET ? 4 : 16;
	uint8_t ip[16], noise[16];

	for (size_t i = 0; i < sizeof(noise); i += sizeof(uint64_t)) {
		const uint64_t v = rand_next(r);

		memcpy(noise + i, &v, sizeof(v));
	}
	for (size_t i = 0; i < len; i++) {
		const unsigned fixed = c->bits <= i * 8 ? 0 : c->bits - (unsigned)i * 8;
		const uint8_t mask = fixed >= 8 ? 0xff : (uint8_t)(0xff00 >> fixed);

		ip[i] = (uint8_t)((c->ip[i] & mask) | (noise[i] & ~mask));
	}
	addr_ip_set(a, c->family, ip, 0);
}

/* A row by its share. `shares[i]` are `stride` bytes apart. */
static size_t
draw_row(const void *shares, size_t count, size_t stride, struct rand_state *r)
{
	const uint8_t *at = shares;
	uint64_t sum = 0, point;
	size_t i = 0;

	for (size_t k = 0; k < count; k++)
		sum += *(const uint32_t *)(const void *)(at + k * stride);
	CHECK(sum > 0);
	point = rand_below(r, sum);
	for (;; i++) {
		const uint32_t share = *(const uint32_t *)(const void *)(at + i * stride);

		if (point < share)
			return i;
		point -= share;
	}
}

/* Addresses of the Internet at large, so that no two resolvers are neighbours by design. */
static void
draw_place(struct addr *a, const struct sim_resolvers *spec, struct rand_state *r)
{
	static const struct cidr anywhere[] = {
		{ .bits = 3, .family = AF_INET, .ip = { 32 } },
		{ .bits = 3, .family = AF_INET, .ip = { 64 } },
		{ .bits = 2, .family = AF_INET, .ip = { 128 } },
	};
	const struct sim_from *from = spec->from.items;
	struct cidr c;

	if (spec->from.count == 0) {
		draw_in(a, &anywhere[rand_below(r, ARRAY_LEN(anywhere))], r);
		return;
	}
	CHECK(cidr_parse(
		  &c, from[draw_row(&from->share, spec->from.count, sizeof(*from), r)].cidr) == 0);
	draw_in(a, &c, r);
}

/* -- who -- */

static void
draw_ttl(struct crowd_cache *c, const struct sim_resolvers *spec, struct rand_state *r)
{
	const struct sim_ttl *ttl = spec->ttl.items;

	if (spec->ttl.count == 0)
		return;
	ttl += draw_row(&ttl->share, spec->ttl.count, sizeof(*ttl), r);
	c->mode = (uint8_t)ttl->mode;
	c->ttl_ms = ttl->time_ms;
}

static void
add_resolver(struct crowd *c, const struct sim_resolvers *spec, double rate, struct rand_state *r)
{
	struct crowd_cache cache = { .rate = rate };
	const bool ecs = rand_below(r, 100) < spec->ecs;
	const uint32_t subnets = ecs ? spec->subnets : 1, n = subnets * spec->caches;

	draw_place(&cache.resolver, spec, r);
	draw_ttl(&cache, spec, r);
	cache.whole_seconds = spec->whole_seconds;
	cache.rate = rate / n;
	for (uint32_t i = 0; i < n; i++) {
		if (ecs && i % spec->caches == 0)
			draw_place(&cache.subnet, spec, r);
		c->caches[c->count++] = cache;
	}
}

void
crowd_init(struct crowd *c, const struct sim_resolvers *spec, struct rand_state *r)
{
	const size_t most =
	    (size_t)spec->count * (spec->ecs > 0 ? spec->subnets : 1) * spec->caches;
	double sum = 0;

	*c = (struct crowd){
		.caches = xcalloc(most, sizeof(*c->caches)),
		.rate = spec->rate,
	};
	for (uint32_t i = 0; i < spec->count; i++)
		sum += pow(i + 1, -spec->skew);
	for (uint32_t i = 0; i < spec->count; i++)
		add_resolver(c, spec, spec->rate * pow(i + 1, -spec->skew) / sum, r);
}

void
crowd_fini(struct crowd *c)
{
	free(c->caches);
	*c = (struct crowd){ 0 };
}

void
crowd_first(struct addr *a, const char *cidr)
{
	struct cidr c;

	*a = (struct addr){ 0 };
	if (cidr == NULL)
		return;
	CHECK(cidr_parse(&c, cidr) == 0);
	addr_ip_set(a, c.family, c.ip, 0);
}

double
crowd_keeps(const struct crowd_cache *c, uint32_t ttl_s)
{
	const double ttl = ttl_s, time = c->ttl_ms / 1000.0;

	if (c->mode == SIM_TTL_STRETCH)
		return ttl > time ? ttl : time;
	return c->mode == SIM_TTL_CAP && ttl > time ? time : ttl;
}

double
crowd_until(const struct crowd_cache *c, double now_s, uint32_t ttl_s)
{
	return (c->whole_seconds ? floor(now_s) : now_s) + crowd_keeps(c, ttl_s);
}
