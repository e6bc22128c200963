/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * compile -- from "these pools, these addresses, these strategies" to a plan. Private to the room.
 *
 * Who is available, who is current, and which clients get which pools has been decided by the
 * caller (see scene.h); here it is about shares and layout. Pure but for memory.
 *
 * Weight within weight is cut from one circle, the pools' intervals first and the addresses' within
 * theirs, so one draw decides both and both are exact. Wherever a weighted pool is not drawn with
 * its share, it has a sequence of its own.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steer/balance.h"
#include "steer/charts.h"
#include "steer/cursors.h"
#include "steer/plan.h"

struct compile_member {
	const char *value; /* canonical text: equal records have equal values */
	const uint8_t *rdata;
	uint16_t rdlen;
	uint16_t rrtype;
	uint32_t weight, order;
	uint32_t tag; /* the caller's number for it, comes back from plan_shares */
};

struct compile_pool {
	const char *name; /* what rendezvous among pools goes by */
	int strategy;     /* enum strategy */
	uint32_t max_answers;
	uint32_t weight, order;
	const struct compile_member *members;
	size_t count;            /* >= 1 */
	int64_t current;         /* sequence: index of the member to stay on, -1: none */
	struct cursors *cursors; /* of the link */
	unsigned ordinal;        /* of the link: chooses the step of a sequence of its own */
};

/* What one class of clients gets. */
struct compile_variant {
	int strategy; /* over its pools */
	struct compile_pool *pools;
	size_t count;    /* 0: nothing to answer with, and answered so */
	int64_t current; /* sequence: index of the pool to stay on, -1: none */
	struct cursors *cursors;
};

struct compile_input {
	uint32_t ttl_s;
	uint32_t max_answers; /* 0: no limit */
	uint16_t rrtype;      /* the domain's */
	bool fallback;
	bool zone_data;
	bool ecs;
	const struct compile_variant *variants; /* as many as the chart has parts; else 1 */
	size_t n_variants;
	struct chart *chart;     /* the plan takes a reference of its own */
	struct balance *balance; /* balance traffic; else NULL */
	uint32_t ttl_min_s;      /* with that: how far a TTL may be halved; 0: not at all */
};

MUST_USE struct plan *compile_plan(const struct compile_input *in);
