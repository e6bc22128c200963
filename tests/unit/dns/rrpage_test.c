/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/rrpage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/rand.h"

static const uint8_t apex[] = "\7example\3org";

static void
add(struct rrpage_book *b, const char *owner, uint16_t type, uint32_t ttl_s)
{
	const uint8_t rdata[] = { 0, 4, 192, 0, 2, (uint8_t)type };
	uint8_t wire[NAME_MAX_LEN];

	assert_true(name_parse_lower(owner, wire) > 0);
	rrpage_add(
	    b, sizeof(apex), &(struct rrpage_set){ wire, type, ttl_s, rdata, sizeof(rdata), NULL });
}

static void
add_number(struct rrpage_book *b, unsigned n)
{
	char owner[64];

	snprintf(owner, sizeof(owner), "n%06u.example.org", n);
	add(b, owner, 1, n);
	add(b, owner, 28, n + 1);
}

/* The sets of one name stay on one page, and come back as they went in. */
static void
round_trip(void **state)
{
	struct rrpage_book b;
	struct rrpage_reader r;
	struct rrpage_set set;
	unsigned read = 0;
	char text[NAME_TEXT_SIZE], want[64];

	(void)state;
	rrpage_init(&b);
	add(&b, "example.org", 6, 7);
	for (unsigned n = 1; n < 3000; n++)
		add_number(&b, n);
	assert_true(b.count > 3);
	assert_int_equal(b.sets, 1 + 2 * 2999);

	size_t counted = 0;

	for (size_t i = 0; i < b.count; i++) {
		const struct rrpage page = rrpage_at(&b, i);

		assert_in_range(page.len, 1, RRPAGE_FILL + 200);
		counted += rrpage_owners(page.data, page.len);
		rrpage_open(&r, apex, page.data, page.len);
		assert_true(rrpage_next(&r, &set));
		assert_true(i == 0 || set.type == 1);
	}
	assert_int_equal(counted, 1 + 2999);
	rrpage_open_book(&r, apex, &b);
	assert_true(rrpage_next(&r, &set));
	assert_string_equal(name_text(set.owner, text), "example.org");
	for (; rrpage_next(&r, &set); read++) {
		const unsigned n = 1 + read / 2;

		snprintf(want, sizeof(want), "n%06u.example.org", n);
		assert_string_equal(name_text(set.owner, text), want);
		assert_int_equal(set.type, read % 2 == 0 ? 1 : 28);
		assert_int_equal(set.ttl_s, n + read % 2);
		assert_int_equal(set.rdata_len, 6);
		assert_int_equal(set.rdata[5], set.type);
	}
	assert_false(r.bad);
	assert_int_equal(read, b.sets - 1);
	rrpage_fini(&b);
}

/* The newest set may be shorter than the name it is compared with (a finding of ASan). */
static void
long_name_after_a_short_set(void **state)
{
	static const char label[] =
	    "a23456789a23456789a23456789a23456789a23456789a23456789a2345678";
	char owner[256];
	struct rrpage_book b;

	(void)state;
	snprintf(owner, sizeof(owner), "%s.%s.%s.example.org", label, label, label);
	rrpage_init(&b);
	add(&b, "a.example.org", 1, 7);
	add(&b, owner, 1, 7);
	assert_int_equal(b.sets, 2);

	const struct rrpage page = rrpage_at(&b, 0);

	assert_int_equal(rrpage_owners(page.data, page.len), 2);
	rrpage_fini(&b);
}

/* One set may be larger than a page is meant to be. */
static void
large_set(void **state)
{
	static uint8_t rdata[100000];
	struct rrpage_book b;
	struct rrpage_reader r;
	struct rrpage_set set;

	(void)state;
	rrpage_init(&b);
	rrpage_add(
	    &b, sizeof(apex), &(struct rrpage_set){ apex, 16, 1, rdata, sizeof(rdata), NULL });
	rrpage_add(&b, sizeof(apex), &(struct rrpage_set){ apex, 17, 1, rdata, 1, NULL });
	assert_int_equal(b.count, 1);
	add(&b, "a.example.org", 1, 1);
	assert_int_equal(b.count, 2);
	rrpage_open_book(&r, apex, &b);
	assert_true(rrpage_next(&r, &set));
	assert_int_equal(set.rdata_len, sizeof(rdata));
	rrpage_fini(&b);
}

/* As bytes: the length of the first label comes first. */
static void
order(void **state)
{
	static const char *const sorted[] = { "b.c.example.org", "b.example.org", "c.example.org",
		"ab.example.org", "example.org" };
	uint8_t a[NAME_MAX_LEN], b[NAME_MAX_LEN];

	(void)state;
	for (size_t i = 0; i + 1 < sizeof(sorted) / sizeof(sorted[0]); i++) {
		assert_true(name_parse_lower(sorted[i], a) > 0);
		assert_true(name_parse_lower(sorted[i + 1], b) > 0);
		assert_true(rrpage_order(a, 9, b, 1) < 0);
		assert_true(rrpage_order(b, 1, a, 9) > 0);
		assert_int_equal(rrpage_order(a, 1, a, 1), 0);
		assert_true(rrpage_order(a, 1, a, 2) < 0);
	}
}

/* Whatever is cut off or turned round is refused or read inside its bounds. */
static void
damaged(void **state)
{
	struct rrpage_book b;
	struct rrpage_reader r;
	struct rrpage_set set;
	struct rand_state rng;
	uint8_t copy[512];

	(void)state;
	rrpage_init(&b);
	add(&b, "example.org", 6, 7);
	for (unsigned n = 0; n < 4; n++)
		add_number(&b, n);

	const struct rrpage page = rrpage_at(&b, 0);

	assert_true(page.len < sizeof(copy));
	for (size_t len = 0; len < page.len; len++) {
		size_t sets = 0;

		rrpage_open(&r, apex, page.data, len);
		while (rrpage_next(&r, &set))
			sets++;
		assert_true(r.bad || sets < b.sets);
	}
	rand_seed(&rng, 20261125);
	for (unsigned i = 0; i < 20000; i++) {
		memcpy(copy, page.data, page.len);
		copy[rand_below(&rng, page.len)] = (uint8_t)rand_next(&rng);
		rrpage_open(&r, apex, copy, page.len);
		while (rrpage_next(&r, &set))
			assert_true(name_check(set.owner, NAME_MAX_LEN, 0) > 0 &&
				    name_below(set.owner, apex) &&
				    set.rdata + set.rdata_len <= copy + page.len);
	}
	rrpage_open(&r, apex, (const uint8_t *)"\2\0\0\0\0", 5);
	assert_false(rrpage_next(&r, &set));
	assert_true(r.bad);
	assert_int_equal(rrpage_owners((const uint8_t *)"\1\377\377\377\377", 5), 0);
	rrpage_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(long_name_after_a_short_set),
		cmocka_unit_test(large_set),
		cmocka_unit_test(order),
		cmocka_unit_test(damaged),
	};

	return cmocka_run_group_tests_name("rrpage", tests, NULL, NULL);
}
