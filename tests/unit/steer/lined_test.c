/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Record sets with lines beside domains of the same name: who goes first, and what comes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dns/name.h"
#include "dns/rrtype.h"
#include "steer/steered.h"
#include "world.h"

#define HOST "www.example.com"

static struct world w;

static int
begin(void **state)
{
	(void)state;
	world_init(&w, 1);
	world_put(&w, KIND_ZONE, "example.com", "{}");
	world_put(&w, KIND_LINE, "office", "{'cidrs':['10.0.0.0/8']}");
	world_put(&w, KIND_ADDRESS, "a", "{'type':'ipv4','value':'192.0.2.200'}");
	world_put(&w, KIND_ADDRESS, "n", "{'type':'domain','value':'n.example.net'}");
	world_put(&w, KIND_POOL, "p", "{'type':'ipv4','addresses':[{'address':'a'}]}");
	world_put(&w, KIND_POOL, "names", "{'type':'domain','addresses':[{'address':'n'}]}");
	world_apply(&w);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	world_fini(&w);
	return 0;
}

static void
put_set(const char *name, const char *records)
{
	world_put(&w, KIND_RRSET, name, "{'zone':'example.com','ttl':60,'records':[%s]}", records);
}

static void
put_domain(const char *name, const char *pool, bool enabled)
{
	world_put(&w, KIND_DOMAIN, name, "{'enabled':%s,'pools':[{'pool':'%s'}]}",
	    enabled ? "true" : "false", pool);
}

static const char *
asked_from(const char *client, uint16_t type)
{
	assert_true(position_parse(&w.at, client));
	return world_answer(&w, HOST, type);
}

static const struct rrset *
shown(const char *host, uint16_t type)
{
	uint8_t name[NAME_MAX_LEN];
	struct lookup l;

	assert_true(name_parse_lower(host, name) > 0);
	lookup(zones_find(w.zones, name), name, type, &l);
	return l.kind == LOOKUP_NAME ? steered_fallback_set(l.node->overlay, type) : NULL;
}

static void
test_a_domain_goes_first(void **state)
{
	(void)state;
	put_set(HOST "/A", "'192.0.2.1',{'data':'192.0.2.2','line':'office'}");
	world_apply(&w);
	assert_string_equal(asked_from("10.0.0.1", RRTYPE_A), "2");
	assert_null(shown(HOST, RRTYPE_A)); /* the zone has it */

	put_domain(HOST "/A", "p", true);
	world_apply(&w);
	assert_string_equal(asked_from("10.0.0.1", RRTYPE_A), "200");
	assert_non_null(shown(HOST, RRTYPE_A));

	/* what is hidden changes, and is the newest when it comes back */
	put_set(HOST "/A", "'192.0.2.1',{'data':'192.0.2.3','line':'office'}");
	world_apply(&w);
	assert_string_equal(asked_from("10.0.0.1", RRTYPE_A), "200");
	put_domain(HOST "/A", "p", false);
	world_apply(&w);
	assert_string_equal(asked_from("10.0.0.1", RRTYPE_A), "3");
	assert_string_equal(asked_from("192.0.2.7", RRTYPE_A), "1");
	assert_null(shown(HOST, RRTYPE_A));
}

static void
test_it_comes_back_when_the_domain_has_nothing(void **state)
{
	(void)state;
	put_set(HOST "/A", "{'data':'192.0.2.2','line':'office'}");
	put_domain(HOST "/A", "p", true);
	world_apply(&w);
	assert_string_equal(asked_from("10.0.0.1", RRTYPE_A), "200");
	world_put(&w, KIND_ADDRESS, "a", "{'type':'ipv4','value':'192.0.2.200','enabled':false}");
	world_apply(&w);
	assert_string_equal(asked_from("10.0.0.1", RRTYPE_A), "2");
	assert_string_equal(asked_from("11.0.0.1", RRTYPE_A), "");
	world_put(&w, KIND_ADDRESS, "a", "{'type':'ipv4','value':'192.0.2.200'}");
	world_apply(&w);
	assert_string_equal(asked_from("10.0.0.1", RRTYPE_A), "200");
	world_delete(&w, KIND_DOMAIN, HOST "/A");
	world_apply(&w);
	assert_string_equal(asked_from("10.0.0.1", RRTYPE_A), "2");
}

static void
test_both_change_in_one_set(void **state)
{
	(void)state;
	put_set(HOST "/A", "{'data':'192.0.2.2','line':'office'}");
	put_domain(HOST "/A", "p", true);
	world_apply(&w);
	world_delete(&w, KIND_DOMAIN, HOST "/A");
	put_set(HOST "/A", "{'data':'192.0.2.9','line':'office'}");
	world_apply(&w);
	assert_string_equal(asked_from("10.0.0.1", RRTYPE_A), "9");
	world_delete(&w, KIND_RRSET, HOST "/A");
	put_domain(HOST "/A", "p", true);
	world_apply(&w);
	assert_string_equal(asked_from("10.0.0.1", RRTYPE_A), "200");
	put_domain(HOST "/A", "p", false);
	put_set(HOST "/A", "{'data':'192.0.2.7','line':'office'}");
	world_apply(&w);
	assert_string_equal(asked_from("10.0.0.1", RRTYPE_A), "7");
	world_delete(&w, KIND_RRSET, HOST "/A");
	world_delete(&w, KIND_DOMAIN, HOST "/A");
	put_set(HOST "/A", "{'data':'192.0.2.8','line':'office'}");
	world_apply(&w);
	assert_string_equal(asked_from("10.0.0.1", RRTYPE_A), "8");
	world_delete(&w, KIND_RRSET, HOST "/A");
	world_apply(&w);
	assert_string_equal(asked_from("10.0.0.1", RRTYPE_A), "zone");
}

static void
test_many_types_at_one_name(void **state)
{
	(void)state;
	put_set(HOST "/TXT", "{'data':'hello','line':'office'}");
	put_set(HOST "/MX", "{'data':'1 a.example.','line':'office'}");
	put_set(HOST "/TYPE65280", "{'data':'\\\\# 1 07','line':'office'}");
	put_domain(HOST "/A", "p", true);
	put_set(HOST "/AAAA", "{'data':'2001:db8::5','line':'office'}");
	world_apply(&w);
	assert_string_equal(asked_from("10.0.0.1", 65280), "7");
	assert_string_equal(asked_from("10.0.0.1", RRTYPE_A), "200");
	assert_string_equal(asked_from("10.0.0.1", RRTYPE_AAAA), "5");
	assert_string_equal(asked_from("10.0.0.1", RRTYPE_MX), "0");
	assert_string_equal(asked_from("10.0.0.1", RRTYPE_SRV), "zone");
	world_delete(&w, KIND_RRSET, HOST "/MX");
	world_delete(&w, KIND_DOMAIN, HOST "/A");
	world_apply(&w);
	assert_string_equal(asked_from("10.0.0.1", RRTYPE_MX), "zone");
	assert_string_equal(asked_from("10.0.0.1", RRTYPE_A), "zone");
	assert_string_equal(asked_from("10.0.0.1", RRTYPE_AAAA), "5");
}

/* A CNAME of the zone hides other types, but no domain; a domain's hides all. */
static void
test_cname(void **state)
{
	(void)state;
	put_set(HOST "/CNAME", "{'data':'one.example.','line':'office'},'two.example.'");
	world_apply(&w);
	assert_true(plan_rrtype(world_plan(&w, HOST, RRTYPE_TXT)) == RRTYPE_CNAME);
	assert_null(world_plan(&w, HOST, RRTYPE_RRSIG));
	put_domain(HOST "/A", "p", true);
	world_apply(&w);
	assert_string_equal(asked_from("10.0.0.1", RRTYPE_A), "200");
	assert_true(plan_is_zone_data(world_plan(&w, HOST, RRTYPE_AAAA)));
	put_domain(HOST "/CNAME", "names", true);
	world_apply(&w);
	assert_false(plan_is_zone_data(world_plan(&w, HOST, RRTYPE_AAAA)));
	assert_int_equal(plan_rrtype(world_plan(&w, HOST, RRTYPE_A)), RRTYPE_CNAME);
	world_delete(&w, KIND_DOMAIN, HOST "/CNAME");
	world_apply(&w);
	assert_true(plan_is_zone_data(world_plan(&w, HOST, RRTYPE_AAAA)));
	assert_string_equal(asked_from("10.0.0.1", RRTYPE_A), "200");
}

/* A zone that comes between takes the name, and gives it back. */
static void
test_a_deeper_zone(void **state)
{
	(void)state;
	put_set(HOST "/A", "{'data':'192.0.2.2','line':'office'}");
	put_set("example.com/MX", "{'data':'1 a.example.','line':'office'}");
	world_apply(&w);
	world_put(&w, KIND_ZONE, HOST, "{}");
	world_apply(&w);
	assert_string_equal(asked_from("10.0.0.1", RRTYPE_A), "zone");
	world_delete(&w, KIND_ZONE, HOST);
	world_apply(&w);
	assert_string_equal(asked_from("10.0.0.1", RRTYPE_A), "2");
}

static void
test_weights_keep_their_place_over_edits(void **state)
{
	unsigned ones = 0;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		put_set(HOST "/A", i % 2 == 0
				       ? "{'data':'192.0.2.1','weight':1},{'data':'192.0.2.2'}"
				       : "{'data':'192.0.2.1','weight':1},{'data':'192.0.2.2',"
					 "'remark':'x'}");
		world_apply(&w);
		ones += asked_from("10.0.0.1", RRTYPE_A)[0] == '1';
	}
	assert_in_range(ones, 497, 503);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_domain_goes_first, begin, end),
		cmocka_unit_test_setup_teardown(
		    test_it_comes_back_when_the_domain_has_nothing, begin, end),
		cmocka_unit_test_setup_teardown(test_both_change_in_one_set, begin, end),
		cmocka_unit_test_setup_teardown(test_many_types_at_one_name, begin, end),
		cmocka_unit_test_setup_teardown(test_cname, begin, end),
		cmocka_unit_test_setup_teardown(test_a_deeper_zone, begin, end),
		cmocka_unit_test_setup_teardown(
		    test_weights_keep_their_place_over_edits, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
