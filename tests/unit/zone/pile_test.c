/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "zone/pile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rand.h"
#include "dns/name.h"
#include "dns/rrpage.h"

#define RECORDS 20000

static void
add(struct pile *p, const char *owner, uint16_t type, uint32_t line)
{
	uint8_t wire[NAME_MAX_LEN];
	const int len = name_parse_lower(owner, wire);

	assert_true(len > 0);
	pile_add(p,
	    &(struct pile_record){ .line = line,
		.ttl_s = line,
		.type = type,
		.rdata_len = 4,
		.owner_len = (uint8_t)len },
	    wire, (const uint8_t *)&line);
}

/* In order by owner and type; of equals the first to come is the first. */
static void
is_sorted(struct pile *p)
{
	size_t owners = 0;

	pile_sort(p);
	for (size_t i = 1; i < pile_count(p); i++) {
		const struct pile_record *a = pile_at(p, i - 1), *b = pile_at(p, i);
		const int diff = rrpage_order(a->owner, a->type, b->owner, b->type);

		assert_true(diff < 0 || (diff == 0 && a->turn < b->turn));
		assert_memory_equal(pile_rdata(b), &b->line, 4);
	}
	for (size_t i = 0; i < pile_count(p); owners++) {
		const size_t run = pile_owner_run(p, i);
		size_t sets = 0;

		for (size_t j = i; j < i + run; sets++)
			j += pile_set_run(p, j);
		assert_in_range(sets, 1, run);
		i += run;
		assert_true(i == pile_count(p) ||
			    !name_equal(pile_at(p, i)->owner, pile_at(p, i - 1)->owner));
	}
	print_message("%zu records at %zu owners\n", pile_count(p), owners);
}

static void
any_order(void **state)
{
	struct rand_state r;
	char owner[128];

	(void)state;
	rand_seed(&r, 20261125);
	for (unsigned turn = 0; turn < 4; turn++) {
		struct pile *p = pile_new();

		for (unsigned i = 0; i < RECORDS; i++) {
			const unsigned n = turn == 0   ? i
					   : turn == 1 ? RECORDS - i
					   : turn == 2 ? i % 100 * 1000 + i / 100
						       : (unsigned)rand_below(&r, 5000);

			/* Long common heads leave the prefix in doubt; short names have none. */
			snprintf(owner, sizeof(owner),
			    n % 3 == 0 ? "a-long-common-head-%06u.x" : "%06u.x", n);
			add(p, n % 100 == 0 ? "x" : owner, (uint16_t)(1 + rand_below(&r, 3)), i);
		}
		assert_int_equal(pile_count(p), RECORDS);
		is_sorted(p);
		pile_free(&p);
	}
}

static void
few(void **state)
{
	struct pile *p = pile_new();

	(void)state;
	is_sorted(p);
	add(p, ".", 1, 7);
	is_sorted(p);
	add(p, ".", 1, 8);
	add(p, ".", 1, 9);
	is_sorted(p);
	assert_int_equal(pile_set_run(p, 0), 3);
	assert_int_equal(pile_at(p, 2)->line, 9);
	pile_free(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_order),
		cmocka_unit_test(few),
	};

	return cmocka_run_group_tests_name("pile", tests, NULL, NULL);
}
