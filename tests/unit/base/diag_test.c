/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/diag.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void
test_parts_are_told_when_present(void **state)
{
	static const struct {
		const char *where, *got, *allowed, *text;
	} cases[] = {
		{ "pools[0].weight", "70000", "0..65535",
		    "pools[0].weight: wrong (got 70000; allowed 0..65535)" },
		{ "weight", "70000", NULL, "weight: wrong (got 70000)" },
		{ "weight", NULL, "0..65535", "weight: wrong (allowed 0..65535)" },
		{ "weight", NULL, NULL, "weight: wrong" },
		{ "", NULL, NULL, "wrong" },
		{ NULL, "x", NULL, "wrong (got x)" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct diag d;

		diag_init(&d);
		assert_int_equal(
		    diag_add(&d, DIAG_INVALID, cases[i].where, "%s", "wrong"), -EINVAL);
		diag_detail(&d, cases[i].got, cases[i].allowed);
		assert_string_equal(diag_text(&d), cases[i].text);
		diag_fini(&d);
	}
}

static void
test_the_first_problem_gives_the_code(void **state)
{
	struct diag d;
	char where[] = "zone.db:12";

	(void)state;
	diag_init(&d);
	assert_false(diag_failed(&d));
	assert_string_equal(diag_text(&d), "");
	diag_detail(&d, "nothing", "to qualify");

	diag_add(&d, DIAG_CONFLICT, where, "in use");
	where[0] = 'X'; /* text is copied */
	diag_add(&d, DIAG_INVALID, "b", "wrong");
	diag_detail(&d, "1", "2");
	diag_add(&d, DIAG_INTERNAL, "", "sorry");
	assert_true(diag_failed(&d));
	assert_int_equal(d.code, DIAG_CONFLICT);
	assert_int_equal(d.count, 3);
	assert_string_equal(
	    diag_text(&d), "zone.db:12: in use\nb: wrong (got 1; allowed 2)\nsorry");

	diag_fini(&d);
	assert_false(diag_failed(&d));
	assert_int_equal(d.code, DIAG_NONE);
	diag_add(&d, DIAG_NOT_FOUND, "", "usable again");
	assert_string_equal(diag_text(&d), "usable again");
	diag_fini(&d);
}

static void
test_referrers(void **state)
{
	struct diag d;

	(void)state;
	diag_init(&d);
	for (int i = 0; i < 20; i++) {
		char who[32];

		snprintf(who, sizeof(who), "domain %d", i);
		diag_referrer(&d, who);
	}
	assert_int_equal(d.n_referrers, 20);
	assert_string_equal(d.referrers[0], "domain 0");
	assert_string_equal(d.referrers[19], "domain 19");
	diag_fini(&d);
}

static void
test_paths(void **state)
{
	const struct diag_path pools = { .name = "pools" };
	const struct diag_path second = { .parent = &pools, .index = 2 };
	const struct diag_path weight = { .parent = &second, .name = "weight" };
	const struct diag_path top = { .index = 7 };
	char out[32];

	(void)state;
	assert_string_equal(diag_path_text(&pools, out, sizeof(out)), "pools");
	assert_string_equal(diag_path_text(&second, out, sizeof(out)), "pools[2]");
	assert_string_equal(diag_path_text(&weight, out, sizeof(out)), "pools[2].weight");
	assert_string_equal(diag_path_text(&top, out, sizeof(out)), "[7]");
	assert_string_equal(diag_path_text(NULL, out, sizeof(out)), "");
	for (size_t size = 1; size < 16; size++) {
		diag_path_text(&weight, out, size);
		assert_int_equal(strlen(out), size - 1);
		assert_memory_equal(out, "pools[2].weight", size - 1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parts_are_told_when_present),
		cmocka_unit_test(test_the_first_problem_gives_the_code),
		cmocka_unit_test(test_referrers),
		cmocka_unit_test(test_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
