/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Readiness, metrics, the OpenAPI document, and what is asked of the engine. */
#include "api/route.h"
#include "rig.h"

static void
test_ready_only_with_the_engine(void **state)
{
	struct rig *r = *state;

	assert_int_equal(rig_ask(r, "GET", "/readyz", NULL, NULL), 200);
	r->ready = false;
	assert_int_equal(rig_ask(r, "GET", "/readyz", NULL, NULL), 503);
	assert_string_equal(rig_at(r, "errors[0].pointer"), "engine");
	assert_int_equal(
	    rig_ask(r, "POST", "/api/v1/explain", "{'name':'www.example.com'}", NULL), 503);
}

static void
test_questions_reach_the_engine(void **state)
{
	struct rig *r = *state;

	rig_fill(r);
	assert_int_equal(rig_ask(r, "POST", "/api/v1/explain",
			     "{'name':'www.example.com','type':'A','client':'192.0.2.1'}", NULL),
	    200);
	assert_string_equal(rig_at(r, "verb"), "explain");
	assert_string_equal(rig_at(r, "request.client"), "192.0.2.1");
	assert_int_equal(rig_ask(r, "POST", "/api/v1/explain", "{'nmae':'x'}", NULL), 422);
	assert_int_equal(rig_ask(r, "GET", "/api/v1/addresses/a1/health", NULL, NULL), 200);
	assert_string_equal(rig_at(r, "verb"), "observe");
	assert_string_equal(rig_at(r, "request.name"), "a1");
	assert_int_equal(rig_ask(r, "GET", "/api/v1/addresses/a9/health", NULL, NULL), 404);
}

static void
test_metrics(void **state)
{
	struct rig *r = *state;

	rig_fill(r);
	assert_int_equal(rig_ask(r, "GET", "/metrics", NULL, NULL), 200);

	const char *text = buf_str(&r->text);

	assert_non_null(strstr(text, "gtm_objects{kind=\"pool\",health=\"unknown\"} 2\n"));
	assert_non_null(strstr(text, "gtm_dns_queries_total 12\n"));
	assert_non_null(strstr(text, "gtm_dns_answers_total{rcode=\"NOERROR\"} 11\n"));
	assert_string_equal(text + strlen(text) - 6, "# EOF\n");
}

static void
test_the_document_has_every_route(void **state)
{
	struct rig *r = *state;

	assert_int_equal(rig_ask(r, "GET", "/api/v1/openapi.json", NULL, NULL), 200);
	assert_string_equal(rig_at(r, "openapi"), "3.1.0");
	for (const struct route *route = route_table; route->method != NULL; route++) {
		const json_t *path =
		    json_object_get(json_object_get(r->json, "paths"), route->pattern);

		if (path == NULL || json_object_size(path) == 0)
			fail_msg("%s is missing", route->pattern);
	}
	assert_string_not_equal(rig_at(r, "components.schemas.pool_spec.properties"), "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_start, rig_stop)
		TEST(test_ready_only_with_the_engine),
		TEST(test_questions_reach_the_engine),
		TEST(test_metrics),
		TEST(test_the_document_has_every_route),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
