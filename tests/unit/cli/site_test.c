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
		{ "a=lb.example.net:2",
		    "{\"name\":\"a\",\"weight\":2,\"addresses\":[\"lb.example.net\"]}" },
		{ "a=lb.example.net@192.0.2.9,192.0.2.1@[2001:db8::9]:2",
		    "{\"name\":\"a\",\"weight\":2,\"addresses\":[{\"value\":\"lb.example.net\","
		    "\"target\":\"192.0.2.9\"},{\"value\":\"192.0.2.1\",\"target\":"
		    "\"2001:db8::9\"}]}" },
		{ "a=telecom:192.0.2.1,unicom:192.0.2.2",
		    "{\"name\":\"a\",\"weight\":1,\"lines\":{\"telecom\":[\"192.0.2.1\"],"
		    "\"unicom\":[\"192.0.2.2\"]}}" },
		/* A line holds until the next; what stands before the first is default. */
		{ "a=192.0.2.9,telecom:192.0.2.1,192.0.2.2,default:192.0.2.8:3",
		    "{\"name\":\"a\",\"weight\":3,\"lines\":{\"default\":[\"192.0.2.9\","
		    "\"192.0.2.8\"],\"telecom\":[\"192.0.2.1\",\"192.0.2.2\"]}}" },
		{ "a=telecom:[2001:db8::1]:3",
		    "{\"name\":\"a\",\"weight\":3,\"lines\":{\"telecom\":[\"2001:db8::1\"]}}" },
		{ "a=telecom:2001:db8::1",
		    "{\"name\":\"a\",\"weight\":1,\"lines\":{\"telecom\":[\"2001:db8::1\"]}}" },
		{ "a=telecom:lb.example.net:0",
		    "{\"name\":\"a\",\"weight\":0,\"lines\":{\"telecom\":[\"lb.example.net\"]}}" },
		/* A line that could be part of an IPv6 address needs brackets. */
		{ "a=de:2001:db8::1",
		    "{\"name\":\"a\",\"weight\":1,\"addresses\":[\"de:2001:db8::1\"]}" },
		{ "a=de:[2001:db8::1]",
		    "{\"name\":\"a\",\"weight\":1,\"lines\":{\"de\":[\"2001:db8::1\"]}}" },
		{ "a=telecom:", NULL },
		{ "a=:192.0.2.1", NULL },
		{ "a=telecom:192.0.2.1:x", NULL },
		{ "a=telecom:192.0.2.1:1:2", NULL },
		{ "a=192.0.2.1:3,192.0.2.2", NULL },
		{ "a=192.0.2.1@", NULL },
		{ "a=@192.0.2.1", NULL },
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

static void
test_pairs(void **state)
{
	static const struct {
		const char *text, *head, *value;
	} cases[] = {
		{ "pool/a=b", "pool/a", "b" },
		{ "a=b=c", "a=b", "c" },
		{ "a=", NULL, NULL },
		{ "=b", NULL, NULL },
		{ "ab", NULL, NULL },
		{ "\xff=b", NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *value = NULL;
		struct diag d;

		diag_init(&d);
		json_t *head = site_pair_parse("--x", cases[i].text, '=', "A=B", &value, &d);

		assert_int_equal(head == NULL, diag_failed(&d));
		assert_int_equal(head == NULL, cases[i].head == NULL);
		if (head != NULL) {
			assert_string_equal(json_string_value(head), cases[i].head);
			assert_string_equal(value, cases[i].value);
		}
		json_decref(head);
		diag_fini(&d);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sites),
		cmocka_unit_test(test_checks),
		cmocka_unit_test(test_pairs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
