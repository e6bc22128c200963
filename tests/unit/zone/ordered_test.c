/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The ordered index under random change, compared with a sorted array; and what a zone keeps in it,
 * compared with a walk over its nodes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <urcu/urcu-qsbr.h>

#include "base/rand.h"
#include "dns/name.h"
#include "dns/rrtype.h"
#include "zone/inside.h"
#include "zone/ordered.h"

#define STEPS   50000
#define MODEL   2000
#define CHANGES 20000

static const uint8_t *const apex = (const uint8_t *)"\2ex";
static struct rand_state rng;

/* Labels out of a few bytes, those among them that the prefixes must escape. */
static void
random_name(uint8_t out[NAME_MAX_LEN])
{
	static const uint8_t bytes[] = { 0, 1, 2, 'a', 'b', 'z', 255 };
	size_t len = 0;

	for (uint64_t labels = rand_below(&rng, 4); labels > 0; labels--) {
		uint8_t n = (uint8_t)(1 + rand_below(&rng, rand_below(&rng, 8) == 0 ? 12 : 3));

		out[len++] = n;
		for (; n > 0; n--)
			out[len++] = bytes[rand_below(&rng, sizeof(bytes))];
	}
	memcpy(out + len, apex, 4);
}

struct entry {
	struct zone_node node;
	uint8_t name[NAME_MAX_LEN];
};

/* The sorted array: model[0 .. n_model). */
static struct entry *model[MODEL];
static size_t n_model;

/* How many come before `name`, or (`inclusive`) are it. */
static size_t
rank(const uint8_t *name, bool inclusive)
{
	size_t n = 0;

	while (n < n_model && name_order(model[n]->name, name) < (inclusive ? 1 : 0))
		n++;
	return n;
}

static void
insert(struct ordered *o, const uint8_t *name, size_t at)
{
	struct entry *e = calloc(1, sizeof(*e));
	const bool there = at < n_model && name_order(model[at]->name, name) == 0;

	memcpy(e->name, name, name_len(name));
	e->node.name = e->name;
	ordered_put(o, &e->node);
	if (there) {
		free(model[at]);
	} else {
		memmove(&model[at + 1], &model[at], (n_model - at) * sizeof(*model));
		n_model++;
	}
	model[at] = e;
}

static void
take_out(struct ordered *o, size_t at)
{
	struct entry *e = model[at];

	ordered_remove(o, e->name);
	n_model--;
	memmove(&model[at], &model[at + 1], (n_model - at) * sizeof(*model));
	free(e);
}

static void
compare(const struct ordered *o, const uint8_t *name)
{
	const size_t before = rank(name, false), floor = rank(name, true);

	assert_ptr_equal(ordered_before(o, name), before > 0 ? &model[before - 1]->node : NULL);
	assert_ptr_equal(ordered_floor(o, name), floor > 0 ? &model[floor - 1]->node : NULL);
	assert_ptr_equal(ordered_last(o), n_model > 0 ? &model[n_model - 1]->node : NULL);
}

static void
test_against_array(void **state)
{
	struct ordered *o = ordered_new(1);
	uint8_t name[NAME_MAX_LEN];

	(void)state;
	for (unsigned i = 0; i < STEPS; i++) {
		/* Grow, shrink, and once in a while to nothing. */
		const bool grow = rand_below(&rng, 100) < (i / 5000 % 2 == 0 ? 60 : 35);

		random_name(name);
		if (grow && n_model < 300)
			insert(o, name, rank(name, false));
		else if (n_model > 0)
			take_out(o, rand_below(&rng, n_model));
		random_name(name);
		compare(o, name);
	}
	while (n_model > 0)
		take_out(o, 0);
	compare(o, apex);
	ordered_free(&o);
	assert_null(o);
}

struct chain {
	const uint8_t *name;
	const struct zone_node *floor;
};

static void
follow(const struct zone_node *n, void *arg)
{
	struct chain *c = arg;

	if (zone_node_find(n, RRTYPE_NSEC) == NULL && zone_node_find(n, RRTYPE_NSEC3) == NULL)
		return;
	if (name_order(n->name, c->name) <= 0 &&
	    (c->floor == NULL || name_order(n->name, c->floor->name) > 0))
		c->floor = n;
}

static void
test_zone_keeps_chain(void **state)
{
	static const uint16_t types[] = { RRTYPE_A, RRTYPE_NSEC, RRTYPE_NSEC3, RRTYPE_NS };
	static const uint8_t data[] = { 0, 4, 1, 2, 3, 4 };
	struct zone *z = zone_new(apex);
	uint8_t name[NAME_MAX_LEN];

	(void)state;
	for (unsigned i = 0; i < CHANGES; i++) {
		const uint16_t type = types[rand_below(&rng, 4)];

		random_name(name);
		if (rand_below(&rng, 2) == 0 && zone_names(z) < 200)
			zone_put(z, name, rrset_new(type, 1, data, sizeof(data)));
		else
			zone_del(z, name, type);
		random_name(name);

		struct chain c = { .name = name };

		zone_walk(z, follow, &c);
		assert_ptr_equal(z->chain != NULL ? ordered_floor(z->chain, name) : NULL, c.floor);
		urcu_qsbr_quiescent_state();
	}
	zone_free(&z);
}

/* A zone is signed as long as its apex says so, in whatever order the records come. */
static void
test_signed(void **state)
{
	static const uint8_t data[] = { 0, 4, 1, 2, 3, 4 };
	struct zone *z = zone_new(apex);

	(void)state;
	zone_put(z, apex, rrset_new(RRTYPE_NSEC, 1, data, sizeof(data)));
	assert_int_equal(zone_signed(z), ZONE_UNSIGNED);
	zone_put(z, apex, rrset_new(RRTYPE_DNSKEY, 1, data, sizeof(data)));
	assert_int_equal(zone_signed(z), ZONE_NSEC);
	zone_put(z, apex, rrset_new(RRTYPE_NSEC3PARAM, 1, data, sizeof(data)));
	assert_int_equal(zone_signed(z), ZONE_NSEC3);
	zone_del(z, apex, RRTYPE_NSEC);
	assert_int_equal(zone_signed(z), ZONE_NSEC3);
	zone_del(z, apex, RRTYPE_DNSKEY);
	assert_int_equal(zone_signed(z), ZONE_UNSIGNED);
	zone_free(&z);
}

static int
set_up(void **state)
{
	(void)state;
	urcu_qsbr_register_thread();
	rand_seed(&rng, 5155);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	urcu_qsbr_unregister_thread();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_against_array),
		cmocka_unit_test(test_zone_keeps_chain),
		cmocka_unit_test(test_signed),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
