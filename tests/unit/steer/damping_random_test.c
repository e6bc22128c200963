/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Damping among pools that share addresses, under random verdicts: what must hold after each step,
 * whatever the history.
 *
 *	1. what is not held is as its verdict says
 *	2. a pool is there if enough of its members are, by its rule
 *	3. a pool that is down would be down with those that damping keeps out, too
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/rand.h"
#include "verdict/health.h"
#include "world.h"

#define ADDRESSES 5
#define POOLS     3
#define STEPS     400
#define ROUNDS    30

static struct world w;
static bool member[POOLS][ADDRESSES], raw_up[ADDRESSES];
static struct healthy_when rule[POOLS];

static void
verdict(int i, bool up)
{
	char key[32];

	raw_up[i] = up;
	snprintf(key, sizeof(key), "tcp/192.0.2.%d/80", i);
	world_verdict(&w, key, up ? 'U' : 'D');
}

static void
put_pool(int k, struct rand_state *dice)
{
	static const char *const rules[] = { "'any_ok'", "'all_ok'", "{'at_least':2}", "'p50_ok'" };
	static const struct healthy_when values[] = { { HEALTHY_ANY_OK, 0 }, { HEALTHY_ALL_OK, 0 },
		{ HEALTHY_AT_LEAST, 2 }, { HEALTHY_P50_OK, 0 } };
	const uint64_t n = rand_below(dice, ARRAY_LEN(rules));
	char name[4], links[256] = "";

	for (int i = 0; i < ADDRESSES; i++) {
		member[k][i] = rand_below(dice, 3) > 0;
		if (member[k][i])
			snprintf(links + strlen(links), sizeof(links) - strlen(links),
			    "%s{'address':'a%d'}", links[0] == '\0' ? "" : ",", i);
	}
	rule[k] = values[n];
	snprintf(name, sizeof(name), "p%d", k);
	world_put(&w, KIND_POOL, name, "{'type':'ipv4','healthy_when':%s,'addresses':[%s]}",
	    rules[n], links);
}

static void
build(struct rand_state *dice)
{
	world_init(&w, 1);
	world_put(&w, KIND_ZONE, "example.com", "{}");
	world_put(&w, KIND_TEMPLATE, "tcp", "{'protocol':'tcp'}");
	for (int i = 0; i < ADDRESSES; i++) {
		char name[4];

		snprintf(name, sizeof(name), "a%d", i);
		world_put(&w, KIND_ADDRESS, name,
		    "{'type':'ipv4','value':'192.0.2.%d','checks':[{'template':'tcp','port':80}],"
		    "'damping':{'transitions':%d,'window':'60s','hold':'10s','hold_max':'30s'}}",
		    i, (int)rand_below(dice, 4));
	}
	for (int k = 0; k < POOLS; k++)
		put_pool(k, dice);
	world_put(&w, KIND_DOMAIN, "www.example.com/A",
	    "{'enabled':true,'pools':[{'pool':'p0'},{'pool':'p1'},{'pool':'p2'}]}");
	world_apply(&w);
}

static bool
is_there(int i)
{
	char name[4];

	snprintf(name, sizeof(name), "a%d", i);
	return strcmp(world_status(&w, KIND_ADDRESS, name, "state"), "\"down\"") != 0;
}

static bool
is_held(int i)
{
	char name[4];

	snprintf(name, sizeof(name), "a%d", i);
	return strstr(world_status(&w, KIND_ADDRESS, name, "damped"), "held") != NULL;
}

static unsigned held_pools; /* a pool was there only with one that is held up */

static void
check(void)
{
	for (int i = 0; i < ADDRESSES; i++)
		assert_true(is_held(i) || is_there(i) == raw_up[i]);
	for (int k = 0; k < POOLS; k++) {
		uint32_t total = 0, there = 0, could = 0, plain = 0;
		char name[4];
		bool down;

		for (int i = 0; i < ADDRESSES; i++) {
			total += member[k][i];
			there += member[k][i] && is_there(i);
			could += member[k][i] && (is_there(i) || raw_up[i]);
			plain += member[k][i] && is_there(i) && !is_held(i);
		}
		if (total == 0)
			continue;
		snprintf(name, sizeof(name), "p%d", k);
		down = strcmp(world_status(&w, KIND_POOL, name, "state"), "\"down\"") == 0;
		assert_int_equal(down, !health_is_available(health_pool(&rule[k], there, total)));
		if (down)
			assert_false(health_is_available(health_pool(&rule[k], could, total)));
		else
			held_pools += !health_is_available(health_pool(&rule[k], plain, total));
	}
}

static void
damping_costs_no_pool(void **state)
{
	struct rand_state dice;

	(void)state;
	rand_seed(&dice, 11);
	for (int round = 0; round < ROUNDS; round++) {
		build(&dice);
		for (int i = 0; i < ADDRESSES; i++)
			verdict(i, true);
		for (int step = 0; step < STEPS; step++) {
			const int i = (int)rand_below(&dice, ADDRESSES);

			switch (rand_below(&dice, 8)) {
			case 0:
				world_pass(&w, (int64_t)rand_below(&dice, 15000));
				break;
			case 1:
				put_pool((int)rand_below(&dice, POOLS), &dice);
				world_apply(&w);
				break;
			default:
				verdict(i, rand_below(&dice, 2) == 0);
			}
			check();
		}
		world_fini(&w);
	}
	assert_true(held_pools > 500); /* it was about something */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(damping_costs_no_pool),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
