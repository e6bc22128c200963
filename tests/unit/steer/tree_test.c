/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Stories: what a person would try first. The random test next door tries the rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "dns/name.h"
#include "dns/rrtype.h"
#include "steer/steered.h"
#include "world.h"

#define WWW "www.example.com"

static struct world w;

static void
put_address(int n, const char *more)
{
	char name[16];

	snprintf(name, sizeof(name), "a%d", n);
	world_put(&w, KIND_ADDRESS, name,
	    "{'type':'ipv4','value':'192.0.2.%d','checks':[{'template':'tcp','port':80}]%s}", n,
	    more);
}

/* Verdicts come as they please. */
static void
put_undamped(void)
{
	for (int i = 1; i <= 4; i++)
		put_address(i, ",'damping':{'transitions':0}");
}

static void
put_pool(const char *name, int a, int b, const char *more)
{
	world_put(&w, KIND_POOL, name,
	    "{'type':'ipv4','addresses':[{'address':'a%d'},{'address':'a%d'}]%s}", a, b, more);
}

static void
put_domain(const char *more)
{
	world_put(&w, KIND_DOMAIN, WWW "/A",
	    "{'enabled':true,'pools':[{'pool':'p'},{'pool':'q'}]%s}", more);
}

/* p = a1 a2, q = a3 a4, www over both. */
static int
setup(void **state)
{
	(void)state;
	world_init(&w, 2);
	world_put(&w, KIND_ZONE, "example.com", "{}");
	world_put(&w, KIND_TEMPLATE, "tcp", "{'protocol':'tcp'}");
	for (int i = 1; i <= 4; i++)
		put_address(i, "");
	put_pool("p", 1, 2, "");
	put_pool("q", 3, 4, "");
	put_domain(",'strategy':'sequence'");
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

static void
verdict(int n, char v)
{
	char key[32];

	snprintf(key, sizeof(key), "tcp/192.0.2.%d/80", n);
	world_verdict(&w, key, v);
}

#define EXPECT(answer) assert_string_equal(world_answer(&w, WWW, RRTYPE_A), answer)
#define STATE(kind, name, state)                                                                   \
	assert_string_equal(world_status(&w, kind, name, "state"), "\"" state "\"")

/* The fallback set as the last bytes of its addresses; "-": not steered. */
static const char *
fallback_set(void)
{
	static char text[32];
	uint8_t host[NAME_MAX_LEN];
	uint32_t pos = 0;
	uint16_t len;
	const uint8_t *rdata;
	const struct rrset *set;
	const struct zone_node *n;

	assert_true(name_parse_lower(WWW, host) > 0);
	n = zone_find(zones_find(w.zones, host), host);
	set = n == NULL ? NULL : steered_fallback_set(n->overlay, RRTYPE_A);
	if (set == NULL)
		return "-";
	text[0] = '\0';
	while ((rdata = rrset_next(set, &pos, &len)) != NULL)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%d ", rdata[3]);
	return text;
}

/* What secondaries are shown follows the configuration, not health. */
static void
fallback_sets(void **state)
{
	(void)state;
	assert_string_equal(fallback_set(), "1 2 3 4 ");
	verdict(1, 'D');
	verdict(2, 'D');
	assert_string_equal(fallback_set(), "1 2 3 4 ");
	put_address(3, ",'enabled':false");
	world_apply(&w);
	assert_string_equal(fallback_set(), "1 2 4 ");
	put_pool("p", 1, 2, ",'enabled':false");
	world_apply(&w);
	assert_string_equal(fallback_set(), "4 ");
	world_delete(&w, KIND_DOMAIN, WWW "/A");
	world_apply(&w);
	assert_string_equal(fallback_set(), "-");
}

static void
test_failover_and_back(void **state)
{
	(void)state;
	EXPECT("1 2");
	EXPECT("2 1");
	STATE(KIND_ADDRESS, "a1", "checking");
	STATE(KIND_DOMAIN, WWW "/A", "healthy");
	verdict(1, 'D');
	assert_string_equal(w.log, "address.down a1\npool.degraded p\n");
	EXPECT("2");
	verdict(2, 'D');
	assert_string_equal(w.log, "address.down a2\npool.down p\ndomain.degraded " WWW "/A\n");
	EXPECT("3 4");
	verdict(3, 'D');
	verdict(4, 'D');
	assert_string_equal(w.log, "address.down a4\npool.down q\ndomain.fail_open " WWW "/A\n");
	STATE(KIND_DOMAIN, WWW "/A", "fail-open");
	assert_string_equal(world_status(&w, KIND_DOMAIN, WWW "/A", "fallback"), "\"fail_open\"");
	assert_true(plan_is_fallback(world_plan(&w, WWW, RRTYPE_A)));
	EXPECT("1 2");
	verdict(2, 'U');
	assert_string_equal(w.log, "address.up a2\npool.degraded p\ndomain.degraded " WWW "/A\n");
	EXPECT("2");
	verdict(1, 'U');
	verdict(3, 'U');
	verdict(4, 'U');
	assert_string_equal(w.log, "address.up a4\npool.recovered q\n");
}

static void
test_non_preemptive_stays_and_remembers(void **state)
{
	(void)state;
	put_domain(",'strategy':'sequence','sequence_mode':'non_preemptive'");
	world_apply(&w);
	assert_string_equal(strmap_find(&w.remembered, "seq/domain/" WWW "/A"), "p");
	verdict(1, 'D');
	verdict(2, 'D');
	EXPECT("3 4");
	assert_string_equal(strmap_find(&w.remembered, "seq/domain/" WWW "/A"), "q");
	verdict(1, 'U');
	verdict(2, 'U');
	assert_ptr_not_equal(strchr("34", world_answer(&w, WWW, RRTYPE_A)[0]), NULL);
	put_domain(",'strategy':'sequence'");
	world_apply(&w);
	assert_null(strmap_find(&w.remembered, "seq/domain/" WWW "/A"));
	assert_ptr_not_equal(strchr("12", world_answer(&w, WWW, RRTYPE_A)[0]), NULL);
}

static void
test_recalled_after_restart(void **state)
{
	(void)state;
	tree_recall(w.tree, "seq/domain/api.example.com/A", "q");
	tree_recall(w.tree, "seq/pool/r", "a4");
	put_pool("r", 3, 4, ",'strategy':'sequence','sequence_mode':'non_preemptive'");
	world_put(&w, KIND_DOMAIN, "api.example.com/A",
	    "{'enabled':true,'strategy':'sequence','sequence_mode':'non_preemptive',"
	    "'pools':[{'pool':'p'},{'pool':'q'}]}");
	world_put(&w, KIND_DOMAIN, "r.example.com/A", "{'enabled':true,'pools':[{'pool':'r'}]}");
	world_apply(&w);
	assert_string_equal(world_answer(&w, "api.example.com", RRTYPE_A), "3 4");
	assert_string_equal(world_answer(&w, "r.example.com", RRTYPE_A), "4");
}

static void
test_the_zone_answers(void **state)
{
	(void)state;
	assert_null(world_plan(&w, WWW, RRTYPE_AAAA));
	world_put(&w, KIND_DOMAIN, WWW "/A", "{'enabled':false,'pools':[{'pool':'p'}]}");
	world_apply(&w);
	EXPECT("zone");
	STATE(KIND_DOMAIN, WWW "/A", "disabled");
	world_put(&w, KIND_DOMAIN, WWW "/A", "{'enabled':true}");
	world_apply(&w);
	EXPECT("zone");
	assert_string_equal(w.log, "");
	world_put(&w, KIND_DOMAIN, WWW "/A", "{'enabled':true,'pools':[{'pool':'p'}]}");
	world_apply(&w);
	EXPECT("1 2");
	put_pool("p", 1, 2, ",'enabled':false");
	world_apply(&w);
	EXPECT("zone");
	assert_string_equal(w.log, "domain.fail_open " WWW "/A\n");
	assert_string_equal(world_status(&w, KIND_DOMAIN, WWW "/A", "fallback"), "\"public_zone\"");
	world_delete(&w, KIND_DOMAIN, WWW "/A");
	world_apply(&w);
	EXPECT("zone");
	assert_null(tree_status(w.tree, KIND_DOMAIN, WWW "/A"));
}

static void
test_disabled_is_never_used(void **state)
{
	(void)state;
	put_address(1, ",'enabled':false");
	world_apply(&w);
	EXPECT("2");
	for (int i = 1; i <= 4; i++)
		verdict(i, 'D');
	EXPECT("2");
	put_pool("p", 1, 2, ",'enabled':false");
	world_apply(&w);
	EXPECT("3 4");
}

static void
test_manual_mode(void **state)
{
	(void)state;
	put_address(1, ",'mode':'manual','manual_state':'available'");
	world_apply(&w);
	verdict(1, 'D');
	assert_string_equal(w.log, "address.down a1\n");
	STATE(KIND_ADDRESS, "a1", "forced");
	assert_string_equal(world_status(&w, KIND_ADDRESS, "a1", "health"), "\"exceptional\"");
	EXPECT("1 2");
}

static void
test_checks_are_shared(void **state)
{
	(void)state;
	assert_int_equal(w.wants, 4);
	world_put(&w, KIND_ADDRESS, "twin",
	    "{'type':'ipv4','value':'192.0.2.1','checks':[{'template':'tcp','port':80}]}");
	world_apply(&w);
	assert_int_equal(w.wants, 4);
	verdict(1, 'D');
	assert_string_equal(w.log, "address.down a1\naddress.down twin\npool.degraded p\n");
	world_put(&w, KIND_TEMPLATE, "tcp", "{'protocol':'tcp','interval':'1s','timeout':'500ms'}");
	world_apply(&w);
	assert_int_equal(w.wants, 8);
	world_delete(&w, KIND_ADDRESS, "twin");
	world_apply(&w);
	assert_int_equal(w.drops, 0);
	world_put(&w, KIND_ADDRESS, "a1", "{'type':'ipv4','value':'192.0.2.1'}");
	world_apply(&w);
	assert_int_equal(w.drops, 1);
	STATE(KIND_ADDRESS, "a1", "unmonitored");
	/* The target is what is probed; the value, where it differs, is part of what is asked. */
	world_put(&w, KIND_ADDRESS, "a1",
	    "{'type':'ipv4','value':'192.0.2.1','checks':[{'template':'tcp','port':80,'target':"
	    "'192.0.2.2'}]}");
	world_apply(&w);
	assert_non_null(strmap_find(&w.wanted, "tcp/192.0.2.2/80/192.0.2.1"));
}

/* Delete and make again in one set: the new one answers, without a gap or a leak. */
static void
test_reborn_in_one_set(void **state)
{
	(void)state;
	world_delete(&w, KIND_DOMAIN, WWW "/A");
	put_domain(",'strategy':'round_robin'");
	world_apply(&w);
	EXPECT("1 2 3 4");
	EXPECT("4 1 2 3");
}

static void
test_types_of_one_name(void **state)
{
	(void)state;
	world_put(&w, KIND_ADDRESS, "v6", "{'type':'ipv6','value':'2001:db8::6'}");
	world_put(&w, KIND_POOL, "six", "{'type':'ipv6','addresses':[{'address':'v6'}]}");
	world_put(&w, KIND_DOMAIN, WWW "/AAAA", "{'enabled':true,'pools':[{'pool':'six'}]}");
	world_put(&w, KIND_ADDRESS, "cdn", "{'type':'domain','value':'cdn.example.net'}");
	world_put(&w, KIND_POOL, "names", "{'type':'domain','addresses':[{'address':'cdn'}]}");
	world_put(&w, KIND_DOMAIN, "*.c.example.com/CNAME",
	    "{'enabled':true,'pools':[{'pool':'names'}]}");
	world_apply(&w);
	EXPECT("1 2");
	assert_string_equal(world_answer(&w, WWW, RRTYPE_AAAA), "6");
	assert_string_equal(world_answer(&w, WWW, RRTYPE_MX), "zone");
	assert_int_equal(plan_rrtype(world_plan(&w, "x.c.example.com", RRTYPE_TXT)), RRTYPE_CNAME);
	assert_null(world_plan(&w, "x.c.example.com", RRTYPE_NSEC));
}

/* Answers led by each of a1..a4 in a run, against their parts of 1. */
static void
expect_shares(uint32_t n, const double shares[4])
{
	uint32_t counts[4] = { 0 };

	for (uint32_t i = 0; i < n; i++)
		counts[world_answer(&w, WWW, RRTYPE_A)[0] - '1']++;
	for (int i = 0; i < 4; i++) {
		const double off = counts[i] - n * shares[i];

		assert_true(off <= 6 && off >= -6);
	}
}

static void
test_two_levels_stay_exact_over_edges(void **state)
{
	(void)state;
	world_put(&w, KIND_POOL, "p",
	    "{'type':'ipv4','strategy':'weight','addresses':[{'address':'a1','weight':3},"
	    "{'address':'a2','weight':1}]}");
	world_put(&w, KIND_POOL, "q",
	    "{'type':'ipv4','strategy':'weight','addresses':[{'address':'a3','weight':1},"
	    "{'address':'a4','weight':0}]}");
	world_put(&w, KIND_DOMAIN, WWW "/A",
	    "{'enabled':true,'strategy':'weight','pools':[{'pool':'p','weight':7},{'pool':'q','"
	    "weight':3}]}");
	world_apply(&w);
	expect_shares(50000, (double[]){ .525, .175, .3, 0 });
	verdict(1, 'D');
	expect_shares(50000, (double[]){ 0, .7, .3, 0 });
	verdict(3, 'D');
	expect_shares(50000, (double[]){ 0, .7, 0, .3 });
	verdict(2, 'D');
	expect_shares(50000, (double[]){ 0, 0, 0, 1 });
	verdict(1, 'U');
	verdict(2, 'U');
	verdict(3, 'U');
	expect_shares(50000, (double[]){ .525, .175, .3, 0 });
}

static void
visit(void *arg, const uint8_t *host, const void *overlay)
{
	(void)host;
	*(int *)arg += overlay != NULL;
}

static void
test_overlays_below(void **state)
{
	int n = 0;

	(void)state;
	tree_overlays(w.tree, (const uint8_t *)"\7example\3com", visit, &n);
	assert_int_equal(n, 1);
	tree_overlays(w.tree, (const uint8_t *)"\3org", visit, &n);
	assert_int_equal(n, 1);
	tree_tell_all(w.tree);
}

/* While nobody hears nothing is told; then all of it is, and what changes. */
static void
test_hush(void **state)
{
	const uintptr_t up = WORLD_TOLD(HEALTH_OK, true);
	const uintptr_t down = WORLD_TOLD(HEALTH_EXCEPTIONAL, false);

	(void)state;
	verdict(1, 'U');
	verdict(2, 'U');
	assert_int_equal(world_told(&w, KIND_POOL, "p"), up);
	tree_hush(w.tree);
	verdict(1, 'D');
	verdict(2, 'D');
	assert_int_equal(world_told(&w, KIND_POOL, "p"), up);
	tree_tell_all(w.tree);
	assert_int_equal(world_told(&w, KIND_POOL, "p"), down);
	verdict(1, 'U');
	assert_int_equal(world_told(&w, KIND_ADDRESS, "a1"), WORLD_TOLD(HEALTH_OK, true));
}

#define STORY(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

/* -- when everything is down -- */

static void
all_down(void)
{
	for (int i = 1; i <= 4; i++)
		verdict(i, 'D');
}

static void
fallback_to_a_pool(void **state)
{
	(void)state;
	put_address(5, "");
	put_address(6, "");
	put_pool("r", 5, 6, "");
	put_domain(",'strategy':'weight','fallback':'fallback_pool','fallback_pool':'r'");
	world_apply(&w);
	all_down();
	EXPECT("5 6");
	assert_true(plan_is_fallback(world_plan(&w, WWW, RRTYPE_A)));
	assert_string_equal(
	    world_status(&w, KIND_DOMAIN, WWW "/A", "fallback"), "\"fallback_pool\"");
	STATE(KIND_DOMAIN, WWW "/A", "fail-open");
	verdict(5, 'D');
	EXPECT("6");
	verdict(6, 'D'); /* its health is ignored when there is none */
	EXPECT("6 5");
	world_put(&w, KIND_POOL, "r", "{'type':'ipv4','enabled':false}");
	world_apply(&w); /* a pool that cannot answer: fail-open */
	EXPECT("1 2");
	verdict(3, 'U');
	EXPECT("3");
	assert_false(plan_is_fallback(world_plan(&w, WWW, RRTYPE_A)));
}

static void
fallback_to_the_last_good(void **state)
{
	(void)state;
	put_domain(",'strategy':'round_robin','fallback':'last_good'");
	world_apply(&w);
	verdict(1, 'D');
	verdict(4, 'D');
	EXPECT("2 3");
	verdict(2, 'D');
	verdict(3, 'D');
	EXPECT("3"); /* who answered when somebody last did */
	assert_string_equal(world_status(&w, KIND_DOMAIN, WWW "/A", "fallback"), "\"last_good\"");
	assert_non_null(strmap_find(&w.remembered, "good/" WWW "/A"));
	put_address(3, ",'enabled':false");
	world_apply(&w); /* a disabled one is never used */
	EXPECT("2 1");
	world_delete(&w, KIND_DOMAIN, WWW "/A");
	world_apply(&w);
	assert_null(strmap_find(&w.remembered, "good/" WWW "/A"));
}

static void
the_last_good_survives_a_restart(void **state)
{
	(void)state;
	put_domain(",'strategy':'round_robin','fallback':'last_good'");
	world_apply(&w);
	verdict(1, 'D');
	verdict(2, 'D');
	verdict(3, 'D');
	EXPECT("4");
	world_restart(&w);
	world_put(&w, KIND_ZONE, "example.com", "{}");
	world_put(&w, KIND_TEMPLATE, "tcp", "{'protocol':'tcp'}");
	for (int i = 1; i <= 4; i++)
		put_address(i, ",'mode':'manual','manual_state':'unavailable'");
	put_pool("p", 1, 2, "");
	put_pool("q", 3, 4, "");
	put_domain(",'strategy':'round_robin','fallback':'last_good'");
	world_apply(&w);
	EXPECT("4");
}

static void
fallback_to_nothing(void **state)
{
	(void)state;
	put_domain(",'fallback':'nodata'");
	world_apply(&w);
	all_down();
	EXPECT("");
	assert_true(plan_is_fallback(world_plan(&w, WWW, RRTYPE_A)));
	STATE(KIND_DOMAIN, WWW "/A", "down");
	verdict(2, 'U');
	EXPECT("2");
}

static void
fallback_to_the_zone(void **state)
{
	(void)state;
	put_domain(",'fallback':'public_zone'");
	world_apply(&w);
	all_down();
	EXPECT("zone");
	assert_string_equal(world_status(&w, KIND_DOMAIN, WWW "/A", "fallback"), "\"public_zone\"");
	assert_string_equal(w.log, "address.down a4\npool.down q\ndomain.fail_open " WWW "/A\n");
	verdict(2, 'U');
	EXPECT("2");
	assert_string_equal(world_status(&w, KIND_DOMAIN, WWW "/A", "fallback"), "null");
}

/* -- going back later -- */

static void
failback_waits(void **state)
{
	(void)state;
	put_undamped();
	put_domain(",'strategy':'sequence','failback_delay':'10s'");
	world_apply(&w);
	EXPECT("1 2");
	verdict(1, 'D');
	verdict(2, 'D');
	EXPECT("3 4"); /* away at once */
	assert_true(tree_due(w.tree) == INT64_MAX);
	world_pass(&w, 60000);
	verdict(1, 'U');
	EXPECT("4 3"); /* back after a while */
	assert_true(tree_due(w.tree) == w.now_ms + 10000);
	world_pass(&w, 5000);
	verdict(1, 'D');
	assert_true(tree_due(w.tree) == INT64_MAX);
	world_pass(&w, 6000);
	verdict(2, 'U'); /* and the while begins anew */
	world_pass(&w, 9999);
	EXPECT("3 4");
	world_pass(&w, 1);
	EXPECT("2");
	assert_true(tree_due(w.tree) == INT64_MAX);
	verdict(2, 'D');
	EXPECT("4 3");
	verdict(2, 'U');
	verdict(3, 'D');
	verdict(4, 'D'); /* nowhere else to go: no waiting */
	EXPECT("2");
}

static void
failback_within_a_pool(void **state)
{
	(void)state;
	put_pool("p", 1, 2, ",'strategy':'sequence','failback_delay':'1m'");
	world_apply(&w);
	EXPECT("1");
	verdict(1, 'D');
	EXPECT("2");
	verdict(1, 'U');
	EXPECT("2");
	assert_string_equal(strmap_find(&w.remembered, "seq/pool/p"), "a2");
	world_pass(&w, 60000);
	EXPECT("1");
	assert_string_equal(strmap_find(&w.remembered, "seq/pool/p"), "a1");
	put_pool("p", 1, 2, "");
	world_apply(&w);
	assert_null(strmap_find(&w.remembered, "seq/pool/p"));
}

/* -- answers -- */

static void
ttl_while_degraded(void **state)
{
	(void)state;
	put_domain(",'ttl':300,'degraded_ttl':20");
	world_apply(&w);
	assert_int_equal(plan_ttl(world_plan(&w, WWW, RRTYPE_A)), 300);
	verdict(3, 'D');
	assert_int_equal(plan_ttl(world_plan(&w, WWW, RRTYPE_A)), 20);
	all_down();
	assert_int_equal(plan_ttl(world_plan(&w, WWW, RRTYPE_A)), 20);
	for (int i = 1; i <= 4; i++)
		verdict(i, 'U');
	assert_int_equal(plan_ttl(world_plan(&w, WWW, RRTYPE_A)), 300);
}

static void
answers_have_a_limit(void **state)
{
	(void)state;
	put_pool("p", 1, 2, ",'max_answers':1");
	put_domain(",'strategy':'round_robin'");
	world_apply(&w);
	EXPECT("1 3 4");
	put_domain(",'strategy':'round_robin','max_answers':2");
	world_apply(&w);
	for (int i = 0; i < 6; i++)
		assert_int_equal(strlen(world_answer(&w, WWW, RRTYPE_A)), 3);
}

/* -- exactness -- */

/* How far any of a1 .. a4 is from its share of n answers to `at`, at worst at any moment. */
static double
worst_gap(const double shares[5], int n, const struct position *at)
{
	const struct plan *p = world_plan(&w, WWW, RRTYPE_A);
	const struct plan_rr *out[PLAN_MAX_ANSWER];
	double gap[5] = { 0 }, worst = 0;
	unsigned scope;

	for (int i = 0; i < n; i++) {
		assert_int_equal(plan_answer(p, 0, at, out, &scope), 1);
		gap[out[0]->tail[out[0]->len - 1]] += 1;
		for (int k = 1; k <= 4; k++) {
			gap[k] -= shares[k];
			worst = gap[k] > worst ? gap[k] : -gap[k] > worst ? -gap[k] : worst;
		}
	}
	return worst;
}

/* The records of an answer, whoever comes first. */
static const char *
sorted_answer(void)
{
	static char text[64];
	const char *answer = world_answer(&w, WWW, RRTYPE_A);

	snprintf(text, sizeof(text), "%s", answer);
	if (strlen(text) == 3 && text[0] > text[2])
		snprintf(text, sizeof(text), "%c %c", answer[2], answer[0]);
	return text;
}
#define AMONG(answer) assert_string_equal(sorted_answer(), answer)

/* -- overrides -- */

static void
impose(const char *object, const char *state)
{
	world_put(&w, KIND_OVERRIDE, object, "{'state':'%s','reason':'kernel','by':'ops'}", state);
	world_apply(&w);
}

static void
lift(const char *object)
{
	world_delete(&w, KIND_OVERRIDE, object);
	world_apply(&w);
}

static void
override_of_an_address(void **state)
{
	(void)state;
	impose("address/a1", "drain");
	AMONG("2");
	STATE(KIND_ADDRESS, "a1", "drained");
	STATE(KIND_POOL, "p", "healthy");
	assert_string_equal(w.log, "");
	assert_string_equal(world_status(&w, KIND_POOL, "p", "total"), "1");
	impose("address/a1", "down");
	AMONG("2");
	STATE(KIND_ADDRESS, "a1", "forced");
	STATE(KIND_POOL, "p", "degraded");
	assert_string_equal(w.log, "address.down a1\npool.degraded p\n");
	assert_string_equal(world_status(&w, KIND_ADDRESS, "a1", "health"), "\"unknown\"");
	lift("address/a1");
	AMONG("1 2");
	assert_string_equal(w.log, "address.up a1\npool.recovered p\n");

	verdict(1, 'D');
	impose("address/a1", "up");
	AMONG("1 2");
	STATE(KIND_ADDRESS, "a1", "forced");
	assert_string_equal(world_status(&w, KIND_ADDRESS, "a1", "health"), "\"exceptional\"");
	assert_string_equal(world_status(&w, KIND_ADDRESS, "a1", "availability"), "\"available\"");
}

/* A drained or forced one is used by no fallback either. */
static void
override_and_fallback(void **state)
{
	(void)state;
	impose("address/a1", "down");
	verdict(2, 'D');
	verdict(3, 'D');
	verdict(4, 'D');
	AMONG("2");
	impose("address/a2", "drain");
	AMONG("3 4");
	impose("pool/q", "drain");
	AMONG("zone");
	assert_string_equal(w.log, "domain.fail_open " WWW "/A\n");
	lift("pool/q");
	AMONG("3 4");
}

static void
override_of_a_pool(void **state)
{
	(void)state;
	impose("pool/p", "drain");
	AMONG("3 4");
	STATE(KIND_POOL, "p", "drained");
	STATE(KIND_DOMAIN, WWW "/A", "healthy");
	assert_string_equal(w.log, "");
	impose("pool/p", "down");
	STATE(KIND_POOL, "p", "forced");
	STATE(KIND_DOMAIN, WWW "/A", "degraded");
	assert_string_equal(w.log, "pool.down p\ndomain.degraded " WWW "/A\n");
	impose("pool/p", "up");
	AMONG("1 2");
	verdict(1, 'D');
	AMONG("2");
	verdict(2, 'D');
	AMONG("1 2"); /* all that may answer */
	STATE(KIND_POOL, "p", "forced");
	assert_string_equal(world_status(&w, KIND_POOL, "p", "health"), "\"exceptional\"");
	lift("pool/p");
	AMONG("3 4");
}

static void
override_of_a_domain(void **state)
{
	(void)state;
	verdict(1, 'D');
	impose("domain/" WWW "/A", "up");
	AMONG("1 2");
	verdict(2, 'D');
	AMONG("1 2"); /* frozen */
	STATE(KIND_DOMAIN, WWW "/A", "forced");
	impose("address/a2", "drain");
	AMONG("1");
	impose("domain/" WWW "/A", "down");
	AMONG("1"); /* fail-open, though q is available */
	assert_string_equal(world_status(&w, KIND_DOMAIN, WWW "/A", "fallback"), "\"fail_open\"");
	assert_string_equal(w.log, "domain.fail_open " WWW "/A\n");
	impose("domain/" WWW "/A", "drain");
	AMONG("zone");
	STATE(KIND_DOMAIN, WWW "/A", "drained");
	assert_string_equal(w.log, "");
	lift("domain/" WWW "/A");
	AMONG("3 4");
	assert_true(tree_due(w.tree) > w.now_ms);
}

/* It ends by itself, and a new tree that sees only what is stored agrees. */
static void
override_ends(void **state)
{
	(void)state;
	world_put(&w, KIND_OVERRIDE, "address/a1",
	    "{'state':'drain','reason':'x','until':'2023-11-14T22:13:30Z'}"); /* in 10 s */
	world_apply(&w);
	AMONG("2");
	assert_true(tree_due(w.tree) == w.now_ms + 10000);
	assert_non_null(strstr(world_status(&w, KIND_ADDRESS, "a1", "override"), "drain"));
	world_pass(&w, 9999);
	AMONG("2");
	world_pass(&w, 1);
	AMONG("1 2");
	STATE(KIND_ADDRESS, "a1", "checking");
	assert_true(tree_due(w.tree) == INT64_MAX);
	assert_string_equal(world_status(&w, KIND_ADDRESS, "a1", "override"), "(null)");
}

/* -- maintenance -- */

static void
put_window(const char *name, const char *objects, const char *state)
{
	world_put(&w, KIND_MAINTENANCE, name,
	    "{'objects':[%s],'state':'%s','starts':'2023-11-14T22:13:30Z',"
	    "'ends':'2023-11-14T22:13:40Z','every':'1m','reason':'patches'}",
	    objects, state);
	world_apply(&w);
}

static void
windows_come_again(void **state)
{
	(void)state;
	put_window("m", "'pool/p','address/a3'", "drain");
	for (int i = 0; i < 3; i++) {
		AMONG("1 2");
		world_pass(&w, 10000);
		assert_string_equal(world_status(&w, KIND_ADDRESS, "a3", "state"), "\"drained\"");
		assert_non_null(
		    strstr(world_status(&w, KIND_POOL, "p", "maintenance"), "\"name\": \"m\""));
		AMONG("4");
		world_pass(&w, 10000);
		AMONG("1 2");
		world_pass(&w, 40000);
	}
	/* An override wins; so does the more cautious window. */
	world_pass(&w, 10000);
	AMONG("4");
	impose("pool/p", "up");
	AMONG("1 2");
	lift("pool/p");
	put_window("n", "'address/a4'", "down");
	put_window("o", "'address/a4'", "up");
	STATE(KIND_ADDRESS, "a4", "forced");
	AMONG("zone"); /* p and a3 are drained, a4 is down */
}

/* While it is held nothing of an address's verdicts shows but its health. */
static void
hold(const char *object)
{
	const bool domain = strncmp(object, "'domain", 7) == 0;

	verdict(1, 'U');
	verdict(2, 'D');
	put_window("m", object, "hold");
	world_pass(&w, 10000);
	verdict(1, 'D');
	assert_string_equal(w.log, "");
	verdict(2, 'U');
	assert_string_equal(w.log, "");
	AMONG("1");
	STATE(KIND_ADDRESS, "a1", "healthy");
	STATE(KIND_ADDRESS, "a2", "down");
	assert_string_equal(world_status(&w, KIND_ADDRESS, "a1", "health"), "\"exceptional\"");
	assert_non_null(strstr(world_status(&w, KIND_ADDRESS, "a1", "maintenance"), "hold"));
	verdict(3, 'D');
	assert_string_equal(w.log, domain ? "" : "address.down a3\npool.degraded q\n");
	verdict(3, 'U');
	world_pass(&w, 10000);
	assert_string_equal(w.log, "address.down a1\naddress.up a2\n");
	AMONG("2");
	world_delete(&w, KIND_MAINTENANCE, "m");
	world_apply(&w);
	w.now_ms -= 20000;
}

static void
windows_hold(void **state)
{
	(void)state;
	for (int i = 1; i <= 4; i++)
		verdict(i, 'U');
	put_undamped();
	hold("'address/a1','address/a2'");
	hold("'pool/p'");
	hold("'domain/" WWW "/A'");
	assert_int_equal(w.remembered.count, 0);
}

/* What has no verdict when a hold begins keeps to the first one that comes. */
static void
holds_begin_blind(void **state)
{
	(void)state;
	put_undamped();
	put_window("m", "'pool/p'", "hold");
	world_pass(&w, 10000);
	AMONG("1 2");
	verdict(1, 'D');
	AMONG("2");
	assert_string_equal(w.log, "address.down a1\npool.degraded p\n");
	verdict(1, 'U');
	AMONG("2");
	assert_string_equal(w.log, "");
}

/* What it kept to it keeps over a restart; a member that leaves the pool is let go. */
static void
holds_are_remembered(void **state)
{
	(void)state;
	put_undamped();
	verdict(1, 'D');
	verdict(2, 'U');
	put_window("m", "'pool/p'", "hold");
	world_pass(&w, 10000);
	verdict(1, 'U');
	verdict(2, 'D');
	assert_string_equal(strmap_find(&w.remembered, "hold/a1"), "down");
	assert_string_equal(strmap_find(&w.remembered, "hold/a2"), "up");
	put_pool("p", 1, 3, "");
	world_apply(&w);
	STATE(KIND_ADDRESS, "a2", "down");
	assert_null(strmap_find(&w.remembered, "hold/a2"));
	put_pool("p", 1, 2, "");
	world_apply(&w);
	assert_string_equal(strmap_find(&w.remembered, "hold/a2"), "down");
	STATE(KIND_ADDRESS, "a1", "down");
}

/* -- damping -- */

static void
flap(int n, int times)
{
	for (int i = 0; i < times; i++)
		verdict(n, i % 2 == 0 ? 'D' : 'U');
}

static void
flapping_is_damped(void **state)
{
	(void)state;
	verdict(1, 'U');
	verdict(2, 'U');
	flap(1, 6);
	AMONG("1 2");
	verdict(1, 'D');
	assert_string_equal(w.log, "address.down a1\naddress.flapping a1\npool.degraded p\n");
	world_pass(&w, 1000);
	verdict(1, 'U');
	assert_string_equal(w.log, "");
	AMONG("2");
	STATE(KIND_ADDRESS, "a1", "down");
	assert_string_equal(world_status(&w, KIND_ADDRESS, "a1", "health"), "\"ok\"");
	assert_non_null(strstr(world_status(&w, KIND_ADDRESS, "a1", "damped"), "\"down\""));
	assert_true(tree_due(w.tree) == w.now_ms + 59000);
	world_pass(&w, 59000); /* there was one more: twice as long */
	AMONG("2");
	assert_true(tree_due(w.tree) == w.now_ms + 120000);
	world_pass(&w, 120000);
	assert_string_equal(w.log, "address.up a1\npool.recovered p\n");
	AMONG("1 2");
	world_pass(&w, 600000);
	assert_int_equal(w.remembered.count, 0);
	assert_true(tree_due(w.tree) == INT64_MAX);
}

/* The pool needs it: held up. */
static void
flapping_is_held_up(void **state)
{
	(void)state;
	verdict(2, 'D');
	verdict(1, 'U');
	flap(1, 7);
	assert_string_equal(w.log, "address.flapping a1\n");
	AMONG("1");
	STATE(KIND_ADDRESS, "a1", "healthy");
	assert_string_equal(world_status(&w, KIND_ADDRESS, "a1", "health"), "\"exceptional\"");
	assert_non_null(strstr(world_status(&w, KIND_ADDRESS, "a1", "damped"), "\"up\""));
	impose("address/a1", "drain"); /* an override wins */
	AMONG("3 4");
	lift("address/a1");
	AMONG("1");
	world_pass(&w, 60000);
	assert_string_equal(w.log, "address.down a1\npool.down p\ndomain.degraded " WWW "/A\n");
	AMONG("3 4");
	/* Switched off, it is let go at once. */
	verdict(1, 'U');
	STATE(KIND_ADDRESS, "a1", "healthy");
	assert_non_null(strstr(world_status(&w, KIND_ADDRESS, "a1", "damped"), "until"));
	verdict(1, 'D');
	put_undamped();
	world_apply(&w);
	STATE(KIND_ADDRESS, "a1", "down");
	assert_string_equal(world_status(&w, KIND_ADDRESS, "a1", "damped"), "(null)");
}

/* Held down, but up when its pool has nobody else: better the flapping one than none. */
static void
a_hold_gives_way_to_need(void **state)
{
	(void)state;
	verdict(1, 'U');
	verdict(2, 'U');
	flap(1, 8);
	AMONG("2");
	verdict(2, 'D');
	assert_string_equal(w.log, "address.down a2\naddress.up a1\n");
	AMONG("1");
	STATE(KIND_ADDRESS, "a1", "healthy");
	assert_non_null(strstr(world_status(&w, KIND_ADDRESS, "a1", "damped"), "\"up\""));
	world_pass(&w, 1000);
	verdict(1, 'D'); /* as one that was held up from the start */
	AMONG("1");
	world_pass(&w, 59000); /* it went on flapping: held on */
	AMONG("1");
	assert_true(tree_due(w.tree) == w.now_ms + 120000);
	world_pass(&w, 120000);
	AMONG("3 4");
}

/* It comes up when its pool has been without anybody: it need not wait for the end of the hold. */
static void
a_hold_gives_way_when_it_comes_up(void **state)
{
	(void)state;
	verdict(1, 'U');
	verdict(2, 'U');
	flap(1, 7);
	verdict(2, 'D');
	AMONG("3 4");
	verdict(1, 'U');
	AMONG("1");
	verdict(2, 'U');
	AMONG("1 2");
}

/* Two are held and two are wanted: neither alone would do, and one that would not help stays out.
 */
static void
holds_give_way_together(void **state)
{
	(void)state;
	world_put(&w, KIND_POOL, "p",
	    "{'type':'ipv4','addresses':[{'address':'a1'},{'address':'a2'},{'address':'a3'},"
	    "{'address':'a4'}],'healthy_when':{'at_least':2}}");
	world_put(&w, KIND_DOMAIN, WWW "/A", "{'enabled':true,'pools':[{'pool':'p'}]}");
	world_apply(&w);
	for (int i = 1; i <= 4; i++)
		verdict(i, 'U');
	flap(1, 8);
	flap(2, 7);
	AMONG("3 4");
	verdict(3, 'D'); /* with a1, still two */
	AMONG("1 4");
	world_put(&w, KIND_POOL, "p",
	    "{'type':'ipv4','addresses':[{'address':'a1'},{'address':'a2'},{'address':'a3'},"
	    "{'address':'a4'}],'healthy_when':{'at_least':3}}");
	world_apply(&w);
	STATE(KIND_POOL, "p", "down"); /* one short, whoever is called back */
	STATE(KIND_ADDRESS, "a1", "healthy");
	verdict(2, 'U');
	STATE(KIND_POOL, "p", "degraded");
	STATE(KIND_ADDRESS, "a2", "healthy");
}

static void
rebuild(void)
{
	world_restart(&w);
	world_put(&w, KIND_ZONE, "example.com", "{}");
	world_put(&w, KIND_TEMPLATE, "tcp", "{'protocol':'tcp'}");
	for (int i = 1; i <= 4; i++)
		put_address(i, "");
	put_pool("p", 1, 2, "");
	put_pool("q", 3, 4, "");
	put_domain(",'strategy':'sequence'");
	world_apply(&w);
}

static void
damping_is_remembered(void **state)
{
	(void)state;
	verdict(1, 'U');
	verdict(2, 'U');
	flap(1, 8);
	AMONG("2");
	rebuild();
	AMONG("2");
	STATE(KIND_ADDRESS, "a1", "down");
	world_pass(&w, 1000);
	verdict(1, 'D');
	verdict(1, 'U');
	AMONG("2");
	world_pass(&w, 59000);
	AMONG("2"); /* it went on flapping */
	assert_true(tree_due(w.tree) == w.now_ms + 120000);
}

/* After each verdict the rest shares by its weights at once: no run-in, no debt. */
static void
weights_are_exact_after_verdicts(void **state)
{
	static const double weights[] = { 0, 5, 3, 2, 1 };
	unsigned up = 15;

	(void)state;
	put_undamped();
	world_put(&w, KIND_POOL, "p",
	    "{'type':'ipv4','strategy':'weight','addresses':[{'address':'a1','weight':5},"
	    "{'address':'a2','weight':3},{'address':'a3','weight':2},{'address':'a4','weight':1}]"
	    "}");
	world_put(&w, KIND_DOMAIN, WWW "/A",
	    "{'enabled':true,'pools':[{'pool':'p'}],'strategy':'weight'}");
	world_apply(&w);
	for (int round = 0; round < 200; round++) {
		const int i = 1 + round * 7 % 4;
		double shares[5] = { 0 }, sum = 0;

		up ^= 1u << (i - 1);
		if (up == 0)
			up = 1u << (i - 1); /* one is left */
		for (int k = 1; k <= 4; k++) {
			verdict(k, up >> (k - 1) & 1 ? 'U' : 'D');
			sum += up >> (k - 1) & 1 ? weights[k] : 0;
		}
		for (int k = 1; k <= 4; k++)
			shares[k] = up >> (k - 1) & 1 ? weights[k] / sum : 0;
		assert_true(worst_gap(shares, 2000, &w.at) <= 4.1);
	}
}

/* Clients of two lines ask by turns, irregularly: the ratio of each line is exact by itself. */
static void
weights_are_exact_per_line(void **state)
{
	const struct position lines[] = { { .hi = (uint64_t)10 << 56, .family = 4, .bits = 32 },
		{ .hi = (uint64_t)11 << 56, .family = 4, .bits = 32 } };
	double gap[2][5] = { { 0 } };
	static const double shares[2][5] = { { 0, .75, .25, 0, 0 }, { 0, 0, 0, .4, .6 } };
	uint32_t dice = 1;

	(void)state;
	world_put(&w, KIND_LINE, "ten", "{'cidrs':['10.0.0.0/8']}");
	for (int i = 1; i <= 4; i++)
		world_put(&w, KIND_POOL, (const char *[]){ "", "p1", "p2", "p3", "p4" }[i],
		    "{'type':'ipv4','addresses':[{'address':'a%d'}]}", i);
	world_put(&w, KIND_DOMAIN, WWW "/A",
	    "{'enabled':true,'strategy':'weight','pools':[{'pool':'p1','weight':3,'lines':['ten']},"
	    "{'pool':'p2','weight':1,'lines':['ten']},{'pool':'p3','weight':2},{'pool':'p4','"
	    "weight':3}]}");
	world_apply(&w);

	const struct plan *p = world_plan(&w, WWW, RRTYPE_A);

	for (int i = 0; i < 100000; i++) {
		const struct plan_rr *out[PLAN_MAX_ANSWER];
		unsigned scope;

		dice = dice * 1664525u + 1013904223u;

		const int line = dice >> 31;

		assert_int_equal(plan_answer(p, 0, &lines[line], out, &scope), 1);
		assert_int_equal(scope, 8);
		gap[line][out[0]->tail[out[0]->len - 1]] += 1;
		for (int k = 1; k <= 4; k++) {
			gap[line][k] -= shares[line][k];
			assert_true(gap[line][k] <= 4.1 && gap[line][k] >= -4.1);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(fallback_sets),
		STORY(test_failover_and_back),
		STORY(test_non_preemptive_stays_and_remembers),
		STORY(test_recalled_after_restart),
		STORY(test_the_zone_answers),
		STORY(test_disabled_is_never_used),
		STORY(test_manual_mode),
		STORY(test_checks_are_shared),
		STORY(test_reborn_in_one_set),
		STORY(test_types_of_one_name),
		STORY(test_two_levels_stay_exact_over_edges),
		STORY(test_overlays_below),
		STORY(test_hush),
		STORY(fallback_to_a_pool),
		STORY(fallback_to_the_last_good),
		STORY(the_last_good_survives_a_restart),
		STORY(fallback_to_nothing),
		STORY(fallback_to_the_zone),
		STORY(failback_waits),
		STORY(override_of_an_address),
		STORY(override_and_fallback),
		STORY(override_of_a_pool),
		STORY(override_of_a_domain),
		STORY(override_ends),
		STORY(windows_come_again),
		STORY(windows_hold),
		STORY(holds_begin_blind),
		STORY(holds_are_remembered),
		STORY(flapping_is_damped),
		STORY(flapping_is_held_up),
		STORY(a_hold_gives_way_to_need),
		STORY(a_hold_gives_way_when_it_comes_up),
		STORY(holds_give_way_together),
		STORY(damping_is_remembered),
		STORY(failback_within_a_pool),
		STORY(ttl_while_degraded),
		STORY(answers_have_a_limit),
		STORY(weights_are_exact_after_verdicts),
		STORY(weights_are_exact_per_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
