/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * crowd -- the caches that ask, drawn from a description by a seed.
 *
 *	resolver n (clients ~ n^-skew) --without ECS--> one cache
 *	                               --with ECS-----> a cache per client subnet
 *
 * Pure but for memory.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rand.h"
#include "net/addr.h"
#include "sim/sim_spec.h"

struct crowd_cache {
	double rate; /* clients a second */
	struct addr resolver;
	struct addr subnet; /* EDNS Client Subnet: a /24 or /56; no address: none is sent */
	uint32_t ttl_ms;    /* of `mode` */
	uint8_t mode;       /* enum sim_ttl_mode */
	bool whole_seconds;
};

struct crowd {
	struct crowd_cache *caches;
	size_t count;
	double rate; /* of all */
};

/* `spec` as sim_spec_read accepted it. */
void crowd_init(struct crowd *c, const struct sim_resolvers *spec, struct rand_state *r);
void crowd_fini(struct crowd *c);

/* The first address of a range; of "anywhere" (NULL) one without a line of its own: no address. */
void crowd_first(struct addr *a, const char *cidr);
/* How long a cache keeps an answer of `ttl_s`, in seconds. */
double crowd_keeps(const struct crowd_cache *c, uint32_t ttl_s);
/* When what it got at `now_s` runs out. */
double crowd_until(const struct crowd_cache *c, double now_s, uint32_t ttl_s);
