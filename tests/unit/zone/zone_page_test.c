/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A zone made of pages is the zone made of its RRsets one by one. */
#include "zone/zone_page.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <urcu/urcu-qsbr.h>

#include <cmocka.h>

#include "base/rand.h"

static const uint8_t apex[] = "\7example";

static const uint8_t a[] = { 0, 4, 192, 0, 2, 1 }, two[] = { 0, 4, 1, 1, 1, 1, 0, 4, 2, 2, 2, 2 };

static void
add(struct rrpage_book *b, struct zone *z, const char *owner, uint16_t type, const uint8_t *rdata,
    uint32_t len)
{
	uint8_t wire[NAME_MAX_LEN];

	assert_true(name_parse_lower(owner, wire) > 0);
	rrpage_add(b, sizeof(apex),
	    &(struct rrpage_set){
		.owner = wire, .type = type, .ttl_s = 9, .rdata = rdata, .rdata_len = len });
	zone_put(z, wire, rrset_new(type, 9, rdata, len));
}

struct compare {
	const struct zone *other;
	size_t nodes;
};

static void
is_same(const struct zone_node *n, void *arg)
{
	struct compare *c = arg;
	const struct zone_node *m = zone_find(c->other, n->name);

	assert_non_null(m);
	assert_int_equal(n->n_rrsets, m->n_rrsets);
	assert_int_equal(n->n_children, m->n_children);
	assert_int_equal(n->flags, m->flags);
	for (unsigned i = 0; i < n->n_rrsets; i++)
		assert_true(rrset_equal(n->rrsets[i], m->rrsets[i]));
	c->nodes++;
}

static void
are_same(const struct zone *x, const struct zone *y)
{
	struct compare c = { y, 0 };

	zone_walk(x, is_same, &c);
	assert_int_equal(c.nodes, zone_names(x));
	assert_int_equal(zone_names(x), zone_names(y));
}

static void
gather(const struct zone_node *n, void *arg)
{
	void **both = arg;

	zone_page_add(both[0], both[1], n);
}

static void
put_pages(struct zone *z, const struct rrpage_book *b)
{
	for (size_t i = 0; i < b->count; i++) {
		const struct rrpage page = rrpage_at(b, i);

		assert_int_equal(zone_page_put(z, page.data, page.len), 0);
	}
}

static void
there_and_back(void **state)
{
	struct zone *single = zone_new(apex), *whole = zone_new(apex), *again = zone_new(apex);
	struct rrpage_book b, back;
	char owner[64];

	(void)state;
	rrpage_init(&b);
	rrpage_init(&back);
	add(&b, single, "example", 6, a, sizeof(a));
	add(&b, single, "example", 2, a, sizeof(a));
	add(&b, single, "*.deep.er.example", 1, two, sizeof(two));
	add(&b, single, "cut.example", 2, a, sizeof(a));
	for (unsigned i = 0; i < 5000; i++) {
		snprintf(owner, sizeof(owner), i % 5 ? "n%u.example" : "n%u.sub.example", i);
		add(&b, single, owner, 1, a, sizeof(a));
		if (i % 3 == 0)
			add(&b, single, owner, 28, two, sizeof(two));
	}
	zone_reserve(whole, 5000);
	put_pages(whole, &b);
	are_same(single, whole);
	are_same(whole, single);
	zone_walk(whole, gather, (void *[]){ &back, whole });
	assert_int_equal(back.sets, b.sets);
	zone_reserve(again, 3); /* too little: it grows */
	put_pages(again, &back);
	are_same(single, again);
	put_pages(again, &b); /* once more: nothing is there twice */
	are_same(single, again);
	rrpage_fini(&b);
	rrpage_fini(&back);
	zone_free(&single);
	zone_free(&whole);
	zone_free(&again);
}

static void
damaged(void **state)
{
	struct zone *z = zone_new(apex), *other = zone_new(apex);
	struct rrpage_book b;
	struct rand_state r;
	uint8_t copy[256];

	(void)state;
	rrpage_init(&b);
	add(&b, other, "a.example", 1, a, sizeof(a));
	add(&b, other, "b.example", 1, two, sizeof(two));

	const struct rrpage page = rrpage_at(&b, 0);

	assert_true(page.len < sizeof(copy));
	assert_int_equal(zone_page_put(z, page.data, page.len - 1), -EINVAL);
	memcpy(copy, page.data, page.len);
	copy[page.len - sizeof(two) + 1] = 5; /* the lengths of records do not add up */
	assert_int_equal(zone_page_put(z, copy, page.len), -EINVAL);
	rand_seed(&r, 3);
	for (unsigned i = 0; i < 5000; i++) {
		memcpy(copy, page.data, page.len);
		copy[rand_below(&r, page.len)] = (uint8_t)rand_next(&r);
		(void)!zone_page_put(z, copy, page.len);
	}
	rrpage_fini(&b);
	zone_free(&z);
	zone_free(&other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(damaged),
	};

	urcu_qsbr_register_thread();

	const int failed = cmocka_run_group_tests_name("zone_page", tests, NULL, NULL);

	urcu_qsbr_unregister_thread();
	return failed;
}
