/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Scenarios and config:apply: all in one revision, or nothing. */
#include "rig.h"

#define MAKE "/api/v1/domains:from-scenario"
#define CHECK                                                                                      \
	"'check':{'protocol':'tcp','port':80,'interval':'1s','timeout':'500ms','fall':2,'rise':1}"
#define SITES                                                                                      \
	"'sites':[{'name':'dc-a','weight':3,'addresses':['203.0.113.10','203.0.113.11']},"         \
	"{'name':'dc-b','weight':1,'addresses':['198.51.100.10']}]"
#define HEAD "'name':'www.cloud-example.com','type':'A','ttl':60,'enabled':true"

static void
with_zone(struct rig *r)
{
	rig_put(
	    r, "/api/v1/zones/cloud-example.com", "{'spec':{'nameservers':['ns1.example.net']}}");
}

static void
test_multi_active_in_one_revision(void **state)
{
	struct rig *r = *state;

	with_zone(r);
	assert_int_equal(rig_ask(r, "POST", MAKE,
			     "{'scenario':'multi_active'," HEAD "," CHECK "," SITES "}", NULL),
	    201);
	assert_int_equal(rig_revision(r), 2);
	assert_string_equal(rig_at(r, "name"), "www.cloud-example.com/A");
	assert_string_equal(rig_at(r, "spec.strategy"), "weight");
	assert_string_equal(rig_at(r, "spec.enabled"), "true");
	assert_string_equal(rig_at(r, "spec.pools[0].weight"), "3");
	assert_string_equal(rig_at(r, "made[0].name"), "www.cloud-example.com-tcp-80");
	rig_ask(r, "GET", "/api/v1/addresses/dc-a-2", NULL, NULL);
	assert_string_equal(rig_at(r, "spec.value"), "203.0.113.11");
	assert_string_equal(rig_at(r, "spec.checks[0].port"), "80");
	/* Again: everything is there already. */
	assert_int_equal(rig_ask(r, "POST", MAKE,
			     "{'scenario':'multi_active'," HEAD "," CHECK "," SITES "}", NULL),
	    200);
	assert_int_equal(rig_revision(r), 2);
}

static void
test_active_standby(void **state)
{
	struct rig *r = *state;

	with_zone(r);
	assert_int_equal(rig_ask(r, "POST", MAKE,
			     "{'scenario':'active_standby','name':'db.cloud-example.com',"
			     "'sequence_mode':'non_preemptive'," CHECK "," SITES "}",
			     NULL),
	    201);
	assert_string_equal(rig_at(r, "spec.strategy"), "sequence");
	assert_string_equal(rig_at(r, "spec.sequence_mode"), "non_preemptive");
	assert_string_equal(rig_at(r, "spec.enabled"), "false");
	assert_string_equal(rig_at(r, "spec.pools[1].order"), "2");
}

static void
test_generated_names_give_way_and_given_ones_do_not(void **state)
{
	struct rig *r = *state;
	const char *const body = "{'scenario':'multi_active'," HEAD "," CHECK "," SITES "}";

	with_zone(r);
	rig_put(r, "/api/v1/addresses/dc-a-1", "{'spec':{'type':'ipv4','value':'192.0.2.7'}}");
	assert_int_equal(rig_ask(r, "POST", MAKE, body, NULL), 201);
	assert_string_equal(rig_at(r, "made[1].name"), "dc-a-1-2");
	rig_ask(r, "DELETE", "/api/v1/domains/www.cloud-example.com/A", NULL, NULL);
	rig_put(r, "/api/v1/pools/dc-b", "{'spec':{'type':'ipv4','remark':'mine'}}");
	const uint64_t before = rig_revision(r);

	assert_int_equal(rig_ask(r, "POST", MAKE, body, NULL), 409);
	assert_string_equal(rig_at(r, "errors[0].pointer"), "sites[1].name");
	assert_int_equal(rig_revision(r), before);
}

static void
test_a_failure_midway_leaves_nothing(void **state)
{
	static const char *const cases[][2] = {
		{ "{'scenario':'multi_active'," HEAD "," CHECK
		  ",'sites':[{'name':'s1','addresses':['192.0.2.1']},"
		  "{'name':'s2','addresses':['2001:db8::1']}]}",
		    "sites[1].addresses[0]" },
		{ "{'scenario':'multi_active'," HEAD "," CHECK
		  ",'sites':[{'name':'s1','weight':70000,'addresses':['192.0.2.1']}]}",
		    "sites[0].weight" },
		{ "{'scenario':'multi_active','name':'www.other.org'," CHECK "," SITES "}",
		    "name" },
		{ "{'scenario':'multi_active'," HEAD
		  ",'check':{'protocol':'tcp','port':80,'interval':'1y'}," SITES "}",
		    "check.interval" },
		{ "{'scenario':'multi_active'," HEAD ",'check':{'protocol':'tcp','port':0}," SITES
		  "}",
		    "check.port" },
		{ "{'scenario':'round_trip'," HEAD "," CHECK "," SITES "}", "scenario" },
		{ "{'scenario':'active_standby'," HEAD
		  ",'sites':[{'name':'s1','addresses':['192.0.2.1']}]}",
		    "sites" },
		{ "{'scenario':'multi_active'," HEAD ",'sites':[{'name':'s1','addresses':[]}]}",
		    "sites[0]" },
	};
	struct rig *r = *state;

	with_zone(r);
	const uint64_t before = rig_revision(r);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const long status = rig_ask(r, "POST", MAKE, cases[i][0], NULL);

		if (status != 422 || rig_revision(r) != before ||
		    strcmp(rig_at(r, "errors[0].pointer"), cases[i][1]) != 0)
			fail_msg("%s: %ld %s", cases[i][0], status, buf_str(&r->text));
	}
	rig_ask(r, "GET", "/api/v1/addresses", NULL, NULL);
	assert_string_equal(rig_at(r, "items"), "[]");
}

static void
test_config_round_trips_in_any_order(void **state)
{
	struct rig *r = *state;

	rig_fill(r);
	assert_int_equal(rig_ask(r, "GET", "/api/v1/config", NULL, NULL), 200);

	json_t *objects = json_object_get(r->json, "objects"), *turned = json_array();

	for (size_t i = json_array_size(objects); i-- > 0;)
		json_array_append(turned, json_array_get(objects, i));

	json_t *body = json_pack("{s:o}", "objects", turned);
	char *text = json_text(body);
	const uint64_t before = rig_revision(r);

	json_decref(body);
	assert_int_equal(rig_ask(r, "POST", "/api/v1/config:apply", text, NULL), 200);
	assert_string_equal(rig_at(r, "objects[0].action"), "unchanged");
	assert_int_equal(rig_revision(r), before);
	rig_ask(r, "DELETE", "/api/v1/domains/www.example.com/A", NULL, NULL);
	rig_ask(r, "DELETE", "/api/v1/pools/p1", NULL, NULL);
	rig_ask(r, "DELETE", "/api/v1/pools/p2", NULL, NULL);
	rig_ask(r, "PATCH", "/api/v1/templates/tcp", "{'spec':{'fall':9}}", NULL);
	const uint64_t cut = rig_revision(r);

	assert_int_equal(rig_ask(r, "POST", "/api/v1/config:apply?dryRun=1", text, NULL), 200);
	assert_string_equal(rig_at(r, "objects[0].action"), "create");
	assert_int_equal(rig_revision(r), cut);
	assert_int_equal(rig_ask(r, "POST", "/api/v1/config:apply", text, NULL), 200);
	assert_int_equal(rig_revision(r), cut + 1);
	assert_string_equal(rig_at(r, "objects[5].changes[0].path"), "fall");
	assert_int_equal(rig_ask(r, "GET", "/api/v1/domains/www.example.com/A", NULL, NULL), 200);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_start, rig_stop)
		TEST(test_multi_active_in_one_revision),
		TEST(test_active_standby),
		TEST(test_generated_names_give_way_and_given_ones_do_not),
		TEST(test_a_failure_midway_leaves_nothing),
		TEST(test_config_round_trips_in_any_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
