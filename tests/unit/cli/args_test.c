/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/args.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/verbs.h"

struct parsed {
	struct args args;
	struct diag diag;
	int rc;
};

static struct parsed
parse(const char *const *argv)
{
	struct parsed p;
	int argc = 0;

	while (argv[argc] != NULL)
		argc++;
	diag_init(&p.diag);
	p.rc = args_parse(&p.args, verbs_table, argc, argv, &p.diag);
	return p;
}
#define PARSE(...) parse((const char *const[]){ "gtmctl", __VA_ARGS__, NULL })

static void
test_options_stand_anywhere(void **state)
{
	struct parsed p =
	    PARSE("--socket", "/s", "get", "-ojson", "pools", "--token-file=t", "-o", "yaml");

	(void)state;
	assert_int_equal(p.rc, 0);
	assert_string_equal(p.args.verb->name, "get");
	assert_int_equal(p.args.n_words, 1);
	assert_string_equal(p.args.words[0], "pools");
	assert_string_equal(args_value(&p.args, "--socket"), "/s");
	assert_string_equal(args_value(&p.args, "--token-file"), "t");
	assert_string_equal(args_value(&p.args, "--output"), "yaml"); /* the last one counts */
	assert_null(args_value(&p.args, "--server"));
	diag_fini(&p.diag);
}

static void
test_verbs_of_two_words_and_repeated_options(void **state)
{
	struct parsed p = PARSE("domain", "-o", "json", "create", "www.x", "A", "--site", "a=1",
	    "--enable", "--site", "b=2", "--", "--odd");
	size_t pos = 0;

	(void)state;
	assert_int_equal(p.rc, -22); /* a word too many */
	diag_fini(&p.diag);
	p = PARSE("domain", "-o", "json", "create", "www.x", "A", "--site", "a=1", "--enable",
	    "--site", "b=2");
	assert_int_equal(p.rc, 0);
	assert_string_equal(p.args.verb->name, "domain create");
	assert_true(args_has(&p.args, "--enable"));
	assert_string_equal(args_next(&p.args, "--site", &pos), "a=1");
	assert_string_equal(args_next(&p.args, "--site", &pos), "b=2");
	assert_null(args_next(&p.args, "--site", &pos));
	diag_fini(&p.diag);
}

static void
test_refusals_hint(void **state)
{
	const struct {
		struct parsed p;
		const char *text;
	} cases[] = {
		{ PARSE("gte", "pools"), "did you mean \"get\"?" },
		{ PARSE("xyzzy"), "xyzzy: unknown verb" },
		{ PARSE("domain", "enabel", "x", "A"), "did you mean \"domain enable\"?" },
		{ PARSE("domain"), "domain: what shall it do?" },
		{ PARSE("apply", "--fiel", "x"), "did you mean --file?" },
		{ PARSE("get", "--scenario", "x"), "--scenario: unknown option" },
		{ PARSE("get", "-x"), "-x: unknown option" },
		{ PARSE("get", "pools", "-o"), "--output: needs a value" },
		{ PARSE("demo", "--stay=1"), "--stay takes no value" },
		{ PARSE("get"), "get: needs KIND" },
		{ PARSE("export", "x"), "x: one word too many" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct parsed p = cases[i].p;

		/* a diag's tail points into itself: it has moved, but is only read and ended */
		assert_int_equal(p.rc, -22);
		if (strstr(diag_text(&p.diag), cases[i].text) == NULL)
			fail_msg("want %s, have %s", cases[i].text, diag_text(&p.diag));
		diag_fini(&p.diag);
	}
}

static void
test_help_needs_no_words(void **state)
{
	struct parsed p = PARSE("domain", "create", "--help");

	(void)state;
	assert_int_equal(p.rc, 0);
	assert_string_equal(p.args.verb->name, "domain create");
	diag_fini(&p.diag);
	p = PARSE("-h");
	assert_int_equal(p.rc, 0);
	assert_null(p.args.verb);
	diag_fini(&p.diag);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options_stand_anywhere),
		cmocka_unit_test(test_verbs_of_two_words_and_repeated_options),
		cmocka_unit_test(test_refusals_hint),
		cmocka_unit_test(test_help_needs_no_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
