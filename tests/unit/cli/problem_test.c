/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/problem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
assert_written(long status, const char *json, const struct yaml_in *places, const char *expected)
{
	json_t *j = json_loads(json, 0, NULL);
	struct buf b;

	buf_init(&b, 1 << 16);
	problem_write(&b, status, j, places);
	assert_string_equal(buf_str(&b), expected);
	buf_fini(&b);
	json_decref(j);
}

static void
test_errors_name_the_line_of_the_file(void **state)
{
	static const char yaml[] =
	    "kind: pool\nspec:\n  addresses:\n    - weight: 1\n    - weight: 70000\n";
	struct yaml_in y;
	struct diag d;

	(void)state;
	yaml_in_init(&y);
	diag_init(&d);
	assert_int_equal(yaml_in_read(&y, "gtm.yaml", yaml, strlen(yaml), &d), 0);
	assert_written(422,
	    "{\"title\":\"Invalid input\",\"detail\":\"x\",\"errors\":[{\"pointer\":"
	    "\"objects[0].spec.addresses[1].weight\",\"detail\":\"must be 0..65535\",\"got\":70000,"
	    "\"allowed\":\"0..65535\"},{\"pointer\":\"objects[0].spec.type\",\"detail\":\"is "
	    "required\"},"
	    "{\"pointer\":\"\",\"detail\":\"whole\"}]}",
	    &y,
	    "error: Invalid input\n"
	    "  gtm.yaml:5: addresses[1].weight: must be 0..65535 (got 70000; allowed 0..65535)\n"
	    "  gtm.yaml:2: type: is required\n"
	    "  whole\n");
	yaml_in_fini(&y);
	diag_fini(&d);
}

static void
test_other_shapes(void **state)
{
	(void)state;
	assert_written(409,
	    "{\"title\":\"Conflict\",\"errors\":[],\"referrers\":[\"domain www/A\"]}", NULL,
	    "error: Conflict\n  used by domain www/A\n");
	assert_written(404, "{\"title\":\"Not found\",\"detail\":\"no such pool\"}", NULL,
	    "error: Not found\n  no such pool\n");
	assert_written(502, "", NULL, "error: the server answered 502\n");
	assert_written(400, "[1]", NULL, "error: the server answered 400\n");
	assert_written(422, "{\"title\":\"\\u001b[2J\",\"errors\":[7,{\"allowed\":[\"a\"]}]}", NULL,
	    "error: ?[2J\n  \n   (allowed [\"a\"])\n");
}

static void
test_exit_codes(void **state)
{
	(void)state;
	assert_int_equal(problem_exit(404), 3);
	assert_int_equal(problem_exit(409), 4);
	assert_int_equal(problem_exit(412), 4);
	assert_int_equal(problem_exit(401), 5);
	assert_int_equal(problem_exit(403), 5);
	assert_int_equal(problem_exit(422), 1);
	assert_int_equal(problem_exit(503), 1);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_errors_name_the_line_of_the_file),
		cmocka_unit_test(test_other_shapes),
		cmocka_unit_test(test_exit_codes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
