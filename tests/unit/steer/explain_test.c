/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "dns/rrtype.h"
#include "steer/explain.h"
#include "world.h"

static struct world w;

/* www: weight a 2 : b 1; a holds 1 2 (round robin), b holds 3 (w 3) 4 (w 1). x is disabled. *.c is
 * a CNAME. */
static int
setup(void **state)
{
	(void)state;
	world_init(&w, 1);
	world_put(&w, KIND_ZONE, "example.com", "{}");
	world_put(&w, KIND_TEMPLATE, "tcp", "{'protocol':'tcp'}");
	for (int i = 1; i <= 4; i++) {
		char name[8];

		snprintf(name, sizeof(name), "a%d", i);
		world_put(&w, KIND_ADDRESS, name,
		    "{'type':'ipv4','value':'192.0.2.%d','checks':[{'template':'tcp','port':80}]}",
		    i);
	}
	world_put(
	    &w, KIND_POOL, "a", "{'type':'ipv4','addresses':[{'address':'a1'},{'address':'a2'}]}");
	world_put(&w, KIND_POOL, "b",
	    "{'type':'ipv4','strategy':'weight','addresses':[{'address':'a3','weight':3},{'address'"
	    ":'a4'}]}");
	world_put(&w, KIND_DOMAIN, "www.example.com/A",
	    "{'enabled':true,'ttl':30,'strategy':'weight','pools':[{'pool':'a','weight':2},{'pool':"
	    "'b'}]}");
	world_put(&w, KIND_DOMAIN, "x.example.com/A", "{'enabled':false,'pools':[{'pool':'a'}]}");
	world_put(&w, KIND_ADDRESS, "cdn", "{'type':'domain','value':'cdn.example.net'}");
	world_put(&w, KIND_POOL, "names", "{'type':'domain','addresses':[{'address':'cdn'}]}");
	world_put(&w, KIND_DOMAIN, "*.c.example.com/CNAME",
	    "{'enabled':true,'pools':[{'pool':'names'}]}");
	world_apply(&w);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	world_fini(&w);
	return 0;
}

/* `request` with ' for ". */
static json_t *
ask(const char *request)
{
	char *text = xstrdup(request);
	struct diag d;

	for (char *p = text; *p != '\0'; p++)
		*p = *p == '\'' ? '"' : *p;
	diag_init(&d);

	json_t *j = json_parse(text, strlen(text), &d), *reply = explain(w.tree, w.zones, j, &d);

	assert_true((reply == NULL) == diag_failed(&d));
	diag_fini(&d);
	json_decref(j);
	free(text);
	return reply;
}

static double
probability(const json_t *reply, const char *address)
{
	const json_t *candidates = json_object_get(reply, "candidates"), *c;
	size_t i;

	json_array_foreach(candidates, i, c)
	{
		if (strcmp(json_string_value(json_object_get(c, "address")), address) == 0)
			return json_real_value(json_object_get(c, "probability"));
	}
	fail_msg("no candidate %s", address);
	return 0;
}

static bool
says(const json_t *reply, const char *what)
{
	const json_t *decision = json_object_get(reply, "decision"), *step;
	size_t i;

	json_array_foreach(decision, i, step)
	{
		if (strstr(json_string_value(json_object_get(step, "text")), what) != NULL)
			return true;
	}
	return false;
}

static const char *
rcode(const json_t *reply)
{
	return json_string_value(json_object_get(json_object_get(reply, "answer"), "rcode"));
}

static void
near(double got, double want)
{
	assert_true(got > want - 1e-9 && got < want + 1e-9);
}

static void
test_probabilities_and_draws(void **state)
{
	json_t *r =
	    ask("{'name':'WWW.example.com','type':'A','client':'198.51.100.7','draws':24000}");
	json_t *draws = json_object_get(r, "draws");

	(void)state;
	near(probability(r, "a1"), 1 / 3.0);
	near(probability(r, "a2"), 1 / 3.0);
	near(probability(r, "a3"), 1 / 4.0);
	near(probability(r, "a4"), 1 / 12.0);
	assert_in_range(json_integer_value(json_object_get(draws, "192.0.2.3")), 5994, 6006);
	assert_in_range(json_integer_value(json_object_get(draws, "192.0.2.4")), 1994, 2006);
	assert_int_equal(json_object_size(draws), 4);
	assert_int_equal(
	    json_integer_value(json_object_get(json_object_get(r, "answer"), "ttl")), 30);
	assert_true(json_is_true(json_object_get(r, "steered")));
	assert_true(json_is_null(json_object_get(r, "fallback")));
	json_decref(r);
}

/* Asking moves nothing: the next answer is the one explained, however often one asks. */
static void
test_asking_moves_nothing(void **state)
{
	json_t *one = ask("{'name':'www.example.com'}"), *two = ask("{'name':'www.example.com'}");

	(void)state;
	assert_true(json_equal(one, two));
	json_decref(one);
	json_decref(two);
}

static void
test_overrides(void **state)
{
	json_t *r = ask("{'name':'www.example.com','overrides':{'a1':'down','a2':'down'}}");

	(void)state;
	near(probability(r, "a1"), 0);
	near(probability(r, "a3"), 3 / 4.0);
	assert_true(says(r, "pool 'a' is skipped: 0 of 2"));
	json_decref(r);
	r = ask("{'name':'www.example.com',"
		"'overrides':{'a1':'down','a2':'down','a3':'down','a4':'down'}}");
	assert_string_equal(json_string_value(json_object_get(r, "fallback")), "fail_open");
	near(probability(r, "a1"), .5);
	assert_true(says(r, "rule b"));
	json_decref(r);
	assert_string_equal(world_answer(&w, "x.example.com", RRTYPE_A), "zone");
	assert_false(plan_is_fallback(world_plan(&w, "www.example.com", RRTYPE_A)));
}

static void
test_where_the_zone_answers(void **state)
{
	json_t *r = ask("{'name':'x.example.com'}");

	(void)state;
	assert_true(says(r, "disabled") && says(r, "Public Zone"));
	assert_true(json_is_false(json_object_get(r, "steered")));
	assert_string_equal(rcode(r), "NXDOMAIN");
	json_decref(r);
	r = ask("{'name':'www.example.com','type':'MX'}");
	assert_string_equal(rcode(r), "NOERROR");
	json_decref(r);
	r = ask("{'name':'example.org'}");
	assert_string_equal(rcode(r), "REFUSED");
	json_decref(r);
}

static void
test_below_a_wildcard(void **state)
{
	json_t *r = ask("{'name':'some.c.example.com','type':'AAAA'}");

	(void)state;
	assert_true(says(r, "covered by '*.c.example.com'"));
	near(probability(r, "cdn"), 1);
	json_decref(r);
}

static void
test_bad_requests(void **state)
{
	static const char *const bad[] = { "{}", "{'name':'a..b'}", "{'name':'a.b','type':'NOPE'}",
		"{'name':'a.b','client':'nobody'}", "{'name':'a.b','draws':-1}",
		"{'name':'a.b','overrides':{'nobody':'up'}}",
		"{'name':'a.b','overrides':{'a1':'x'}}" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_null(ask(bad[i]));
}

static const char *
text_at(const json_t *reply, size_t step)
{
	return json_string_value(
	    json_object_get(json_array_get(json_object_get(reply, "decision"), step), "text"));
}

/* Who is where, and why the line that matched does not answer. */
static void
test_lines(void **state)
{
	(void)state;
	world_put(&w, KIND_LINE, "office", "{'parent':'telecom','cidrs':['10.0.0.0/8']}");
	world_put(&w, KIND_DOMAIN, "l.example.com/A",
	    "{'enabled':true,'strategy':'source_nearest','pools':[{'pool':'a','lines':['telecom']},"
	    "{'pool':'b'}]}");
	world_apply(&w);

	json_t *r = ask("{'name':'l.example.com','client':'192.0.2.1','ecs':'10.2.0.0/16'}");

	assert_string_equal(json_string_value(json_object_get(r, "line")), "telecom");
	assert_int_equal(json_integer_value(json_object_get(r, "scope")), 8);
	assert_string_equal(text_at(r, 1), "10.2.0.0/16, from the query's EDNS Client Subnet");
	json_decref(r);
	r = ask(
	    "{'name':'l.example.com','client':'10.2.0.1','overrides':{'a1':'down','a2':'down'}}");
	assert_string_equal(json_string_value(json_object_get(r, "line")), "default");
	assert_string_equal(text_at(r, 1), "10.2.0.1, from the resolver's address");
	assert_string_equal(
	    text_at(r, 3), "no pool of line 'telecom' is available: line 'default' answers");
	json_decref(r);
	assert_null(ask("{'name':'l.example.com','ecs':'10.2.0.1/16'}"));
}

/* A domain that rests now steers under other verdicts, and the other way round. */
static void
test_what_if_across_the_zone(void **state)
{
	(void)state;
	world_put(&w, KIND_DOMAIN, "z.example.com/A",
	    "{'enabled':true,'fallback':'public_zone','pools':[{'pool':'a'}]}");
	world_apply(&w);

	json_t *r = ask("{'name':'z.example.com','overrides':{'a1':'down','a2':'down'}}");

	/* nothing else is at that name: it goes with its domain */
	assert_true(json_is_false(json_object_get(r, "steered")));
	assert_string_equal(
	    json_string_value(json_object_get(json_object_get(r, "answer"), "rcode")), "NXDOMAIN");
	json_decref(r);
	world_verdict(&w, "tcp/192.0.2.1/80", 'D');
	world_verdict(&w, "tcp/192.0.2.2/80", 'D');
	r = ask("{'name':'z.example.com'}");
	assert_true(json_is_false(json_object_get(r, "steered")));
	json_decref(r);
	r = ask("{'name':'z.example.com','overrides':{'a2':'up'}}");
	assert_true(json_is_true(json_object_get(r, "steered")));
	json_decref(r);
	world_verdict(&w, "tcp/192.0.2.1/80", 'U');
	world_verdict(&w, "tcp/192.0.2.2/80", 'U');
}

static const char *
state_of(const json_t *reply, const char *address)
{
	const json_t *candidates = json_object_get(reply, "candidates"), *c;
	size_t i;

	json_array_foreach(candidates, i, c)
	{
		if (strcmp(json_string_value(json_object_get(c, "address")), address) == 0)
			return json_string_value(json_object_get(c, "state"));
	}
	return "nobody";
}

static void
impose(const char *object, const char *state)
{
	world_put(&w, KIND_OVERRIDE, object, "{'state':'%s','reason':'racks','by':'ops'}", state);
	world_apply(&w);
}

static void
lift(const char *object)
{
	world_delete(&w, KIND_OVERRIDE, object);
	world_apply(&w);
}

/* What operators impose is told with who and why, whatever is supposed of health. */
static void
test_imposed(void **state)
{
	json_t *r;

	(void)state;
	impose("address/a1", "down");
	impose("pool/b", "drain");
	r = ask("{'name':'www.example.com','overrides':{'a1':'up'}}");
	near(probability(r, "a2"), 1);
	assert_string_equal(state_of(r, "a1"), "forced");
	assert_true(says(r, "address 'a1': 'down' by ops until it is lifted: racks"));
	assert_true(says(r, "pool 'b': 'drain' by ops until it is lifted: racks"));
	assert_true(says(r, "pool 'b' is skipped: it is drained"));
	json_decref(r);
	lift("address/a1");
	lift("pool/b");

	impose("domain/www.example.com/A", "up");
	r = ask("{'name':'www.example.com','overrides':{'a1':'down','a2':'down'}}");
	near(probability(r, "a1"), 1 / 3.0);
	assert_true(says(r, "2 pools available, but health is ignored"));
	json_decref(r);
	impose("domain/www.example.com/A", "down");
	r = ask("{'name':'www.example.com'}");
	assert_true(says(r, "the domain is forced down, as if no pool were available"));
	json_decref(r);
	impose("domain/www.example.com/A", "drain");
	r = ask("{'name':'www.example.com'}");
	assert_true(json_is_false(json_object_get(r, "steered")));
	assert_true(says(r, "domain 'www.example.com/A' is drained"));
	json_decref(r);
	lift("domain/www.example.com/A");
}

static void
test_maintenance_and_damping(void **state)
{
	json_t *r;

	(void)state;
	world_put(&w, KIND_MAINTENANCE, "tuesday",
	    "{'objects':['pool/b'],'starts':'2023-11-14T00:00:00Z','ends':'2023-11-15T00:00:00Z',"
	    "'reason':'patches'}");
	world_apply(&w);
	for (int i = 0; i < 8; i++)
		world_verdict(&w, "tcp/192.0.2.1/80", i % 2 == 0 ? 'D' : 'U');
	world_verdict(&w, "tcp/192.0.2.1/80", 'D');
	r = ask("{'name':'www.example.com'}");
	assert_true(says(r, "pool 'b': 'drain' by maintenance 'tuesday' until 2023-11-15T00:00"));
	assert_true(says(r, "address 'a1' keeps going up and down: held down until 2023-11-14T22"));
	assert_string_equal(state_of(r, "a1"), "down");
	json_decref(r);
	r = ask("{'name':'www.example.com','overrides':{'a1':'up'}}"); /* as if it were settled */
	near(probability(r, "a1"), .5);
	json_decref(r);
	world_delete(&w, KIND_MAINTENANCE, "tuesday");
	world_apply(&w);
}

/* What the address's own line says; "" for nothing. */
static const char *
because(const json_t *reply, const char *address)
{
	const json_t *candidates = json_object_get(reply, "candidates"), *c;
	size_t i;

	json_array_foreach(candidates, i, c)
	{
		if (strcmp(json_string_value(json_object_get(c, "address")), address) == 0)
			return json_is_null(json_object_get(c, "because"))
				   ? ""
				   : json_string_value(json_object_get(c, "because"));
	}
	return "nobody";
}

static void
expect(const char *request, const char *address, const char *text)
{
	json_t *r = ask(request);

	assert_string_equal(because(r, address), text);
	json_decref(r);
}

#define WWW "{'name':'www.example.com'}"

/* Each line of a candidate says why it gets nothing, whoever sees to that. */
static void
test_why_one_gets_nothing(void **state)
{
	static const char off[] = "{'type':'ipv4','value':'192.0.2.1','enabled':false}";

	(void)state;
	expect(WWW, "a2", "");
	expect(WWW, "a1",
	    "it is held down until 2023-11-14T22:14:20.000Z, as it keeps going up and "
	    "down");
	impose("pool/a", "drain");
	expect(WWW, "a2", "its pool is drained by ops until it is lifted: racks");
	expect(WWW, "a3", "");
	impose("address/a2", "down");
	expect(WWW, "a2",
	    "its pool is drained by ops until it is lifted: racks; it is forced down by ops until "
	    "it is lifted: racks");
	lift("pool/a");
	impose("address/a1", "up");
	expect(WWW, "a2", "it is forced down by ops until it is lifted: racks");
	expect(WWW, "a1", "it is forced up by ops until it is lifted: racks");
	lift("address/a2");
	lift("address/a1");

	world_put(&w, KIND_MAINTENANCE, "tuesday",
	    "{'objects':['pool/b','address/a2'],'starts':'2023-11-14T00:00:00Z',"
	    "'ends':'2023-11-15T00:00:00Z','state':'down','reason':'patches'}");
	world_apply(&w);
	expect(WWW, "a3",
	    "its pool is forced down by maintenance 'tuesday' until 2023-11-15T00:00:00.000Z: "
	    "patches");
	expect(WWW, "a2",
	    "its pool has 0 of 2 addresses available, fewer than it needs; it is forced down by "
	    "maintenance 'tuesday' until 2023-11-15T00:00:00.000Z: patches");
	expect(WWW, "a1", "health is ignored: a fallback answers");
	world_delete(&w, KIND_MAINTENANCE, "tuesday");
	world_put(&w, KIND_ADDRESS, "a1", off);
	world_put(&w, KIND_POOL, "b",
	    "{'type':'ipv4','enabled':false,'addresses':[{'address':'a3'},{'address':'a4'}]}");
	world_apply(&w);
	expect(WWW, "a1", "it is disabled");
	expect(WWW, "a3", "its pool is disabled");
	world_put(&w, KIND_ADDRESS, "a1",
	    "{'type':'ipv4','value':'192.0.2.1','mode':'manual','manual_state':'unavailable'}");
	world_apply(&w);
	expect(WWW, "a1", "its mode is manual: unavailable");
}

/* It could answer, but others do. */
static void
test_why_one_is_not_chosen(void **state)
{
	(void)state;
	world_put(&w, KIND_ADDRESS, "a1", "{'type':'ipv4','value':'192.0.2.1'}");
	world_put(&w, KIND_POOL, "b",
	    "{'type':'ipv4','strategy':'weight','healthy_when':{'at_least':2},'addresses':[{'"
	    "address':'a3'},"
	    "{'address':'a4','weight':0}]}");
	world_put(&w, KIND_DOMAIN, "s.example.com/A",
	    "{'enabled':true,'strategy':'sequence','fallback_pool':'a','fallback':'fallback_pool','"
	    "pools':["
	    "{'pool':'b'}]}");
	world_put(&w, KIND_DOMAIN, "h.example.com/A",
	    "{'enabled':true,'strategy':'sequence','pools':[{'pool':'b'},{'pool':'a'}]}");
	world_apply(&w);
	expect("{'name':'s.example.com'}", "a3", "");
	expect("{'name':'s.example.com'}", "a4", "it has weight 0");
	expect("{'name':'s.example.com'}", "a1", "its pool stands by as the fallback");
	expect("{'name':'h.example.com'}", "a1", "its pool stands by");
	expect("{'name':'l.example.com','client':'10.2.0.1'}", "a3", "its pool serves other lines");
	expect("{'name':'s.example.com','overrides':{'a3':'down'}}", "a3",
	    "its pool has 1 of 2 addresses available, fewer than it needs; it is supposed to be "
	    "down");
	expect("{'name':'s.example.com','overrides':{'a3':'down'}}", "a4",
	    "its pool has 1 of 2 addresses available, fewer than it needs");
	world_verdict(&w, "tcp/192.0.2.3/80", 'D');
	expect("{'name':'h.example.com','overrides':{'a4':'up'}}", "a3",
	    "its pool has 1 of 2 addresses available, fewer than it needs; 0 of 1 checks pass");
	impose("domain/h.example.com/A", "down");

	json_t *r = ask("{'name':'h.example.com'}");

	assert_true(says(r, "pool 'a' is available, but the fallback does not use it"));
	assert_string_equal(because(r, "a1"), "the fallback does not use its pool");
	assert_string_equal(because(r, "a3"), "health is ignored: a fallback answers");
	json_decref(r);
	impose("domain/h.example.com/A", "up");
	expect("{'name':'h.example.com'}", "a3",
	    "health is ignored: the domain is forced up by ops until it is lifted: racks");
	lift("domain/h.example.com/A");
	impose("pool/b", "up");
	world_verdict(&w, "tcp/192.0.2.4/80", 'D');
	expect("{'name':'h.example.com'}", "a3",
	    "health is ignored: its pool is forced up by ops until it is lifted: racks");
	lift("pool/b");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_probabilities_and_draws),
		cmocka_unit_test(test_asking_moves_nothing),
		cmocka_unit_test(test_overrides),
		cmocka_unit_test(test_where_the_zone_answers),
		cmocka_unit_test(test_below_a_wildcard),
		cmocka_unit_test(test_bad_requests),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_what_if_across_the_zone),
		cmocka_unit_test(test_imposed),
		cmocka_unit_test(test_maintenance_and_damping),
		cmocka_unit_test(test_why_one_gets_nothing),
		cmocka_unit_test(test_why_one_is_not_chosen),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
