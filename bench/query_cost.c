/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * query_cost -- what one answer costs in user-space instructions: respond() on prepared queries,
 * beside many steered domains and a line table of all countries. Run by query_cost.py under
 * callgrind, which counts between the marks; alone it prints nothing but times.
 *
 *	query_cost DOMAINS QUERIES RANGES
 *
 * "loop" is the measuring itself: the same calls of a function that does nothing.
 */
#define URCU_API_MAP
#include <urcu/urcu-qsbr.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <valgrind/callgrind.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/rand.h"
#include "dns/name.h"
#include "dns/rrtype.h"
#include "geo/atlas.h"
#include "model/line_tree.h"
#include "serve/respond.h"
#include "steer/tree.h"
#include "zone/zones.h"

#define APEX       "example.com"
#define PLACES     40  /* countries with a pool of their own */
#define MANY_POOLS 200 /* domains with a pool for every country */

static struct zones *zones;
static struct zone *zone;
static struct rand_state dice;
static char countries[256][3];
static uint16_t country_lines[256];
static unsigned n_countries;
static unsigned n_ranges; /* of IPv4; half as many of IPv6 */

/* -- the world -- */

static void
want(void *arg, const struct tree_check *c)
{
	(void)arg;
	(void)c;
}

static void
drop(void *arg, const char *key, uint32_t slot)
{
	(void)arg;
	(void)key;
	(void)slot;
}

static void
overlay(void *arg, const uint8_t *host, const void *block, bool shown UNUSED)
{
	(void)arg;
	zone_overlay(zone, host, block);
}

static void
status(void *arg, enum kind kind, const char *name, const char *told)
{
	(void)arg;
	(void)kind;
	(void)name;
	(void)told;
}

static void
event(void *arg, const struct tree_event *e)
{
	(void)arg;
	(void)e;
}

static void
remember(void *arg, const char *key, const char *value)
{
	(void)arg;
	(void)key;
	(void)value;
}

static void PRINTF(4, 5)
    put(struct change_set *set, enum kind kind, const char *name, const char *spec, ...)
{
	char text[16384];
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
list_countries(void)
{
	for (size_t i = 0; i < line_tree_count() && n_countries < 256; i++) {
		const struct line_info *l = line_tree_at(i);

		if (l->kind != LINE_COUNTRY || strlen(l->code) != 2)
			continue;
		memcpy(countries[n_countries], l->code, 3);
		country_lines[n_countries++] = l->index;
	}
	CHECK(n_countries > PLACES);
}

/* A random one of the size of the real ones: a country each, and a cloud or carrier now and then.
 */
static struct atlas *
random_atlas(void)
{
	struct atlas_draft *d = atlas_draft_new();
	const struct line_info *isp = line_tree_find("telecom"),
			       *cloud = line_tree_find("cloud_aws");

	for (int f = 0; f < ATLAS_FAMILIES; f++) {
		const uint64_t ranges = f == ATLAS_V4 ? n_ranges : n_ranges / 2;

		for (uint64_t i = 0; i < ranges; i++) {
			const unsigned at = (unsigned)rand_below(&dice, n_countries);
			const struct line_info *c = line_tree_at(country_lines[at]);
			const uint64_t more = rand_below(&dice, 16);
			const uint16_t lines[] = { c->index, c->parent->index,
				more == 0 ? isp->index : cloud->index };

			atlas_draft_from(d, f,
			    (struct atlas_point){
				.hi = (UINT64_MAX / ranges * i) &
				      (f == ATLAS_V4 ? 0xffffff0000000000u : 0xffffffffffff0000u) },
			    atlas_draft_set(d, lines, more < 2 ? 3 : 2));
		}
	}
	return atlas_draft_finish(&d);
}

static void
put_static(const char *host, int last)
{
	uint8_t name[NAME_MAX_LEN];
	const uint8_t rdata[] = { 0, 4, 192, 0, 2, (uint8_t)last };

	CHECK(name_parse_lower(host, name) > 0);
	zone_put(zone, name, rrset_new(RRTYPE_A, 60, rdata, sizeof(rdata)));
}

static void
put_soa(void)
{
	/* . . 1 1 1 1 1 */
	static const uint8_t soa[] = { 0, 22, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1,
		0, 0, 0, 1 };
	uint8_t name[NAME_MAX_LEN];

	CHECK(name_parse_lower(APEX, name) > 0);
	zone_put(zone, name, rrset_new(RRTYPE_SOA, 60, soa, sizeof(soa)));
}

/* One answer each of one record: what differs is how it is chosen. */
/* Names of one length: only the choice differs. */
static const char *const kinds[] = { "static--", "weight--", "sequence", "hash----", "geo-----",
	"geo-each" };
static const char *const labels[] = { "static", "weight", "sequence", "hash", "geo", "geo-each" };
static const char *const strategies[] = { "", "weight", "sequence", "hash", "source_nearest",
	"source_nearest" };
enum { STATIC, WEIGHT, SEQUENCE, HASH, GEO, GEO_ALL, KINDS };

static void
put_pools(struct change_set *set, char *links, size_t size, unsigned places)
{
	size_t len = (size_t)snprintf(links, size, "{'pool':'p0'}");

	for (unsigned i = 1; i <= places; i++) {
		char name[16];

		snprintf(name, sizeof(name), "p%u", i);
		put(set, KIND_ADDRESS, name, "{'type':'ipv4','value':'192.0.2.%u'}", i);
		put(set, KIND_POOL, name, "{'type':'ipv4','addresses':[{'address':'%s'}]}", name);
		len += (size_t)snprintf(
		    links + len, size - len, ",{'pool':'%s','lines':['%s']}", name, countries[i]);
	}
}

static struct tree *
make_tree(unsigned domains, struct word_table *words)
{
	const struct tree_hooks hooks = { NULL, want, drop, overlay, status, event, remember };
	struct tree *t = tree_new(words, 1, &hooks);
	static char geo[16384], geo_all[16384];
	struct change_set set;
	char name[64];

	tree_set_atlas(t, random_atlas());
	change_init(&set);
	put(&set, KIND_ZONE, APEX, "{}");
	put(&set, KIND_ADDRESS, "p0", "{'type':'ipv4','value':'192.0.2.200'}");
	put(&set, KIND_POOL, "p0", "{'type':'ipv4','addresses':[{'address':'p0'}]}");
	put_pools(&set, geo, sizeof(geo), PLACES);
	put_pools(&set, geo_all, sizeof(geo_all), n_countries - 1);
	for (unsigned i = 0; i < domains; i++) {
		const unsigned kind = WEIGHT + i % (KINDS - WEIGHT);

		/* a few of those that have hundreds of pools */
		if (kind == GEO_ALL && i / (KINDS - WEIGHT) >= MANY_POOLS)
			continue;
		snprintf(name, sizeof(name), "%s-%u." APEX "/A", kinds[kind], i / (KINDS - WEIGHT));
		put(&set, KIND_DOMAIN, name, "{'enabled':true,'strategy':'%s','pools':[%s]}",
		    strategies[kind],
		    kind == GEO_ALL ? geo_all
		    : kind == GEO   ? geo
				    : "{'pool':'p0'},{'pool':'p1','weight':3}");
	}
	tree_apply(t, &set, 0);
	change_fini(&set);
	return t;
}

/* -- queries -- */

struct query_bytes {
	uint16_t len;
	uint8_t bytes[12 + NAME_MAX_LEN + 4 + 22];
};

static uint16_t
make_query(uint8_t *out, const char *host, bool ecs)
{
	uint8_t *p = out;
	const uint64_t place = rand_below(&dice, UINT64_MAX);

	memcpy(p, (uint8_t[]){ 0x12, 0x34, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1 }, 12);
	p += 12;
	p += name_parse(host, p);
	memcpy(p, (uint8_t[]){ 0, 1, 0, 1 }, 4);
	p += 4;
	memcpy(p, (uint8_t[]){ 0, 0, 41, 4, 208, 0, 0, 0, 0, 0, (uint8_t)(ecs ? 11 : 0) }, 11);
	p += 11;
	if (ecs) {
		memcpy(p,
		    (uint8_t[]){ 0, 8, 0, 7, 0, 1, 24, 0, (uint8_t)place, (uint8_t)(place >> 8),
			(uint8_t)(place >> 16) },
		    11);
		p += 11;
	}
	return (uint16_t)(p - out);
}

/* Random names of one kind, so that nothing is found by luck. */
static void
make_queries(struct query_bytes *out, unsigned n, const char *kind, unsigned names, bool ecs)
{
	char host[64];

	for (unsigned i = 0; i < n; i++) {
		snprintf(
		    host, sizeof(host), "%s-%u." APEX, kind, (unsigned)rand_below(&dice, names));
		out[i].len = make_query(out[i].bytes, host, ecs);
	}
}

/* -- measuring -- */

static struct respond_counters counters;
static const struct serve_options *options;

typedef size_t answer_fn(const struct respond *, const struct respond_client *, const uint8_t *,
    size_t, uint8_t *, size_t);

static size_t NOINLINE
answer_nothing(const struct respond *r UNUSED, const struct respond_client *from UNUSED,
    const uint8_t *in UNUSED, size_t len UNUSED, uint8_t *out UNUSED, size_t cap UNUSED)
{
	return 0;
}

static void
measure(const char *label, answer_fn *answer, const struct query_bytes *q, unsigned n,
    unsigned want_answers)
{
	const struct respond r = {
		.zones = zones, .edns_udp_size = 1232, .options = &options, .counters = &counters
	};
	static uint8_t out[RESPOND_MAX];
	struct addr peer;
	uint64_t answers = 0, bytes = 0;

	CHECK(addr_parse(&peer, "198.51.100.7:5300", 0) == 0);

	const struct respond_client from = { .transport = RESPOND_UDP, .peer = &peer };
	const uint64_t begin = clock_mono_us();

	CALLGRIND_ZERO_STATS;
	CALLGRIND_START_INSTRUMENTATION;
	for (unsigned i = 0; i < n; i++) {
		bytes += answer(&r, &from, q[i].bytes, q[i].len, out, sizeof(out));
		answers += out[7];
	}
	CALLGRIND_STOP_INSTRUMENTATION;
	CALLGRIND_DUMP_STATS_AT(label);
	CHECK(answers == (uint64_t)n * want_answers);
	printf("%s %u %lu %.1f\n", label, n, (unsigned long)(bytes / n),
	    (double)(clock_mono_us() - begin) * 1000 / n);
}

int
main(int argc, char **argv)
{
	const unsigned domains = argc > 1 ? (unsigned)atoi(argv[1]) : 100000;
	const unsigned n = argc > 2 ? (unsigned)atoi(argv[2]) : 20000;

	n_ranges = (argc > 3 ? (unsigned)atoi(argv[3]) : 600000) / 3 * 2;
	const unsigned names = domains / (KINDS - WEIGHT);
	struct query_bytes *q = xcalloc(n, sizeof(*q));
	struct word_table *words = word_table_new();
	uint8_t apex[NAME_MAX_LEN];
	char name[64];

	CHECK(argc <= 4 && names > 0 && n > 0 && n_ranges > 1);
	rand_seed(&dice, 1);
	rcu_register_thread();
	list_countries();
	zones = zones_new();
	CHECK(name_parse_lower(APEX, apex) > 0);
	zone = zone_new(apex);
	zones_add(zones, zone);
	put_soa();
	for (unsigned i = 0; i < names; i++) {
		snprintf(name, sizeof(name), "static---%u." APEX, i);
		put_static(name, 1);
	}
	options = serve_options_new();

	struct tree *t = make_tree(domains, words);

	for (int ecs = 0; ecs < 2; ecs++) {
		for (int kind = STATIC; kind < KINDS; kind++) {
			char label[32];

			snprintf(label, sizeof(label), "%s%s", labels[kind], ecs ? "+ecs" : "");
			make_queries(q, n, kinds[kind],
			    kind == GEO_ALL && names > MANY_POOLS ? MANY_POOLS : names, ecs);
			measure(label, respond, q, n, 1);
		}
	}
	make_queries(q, n, "absent--", names, false);
	measure("nxdomain", respond, q, n, 0);
	measure("loop", answer_nothing, q, n, 0);

	rcu_barrier();
	tree_free(&t);
	zones_free(&zones);
	rcu_barrier();
	rcu_unregister_thread();
	word_table_free(&words);
	free(q);
	return 0;
}
