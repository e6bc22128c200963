/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/model.h"

#include <errno.h>
#include <stdio.h>

#include "model/nouns.h"
#include "spec.h"

struct bench {
	struct model model;
	struct change_set pending;
	struct diag diag;
};

static int
start(void **state)
{
	struct bench *b = xcalloc(1, sizeof(*b));

	model_init(&b->model);
	change_init(&b->pending);
	diag_init(&b->diag);
	*state = b;
	return 0;
}

static int
stop(void **state)
{
	struct bench *b = *state;

	diag_fini(&b->diag);
	change_fini(&b->pending);
	model_fini(&b->model);
	free(b);
	return 0;
}

static char *
plain(const char *spec)
{
	json_t *j = spec_json(spec);
	char *text = json_text(j);

	json_decref(j);
	return text;
}

/* Accepted and appended to the pending set. */
static void
plan(struct bench *b, enum kind kind, const char *name, const char *spec)
{
	json_t *j = spec_json(spec);
	char *text = plain(spec);

	if (model_check_put(&b->model, &b->pending, kind, name, j, &b->diag) < 0)
		fail_msg("%s", diag_text(&b->diag));
	change_add(&b->pending,
	    &(struct change_op){
		.op = CHANGE_PUT, .kind = kind, .name = name, .id = "0", .spec = text });
	json_decref(j);
	free(text);
}

static void
plan_delete(struct bench *b, enum kind kind, const char *name)
{
	if (model_check_delete(&b->model, &b->pending, kind, name, &b->diag) < 0)
		fail_msg("%s", diag_text(&b->diag));
	change_add(
	    &b->pending, &(struct change_op){ .op = CHANGE_DELETE, .kind = kind, .name = name });
}

static void
commit(struct bench *b)
{
	for (size_t i = 0; i < b->pending.count; i++)
		model_apply(&b->model, &b->pending.ops[i]);
	change_fini(&b->pending);
	change_init(&b->pending);
}

/* Exactly one problem, this one. */
static void
refused(struct bench *b, enum kind kind, const char *name, const char *spec, const char *where,
    const char *detail, const char *got, const char *allowed)
{
	json_t *j = spec_json(spec);

	assert_int_equal(model_check_put(&b->model, &b->pending, kind, name, j, &b->diag), -EINVAL);
	if (b->diag.count != 1)
		fail_msg("%s", diag_text(&b->diag));
	assert_int_equal(b->diag.code, DIAG_INVALID);
	spec_problem(b->diag.first, where, detail, got, allowed);
	json_decref(j);
	diag_fini(&b->diag);
}

static void
delete_refused(struct bench *b, enum kind kind, const char *name, enum diag_code code,
    const char *detail, const char *referrer)
{
	assert_int_equal(model_check_delete(&b->model, &b->pending, kind, name, &b->diag), -EINVAL);
	assert_int_equal(b->diag.code, code);
	assert_string_equal(b->diag.first->detail, detail);
	assert_int_equal(b->diag.n_referrers, referrer != NULL);
	if (referrer != NULL)
		assert_string_equal(b->diag.referrers[0], referrer);
	diag_fini(&b->diag);
}

/* Zone x.org, template t, addresses a1 a2 (ipv4) s1 (ipv6) c1 (domain), pools p4 p6 pc, domain. */
static void
plan_site(struct bench *b)
{
	plan(b, KIND_ZONE, "x.org", "{}");
	plan(b, KIND_TEMPLATE, "t", "{'protocol':'tcp'}");
	plan(b, KIND_ADDRESS, "a1",
	    "{'type':'ipv4','value':'192.0.2.1','checks':[{'template':'t','port':80}]}");
	plan(b, KIND_ADDRESS, "a2", "{'type':'ipv4','value':'192.0.2.2'}");
	plan(b, KIND_ADDRESS, "s1", "{'type':'ipv6','value':'2001:db8::1'}");
	plan(b, KIND_ADDRESS, "c1", "{'type':'domain','value':'cdn.example.net'}");
	plan(b, KIND_POOL, "p4", "{'type':'ipv4','addresses':[{'address':'a1'},{'address':'a2'}]}");
	plan(b, KIND_POOL, "p6", "{'type':'ipv6','addresses':[{'address':'s1'}]}");
	plan(b, KIND_POOL, "pc", "{'type':'domain','addresses':[{'address':'c1'}]}");
	plan(b, KIND_DOMAIN, "www.x.org/A", "{'pools':[{'pool':'p4'}]}");
}

/* The same refusals whether the site is committed or earlier in the same set. */
static void
refusals(struct bench *b)
{
	refused(b, KIND_ADDRESS, "new",
	    "{'type':'ipv4','value':'192.0.2.9','checks':[{'template':'none','port':1}]}",
	    "checks[0].template", "no template named 'none' exists", "none", NULL);
	refused(b, KIND_POOL, "new",
	    "{'type':'ipv4','addresses':[{'address':'a1'},{'address':'zz'}]}",
	    "addresses[1].address", "no address named 'zz' exists", "zz", NULL);
	refused(b, KIND_POOL, "new",
	    "{'type':'ipv4','addresses':[{'address':'a1'},{'address':'s1'}]}",
	    "addresses[1].address", "address 's1' is of type ipv6, the pool of ipv4", "ipv6",
	    "ipv4");
	refused(b, KIND_POOL, "p4", "{'type':'ipv6'}", "type", "cannot change once the pool exists",
	    "ipv6", "ipv4");
	refused(b, KIND_ADDRESS, "a1", "{'type':'ipv6','value':'2001:db8::5'}", "type",
	    "cannot change once the address exists", "ipv6", "ipv4");
	refused(b, KIND_ADDRESS, "a2", "{'type':'ipv4','value':'192.0.2.1'}", "value",
	    "pool 'p4' already holds this value as address 'a1'", "192.0.2.1", NULL);
	refused(b, KIND_DOMAIN, "www.y.org/A", "{}", "name",
	    "no hosted zone contains 'www.y.org'; create zone 'y.org' first", "www.y.org",
	    "a name in a hosted zone");
	refused(b, KIND_DOMAIN, "x.org/CNAME", "{'pools':[{'pool':'pc'}]}", "name",
	    "a CNAME cannot stand at the apex of zone 'x.org', beside its SOA and NS",
	    "x.org/CNAME", NULL);
	refused(b, KIND_DOMAIN, "www.x.org/A", "{'pools':[{'pool':'p6'}]}", "pools[0].pool",
	    "pool 'p6' is of type ipv6, which cannot answer A", "ipv6", "ipv4, domain");
	refused(b, KIND_DOMAIN, "www.x.org/AAAA", "{'pools':[{'pool':'p4'}]}", "pools[0].pool",
	    "pool 'p4' is of type ipv4, which cannot answer AAAA", "ipv4", "ipv6, domain");
	refused(b, KIND_DOMAIN, "www.x.org/CNAME", "{'pools':[{'pool':'p4'}]}", "pools[0].pool",
	    "pool 'p4' is of type ipv4, which cannot answer CNAME", "ipv4", "domain");
	refused(b, KIND_DOMAIN, "www.x.org/A", "{'pools':[{'pool':'p4'},{'pool':'pc'}]}",
	    "strategy", "pools of type domain and IP pools cannot be mixed under round_robin",
	    "round_robin", "weight, sequence, source_nearest, hash");
	refused(b, KIND_DOMAIN, "www.x.org/A", "{'pools':[{'pool':'no'}]}", "pools[0].pool",
	    "no pool named 'no' exists", "no", NULL);
	delete_refused(b, KIND_ADDRESS, "a1", DIAG_CONFLICT, "address 'a1' is in use", "pool p4");
	delete_refused(
	    b, KIND_TEMPLATE, "t", DIAG_CONFLICT, "template 't' is in use", "address a1");
	delete_refused(
	    b, KIND_POOL, "p4", DIAG_CONFLICT, "pool 'p4' is in use", "domain www.x.org/A");
	delete_refused(
	    b, KIND_ZONE, "x.org", DIAG_CONFLICT, "zone 'x.org' is in use", "domain www.x.org/A");
	delete_refused(b, KIND_POOL, "no", DIAG_NOT_FOUND, "no pool named 'no' exists", NULL);
}

static void
rules_over_a_pending_set(void **state)
{
	plan_site(*state);
	refusals(*state);
}

static void
rules_over_a_model(void **state)
{
	plan_site(*state);
	commit(*state);
	refusals(*state);
}

static void
same_value_twice_in_a_pool(void **state)
{
	struct bench *b = *state;

	plan_site(b);
	plan(b, KIND_ADDRESS, "twin", "{'type':'ipv4','value':'192.0.2.1'}");
	commit(b);
	refused(b, KIND_POOL, "p4",
	    "{'type':'ipv4','addresses':[{'address':'a1'},{'address':'twin'}]}",
	    "addresses[1].address", "address 'twin' has the same value as 'a1'", "192.0.2.1", NULL);
	plan(b, KIND_POOL, "p5", "{'type':'ipv4','addresses':[{'address':'twin'}]}");
}

static void
weight_may_mix(void **state)
{
	struct bench *b = *state;

	plan_site(b);
	plan(b, KIND_DOMAIN, "www.x.org/A",
	    "{'strategy':'weight','pools':[{'pool':'p4'},{'pool':'pc'}]}");
	plan(b, KIND_DOMAIN, "x.org/AAAA", "{'type':'AAAA','pools':[{'pool':'p6'}]}");
	plan(b, KIND_DOMAIN, "*.x.org/CNAME", "{'pools':[{'pool':'pc'}]}");
}

static void
deletes_go_together(void **state)
{
	struct bench *b = *state;

	plan_site(b);
	commit(b);
	plan(b, KIND_POOL, "p4", "{'type':'ipv4','addresses':[{'address':'a2'}]}");
	plan_delete(b, KIND_ADDRESS, "a1");
	plan_delete(b, KIND_TEMPLATE, "t");
	refused(b, KIND_POOL, "p4", "{'type':'ipv4','addresses':[{'address':'a1'}]}",
	    "addresses[0].address", "no address named 'a1' exists", "a1", NULL);
	plan_delete(b, KIND_DOMAIN, "www.x.org/A");
	plan_delete(b, KIND_ZONE, "x.org");
	commit(b);
	assert_null(model_find(&b->model, KIND_ADDRESS, "a1"));
	assert_null(model_find(&b->model, KIND_ZONE, "x.org"));
	assert_non_null(model_find(&b->model, KIND_POOL, "p4"));
}

static void
zones_nest(void **state)
{
	struct bench *b = *state;

	plan(b, KIND_ZONE, "x.org", "{}");
	plan(b, KIND_ZONE, "sub.x.org", "{}");
	plan(b, KIND_DOMAIN, "www.sub.x.org/A", "{}");
	commit(b);
	assert_string_equal(model_zone_of(&b->model, "www.SUB.x.org")->name, "sub.x.org");
	assert_string_equal(model_zone_of(&b->model, "sub.x.org")->name, "sub.x.org");
	assert_string_equal(model_zone_of(&b->model, "*.other.x.org")->name, "x.org");
	assert_null(model_zone_of(&b->model, "ax.org"));
	plan_delete(b, KIND_ZONE, "sub.x.org"); /* x.org still contains the domain */
	delete_refused(b, KIND_ZONE, "x.org", DIAG_CONFLICT, "zone 'x.org' is in use",
	    "domain www.sub.x.org/A");
}

static void
keys_of_a_zone(void **state)
{
	struct bench *b = *state;

	refused(b, KIND_ZONE, "x.org", "{'transfer':[{'from':'any','key':'k'}]}", "transfer[0].key",
	    "no tsig-key named 'k' exists", "k", NULL);
	plan(b, KIND_TSIG_KEY, "k", "{'secret':'c2VjcmV0'}");
	plan(b, KIND_TSIG_KEY, "l", "{'secret':'c2VjcmV0'}");
	plan(b, KIND_ZONE, "x.org",
	    "{'transfer':[{'from':'any','key':'K.'}],'notify':[{'address':'192.0.2.1','key':'l'}]"
	    "}");
	commit(b);
	delete_refused(
	    b, KIND_TSIG_KEY, "k", DIAG_CONFLICT, "tsig-key 'k' is in use", "zone x.org");
	delete_refused(
	    b, KIND_TSIG_KEY, "l", DIAG_CONFLICT, "tsig-key 'l' is in use", "zone x.org");
	plan(b, KIND_ZONE, "x.org", "{}");
	plan_delete(b, KIND_TSIG_KEY, "k");
	commit(b);
}

static void
objects_keep_their_place(void **state)
{
	struct bench *b = *state;
	int runtime = 0;

	plan_site(b);
	commit(b);

	struct model_object *o = model_find(&b->model, KIND_POOL, "p4");

	o->runtime = &runtime;
	assert_int_equal(o->referrers.count, 1);
	assert_int_equal(model_find(&b->model, KIND_ADDRESS, "a1")->referrers.count, 1);
	assert_ptr_equal(model_apply(&b->model,
			     &(struct change_op){ .op = CHANGE_PUT,
				 .kind = KIND_POOL,
				 .name = o->name,
				 .id = o->id,
				 .spec = "{\"type\":\"ipv4\",\"addresses\":[{\"address\":\"a2\"}]}",
				 .revision = 7,
				 .created_ms = 1000,
				 .updated_ms = 2500 }),
	    o);
	assert_ptr_equal(o->runtime, &runtime);
	assert_int_equal(o->referrers.count, 1);
	assert_int_equal(b->model.revision, 7);
	assert_int_equal(model_find(&b->model, KIND_ADDRESS, "a1")->referrers.count, 0);
	assert_int_equal(((const struct pool_spec *)o->spec)->addresses.count, 1);
	spec_equal(model_encode(o),
	    "{'kind':'pool','name':'p4','id':'0','revision':7,'created':'1970-01-01T00:00:01.000Z',"
	    "'updated':'1970-01-01T00:00:02.500Z','spec':{'type':'ipv4','strategy':'round_robin',"
	    "'sequence_mode':'preemptive','failback_delay':'0s','max_answers':0,"
	    "'healthy_when':'any_ok','enabled':true,'addresses':["
	    "{'address':'a2','weight':1,'order':1,'lines':['default']}],'remark':'','labels':{}}}");
}

#define LINES_ALLOWED                                                                              \
	"a built-in line such as default, cn, us_ca, telecom, telecom_zj, cloud_aws "              \
	"(GET /api/v1/line-tree), or a custom line"

static void
plan_lines(struct bench *b)
{
	plan_site(b);
	plan(b, KIND_LINE, "office", "{'parent':'cn_telecom_zhejiang','cidrs':['10.0.0.0/8']}");
	plan(b, KIND_LINE, "desk", "{'parent':'office','cidrs':['10.1.0.0/16','2001:DB8::/32']}");
	plan(b, KIND_POOL, "p4",
	    "{'type':'ipv4','addresses':[{'address':'a1','lines':['desk','aliyun']}]}");
}

static void
line_refusals(struct bench *b)
{
	refused(b, KIND_LINE, "cn", "{}", "name", "is the code of the built-in line 'cn' (China)",
	    "cn", "any other name");
	refused(b, KIND_LINE, "aliyun", "{}", "name",
	    "is the alias of the built-in line 'cloud_aliyun' (Alibaba Cloud)", "aliyun",
	    "any other name");
	refused(b, KIND_LINE, "new", "{'parent':'nobody'}", "parent",
	    "no line named 'nobody' exists", "nobody", LINES_ALLOWED);
	refused(b, KIND_LINE, "new", "{'parent':'new'}", "parent",
	    "makes the line its own ancestor", "new", NULL);
	refused(b, KIND_LINE, "office", "{'parent':'desk'}", "parent",
	    "makes the line its own ancestor", "desk", NULL);
	refused(b, KIND_LINE, "new", "{'cidrs':['192.0.2.0/24','2001:db8::/32']}", "cidrs[1]",
	    "line 'desk' has this range: a client can be in one of them only", "2001:db8::/32",
	    "a longer or shorter prefix");
	refused(b, KIND_LINE, "office", "{'cidrs':['10.1.0.0/16']}", "cidrs[0]",
	    "line 'desk' has this range: a client can be in one of them only", "10.1.0.0/16",
	    "a longer or shorter prefix");
	refused(b, KIND_DOMAIN, "www.x.org/A", "{'pools':[{'pool':'p4','lines':['cn','moon']}]}",
	    "pools[0].lines[1]", "no line named 'moon' exists", "moon", LINES_ALLOWED);
	delete_refused(b, KIND_LINE, "desk", DIAG_CONFLICT, "line 'desk' is in use", "pool p4");
	delete_refused(
	    b, KIND_LINE, "office", DIAG_CONFLICT, "line 'office' is in use", "line desk");
}

static void
lines_over_a_pending_set(void **state)
{
	plan_lines(*state);
	line_refusals(*state);
}

static void
lines_over_a_model(void **state)
{
	plan_lines(*state);
	commit(*state);
	line_refusals(*state);
}

/* A parent may be younger than its child; what refers to nothing would end the process. */
static void
lines_are_applied_in_any_order(void **state)
{
	struct bench *b = *state;

	plan(b, KIND_LINE, "child", "{'cidrs':['192.0.2.0/24']}");
	plan(b, KIND_LINE, "parent", "{}");
	plan(b, KIND_LINE, "child", "{'parent':'parent','cidrs':['192.0.2.0/24']}");
	for (size_t i = b->pending.count; i-- > 0;)
		model_apply(&b->model, &b->pending.ops[i]);
	assert_non_null(model_find(&b->model, KIND_LINE, "child"));
}

/* A network that one line gives up another may take, in one set or in two. */
static void
networks_change_hands(void **state)
{
	struct bench *b = *state;

	plan(b, KIND_LINE, "a", "{'cidrs':['192.0.2.0/24','10.0.0.0/8']}");
	commit(b);
	plan(b, KIND_LINE, "a", "{'cidrs':['10.0.0.0/8']}");
	plan(b, KIND_LINE, "b", "{'cidrs':['192.0.2.0/24']}");
	refused(b, KIND_LINE, "a", "{'cidrs':['192.0.2.0/24']}", "cidrs[0]",
	    "line 'b' has this range: a client can be in one of them only", "192.0.2.0/24",
	    "a longer or shorter prefix");
	commit(b);
	refused(b, KIND_LINE, "c", "{'cidrs':['10.0.0.0/8']}", "cidrs[0]",
	    "line 'a' has this range: a client can be in one of them only", "10.0.0.0/8",
	    "a longer or shorter prefix");
	plan_delete(b, KIND_LINE, "a");
	plan(b, KIND_LINE, "c", "{'cidrs':['10.0.0.0/8']}");
	plan(b, KIND_LINE, "c", "{'cidrs':['10.0.0.0/9']}");
	plan(b, KIND_LINE, "d", "{'cidrs':['10.0.0.0/8']}");
	commit(b);
	plan(b, KIND_LINE, "d", "{'cidrs':['10.0.0.0/8','192.0.2.0/25']}");
	assert_int_equal(b->model.ranges.count, 3);
}

static void
lines_go_up_only_so_far(void **state)
{
	struct bench *b = *state;
	char name[8], spec[40];

	plan(b, KIND_LINE, "l0", "{}");
	for (int i = 1; i <= 16; i++) {
		snprintf(name, sizeof(name), "l%d", i);
		snprintf(spec, sizeof(spec), "{'parent':'l%d'}", i - 1);
		plan(b, KIND_LINE, name, spec);
	}
	refused(b, KIND_LINE, "l17", "{'parent':'l16'}", "parent",
	    "has more than 16 custom lines above it", "l16", NULL);
}

static void
plan_sets(struct bench *b)
{
	plan(b, KIND_ZONE, "x.org", "{}");
	plan(b, KIND_ZONE, "sub.x.org", "{}");
	plan(
	    b, KIND_ZONE, "away.org", "{'role':'secondary','primaries':[{'address':'192.0.2.1'}]}");
	plan(b, KIND_LINE, "office", "{'cidrs':['10.0.0.0/8']}");
	plan(b, KIND_RRSET, "www.x.org/A",
	    "{'zone':'x.org','records':['192.0.2.1',{'data':'192.0.2.1','line':'office'}]}");
}

static void
set_refusals(struct bench *b)
{
	refused(b, KIND_RRSET, "www.x.org/A",
	    "{'zone':'x.org','records':['192.0.2.1','192.0.2.2',"
	    "{'data':'192.0.2.3','line':'x'}]}",
	    "records[2].line", "no line named 'x' exists", "x", LINES_ALLOWED);
	refused(b, KIND_RRSET, "www.x.org/A",
	    "{'zone':'x.org','records':['192.0.2.1',{'data':'192.0.2.1','weight':2}]}",
	    "records[1].data", "line 'default' has it already, as records[0]", "192.0.2.1", NULL);
	refused(b, KIND_RRSET, "www.x.org/A",
	    "{'zone':'x.org','records':[{'data':'192.0.2.1','line':'cloud_aliyun'},"
	    "{'data':'192.0.2.1','line':'aliyun'}]}",
	    "records[1].data", "line 'cloud_aliyun' has it already, as records[0]", "192.0.2.1",
	    NULL);
	refused(b, KIND_RRSET, "www.x.org/A",
	    "{'zone':'x.org','records':[{'data':'192.0.2.1','weight':70000}]}", "records[0].weight",
	    "is out of range", "70000", "0..65535");
	refused(b, KIND_RRSET, "a.sub.x.org/A", "{'zone':'x.org','records':['192.0.2.1']}", "zone",
	    "the hosted zone 'sub.x.org' answers for 'a.sub.x.org'", "x.org", "sub.x.org");
	refused(b, KIND_RRSET, "www.y.org/A", "{'zone':'x.org','records':['192.0.2.1']}", "zone",
	    "does not contain 'www.y.org'", "x.org", NULL);
	refused(b, KIND_RRSET, "www.y.org/A", "{'zone':'y.org','records':['192.0.2.1']}", "zone",
	    "no zone named 'y.org' exists", "y.org", NULL);
	refused(b, KIND_RRSET, "www.away.org/A", "{'zone':'away.org','records':['192.0.2.1']}",
	    "zone", "zone 'away.org' is a secondary: its primaries know nothing of lines",
	    "away.org", "a primary zone");
	refused(b, KIND_ZONE, "x.org", "{'role':'secondary','primaries':[{'address':'192.0.2.1'}]}",
	    "role", "record set 'www.x.org/A' has lines, which no transfer brings: delete it first",
	    "secondary", "primary");
	delete_refused(
	    b, KIND_LINE, "office", DIAG_CONFLICT, "line 'office' is in use", "rrset www.x.org/A");
	delete_refused(
	    b, KIND_ZONE, "x.org", DIAG_CONFLICT, "zone 'x.org' is in use", "rrset www.x.org/A");
	plan_delete(b, KIND_RRSET, "www.x.org/A");
	plan_delete(b, KIND_ZONE, "x.org");
	plan_delete(b, KIND_LINE, "office");
}

static void
sets_over_a_pending_set(void **state)
{
	plan_sets(*state);
	set_refusals(*state);
}

static void
sets_over_a_model(void **state)
{
	plan_sets(*state);
	commit(*state);
	set_refusals(*state);
	commit(*state);
}

/* An override needs its object and does not keep it; a window in a plan does. */
static void
overrides_and_windows(void **state)
{
	static const char window[] =
	    "{'objects':['pool/p'],'starts':'2026-12-01T04:00:00Z','ends':'2026-12-01T05:00:00Z',"
	    "'reason':'x'}";
	struct bench *b = *state;
	refused(b, KIND_OVERRIDE, "pool/p", "{'state':'up','reason':'x'}", "name",
	    "no pool named 'p' exists", "p", NULL);
	plan(b, KIND_POOL, "p", "{'type':'ipv4'}");
	plan(b, KIND_OVERRIDE, "pool/p", "{'state':'up','reason':'x'}");
	plan(b, KIND_MAINTENANCE, "m", window);
	commit(b);
	delete_refused(b, KIND_POOL, "p", DIAG_CONFLICT, "pool 'p' is in use", "maintenance m");
	plan_delete(b, KIND_MAINTENANCE, "m");
	plan_delete(b, KIND_OVERRIDE, "pool/p");
	plan_delete(b, KIND_POOL, "p");
	commit(b);
	assert_null(model_find(&b->model, KIND_POOL, "p"));
}

static void
problems_of_one_object_come_together(void **state)
{
	struct bench *b = *state;
	json_t *j = spec_json("{'pools':[{'pool':'p6'},{'pool':'none'}]}");

	plan_site(b);
	assert_int_equal(
	    model_check_put(&b->model, &b->pending, KIND_DOMAIN, "www.z.org/A", j, &b->diag),
	    -EINVAL);
	assert_int_equal(b->diag.count, 3);
	json_decref(j);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(rules_over_a_pending_set, start, stop),
		cmocka_unit_test_setup_teardown(rules_over_a_model, start, stop),
		cmocka_unit_test_setup_teardown(same_value_twice_in_a_pool, start, stop),
		cmocka_unit_test_setup_teardown(weight_may_mix, start, stop),
		cmocka_unit_test_setup_teardown(deletes_go_together, start, stop),
		cmocka_unit_test_setup_teardown(zones_nest, start, stop),
		cmocka_unit_test_setup_teardown(keys_of_a_zone, start, stop),
		cmocka_unit_test_setup_teardown(objects_keep_their_place, start, stop),
		cmocka_unit_test_setup_teardown(lines_over_a_pending_set, start, stop),
		cmocka_unit_test_setup_teardown(lines_over_a_model, start, stop),
		cmocka_unit_test_setup_teardown(lines_are_applied_in_any_order, start, stop),
		cmocka_unit_test_setup_teardown(networks_change_hands, start, stop),
		cmocka_unit_test_setup_teardown(lines_go_up_only_so_far, start, stop),
		cmocka_unit_test_setup_teardown(sets_over_a_pending_set, start, stop),
		cmocka_unit_test_setup_teardown(sets_over_a_model, start, stop),
		cmocka_unit_test_setup_teardown(overrides_and_windows, start, stop),
		cmocka_unit_test_setup_teardown(problems_of_one_object_come_together, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
