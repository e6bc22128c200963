/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tables, the columns of kinds, and the explanation of an answer. */
#include "cli/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/explain.h"
#include "cli/kinds.h"

static void
test_columns_align(void **state)
{
	struct table t;
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	table_init(&t, 3);
	t.right = 2;
	table_head(&t, "NAME");
	table_head(&t, "TTL");
	table_head(&t, "NOTE");
	table_cell(&t, STYLE_PLAIN, "\xe4\xb8\xad\xe6\x96\x87");
	table_cell(&t, STYLE_GOOD, "60");
	table_cell(&t, STYLE_PLAIN, "");
	table_cell(&t, STYLE_PLAIN, "e\x1b[2Jvil\n");
	table_cell(&t, STYLE_PLAIN, "86400");
	table_cell(&t, STYLE_PLAIN, "x");
	table_write(&t, &b, false, "");
	assert_string_equal(buf_str(&b), "NAME         TTL  NOTE\n"
					 "\xe4\xb8\xad\xe6\x96\x87          60\n"
					 "e?[2Jvil?  86400  x\n");
	buf_clear(&b);
	table_write(&t, &b, true, "");
	assert_non_null(strstr(buf_str(&b), "\033[32m60\033[0m"));
	table_fini(&t);
	buf_fini(&b);
}

static void
assert_table(const char *kind, const char *json, bool wide, const char *expected)
{
	json_t *j = json_loads(json, 0, NULL);
	struct buf b;

	assert_non_null(j);
	buf_init(&b, 4096);
	kinds_write(kinds_find(kind), j, wide, false, &b);
	assert_string_equal(buf_str(&b), expected);
	buf_fini(&b);
	json_decref(j);
}

static void
test_kinds(void **state)
{
	(void)state;
	assert_table("domains",
	    "[{\"name\":\"www.example.com/"
	    "A\",\"spec\":{\"ttl\":60,\"enabled\":true,\"strategy\":\"weight\","
	    "\"pools\":[{\"pool\":\"dc-a\",\"weight\":3},{\"pool\":\"dc-b\",\"weight\":1}]},"
	    "\"status\":{\"state\":\"healthy\"}}]",
	    false,
	    "NAME             TYPE  ENABLED  STATE    STRATEGY  TTL  POOLS\n"
	    "www.example.com  A     yes      healthy  weight     60  dc-a:3,dc-b:1\n");
	assert_table("pool",
	    "[{\"name\":\"dc-a\",\"spec\":{\"type\":\"ipv4\",\"strategy\":\"round_robin\","
	    "\"addresses\":"
	    "[{\"address\":\"a1\",\"weight\":1}]},\"status\":{\"state\":\"down\",\"available\":0,"
	    "\"total\":1}}]",
	    false,
	    "NAME  TYPE  STATE  AVAILABLE  STRATEGY     ADDRESSES\n"
	    "dc-a  ipv4  down         0/1  round_robin  a1\n");
	assert_table("addresses",
	    "[{\"name\":\"a1\",\"spec\":{\"value\":\"192.0.2.1\",\"checks\":[{\"template\":\"tcp\","
	    "\"port\":80}]}}]",
	    false,
	    "NAME  VALUE      STATE  CHECKS\n"
	    "a1    192.0.2.1  -      tcp:80\n");
	assert_table("template", "[{},7]", false,
	    "NAME  PROTOCOL  INTERVAL  TIMEOUT  FALL  RISE\n"
	    "-     -                -        -     -     -\n"
	    "-     -                -        -     -     -\n");
	assert_null(kinds_find("poool"));
}

static void
test_paths(void **state)
{
	static const char *const one[] = { "dc a/b" }, *const slash[] = { "www.x/A" },
				 *const two[] = { "*.x", "AAAA" };
	const struct {
		char *have;
		const char *want;
	} cases[] = {
		{ kinds_path(kinds_find("pool"), NULL, 0), "/api/v1/pools" },
		{ kinds_path(kinds_find("pool"), one, 1), "/api/v1/pools/dc%20a%2Fb" },
		{ kinds_path(kinds_find("domain"), slash, 1), "/api/v1/domains/www.x/A" },
		{ kinds_path(kinds_find("domain"), two, 2), "/api/v1/domains/%2A.x/AAAA" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_string_equal(cases[i].have, cases[i].want);
		free(cases[i].have);
	}
}

static void
test_explanation(void **state)
{
	static const char json[] =
	    "{\"answer\":{\"rcode\":\"NOERROR\",\"ttl\":60,\"rdata\":[\"192.0.2.1\"]},\"steered\":"
	    "true,"
	    "\"line\":\"default\",\"scope\":0,\"candidates\":[{\"pool\":\"dc-a\",\"address\":"
	    "\"a1\","
	    "\"value\":\"192.0.2.1\",\"state\":\"healthy\",\"probability\":0.5}],\"fallback\":null,"
	    "\"decision\":[{\"step\":\"line\",\"text\":\"default\"}],\"draws\":{\"192.0.2.1\":7}}";
	json_t *j = json_loads(json, 0, NULL);
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	explain_write(&b, j, false);
	assert_non_null(strstr(buf_str(&b), "answer      192.0.2.1  (NOERROR, TTL 60)\n"));
	assert_non_null(strstr(buf_str(&b), "50.0 %"));
	assert_non_null(strstr(buf_str(&b), "DRAWN\n"));
	assert_non_null(strstr(buf_str(&b), "  1. line: default\n"));
	assert_null(strstr(buf_str(&b), "fallback"));
	assert_null(strstr(buf_str(&b), "WHY"));
	buf_clear(&b);
	json_object_set_new(json_array_get(json_object_get(j, "candidates"), 0), "because",
	    json_string("its pool is drained by ops until it is lifted: racks"));
	explain_write(&b, j, false);
	assert_non_null(strstr(buf_str(&b), "DRAWN  WHY\n"));
	assert_non_null(
	    strstr(buf_str(&b), "      7  its pool is drained by ops until it is lifted: racks\n"));
	json_object_del(j, "draws");
	buf_clear(&b);
	explain_write(&b, j, false);
	assert_null(strstr(buf_str(&b), "DRAWN"));
	assert_non_null(strstr(buf_str(&b), " 50.0 %  its pool is drained"));
	buf_clear(&b);
	explain_write(&b, NULL, false); /* a reply of another shape harms nothing */
	buf_fini(&b);
	json_decref(j);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_columns_align),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_explanation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
