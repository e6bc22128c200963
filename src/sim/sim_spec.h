/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sim_spec -- what is simulated, as a request says it: a field table, so that defaults, ranges and
 * error paths are those of the rest of the product.
 *
 *	{ "name": "www.example.com", "type": "A",
 *	  "resolvers": { "count": 2000, "skew": 1.0, "rate": 1000,
 *	                 "ttl": [ { "mode": "honour", "share": 9 }, { "mode": "stretch", "time":
 *"5m" } ] }, "failures": [ { "address": "dc-a-1", "down": "10m", "up": "20m" } ], "duration": "1h",
 *"warm_up": "10m", "seed": 1 }
 */
#pragma once

#include "base/arena.h"
#include "base/diag.h"
#include "base/json.h"
#include "model/field.h"
#include "model/time_codec.h"

enum sim_ttl_mode { SIM_TTL_HONOUR, SIM_TTL_STRETCH, SIM_TTL_CAP };

struct sim_ttl {
	int mode;
	uint32_t time_ms; /* stretch: kept no shorter; cap: kept no longer */
	uint32_t share;   /* of the resolvers, relative to the others */
};

struct sim_from {
	const char *cidr;
	uint32_t share;
};

/* Which record of an answer with several the clients use. */
enum sim_take { SIM_TAKE_FIRST, SIM_TAKE_ANY };

struct sim_resolvers {
	uint32_t count;
	double skew;            /* exponent of Zipf's law over the resolvers' client rates */
	uint32_t rate;          /* clients a second, of all */
	struct field_list ttl;  /* struct sim_ttl; empty: all honour it */
	struct field_list from; /* struct sim_from; empty: from anywhere */
	uint32_t ecs;           /* per cent that send EDNS Client Subnet ... */
	uint32_t subnets;       /* ... for so many subnets each */
	uint32_t caches;        /* behind the address of each, with equal parts of its clients */
	bool whole_seconds;     /* they count TTLs in seconds of their clock, as most do */
	int take;
};

struct sim_failure {
	const char *address;
	uint32_t down_ms, up_ms; /* up 0: never */
};

struct sim_spec {
	const char *name, *type;
	uint32_t ttl_s, ttl_min_s; /* 0: as the model says */
	int balance;               /* enum sim_balance */
	struct sim_resolvers resolvers;
	struct field_list failures; /* struct sim_failure */
	uint32_t probe_loss;        /* per cent of all packets of probes, each way */
	bool probe_repeat;          /* within a probe, as the server does */
	uint32_t duration_ms, warm_up_ms, window_ms;
	uint32_t seed;
	int64_t starts_ms; /* real time at which it begins; TIME_NEVER: not told */
};
enum sim_balance { SIM_AS_CONFIGURED, SIM_ANSWERS, SIM_TRAFFIC };

extern const struct field sim_spec_fields[];

/* 0, or -EINVAL with every problem under its path. Strings live in `a`. */
MUST_USE int
sim_spec_read(struct sim_spec *s, const json_t *request, struct arena *a, struct diag *d);
