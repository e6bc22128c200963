/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#define URCU_API_MAP
#include <urcu/urcu-qsbr.h>

#include "base/thread.h"
#include "dns/name.h"
#include "dns/rrtype.h"
#include "zone/zones.h"

static const uint8_t *
wire(const char *text)
{
	static uint8_t out[4][NAME_MAX_LEN];
	static unsigned turn;
	uint8_t *name = out[turn++ % 4];

	assert_true(name_parse(text, name) > 0);
	return name;
}

static struct zone *
add(struct zones *zs, const char *apex)
{
	struct zone *z = zone_new(wire(apex));

	zones_add(zs, z);
	return z;
}

static void
longest_match(void **state)
{
	struct zones *zs = zones_new();
	struct zone *com, *sub, *deep, *again;

	(void)state;
	assert_null(zones_find(zs, wire("example.com")));
	com = add(zs, "example.com");
	sub = add(zs, "a.b.example.com");
	deep = add(zs, "x.a.b.example.com");
	add(zs, "example.net");
	assert_int_equal(zones_count(zs), 4);
	assert_ptr_equal(zones_find(zs, wire("example.com")), com);
	assert_ptr_equal(zones_find(zs, wire("b.example.com")), com);
	assert_ptr_equal(zones_find(zs, wire("a.b.example.com")), sub);
	assert_ptr_equal(zones_find(zs, wire("y.a.b.example.com")), sub);
	assert_ptr_equal(zones_find(zs, wire("q.r.x.a.b.example.com")), deep);
	assert_null(zones_find(zs, wire("com")));
	assert_null(zones_find(zs, wire(".")));
	assert_ptr_equal(zones_find_above(zs, wire("a.b.example.com")), com);
	assert_null(zones_find_above(zs, wire("example.com")));
	assert_null(zones_exact(zs, wire("b.example.com")));
	assert_ptr_equal(zones_exact(zs, wire("example.com")), com);
	again = add(zs, "a.b.example.com");
	assert_int_equal(zones_count(zs), 4);
	assert_ptr_equal(zones_find(zs, wire("y.a.b.example.com")), again);
	zones_remove(zs, wire("a.b.example.com"));
	zones_remove(zs, wire("never.there"));
	assert_ptr_equal(zones_find(zs, wire("y.a.b.example.com")), com);
	com = add(zs, ".");
	assert_ptr_equal(zones_find(zs, wire("org")), com);
	assert_null(zones_find_above(zs, wire(".")));
	zones_free(&zs);
}

static struct zone *
find_path(const struct zones *zs, const char *name)
{
	struct name_path p;

	name_path_of(&p, wire(name));
	assert_ptr_equal(zones_find_path(zs, &p), zones_find(zs, p.name));
	return zones_find_path(zs, &p);
}

/* The apexes of few zones are compared, those of many hashed: back and forth over the border. */
static void
few_and_many(void **state)
{
	static const char *const apexes[] = { ".", "test", "a.test", "b.a.test", "c.b.a.test",
		"long-enough-for-two-words.test", "an-apex-of-more-than-sixteen-octets.a.test",
		"tes", "b.test", "a.b.test" };
	static const char *const below[] = { "", "x.", "x.y.", "b.", "a." };
	const struct zone *held[ARRAY_LEN(apexes)] = { NULL };
	struct zones *zs = zones_new();
	unsigned seed = 1;

	(void)state;
	for (int step = 0; step < 2000; step++) {
		const size_t one = (size_t)rand_r(&seed) % ARRAY_LEN(apexes);

		/* As many as the border lies at, sometimes none, sometimes all. */
		if (held[one] == NULL || rand_r(&seed) % 4 == 0) {
			held[one] = add(zs, apexes[one]);
		} else {
			zones_remove(zs, wire(apexes[one]));
			held[one] = NULL;
		}
		for (size_t i = 0; i < ARRAY_LEN(apexes) * ARRAY_LEN(below); i++) {
			const char *apex = apexes[i % ARRAY_LEN(apexes)];
			const struct zone *expected = NULL;
			size_t deepest = 0;
			char name[128];

			snprintf(name, sizeof(name), "%s%s", below[i / ARRAY_LEN(apexes)],
			    strcmp(apex, ".") == 0 ? "" : apex);
			if (name[0] == '\0')
				strcpy(name, ".");
			else if (name[strlen(name) - 1] == '.')
				name[strlen(name) - 1] = '\0';
			for (size_t k = 0; k < ARRAY_LEN(apexes); k++) {
				if (held[k] != NULL && name_below(wire(name), wire(apexes[k])) &&
				    strlen(apexes[k]) > deepest) {
					deepest = strlen(apexes[k]);
					expected = held[k];
				}
			}
			assert_ptr_equal(find_path(zs, name), expected);
		}
		urcu_qsbr_quiescent_state();
	}
	zones_free(&zs);
}

/* One zone is found without a search, from the first to the last. */
static void
one_zone(void **state)
{
	struct zones *zs = zones_new();
	struct zone *com, *org, *again;

	(void)state;
	assert_null(find_path(zs, "example.com"));
	com = add(zs, "example.com");
	assert_ptr_equal(find_path(zs, "example.com"), com);
	assert_ptr_equal(find_path(zs, "a.b.example.com"), com);
	assert_null(find_path(zs, "com"));
	assert_null(find_path(zs, "."));
	assert_null(find_path(zs, "an-example.com"));
	assert_null(find_path(zs, "example.org"));
	org = add(zs, "org");
	assert_ptr_equal(find_path(zs, "a.example.com"), com);
	assert_ptr_equal(find_path(zs, "example.org"), org);
	assert_null(find_path(zs, "net"));
	zones_remove(zs, wire("example.com"));
	assert_null(find_path(zs, "a.example.com"));
	assert_ptr_equal(find_path(zs, "example.org"), org);
	again = add(zs, "org");
	assert_ptr_equal(find_path(zs, "example.org"), again);
	zones_remove(zs, wire("org"));
	assert_null(find_path(zs, "example.org"));
	com = add(zs, ".");
	assert_ptr_equal(find_path(zs, "."), com);
	assert_ptr_equal(find_path(zs, "x.y"), com);
	zones_free(&zs);
}

static void
many(void **state)
{
	struct zones *zs = zones_new();
	char text[32];

	(void)state;
	for (int i = 0; i < 5000; i++) {
		(void)snprintf(text, sizeof(text), "z%d.test", i);
		add(zs, text);
	}
	for (int i = 0; i < 5000; i += 2) {
		(void)snprintf(text, sizeof(text), "z%d.test", i);
		zones_remove(zs, wire(text));
	}
	assert_int_equal(zones_count(zs), 2500);
	for (int i = 0; i < 5000; i++) {
		(void)snprintf(text, sizeof(text), "www.z%d.test", i);
		assert_int_equal(zones_find(zs, wire(text)) != NULL, i % 2);
	}
	zones_free(&zs);
}

#define STRESS_NAMES  64
#define STRESS_ROUNDS 30000

struct stress {
	struct zones *zs;
	uint8_t names[STRESS_NAMES][NAME_MAX_LEN];
	bool stop;
	size_t lookups;
};

/*
 * Every set the writer makes is one byte, four times the same, and name 0 never vanishes: a
 * reader must see sets that are whole, and name 0 always.
 */
static void
read_one(struct stress *s, unsigned i)
{
	struct zone *z = zones_find(s->zs, s->names[i]);
	const struct rrset *set;
	struct lookup l;

	assert_non_null(z);
	lookup(z, s->names[i], RRTYPE_A, &l);
	if (i == 0 && (l.kind != LOOKUP_NAME || l.wildcard))
		fail_msg("a name that was never removed is not found");
	if (l.kind != LOOKUP_NAME || (set = zone_node_find(l.node, RRTYPE_A)) == NULL)
		return;
	assert_int_equal(set->size, 6);
	for (int k = 3; k < 6; k++)
		assert_int_equal(set->data[k], set->data[2]);
}

static void *
reader(void *arg)
{
	struct stress *s = arg;

	rcu_register_thread();
	while (!__atomic_load_n(&s->stop, __ATOMIC_RELAXED)) {
		for (unsigned i = 0; i < STRESS_NAMES; i++)
			read_one(s, i % 3 == 0 ? 0 : i);
		s->lookups += STRESS_NAMES;
		rcu_quiescent_state();
	}
	rcu_unregister_thread();
	return NULL;
}

static struct rrset *
stress_set(int round)
{
	uint8_t data[6] = { 0, 4 };

	memset(data + 2, round, 4);
	return rrset_new(RRTYPE_A, 1, data, sizeof(data));
}

static struct zone *
stress_zone(const struct stress *s)
{
	struct zone *z = zone_new(wire("example.com"));

	zone_put(z, s->names[0], stress_set(0));
	return z;
}

static void
writer(struct stress *s)
{
	struct zone *z = zones_exact(s->zs, wire("example.com"));

	for (int i = 0; i < STRESS_ROUNDS; i++) {
		const uint8_t *name = s->names[(unsigned)i * 2654435761u % STRESS_NAMES];

		zone_put(z, s->names[0], stress_set(i));
		if (i % 3 == 0 && name != s->names[0])
			zone_del(z, name, RRTYPE_A);
		else
			zone_put(z, name, stress_set(i));
		if (i % 1000 == 0)
			zones_add(s->zs, z = stress_zone(s));
		rcu_quiescent_state();
	}
}

static void
readers_and_writer(void **state)
{
	static struct stress s;
	pthread_t t;

	(void)state;
	s.zs = zones_new();
	for (int i = 0; i < STRESS_NAMES; i++) {
		char text[64];

		(void)snprintf(text, sizeof(text),
		    i % 5 == 4 ? "*.n%d.s%d.example.com" : "n%d.s%d.example.com", i, i / 8);
		assert_true(name_parse(text, s.names[i]) > 0);
	}
	zones_add(s.zs, stress_zone(&s));
	thread_start(&t, "reader", reader, &s);
	writer(&s);
	__atomic_store_n(&s.stop, true, __ATOMIC_RELAXED);
	rcu_thread_offline();
	thread_join(t);
	rcu_thread_online();
	assert_true(s.lookups > 0);
	rcu_barrier();
	zones_free(&s.zs);
}

static int
online(void **state)
{
	(void)state;
	rcu_register_thread();
	return 0;
}

static int
offline(void **state)
{
	(void)state;
	rcu_barrier();
	rcu_unregister_thread();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(longest_match),
		cmocka_unit_test(few_and_many),
		cmocka_unit_test(one_zone),
		cmocka_unit_test(many),
		cmocka_unit_test(readers_and_writer),
	};

	return cmocka_run_group_tests_name("zones", tests, online, offline);
}
