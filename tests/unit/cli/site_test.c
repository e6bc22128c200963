/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/site.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
assert_parsed(json_t *(*parse)(const char *, struct diag *), const char *text, const char *json)
{
	struct diag d;

	diag_init(&d);
	json_t *j = parse(text, &d);

	if (json == NULL) {
		assert_null(j);
		assert_true(diag_failed(&d));
	} else {
		if (j == NULL)
			fail_msg("%s: %s", text, diag_text(&d));
		char *have = json_dumps(j, JSON_COMPACT);

		assert_string_equal(have, json);
		free(have);
		json_decref(j);
	}
	diag_fini(&d);
}

static void
test_sites(void **state)
{
	static const char *const cases[][2] = {
		{ "dc-a=203.0.113.10",
		    "{\"name\":\"dc-a\",\"weight\":1,\"addresses\":[\"203.0.113.10\"]}" },
		{ "a=192.0.2.1,192.0.2.2:3",
		    "{\"name\":\"a\",\"weight\":3,\"addresses\":[\"192.0.2.1\",\"192.0.2.2\"]}" },
		{ "a=2001:db8::1",
		    "{\"name\":\"a\",\"weight\":1,\"addresses\":[\"2001:db8::1\"]}" },
		{ "a=[2001:db8::1]:0",
		    "{\"name\":\"a\",\"weight\":0,\"addresses\":[\"2001:db8::1\"]}" },
		{ "a=[2001:db8::1]",
		    "{\"name\":\"a\",\"weight\":1,\"addresses\":[\"2001:db8::1\"]}" },
		{ "dc-a", NULL },
		{ "=192.0.2.1", NULL },
		{ "a=", NULL },
		{ "a=,", NULL },
		{ "a=[]", NULL },
		{ "a=192.0.2.1:x", NULL },
		{ "a=192.0.2.1:65536", NULL },
		{ "a=192.0.2.1:", NULL },
		{ "\xff=192.0.2.1", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_parsed(site_parse, cases[i][0], cases[i][1]);
}

static void
test_checks(void **state)
{
	static const char *const cases[][2] = {
		{ "tcp:80", "{\"protocol\":\"tcp\",\"port\":80}" },
		{ "http:8080/healthz",
		    "{\"protocol\":\"http\",\"port\":8080,\"http\":{\"path\":\"/healthz\"}}" },
		{ "https:443/healthz",
		    "{\"protocol\":\"https\",\"port\":443,\"http\":{\"path\":\"/healthz\"}}" },
		{ "tcp", NULL },
		{ "tcp:", NULL },
		{ ":80", NULL },
		{ "tcp:x", NULL },
		{ "tcp:70000", NULL },
		{ "http:/x", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_parsed(site_check_parse, cases[i][0], cases[i][1]);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sites),
		cmocka_unit_test(test_checks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
