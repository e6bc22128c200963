/* SPDX-License-Identifier: GPL-3.0-or-later */
/* YAML to JSON and back: what scalars mean, which lines problems name, that nothing is lost. */
#include "base/yaml_in.h"
#include "base/yaml_out.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"

static int
read_text(struct yaml_in *y, struct diag *d, const char *text)
{
	yaml_in_init(y);
	diag_init(d);
	return yaml_in_read(y, "f.yaml", text, strlen(text), d);
}

static void
end(struct yaml_in *y, struct diag *d)
{
	yaml_in_fini(y);
	diag_fini(d);
}

static void
test_scalars(void **state)
{
	static const struct {
		const char *yaml, *json;
	} cases[] = {
		{ "null", "null" },
		{ "~", "null" },
		{ "", "null" },
		{ "\"\"", "\"\"" },
		{ "true", "true" },
		{ "FALSE", "false" },
		{ "yes", "\"yes\"" },
		{ "no", "\"no\"" },
		{ "12", "12" },
		{ "-12", "-12" },
		{ "+12", "12" },
		{ "012", "12" },
		{ "0o17", "15" },
		{ "0x1F", "31" },
		{ "-0x1F", "\"-0x1F\"" },
		{ "0x", "\"0x\"" },
		{ "0o8", "\"0o8\"" },
		{ "9223372036854775807", "9223372036854775807" },
		{ "1.5", "1.5" },
		{ ".5", "0.5" },
		{ "5.", "5.0" },
		{ "1e3", "1000.0" },
		{ "1e", "\"1e\"" },
		{ ".", "\".\"" },
		{ "-", "[null]" },
		{ "+", "\"+\"" },
		{ "'12'", "\"12\"" },
		{ "\"true\"", "\"true\"" },
		{ "!!str 12", "\"12\"" },
		{ "5s", "\"5s\"" },
		{ "203.0.113.10", "\"203.0.113.10\"" },
		{ "2001:db8::1", "\"2001:db8::1\"" },
		{ "|\n    a\n    b\n", "\"a\\nb\\n\"" },
		{ "\"\\u00e9\"", "\"\xc3\xa9\"" },
		{ "{a: [1, {}]}", "{\"a\":[1,{}]}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct yaml_in y;
		struct diag d;
		char text[128], *json;

		snprintf(text, sizeof(text), "v: %s%s\n",
		    strcmp(cases[i].yaml, "-") == 0 ? "\n " : "", cases[i].yaml);
		if (read_text(&y, &d, text) != 0)
			fail_msg("%s: %s", cases[i].yaml, diag_text(&d));
		json = json_dumps(json_object_get(json_array_get(y.objects, 0), "v"),
		    JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(15));
		assert_string_equal(json, cases[i].json);
		free(json);
		end(&y, &d);
	}
}

static void
test_refused_with_the_line(void **state)
{
	static const struct {
		const char *yaml, *problem;
	} cases[] = {
		{ "a: 1\nb: 2\na: 3\n", "f.yaml:3: duplicate key \"a\"" },
		{ "a: &x 1\nb: 2\n", "f.yaml:1: anchors and aliases" },
		{ "a: 1\nb: *x\n", "f.yaml:2: anchors and aliases" },
		{ "a: 1\n*x : 2\n", "f.yaml:2: anchors and aliases" },
		{ "a: !!int 1\n", "f.yaml:1: tags" },
		{ "a: !mine {}\n", "f.yaml:1: tags" },
		{ "a: 1\n? [b]\n: 2\n", "f.yaml:2: a key must be a word" },
		{ "a: .nan\n", "f.yaml:1: infinity" },
		{ "a:\n  - 99999999999999999999\n", "f.yaml:2: integer out of range" },
		{ "a: 1e999\n", "f.yaml:1: number out of range" },
		{ "a: \"x\\0y\"\n", "f.yaml:1: a NUL" },
		{ "a: 1\n b: 2\n", "f.yaml:2: " },
		{ "a: [1\n", "f.yaml:" },
		{ "a: \"open\n", "f.yaml:" },
		{ "a: \xff\n", "f.yaml:" },
		{ "just text\n", "f.yaml:1: a document must be an object" },
		{ "- kind: a\n- 7\n", "f.yaml:2: must be an object" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct yaml_in y;
		struct diag d;

		assert_int_equal(read_text(&y, &d, cases[i].yaml), -EINVAL);
		if (strncmp(diag_text(&d), cases[i].problem, strlen(cases[i].problem)) != 0)
			fail_msg("want %s, have %s", cases[i].problem, diag_text(&d));
		end(&y, &d);
	}
}

static void
test_depth_is_bounded(void **state)
{
	char text[4096] = "a: ";
	struct yaml_in y;
	struct diag d;

	(void)state;
	for (int i = 0; i < 70; i++)
		strcat(text, "[");
	assert_int_equal(read_text(&y, &d, text), -EINVAL);
	assert_non_null(strstr(diag_text(&d), "nested deeper than 64"));
	end(&y, &d);
}

/* Documents and lists of documents number their objects through. */
static void
test_places(void **state)
{
	static const char text[] = "# pools\n"
				   "kind: pool\n"
				   "spec:\n"
				   "  addresses:\n"
				   "    - address: a\n"
				   "      weight: 1\n"
				   "    - {address: b, weight: 70000}\n"
				   "---\n"
				   "- kind: zone\n"
				   "- kind: domain\n"
				   "  spec: {ttl: 0}\n"
				   "---\n"
				   "---\n"
				   "kind: last\n";
	static const struct {
		const char *pointer, *place;
	} cases[] = {
		{ "objects[0].kind", "f.yaml:2" },
		{ "objects[0].spec.addresses[0].weight", "f.yaml:6" },
		{ "objects[0].spec.addresses[1].weight", "f.yaml:7" },
		{ "objects[0].spec.addresses[0].absent", "f.yaml:5" },
		{ "objects[0].spec.type", "f.yaml:3" },
		{ "objects[1].kind", "f.yaml:9" },
		{ "objects[2].spec.ttl", "f.yaml:11" },
		{ "objects[2].name", "f.yaml:10" },
		{ "objects[3]", "f.yaml:14" },
	};
	struct yaml_in y;
	struct diag d;

	(void)state;
	assert_int_equal(read_text(&y, &d, text), 0);
	assert_int_equal(json_array_size(y.objects), 4);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *place = yaml_in_place(&y, cases[i].pointer);

		assert_non_null(place);
		assert_string_equal(place, cases[i].place);
	}
	assert_null(yaml_in_place(&y, "objects[9].spec"));
	assert_null(yaml_in_place(&y, ""));
	end(&y, &d);
}

static void
test_output_is_for_people(void **state)
{
	static const char json[] =
	    "{\"kind\":\"domain\",\"name\":\"*.example.com/"
	    "A\",\"spec\":{\"ttl\":60,\"on\":\"on\",\"list\":[],"
	    "\"pools\":[{\"pool\":\"dc-a\",\"lines\":[\"default\"]},[1,[2.5]],{}],\"v\":\"12\"}}";
	static const char yaml[] = "kind: domain\n"
				   "name: \"*.example.com/A\"\n"
				   "spec:\n"
				   "  ttl: 60\n"
				   "  \"on\": \"on\"\n"
				   "  list: []\n"
				   "  pools:\n"
				   "    - pool: dc-a\n"
				   "      lines:\n"
				   "        - default\n"
				   "    - - 1\n"
				   "      - - 2.5\n"
				   "    - {}\n"
				   "  v: \"12\"\n";
	json_t *j = json_loads(json, 0, NULL);
	struct buf b;

	(void)state;
	buf_init(&b, 1 << 16);
	yaml_out_write(&b, j);
	assert_string_equal(buf_str(&b), yaml);
	buf_fini(&b);
	json_decref(j);
}

/* Every awkward text, as value and as key, comes back as it was. */
static void
test_round_trip(void **state)
{
	static const char *const texts[] = { "", " ", "a b", " a", "a ", "a: b", "a:", "a #b", "#",
		"-", "- a", "?", "? a", "{", "}", "[a]", "a,b", "&a", "*", "*.example.com", "!",
		"!!str", "|", ">", "@", "`", "%", "'", "''", "\"", "\\", "a\\b", "null", "Null",
		"~", "true", "yes", "No", "on", "y", "12", "-1", "0x1f", "0o7", "1e3", "1.", ".5",
		".inf", ".nan", "1:30", "12_000", "2026-12-01", "2026-12-01T04:00:00Z", "0b1", "=",
		"<<", "---", "...", "--- a", "a\nb", "\n", "a\n", "\t", "a\tb", "\r\n",
		"\x01\x1f\x7f", "\xc3\xa9t\xc3\xa9", "\xc2\x80\xc2\x9f\xc2\xa0", "\xe2\x80\xa8",
		"\xe4\xb8\xad\xe6\x96\x87", "\xf0\x9f\x98\x80", "\xef\xbb\xbf", "\xef\xbf\xbe",
		"\xef\xbf\xbf", "2001:db8::1", "2001:1::1", "::1", "/healthz?a=b&c", "http://x/y#z",
		"5s", "200-399", "a  b" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		json_t *j =
		    json_pack("{s:s,s:[s,{s:i}]}", "v", texts[i], "list", texts[i], texts[i], 1);
		struct yaml_in y;
		struct diag d;
		struct buf b;

		assert_non_null(j);
		buf_init(&b, 1 << 16);
		yaml_out_write(&b, j);
		if (read_text(&y, &d, buf_str(&b)) != 0)
			fail_msg("%s\n%s", buf_str(&b), diag_text(&d));
		if (!json_equal(json_array_get(y.objects, 0), j))
			fail_msg("not the same: %s", buf_str(&b));
		end(&y, &d);
		buf_fini(&b);
		json_decref(j);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scalars),
		cmocka_unit_test(test_refused_with_the_line),
		cmocka_unit_test(test_depth_is_bounded),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_output_is_for_people),
		cmocka_unit_test(test_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
