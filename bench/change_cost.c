/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * change_cost -- what one change costs the engine in user-space instructions, beside so many
 * domains of two pools and two checked addresses each, and ten times as many records. Run by
 * model_scale.py under callgrind, which counts between the marks, at two sizes.
 *
 *	change_cost DOMAINS CHANGES
 */
#define URCU_API_MAP
#include <urcu/urcu-qsbr.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <valgrind/callgrind.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/rand.h"
#include "dns/name.h"
#include "dns/rrtype.h"
#include "steer/tree.h"
#include "verdict/word.h"
#include "zone/zones.h"

#define APEX    "example.com"
#define RECORDS 10 /* for each domain */
#define AT_ONCE 10000

static struct zone *zone;
static struct rand_state dice;
static struct word_table *words;
static struct tree *tree;
static unsigned domains;
static uint32_t *slots; /* of the addresses' checks */
static uint64_t overlays, events;

/* -- what the tree tells -- */

/* 10.0.0.0 plus its number. */
static void
want(void *arg UNUSED, const struct tree_check *c)
{
	unsigned a, b, d;

	CHECK(sscanf(c->ip, "10.%u.%u.%u", &a, &b, &d) == 3);
	slots[a << 16 | b << 8 | d] = c->slot;
}

static void
drop(void *arg UNUSED, const char *key UNUSED, uint32_t slot UNUSED)
{
}

static void
overlay(void *arg UNUSED, const uint8_t *host, const void *block, bool shown UNUSED)
{
	zone_overlay(zone, host, block);
	overlays++;
}

static void
status(void *arg UNUSED, enum kind kind UNUSED, const char *name UNUSED, const char *told UNUSED)
{
}

static void
event(void *arg UNUSED, const struct tree_event *e UNUSED)
{
	events++;
}

static void
remember(void *arg UNUSED, const char *key UNUSED, const char *value UNUSED)
{
}

/* -- the world -- */

static void PRINTF(4, 5)
    put(struct change_set *set, enum kind kind, const char *name, const char *spec, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, spec);
	vsnprintf(text, sizeof(text), spec, ap);
	va_end(ap);
	for (char *p = text; *p != '\0'; p++)
		*p = *p == '\'' ? '"' : *p;
	change_add(set, &(struct change_op){ .op = CHANGE_PUT,
			    .kind = kind,
			    .name = name,
			    .id = "0123456789abcdef",
			    .spec = text });
}

static void
put_site(struct change_set *set, unsigned i)
{
	char name[16];

	snprintf(name, sizeof(name), "a%u", i);
	put(set, KIND_ADDRESS, name,
	    "{'type':'ipv4','value':'10.%u.%u.%u','checks':[{'template':'t','port':80}]}", i >> 16,
	    i >> 8 & 255, i & 255);
	snprintf(name, sizeof(name), "p%u", i);
	put(set, KIND_POOL, name, "{'type':'ipv4','addresses':[{'address':'a%u'}]}", i);
}

static void
put_domain(struct change_set *set, unsigned i, unsigned weight)
{
	char name[64];

	snprintf(name, sizeof(name), "w%u." APEX "/A", i);
	put(set, KIND_DOMAIN, name,
	    "{'enabled':true,'strategy':'weight','pools':[{'pool':'p%u'},{'pool':'p%u',"
	    "'weight':%u}]}",
	    2 * i, 2 * i + 1, weight);
}

static void
apply(struct change_set *set)
{
	tree_apply(tree, set, 0);
	change_fini(set);
	change_init(set);
}

static void
make_tree(void)
{
	const struct tree_hooks hooks = { NULL, want, drop, overlay, status, event, remember };
	struct change_set set;

	tree = tree_new(words, 1, &hooks);
	change_init(&set);
	put(&set, KIND_ZONE, APEX, "{}");
	put(&set, KIND_TEMPLATE, "t", "{'protocol':'tcp','fall':1,'rise':1}");
	for (unsigned i = 0; i < domains; i++) {
		put_site(&set, 2 * i);
		put_site(&set, 2 * i + 1);
		put_domain(&set, i, 3);
		if (i % AT_ONCE == AT_ONCE - 1)
			apply(&set);
	}
	apply(&set);
	change_fini(&set);
}

static void
put_record(unsigned i, unsigned last)
{
	const uint8_t rdata[] = { 0, 4, 192, 0, 2, (uint8_t)last };
	uint8_t name[NAME_MAX_LEN];
	char host[64];

	snprintf(host, sizeof(host), "h%u." APEX, i);
	CHECK(name_parse_lower(host, name) > 0);
	zone_put(zone, name, rrset_new(RRTYPE_A, 60, rdata, sizeof(rdata)));
}

/* -- the changes -- */

/* Down, and up again with the next one. */
static void
change_verdict(unsigned i)
{
	static uint32_t slot;

	if (i % 2 == 1)
		slot = slots[rand_below(&dice, 2 * domains)];
	word_store(words, slot, i % 2 == 1 ? WORD_DOWN | i : i);
	tree_edge(tree, slot, "l4_refused", 1000 + i);
}

static void
change_weight(unsigned i)
{
	struct change_set set;

	change_init(&set);
	put_domain(&set, (unsigned)rand_below(&dice, domains), 4 + i % 100);
	apply(&set);
	change_fini(&set);
}

static void
change_record(unsigned i)
{
	put_record((unsigned)rand_below(&dice, domains * RECORDS), i % 250 + 1);
}

static void
add_record(unsigned i)
{
	put_record(domains * RECORDS + i, 1);
}

/* What was replaced is freed within it. */
static void
measure(const char *label, void (*change)(unsigned), unsigned n)
{
	change(1);
	change(2);
	rcu_barrier();
	CALLGRIND_ZERO_STATS;
	CALLGRIND_START_INSTRUMENTATION;
	for (unsigned i = 1; i <= n; i++)
		change(i);
	rcu_barrier();
	CALLGRIND_STOP_INSTRUMENTATION;
	CALLGRIND_DUMP_STATS_AT(label);
}

int
main(int argc, char **argv)
{
	uint8_t apex[NAME_MAX_LEN];

	CHECK(argc == 3);
	domains = (unsigned)atoi(argv[1]);

	const unsigned n = (unsigned)atoi(argv[2]);
	struct zones *zones = zones_new();

	CHECK(domains > 0 && n > 0);
	rand_seed(&dice, 1);
	rcu_register_thread();
	words = word_table_new();
	slots = xcalloc(2 * domains, sizeof(*slots));
	CHECK(name_parse_lower(APEX, apex) > 0);
	zone = zone_new(apex);
	zones_add(zones, zone);
	for (unsigned i = 0; i < domains * RECORDS; i++)
		put_record(i, 1);
	make_tree();
	CHECK(overlays == domains);
	measure("verdict", change_verdict, n);
	CHECK(events >= 2 * (uint64_t)n); /* of the address, its pool and the domain */
	measure("weight", change_weight, n);
	measure("record", change_record, n);
	measure("new-record", add_record, n);

	rcu_barrier();
	tree_free(&tree);
	zones_free(&zones);
	rcu_barrier();
	rcu_unregister_thread();
	word_table_free(&words);
	free(slots);
	return 0;
}
