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

/* -- what is there, a line per object -- */

static const char *
text_at(const json_t *spec, const char *member)
{
	const char *text = json_string_value(json_object_get(spec, member));

	return text != NULL ? text : "?";
}

static void
draw_links(struct buf *b, const json_t *links, const char *member)
{
	const json_t *link;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)links, i, link)
	{
		buf_printf(b, " %s*%d#%d", text_at(link, member),
		    (int)json_integer_value(json_object_get(link, "weight")),
		    (int)json_integer_value(json_object_get(link, "order")));

		const char *line =
		    json_string_value(json_array_get(json_object_get(link, "lines"), 0));

		if (strcmp(line, "default") != 0)
			buf_printf(b, "@%s", line);
	}
}

static void
draw_object(struct buf *b, const char *kind, const char *name, const json_t *spec)
{
	const json_t *check = json_array_get(json_object_get(spec, "checks"), 0);

	buf_printf(b, "%s %s", kind, name);
	if (strcmp(kind, "template") == 0)
		buf_printf(b, " %s", text_at(spec, "protocol"));
	if (strcmp(kind, "address") == 0)
		buf_printf(b, " %s %s%s%s", text_at(spec, "value"), text_at(spec, "mode"),
		    check != NULL ? " " : "", check != NULL ? text_at(check, "template") : "");
	if (strcmp(kind, "pool") == 0 || strcmp(kind, "domain") == 0)
		buf_printf(b, " %s:", text_at(spec, "strategy"));
	if (strcmp(text_at(spec, "sequence_mode"), "non_preemptive") == 0)
		buf_puts(b, " non_preemptive");
	draw_links(b, json_object_get(spec, "addresses"), "address");
	draw_links(b, json_object_get(spec, "pools"), "pool");
	buf_puts(b, "\n");
}

/* Everything but zones and lines. */
static void
assert_there(struct rig *r, const char *want)
{
	struct buf b;
	json_t *o;
	size_t i;

	assert_int_equal(rig_ask(r, "GET", "/api/v1/config", NULL, NULL), 200);
	buf_init(&b, 1 << 20);
	json_array_foreach(json_object_get(r->json, "objects"), i, o)
	{
		const char *kind = text_at(o, "kind");

		if (strcmp(kind, "zone") != 0 && strcmp(kind, "line") != 0)
			draw_object(&b, kind, text_at(o, "name"), json_object_get(o, "spec"));
	}
	assert_string_equal(buf_str(&b), want);
	buf_fini(&b);
}

#define WWW    "'name':'www.cloud-example.com'"
#define TCP    "'check':{'protocol':'tcp','port':80}"
#define T80    "www.cloud-example.com-tcp-80"
#define SITE_A "{'name':'dc-a','weight':3,'addresses':['203.0.113.10','203.0.113.11']}"
#define SITE_B "{'name':'dc-b','addresses':['198.51.100.10']}"
#define ISP_A                                                                                      \
	"{'name':'dc-a','weight':3,'lines':{'telecom':['203.0.113.10','203.0.113.11'],"            \
	"'cn_unicom':['203.0.113.20'],'default':['203.0.113.30']}}"
#define ISP_B                                                                                      \
	"{'name':'dc-b','lines':{'unicom':['198.51.100.20'],'telecom':['198.51.100.10'],"          \
	"'office':['198.51.100.20']}}"

static void
with_lines(struct rig *r)
{
	with_zone(r);
	rig_put(r, "/api/v1/lines/office", "{'spec':{'cidrs':['192.0.2.0/24']}}");
}

struct made {
	const char *body, *there;
};
#define PLAIN_ADDRESSES(mode)                                                                      \
	"template " T80 " tcp\n"                                                                   \
	"address dc-a-1 203.0.113.10 " mode " " T80 "\n"                                           \
	"address dc-a-2 203.0.113.11 " mode " " T80 "\n"                                           \
	"address dc-b-1 198.51.100.10 " mode " " T80 "\n"                                          \
	"pool dc-a round_robin: dc-a-1*1#1 dc-a-2*1#2\n"                                           \
	"pool dc-b round_robin: dc-b-1*1#1\n"
#define ISP_A_ADDRESSES                                                                            \
	"address dc-a-telecom-1 203.0.113.10 auto\n"                                               \
	"address dc-a-telecom-2 203.0.113.11 auto\n"                                               \
	"address dc-a-unicom-1 203.0.113.20 auto\n"                                                \
	"address dc-a-default-1 203.0.113.30 auto\n"
#define ISP_B_ADDRESSES                                                                            \
	"address dc-b-unicom-1 198.51.100.20 auto\n"                                               \
	"address dc-b-telecom-1 198.51.100.10 auto\n"

static const struct made all[] = {
	{ "{'scenario':'health_check_only'," WWW "," TCP ",'sites':[" SITE_A "," SITE_B "]}",
	    PLAIN_ADDRESSES("manual") "domain www.cloud-example.com/A round_robin: dc-a*3#1 "
				      "dc-b*1#2\n" },
	{ "{'scenario':'active_standby'," WWW "," TCP
	  ",'sequence_mode':'non_preemptive','sites':[" SITE_A "," SITE_B "]}",
	    PLAIN_ADDRESSES("auto") "domain www.cloud-example.com/A sequence: non_preemptive "
				    "dc-a*3#1 dc-b*1#2\n" },
	{ "{'scenario':'multi_active'," WWW "," TCP ",'sites':[" SITE_A "," SITE_B "]}",
	    PLAIN_ADDRESSES("auto") "domain www.cloud-example.com/A weight: dc-a*3#1 dc-b*1#2\n" },
	{ "{'scenario':'single_dc_multi_isp'," WWW ",'sites':[" ISP_A "]}", ISP_A_ADDRESSES
	    "pool www.cloud-example.com-telecom round_robin: dc-a-telecom-1*1#1 "
	    "dc-a-telecom-2*1#2\n"
	    "pool www.cloud-example.com-unicom round_robin: dc-a-unicom-1*1#1\n"
	    "pool www.cloud-example.com-default round_robin: dc-a-telecom-1*1#1 "
	    "dc-a-telecom-2*1#2 dc-a-unicom-1*1#3 dc-a-default-1*1#4\n"
	    "domain www.cloud-example.com/A source_nearest: "
	    "www.cloud-example.com-telecom*1#1@telecom www.cloud-example.com-unicom*1#2@unicom "
	    "www.cloud-example.com-default*1#3\n" },
	{ "{'scenario':'active_standby_multi_isp'," WWW
	  ",'sequence_mode':'non_preemptive','sites':[" ISP_A "," ISP_B "]}",
	    ISP_A_ADDRESSES ISP_B_ADDRESSES
	    "pool www.cloud-example.com-telecom sequence: non_preemptive dc-a-telecom-1*1#1 "
	    "dc-a-telecom-2*1#2 dc-b-telecom-1*1#3\n"
	    "pool www.cloud-example.com-unicom sequence: non_preemptive dc-a-unicom-1*1#1 "
	    "dc-b-unicom-1*1#2\n"
	    "pool www.cloud-example.com-office sequence: non_preemptive dc-b-unicom-1*1#1\n"
	    "pool www.cloud-example.com-default sequence: non_preemptive dc-a-telecom-1*1#1 "
	    "dc-a-telecom-2*1#2 dc-a-unicom-1*1#3 dc-a-default-1*1#4 dc-b-unicom-1*1#5 "
	    "dc-b-telecom-1*1#6\n"
	    "domain www.cloud-example.com/A source_nearest: "
	    "www.cloud-example.com-telecom*1#1@telecom www.cloud-example.com-unicom*1#2@unicom "
	    "www.cloud-example.com-office*1#3@office www.cloud-example.com-default*1#4\n" },
	/* 3:1 between the sites in every pool, however many addresses each has there. */
	{ "{'scenario':'multi_active_multi_isp'," WWW ",'sites':[" ISP_A "," ISP_B "]}",
	    ISP_A_ADDRESSES ISP_B_ADDRESSES
	    "pool www.cloud-example.com-telecom weight: dc-a-telecom-1*3#1 dc-a-telecom-2*3#2 "
	    "dc-b-telecom-1*2#3\n"
	    "pool www.cloud-example.com-unicom weight: dc-a-unicom-1*3#1 dc-b-unicom-1*1#2\n"
	    "pool www.cloud-example.com-office weight: dc-b-unicom-1*1#1\n"
	    "pool www.cloud-example.com-default weight: dc-a-telecom-1*3#1 dc-a-telecom-2*3#2 "
	    "dc-a-unicom-1*3#3 dc-a-default-1*3#4 dc-b-unicom-1*2#5 dc-b-telecom-1*2#6\n"
	    "domain www.cloud-example.com/A source_nearest: "
	    "www.cloud-example.com-telecom*1#1@telecom www.cloud-example.com-unicom*1#2@unicom "
	    "www.cloud-example.com-office*1#3@office www.cloud-example.com-default*1#4\n" },
	{ "{'scenario':'custom'," WWW "}", "domain www.cloud-example.com/A round_robin:\n" },
	{ "{'scenario':'custom'," WWW ",'strategy':'hash','sites':[" SITE_B "]}",
	    "address dc-b-1 198.51.100.10 auto\npool dc-b round_robin: dc-b-1*1#1\n"
	    "domain www.cloud-example.com/A hash: dc-b*1#1\n" },
};

static void
test_what_each_scenario_makes(void **state)
{
	struct rig *r = *state;

	with_lines(r);
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		const uint64_t before = rig_revision(r);

		if (rig_ask(r, "POST", MAKE, all[i].body, NULL) != 201)
			fail_msg("%s: %s", all[i].body, buf_str(&r->text));
		assert_string_equal(rig_at(r, "spec.enabled"), "false");
		assert_string_equal(rig_at(r, "reused"), "[]");
		assert_int_equal(rig_revision(r), before + 1);
		assert_there(r, all[i].there);
		/* Asked again, everything is there. */
		assert_int_equal(rig_ask(r, "POST", MAKE, all[i].body, NULL), 200);
		assert_string_equal(rig_at(r, "made"), "[]");
		assert_int_equal(rig_revision(r), before + 1);
		assert_there(r, all[i].there);
		rig_stop(state);
		rig_start(state);
		r = *state;
		with_lines(r);
	}
}

static void
test_custom_links_given_pools(void **state)
{
	struct rig *r = *state;

	with_lines(r);
	rig_put(r, "/api/v1/pools/p", "{'spec':{'type':'ipv4'}}");
	rig_put(r, "/api/v1/pools/q", "{'spec':{'type':'ipv6'}}");
	assert_int_equal(rig_ask(r, "POST", MAKE,
			     "{'scenario':'custom'," WWW
			     ",'strategy':'source_nearest','fallback':'nodata','ttl':5,"
			     "'sites':[" SITE_B "],'pools':['p']}",
			     NULL),
	    201);
	assert_string_equal(rig_at(r, "spec.fallback"), "nodata");
	assert_string_equal(rig_at(r, "spec.ttl"), "5");
	assert_string_equal(rig_at(r, "spec.pools[1].pool"), "p");
	assert_int_equal(rig_ask(r, "POST", MAKE,
			     "{'scenario':'custom','name':'w.cloud-example.com','sites':[" SITE_B
			     "],'pools':['p',{'pool':'q','weight':2}]}",
			     NULL),
	    422);
	assert_string_equal(rig_at(r, "errors[0].pointer"), "pools[1].pool");
}

static void
test_both_families_in_one_call_and_in_two(void **state)
{
	static const char there[] =
	    "address dc-a-1 192.0.2.1 auto\naddress dc-b-1 192.0.2.2 auto\n"
	    "address dc-a-v6-1 2001:db8::1 auto\naddress dc-b-v6-1 2001:db8::2 auto\n"
	    "pool dc-a round_robin: dc-a-1*1#1\npool dc-b round_robin: dc-b-1*1#1\n"
	    "pool dc-a-v6 round_robin: dc-a-v6-1*1#1\npool dc-b-v6 round_robin: dc-b-v6-1*1#1\n"
	    "domain www.cloud-example.com/A weight: dc-a*1#1 dc-b*1#2\n"
	    "domain www.cloud-example.com/AAAA weight: dc-a-v6*1#1 dc-b-v6*1#2\n";
	static const char *const two[] = {
		"{'scenario':'multi_active'," WWW ",'type':'A','sites':[{'name':'dc-a',"
		"'addresses':['192.0.2.1']},{'name':'dc-b','addresses':['192.0.2.2']}]}",
		"{'scenario':'multi_active'," WWW ",'type':'AAAA','sites':[{'name':'dc-a',"
		"'addresses':['2001:DB8::1']},{'name':'dc-b','addresses':['2001:db8::2']}]}",
	};
	struct rig *r = *state;

	with_zone(r);
	const uint64_t before = rig_revision(r);

	assert_int_equal(rig_ask(r, "POST", MAKE,
			     "{'scenario':'multi_active'," WWW ",'type':['A','AAAA'],'sites':["
			     "{'name':'dc-a','addresses':['192.0.2.1','2001:db8::1']},"
			     "{'name':'dc-b','addresses':['2001:db8::2','192.0.2.2']}]}",
			     NULL),
	    201);
	assert_int_equal(rig_revision(r), before + 1);
	assert_string_equal(rig_at(r, "name"), "www.cloud-example.com/A");
	assert_there(r, there);
	/* The same by two calls, which find everything there. */
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(rig_ask(r, "POST", MAKE, two[i], NULL), 200);
	assert_int_equal(rig_revision(r), before + 1);
	rig_stop(state);
	rig_start(state);
	r = *state;
	with_zone(r);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(rig_ask(r, "POST", MAKE, two[i], NULL), 201);
	assert_there(r, there);
}

/* The second call has lines of its own; what both have, the default pool, tells. */
static void
test_families_by_line(void **state)
{
	struct rig *r = *state;

	with_zone(r);
	assert_int_equal(rig_ask(r, "POST", MAKE,
			     "{'scenario':'single_dc_multi_isp'," WWW
			     ",'sites':[{'name':'dc-a','lines':{'telecom':['192.0.2.1']}}]}",
			     NULL),
	    201);
	assert_int_equal(rig_ask(r, "POST", MAKE,
			     "{'scenario':'single_dc_multi_isp'," WWW ",'type':'aaaa'"
			     ",'sites':[{'name':'dc-a','lines':{'unicom':['2001:db8::1']}}]}",
			     NULL),
	    201);
	assert_string_equal(rig_at(r, "made[0].name"), "dc-a-unicom-v6-1");
	assert_string_equal(rig_at(r, "spec.pools[0].pool"), "www.cloud-example.com-unicom-v6");
	assert_string_equal(rig_at(r, "spec.pools[1].pool"), "www.cloud-example.com-default-v6");
}

static void
test_one_family_may_lack_at_a_site(void **state)
{
	static const char sites[] = "'sites':[{'name':'dc-a','addresses':['192.0.2.1',"
				    "'2001:db8::1']},{'name':'dc-b','addresses':['192.0.2.2']}]}";
	struct rig *r = *state;
	char body[512];

	with_zone(r);
	snprintf(body, sizeof(body), "{'scenario':'active_standby'," WWW ",'type':['AAAA','A'],%s",
	    sites);
	assert_int_equal(rig_ask(r, "POST", MAKE, body, NULL), 422);
	assert_string_equal(rig_at(r, "errors[0].pointer"), "sites");
	assert_string_equal(rig_at(r, "errors[0].detail"), "1 of them has an address for AAAA");
	snprintf(
	    body, sizeof(body), "{'scenario':'multi_active'," WWW ",'type':['A','AAAA'],%s", sites);
	assert_int_equal(rig_ask(r, "POST", MAKE, body, NULL), 201);
	assert_non_null(strstr(rig_at(r, "warnings"), "site dc-b has no address for AAAA"));
	rig_ask(r, "GET", "/api/v1/domains/www.cloud-example.com/AAAA", NULL, NULL);
	assert_string_equal(rig_at(r, "spec.pools[0].pool"), "dc-a-v6");
	assert_string_equal(rig_at(r, "spec.pools[1].pool"), "");
}

static void
test_equal_objects_are_used_under_any_name(void **state)
{
	static const char body[] =
	    "{'scenario':'multi_active'," WWW "," TCP ",'sites':[" SITE_A "," SITE_B "]}";
	struct rig *r = *state;

	with_zone(r);
	rig_put(r, "/api/v1/templates/web", "{'spec':{'protocol':'tcp','remark':'ours'}}");
	rig_put(r, "/api/v1/addresses/y",
	    "{'spec':{'type':'ipv4','value':'203.0.113.10',"
	    "'checks':[{'template':'web','port':80}]}}");
	rig_put(r, "/api/v1/addresses/x",
	    "{'spec':{'type':'ipv4','value':'203.0.113.10','labels':{'a':'b'},"
	    "'checks':[{'template':'web','port':80}]}}");
	rig_put(r, "/api/v1/addresses/y2",
	    "{'spec':{'type':'ipv4','value':'203.0.113.10',"
	    "'checks':[{'template':'web','port':80}]}}");
	rig_put(r, "/api/v1/templates/web2", "{'spec':{'protocol':'tcp'}}");
	/* The same value, but it does something else. */
	rig_put(r, "/api/v1/addresses/z",
	    "{'spec':{'type':'ipv4','value':'203.0.113.11',"
	    "'checks':[{'template':'web','port':81}]}}");
	assert_int_equal(rig_ask(r, "POST", MAKE, body, NULL), 201);
	assert_string_equal(rig_at(r, "reused[0].name"), "web");
	assert_string_equal(rig_at(r, "reused[0].generated"), T80);
	assert_string_equal(rig_at(r, "reused[1].name"), "x");
	assert_string_equal(rig_at(r, "reused[1].generated"), "dc-a-1");
	assert_string_equal(rig_at(r, "reused[2]"), "");
	assert_string_equal(rig_at(r, "made[0].name"), "dc-a-2");
	/* Addresses that stay available are others than those that do not. */
	assert_int_equal(rig_ask(r, "POST", MAKE,
			     "{'scenario':'health_check_only','name':'h.cloud-example.com'," TCP
			     ",'sites':[{'name':'h','addresses':['203.0.113.10']}]}",
			     NULL),
	    201);
	assert_string_equal(rig_at(r, "made[0].name"), "h-1");
}

static void
test_an_existing_template_by_name(void **state)
{
	static const char form[] = "{'scenario':'multi_active'," WWW ",'check':{%s},'sites':["
				   "{'name':'s','addresses':[{'value':'192.0.2.1','target':"
				   "'192.0.2.9'}]}]}";
	struct rig *r = *state;
	char body[512];

	with_zone(r);
	rig_put(r, "/api/v1/templates/web", "{'spec':{'protocol':'http'}}");
	snprintf(body, sizeof(body), form, "'template':'web','port':8080");
	assert_int_equal(rig_ask(r, "POST", MAKE, body, NULL), 201);
	rig_ask(r, "GET", "/api/v1/addresses/s-1", NULL, NULL);
	assert_string_equal(rig_at(r, "spec.checks"),
	    "[{\"template\":\"web\",\"port\":8080,\"target\":\"192.0.2.9\"}]");
	snprintf(body, sizeof(body), form, "'template':'webb','port':8080");
	assert_int_equal(rig_ask(r, "POST", MAKE, body, NULL), 422);
	assert_string_equal(rig_at(r, "errors[0].pointer"), "check.template");
	snprintf(body, sizeof(body), form, "'template':'web','port':8080,'fall':2");
	assert_int_equal(rig_ask(r, "POST", MAKE, body, NULL), 422);
	assert_string_equal(rig_at(r, "errors[0].pointer"), "check.fall");
}

static void
test_names_are_chosen(void **state)
{
	static const char form[] = "{'scenario':'single_dc_multi_isp'," WWW "," TCP
				   ",'names':{%s},'sites':[{'name':'dc-a','lines':{'telecom':"
				   "['203.0.113.10'],'unicom':['203.0.113.20']}}]}";
	struct rig *r = *state;
	char body[1024];

	with_zone(r);
	snprintf(body, sizeof(body), form,
	    "'template/" T80 "':'web','address/dc-a-telecom-1':'ct',"
	    "'pool/www.cloud-example.com-telecom':'ct','pool/www.cloud-example.com-default':'all'");
	assert_int_equal(rig_ask(r, "POST", MAKE, body, NULL), 201);
	assert_string_equal(rig_at(r, "made[1].generated"), "dc-a-telecom-1");
	assert_there(r, "template web tcp\naddress ct 203.0.113.10 auto web\n"
			"address dc-a-unicom-1 203.0.113.20 auto web\n"
			"pool ct round_robin: ct*1#1\n"
			"pool www.cloud-example.com-unicom round_robin: dc-a-unicom-1*1#1\n"
			"pool all round_robin: ct*1#1 dc-a-unicom-1*1#2\n"
			"domain www.cloud-example.com/A source_nearest: ct*1#1@telecom "
			"www.cloud-example.com-unicom*1#2@unicom all*1#3\n");
	assert_int_equal(rig_ask(r, "POST", MAKE, body, NULL), 200);

	static const char *const bad[][3] = {
		{ "'address/dc-a-unicom-1':'ct'", "names.address/dc-a-unicom-1", "409" },
		{ "'pool/www.cloud-example.com-telecom':'a b'",
		    "names.pool/www.cloud-example.com-telecom", "422" },
		{ "'pool/dc-a':'x'", "names.pool/dc-a", "422" },
		{ "'dc-a-telecom-1':'x'", "names.dc-a-telecom-1", "422" },
	};
	const uint64_t before = rig_revision(r);

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		snprintf(body, sizeof(body), form, bad[i][0]);
		char *other = xstrdup(body), *at = strstr(other, "www");

		memcpy(at, "ww2", 3); /* another domain, so that it is not simply there */
		assert_int_equal(
		    rig_ask(r, "POST", MAKE, i == 1 ? body : other, NULL), atoi(bad[i][2]));
		if (strcmp(rig_at(r, "errors[0].pointer"), bad[i][1]) != 0)
			fail_msg("%s: %s", bad[i][0], buf_str(&r->text));
		free(other);
	}
	assert_int_equal(rig_revision(r), before);
}

static void
test_a_dry_run_shows_it_all_and_makes_nothing(void **state)
{
	struct rig *r = *state;

	with_lines(r);
	const uint64_t before = rig_revision(r);

	assert_int_equal(rig_ask(r, "POST", MAKE "?dryRun=1",
			     "{'scenario':'multi_active'," WWW ",'sites':[" SITE_A "],"
			     "'check':{'protocol':'http','port':80}}",
			     NULL),
	    200);
	assert_string_equal(rig_at(r, "dryRun"), "true");
	assert_string_equal(rig_at(r, "made[0].spec.protocol"), "http");
	assert_string_equal(rig_at(r, "made[2].spec.value"), "203.0.113.11");
	assert_string_equal(rig_at(r, "made[3].spec.addresses[1].address"), "dc-a-2");
	assert_string_equal(rig_at(r, "made[4].kind"), "domain");
	assert_int_equal(rig_revision(r), before);
	assert_there(r, "");
}

static void
test_long_names_keep_their_tails(void **state)
{
#define SHANGHAI "\xe4\xb8\x8a\xe6\xb5\xb7"
#define EIGHT    SHANGHAI SHANGHAI SHANGHAI SHANGHAI SHANGHAI SHANGHAI SHANGHAI SHANGHAI
	struct rig *r = *state;

	with_zone(r);
	assert_int_equal(
	    rig_ask(r, "POST", MAKE,
		"{'scenario':'single_dc_multi_isp','name':'a-very-long-name-of-a-host-that-goes-"
		"on-and-on-and-on-for-ever.cloud-example.com','sites':[{'name':'" EIGHT SHANGHAI
		"','lines':{'mobile':['192.0.2.1']}}]}",
		NULL),
	    201);
	assert_string_equal(rig_at(r, "spec.pools[0].pool"),
	    "a-very-long-name-of-a-host-that-goes-on-and-on-and-on--mobile");
	/* Not through the middle of a character. */
	assert_string_equal(rig_at(r, "made[0].name"), EIGHT "\xe4\xb8\x8a-mobile-1");
}

#define ONE(addresses) "'sites':[{'name':'s','addresses':" addresses "}]}"
#define ISP(lines)     "{'scenario':'single_dc_multi_isp'," WWW ",'sites':[{'name':'s'," lines "}]}"
#define ACTIVE         "{'scenario':'multi_active',"

static void
test_a_failure_midway_leaves_nothing(void **state)
{
	static const char *const cases[][2] = {
		{ ACTIVE WWW "," TCP ",'sites':[{'name':'s1','addresses':['192.0.2.1']},"
			     "{'name':'s2','addresses':['2001:db8::1']}]}",
		    "sites[1].addresses[0]" },
		{ ACTIVE WWW ",'sites':[{'name':'s1','weight':70000,'addresses':['192.0.2.1']}]}",
		    "sites[0].weight" },
		{ ACTIVE "'name':'www.other.org'," ONE("['192.0.2.1']"), "name" },
		{ ACTIVE "'name':'a..b'," ONE("['192.0.2.1']"), "name" },
		{ ACTIVE WWW ",'check':{'protocol':'tcp','port':80,'interval':'1y'}," SITES "}",
		    "check.interval" },
		{ ACTIVE WWW ",'check':{'protocol':'tcp','port':0}," SITES "}", "check.port" },
		{ ACTIVE WWW ",'check':{'protocol':'tcp','port':80,'x':1}," SITES "}", "check.x" },
		{ ACTIVE WWW ",'check':'tcp'," SITES "}", "check" },
		{ "{'scenario':'round_trip'," HEAD "," CHECK "," SITES "}", "scenario" },
		{ "{" HEAD "," CHECK "," SITES "}", "scenario" },
		{ "{'scenario':'active_standby'," WWW "," ONE("['192.0.2.1']"), "sites" },
		{ "{'scenario':'active_standby_multi_isp'," WWW
		  ",'sites':[{'name':'s','lines':{'telecom':['192.0.2.1']}}]}",
		    "sites" },
		{ "{'scenario':'single_dc_multi_isp'," WWW ",'sites':[" ISP_A "," ISP_B "]}",
		    "sites" },
		{ ACTIVE WWW ",'sites':[]}", "sites" },
		{ ACTIVE WWW "," ONE("[]"), "sites[0].addresses" },
		{ ACTIVE WWW "," ONE("['']"), "sites[0].addresses[0]" },
		{ ACTIVE WWW "," ONE("[7]"), "sites[0].addresses[0]" },
		{ ACTIVE WWW "," ONE("[{'target':'192.0.2.1'}]"), "sites[0].addresses[0].value" },
		{ ACTIVE WWW "," TCP "," ONE("[{'value':'192.0.2.1','target':'x'}]"),
		    "sites[0].addresses[0]" },
		{ ACTIVE WWW "," ONE("['192.0.2.1','192.0.2.1']"), "sites[0].addresses[1]" },
		{ ACTIVE WWW ",'sites':[" SITE_A ",{'name':'t','addresses':['203.0.113.11']}]}",
		    "sites[1].addresses[0]" },
		{ ACTIVE WWW ",'sites':[" SITE_A ",{'name':'dc-a','addresses':['192.0.2.1']}]}",
		    "sites[1].name" },
		{ ACTIVE WWW ",'sites':[{'name':'a b','addresses':['192.0.2.1']}]}",
		    "sites[0].name" },
		{ ACTIVE WWW ",'sites':[{'addresses':['192.0.2.1']}]}", "sites[0].name" },
		{ ACTIVE WWW ",'sites':[{'name':'s'}]}", "sites[0].addresses" },
		{ ACTIVE WWW ",'sites':[{'name':'s','lines':{'telecom':['192.0.2.1']}}]}",
		    "sites[0].lines" },
		{ ACTIVE WWW ",'type':'MX'," SITES "}", "type" },
		{ ACTIVE WWW ",'type':[]," SITES "}", "type" },
		{ ACTIVE WWW ",'type':['A','A']," SITES "}", "type" },
		{ ACTIVE WWW ",'type':['A','CNAME']," SITES "}", "type" },
		{ ACTIVE WWW ",'type':['A','MX']," SITES "}", "type[1]" },
		{ ACTIVE WWW ",'type':['A','AAAA']," ONE("['lb.example.net']"),
		    "sites[0].addresses[0]" },
		{ ACTIVE WWW ",'type':'CNAME'," TCP "," ONE("['lb.example.net']"),
		    "sites[0].addresses[0]" },
		{ ACTIVE WWW ",'sequence_mode':'preemptive'," SITES "}", "sequence_mode" },
		{ ACTIVE WWW ",'strategy':'hash'," SITES "}", "strategy" },
		{ ACTIVE WWW ",'pools':[]," SITES "}", "pools" },
		{ ACTIVE WWW ",'ttl':0," SITES "}", "ttl" },
		{ ACTIVE WWW ",'fallback':'luck'," SITES "}", "fallback" },
		{ ACTIVE WWW ",'fallback':'fallback_pool'," SITES "}", "fallback_pool" },
		{ ACTIVE WWW ",'colour':'red'," SITES "}", "colour" },
		{ "{'scenario':'active_standby'," WWW ",'failback_delay':'1y'," SITES "}",
		    "failback_delay" },
		{ "{'scenario':'active_standby_multi_isp'," WWW
		  ",'failback_delay':'1y','sites':[" ISP_A "," ISP_B "]}",
		    "failback_delay" },
		{ "{'scenario':'custom'," WWW ",'pools':['nowhere']}", "pools[0].pool" },
		{ "{'scenario':'custom'," WWW ",'pools':[{'pool':'p','lines':['nowhere']}]}",
		    "pools[0].lines[0]" },
		{ "{'scenario':'custom'," WWW ",'pools':'p'}", "pools" },
		{ "{'scenario':'custom'," WWW ",'strategy':'luck'}", "strategy" },
		{ ISP("'addresses':['192.0.2.1']"), "sites[0].addresses" },
		{ ISP("'lines':{}"), "sites[0].lines" },
		{ ISP("'lines':['telecom']"), "sites[0].lines" },
		{ ISP("'lines':{'default':['192.0.2.1']}"), "sites[0].lines" },
		{ ISP("'lines':{'telcom':['192.0.2.1']}"), "sites[0].lines.telcom" },
		{ ISP("'lines':{'telecom':[]}"), "sites[0].lines.telecom" },
		{ ISP("'lines':{'telecom':['x']}"), "sites[0].lines.telecom[0]" },
		{ ISP("'lines':{'telecom':['192.0.2.1'],'cn_telecom':['192.0.2.2']}"),
		    "sites[0].lines.cn_telecom" },
		{ ISP("'lines':{'telecom':['192.0.2.1','192.0.2.1']}"),
		    "sites[0].lines.telecom[1]" },
		{ "{'scenario':'multi_active_multi_isp'," WWW ",'sites':[" ISP_A
		  ",{'name':'t','lines':{'mobile':['203.0.113.10']}}]}",
		    "sites[1].lines.mobile[0]" },
	};
	struct rig *r = *state;

	with_lines(r);
	rig_put(r, "/api/v1/pools/p", "{'spec':{'type':'ipv4'}}");
	const uint64_t before = rig_revision(r);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const long status = rig_ask(r, "POST", MAKE, cases[i][0], NULL);

		if (status != 422 || rig_revision(r) != before ||
		    strcmp(rig_at(r, "errors[0].pointer"), cases[i][1]) != 0)
			fail_msg("%s: %ld %s", cases[i][0], status, buf_str(&r->text));
	}
	assert_there(r, "pool p round_robin:\n");
}

static void
test_all_problems_come_at_once(void **state)
{
	struct rig *r = *state;

	with_zone(r);
	assert_int_equal(
	    rig_ask(r, "POST", MAKE,
		"{'scenario':'multi_active_multi_isp'," WWW ",'check':{'port':0},'sites':["
		"{'name':'s','lines':{'telcom':['192.0.2.1'],'unicom':['x','y']}},{'name':'s',"
		"'addresses':['192.0.2.1']}]}",
		NULL),
	    422);
	assert_int_equal(json_array_size(json_object_get(r->json, "errors")), 6);
}

static void
test_a_different_domain_is_in_the_way(void **state)
{
	struct rig *r = *state;

	with_zone(r);
	rig_put(
	    r, "/api/v1/domains/www.cloud-example.com/A", "{'spec':{'type':'A','remark':'mine'}}");
	const uint64_t before = rig_revision(r);

	assert_int_equal(rig_ask(r, "POST", MAKE, "{'scenario':'custom'," WWW "}", NULL), 409);
	assert_string_equal(rig_at(r, "errors[0].pointer"), "name");
	assert_int_equal(rig_revision(r), before);
}

static void
test_the_request_is_described(void **state)
{
	struct rig *r = *state;

	assert_int_equal(rig_ask(r, "GET", "/api/v1/openapi.json", NULL, NULL), 200);

	const json_t *schema = json_object_get(
	    json_object_get(json_object_get(r->json, "components"), "schemas"), "scenario");
	const json_t *properties = json_object_get(schema, "properties");
	static const char *const members[] = { "scenario", "name", "type", "sites", "names",
		"check", "ttl", "enabled", "fallback", "sequence_mode", "strategy", "pools" };

	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		assert_non_null(json_object_get(properties, members[i]));
	assert_int_equal(
	    json_array_size(json_object_get(json_object_get(properties, "scenario"), "enum")), 7);
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
		TEST(test_what_each_scenario_makes),
		TEST(test_custom_links_given_pools),
		TEST(test_both_families_in_one_call_and_in_two),
		TEST(test_families_by_line),
		TEST(test_one_family_may_lack_at_a_site),
		TEST(test_equal_objects_are_used_under_any_name),
		TEST(test_an_existing_template_by_name),
		TEST(test_names_are_chosen),
		TEST(test_a_dry_run_shows_it_all_and_makes_nothing),
		TEST(test_long_names_keep_their_tails),
		TEST(test_a_failure_midway_leaves_nothing),
		TEST(test_all_problems_come_at_once),
		TEST(test_a_different_domain_is_in_the_way),
		TEST(test_the_request_is_described),
		TEST(test_config_round_trips_in_any_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
