/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Objects over HTTP: the round trip, preconditions, patches, lists, and what is in use. */
#include "rig.h"

static void
test_a_put_is_created_then_replaced_then_nothing(void **state)
{
	struct rig *r = *state;
	const char *const body = "{'kind':'template','name':'web','spec':{'protocol':'tcp'}}";

	assert_int_equal(rig_ask(r, "PUT", "/api/v1/templates/web", body, NULL), 201);
	assert_string_equal(rig_at(r, "kind"), "template");
	assert_string_equal(rig_at(r, "name"), "web");
	assert_string_equal(rig_at(r, "spec.protocol"), "tcp");
	assert_string_not_equal(rig_at(r, "spec.interval"), ""); /* defaults are echoed */
	assert_string_equal(rig_header(r, "GTM-Applied"), "1");
	assert_string_equal(rig_header(r, "GTM-Revision"), "1");
	assert_string_equal(rig_header(r, "ETag"), "\"1\"");

	char *spec = xstrdup(rig_at(r, "spec"));

	assert_int_equal(rig_ask(r, "PUT", "/api/v1/templates/web", body, NULL), 200);
	assert_int_equal(rig_revision(r), 1); /* a put of the same is no revision */
	assert_int_equal(r->delivered, 1);
	assert_int_equal(rig_ask(r, "GET", "/api/v1/templates/web", NULL, NULL), 200);
	assert_string_equal(rig_at(r, "spec"), spec);
	free(spec);

	rig_put(r, "/api/v1/templates/web", "{'spec':{'protocol':'tcp','fall':5}}");
	assert_string_equal(rig_at(r, "spec.fall"), "5");
	assert_int_equal(rig_revision(r), 2);
	assert_int_equal(rig_ask(r, "HEAD", "/api/v1/templates/web", NULL, NULL), 200);
	assert_int_equal(r->text.len, 0);
	assert_int_equal(rig_ask(r, "DELETE", "/api/v1/templates/web", NULL, NULL), 204);
	assert_int_equal(rig_ask(r, "GET", "/api/v1/templates/web", NULL, NULL), 404);
	assert_int_equal(rig_ask(r, "DELETE", "/api/v1/templates/web", NULL, NULL), 404);
}

static void
test_preconditions(void **state)
{
	struct rig *r = *state;
	const char *const path = "/api/v1/templates/web";

	rig_put(r, path, "{'spec':{'protocol':'tcp'}}");
	assert_int_equal(
	    rig_ask(r, "PUT", path, "{'spec':{'protocol':'tcp','fall':4}}", "If-Match: \"7\""),
	    412);
	assert_string_equal(rig_at(r, "current.name"), "web");
	assert_string_equal(rig_at(r, "current.revision"), "1");
	assert_string_equal(rig_header(r, "ETag"), "\"1\"");
	assert_int_equal(
	    rig_ask(r, "PUT", path, "{'spec':{'protocol':'tcp','fall':4}}", "If-None-Match: *"),
	    412);
	assert_int_equal(rig_ask(r, "DELETE", path, NULL, "If-Match: \"7\""), 412);
	assert_int_equal(rig_revision(r), 1);
	assert_int_equal(
	    rig_ask(r, "PUT", path, "{'spec':{'protocol':'tcp','fall':4}}", "If-Match: \"1\""),
	    200);
	assert_int_equal(rig_ask(r, "PUT", "/api/v1/templates/new", "{'spec':{'protocol':'tcp'}}",
			     "If-Match: *"),
	    412);
}

static void
test_patch_merges_and_null_means_default(void **state)
{
	struct rig *r = *state;

	rig_fill(r);
	assert_int_equal(rig_ask(r, "PATCH", "/api/v1/domains/www.example.com/A",
			     "{'spec':{'ttl':30,'labels':{'a':'1','b':'2'}}}", NULL),
	    200);
	assert_string_equal(rig_at(r, "spec.ttl"), "30");
	assert_string_equal(rig_at(r, "spec.strategy"), "weight");
	assert_int_equal(rig_ask(r, "PATCH", "/api/v1/domains/www.example.com/A",
			     "{'spec':{'ttl':null,'labels':{'a':null}}}", NULL),
	    200);
	assert_string_equal(rig_at(r, "spec.ttl"), "60");
	assert_string_equal(rig_at(r, "spec.labels"), "{\"b\":\"2\"}");
	assert_int_equal(
	    rig_ask(r, "PATCH", "/api/v1/pools/none", "{'spec':{'remark':'x'}}", NULL), 404);
}

static void
test_what_is_in_use_stays(void **state)
{
	struct rig *r = *state;

	rig_fill(r);
	const uint64_t before = rig_revision(r);

	assert_int_equal(rig_ask(r, "DELETE", "/api/v1/pools/p1", NULL, NULL), 409);
	assert_non_null(strstr(rig_at(r, "referrers"), "www.example.com/A"));
	assert_int_equal(rig_ask(r, "DELETE", "/api/v1/templates/tcp", NULL, NULL), 409);
	assert_int_equal(rig_ask(r, "DELETE", "/api/v1/zones/example.com", NULL, NULL), 409);
	assert_non_null(strstr(rig_at(r, "referrers"), "www.example.com/A"));
	assert_int_equal(rig_revision(r), before);
}

static void
test_secrets_are_kept_and_never_shown(void **state)
{
	struct rig *r = *state;
	const char *const path = "/api/v1/tsig-keys/k.example";

	assert_int_equal(rig_ask(r, "PUT", path, "{'spec':{}}", NULL), 422);
	assert_int_equal(rig_ask(r, "PUT", path, "{'spec':{'secret':'c2VjcmV0'}}", NULL), 201);
	assert_string_equal(rig_at(r, "spec.algorithm"), "hmac-sha256");
	assert_null(strstr(buf_str(&r->text), "c2VjcmV0"));
	rig_put(r, path, "{'spec':{'algorithm':'hmac-sha512'}}");
	assert_int_equal(rig_ask(r, "POST", "/api/v1/config:apply?dryRun=1",
			     "{'objects':[{'kind':'tsig-key','name':'k.example',"
			     "'spec':{'secret':'b3RoZXI='}}]}",
			     NULL),
	    200);
	assert_non_null(strstr(buf_str(&r->text), "(new secret)"));
	assert_null(strstr(buf_str(&r->text), "b3RoZXI="));

	static const char *const paths[] = { "/api/v1/audit", "/api/v1/config", "/api/v1/tsig-keys",
		"/api/v1/tsig-keys/k.example" };

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		assert_int_equal(rig_ask(r, "GET", paths[i], NULL, NULL), 200);
		assert_non_null(strstr(buf_str(&r->text), "k.example"));
		assert_null(strstr(buf_str(&r->text), "c2VjcmV0"));
	}
	rig_put(
	    r, "/api/v1/zones/x.org", "{'spec':{'notify':[{'address':'::1','key':'k.example'}]}}");
	assert_int_equal(rig_ask(r, "DELETE", path, NULL, NULL), 409);
	assert_string_equal(rig_at(r, "referrers[0]"), "zone x.org");
}

static void
test_a_dry_run_changes_nothing(void **state)
{
	struct rig *r = *state;

	rig_fill(r);
	const uint64_t before = rig_revision(r);

	assert_int_equal(rig_ask(r, "PUT", "/api/v1/templates/new?dryRun=1",
			     "{'spec':{'protocol':'tcp'}}", NULL),
	    200);
	assert_string_equal(rig_at(r, "dryRun"), "true");
	assert_string_equal(rig_at(r, "spec.protocol"), "tcp");
	assert_int_equal(rig_ask(r, "PATCH", "/api/v1/domains/www.example.com/A?dryRun=1",
			     "{'spec':{'ttl':1}}", NULL),
	    200);
	assert_string_equal(rig_at(r, "spec.ttl"), "1");
	assert_int_equal(
	    rig_ask(r, "DELETE", "/api/v1/domains/www.example.com/A?dryRun=1", NULL, NULL), 204);
	assert_int_equal(rig_revision(r), before);
	assert_int_equal(rig_ask(r, "GET", "/api/v1/templates/new", NULL, NULL), 404);
}

static void
test_lists_are_filtered_and_paged(void **state)
{
	struct rig *r = *state;

	rig_fill(r);
	control_status(r->control, KIND_ADDRESS, "a2", "{\"health\":\"exceptional\"}");
	assert_int_equal(rig_ask(r, "GET", "/api/v1/addresses?limit=1", NULL, NULL), 200);
	assert_string_equal(rig_at(r, "items[0].name"), "a1");
	assert_string_equal(rig_at(r, "next"), "a1");
	rig_ask(r, "GET", "/api/v1/addresses?limit=1&cursor=a1", NULL, NULL);
	assert_string_equal(rig_at(r, "items[0].name"), "a2");
	assert_string_equal(rig_at(r, "next"), "");
	rig_ask(r, "GET", "/api/v1/addresses?health=exceptional", NULL, NULL);
	assert_string_equal(rig_at(r, "items[0].name"), "a2");
	assert_string_equal(rig_at(r, "items[0].status.health"), "exceptional");
	assert_string_equal(rig_at(r, "items[1].name"), "");
	rig_ask(r, "GET", "/api/v1/addresses?q=2.1", NULL, NULL);
	assert_string_equal(rig_at(r, "items[0].name"), "a1");
	rig_ask(r, "PATCH", "/api/v1/pools/p2", "{'spec':{'labels':{'site':'north'}}}", NULL);
	rig_ask(r, "GET", "/api/v1/pools?label=site=north", NULL, NULL);
	assert_string_equal(rig_at(r, "items[0].name"), "p2");
	assert_int_equal(rig_ask(r, "GET", "/api/v1/pools?limit=many", NULL, NULL), 400);
	control_engine_lost(r->control);
	rig_ask(r, "GET", "/api/v1/addresses/a2", NULL, NULL);
	assert_string_equal(rig_at(r, "status.health"), "unknown");
	assert_string_equal(rig_at(r, "status.last.health"), "exceptional");
}

static void
test_wildcards_and_switches(void **state)
{
	struct rig *r = *state;

	rig_fill(r);
	assert_int_equal(rig_ask(r, "PUT", "/api/v1/domains/%2A.example.com/A",
			     "{'spec':{'pools':[{'pool':'p1'}]}}", NULL),
	    201);
	assert_string_equal(rig_at(r, "name"), "*.example.com/A");
	assert_int_equal(
	    rig_ask(r, "POST", "/api/v1/domains/*.example.com/A:enable", NULL, NULL), 200);
	assert_string_equal(rig_at(r, "spec.enabled"), "true");
	assert_int_equal(
	    rig_ask(r, "POST", "/api/v1/domains/*.Example.com/a:disable", NULL, NULL), 200);
	assert_string_equal(rig_at(r, "spec.enabled"), "false");
}

static void
test_links_come_and_go(void **state)
{
	struct rig *r = *state;

	rig_fill(r);
	assert_int_equal(
	    rig_ask(r, "POST", "/api/v1/pools/p1/addresses", "{'address':'a2','weight':3}", NULL),
	    200);
	assert_string_equal(rig_at(r, "spec.addresses[0].address"), "a1");
	assert_string_equal(rig_at(r, "spec.addresses[1].weight"), "3");
	assert_int_equal(
	    rig_ask(r, "POST", "/api/v1/pools/p1/addresses", "{'address':'a2'}", NULL), 422);
	assert_int_equal(rig_ask(r, "DELETE", "/api/v1/pools/p1/addresses/a1", NULL, NULL), 200);
	assert_string_equal(rig_at(r, "spec.addresses[0].address"), "a2");
	assert_int_equal(rig_ask(r, "DELETE", "/api/v1/pools/p1/addresses/a1", NULL, NULL), 404);
}

static void
test_an_engine_that_is_late_is_told(void **state)
{
	struct rig *r = *state;

	r->applies = false;
	assert_int_equal(
	    rig_ask(r, "PUT", "/api/v1/templates/t", "{'spec':{'protocol':'tcp'}}", NULL), 201);
	assert_string_equal(rig_header(r, "GTM-Applied"), "0");
}

static void
test_a_restart_finds_everything(void **state)
{
	struct rig *r = *state;

	rig_fill(r);
	rig_halt(r);
	rig_serve(r);
	assert_int_equal(rig_ask(r, "GET", "/api/v1/domains/www.example.com/A", NULL, NULL), 200);
	assert_string_equal(rig_at(r, "spec.pools[1].pool"), "p2");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_start, rig_stop)
		TEST(test_a_put_is_created_then_replaced_then_nothing),
		TEST(test_preconditions),
		TEST(test_patch_merges_and_null_means_default),
		TEST(test_what_is_in_use_stays),
		TEST(test_secrets_are_kept_and_never_shown),
		TEST(test_a_dry_run_changes_nothing),
		TEST(test_lists_are_filtered_and_paged),
		TEST(test_wildcards_and_switches),
		TEST(test_links_come_and_go),
		TEST(test_an_engine_that_is_late_is_told),
		TEST(test_a_restart_finds_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
