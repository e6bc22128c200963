/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bad input: each says where and what, and nothing changes. */
#include "rig.h"

struct bad {
	const char *method, *path, *body;
	long status;
	const char *pointer; /* of the first error */
	const char *word;    /* somewhere in its detail */
};

static const char LONG_NAME[] =
    "/api/v1/pools/"
    "0123456789012345678901234567890123456789012345678901234567890123456789";

static const struct bad bads[] = {
	{ "PUT", "/api/v1/pools/x", "{'spec':{'type':'ipv4',}}", 400, "line 1", "" },
	{ "PUT", "/api/v1/pools/x", "[1]", 400, "", "object" },
	{ "PUT", "/api/v1/pools/x", "{'name':'y','spec':{'type':'ipv4'}}", 422, "name", "agree" },
	{ "PUT", "/api/v1/pools/x", "{'kind':'zone','spec':{'type':'ipv4'}}", 422, "kind",
	    "agree" },
	{ "PUT", "/api/v1/pools/x", "{'sepc':{}}", 422, "sepc", "known" },
	{ "PUT", "/api/v1/pools/x", "{}", 422, "spec", "missing" },
	{ "PUT", "/api/v1/pools/x", "{'spec':{'type':'ipv4','colour':1}}", 422, "colour", "" },
	{ "PUT", "/api/v1/pools/x", "{'spec':{'type':'ipv4','enabled':'yes'}}", 422, "enabled",
	    "" },
	{ "PUT", "/api/v1/pools/x",
	    "{'spec':{'type':'ipv4','addresses':[{'address':'a1','weight':70000}]}}", 422,
	    "addresses[0].weight", "" },
	{ "PATCH", "/api/v1/domains/www.example.com/A", "{'spec':{'ttl':0}}", 422, "ttl", "" },
	{ "PATCH", "/api/v1/domains/www.example.com/A", "{'spec':{'ttl':86401}}", 422, "ttl", "" },
	{ "PUT", "/api/v1/pools/p1",
	    "{'spec':{'type':'ipv4','addresses':[{'address':'a1'},{'address':'a1'}]}}", 422,
	    "addresses[1]", "" },
	{ "PUT", "/api/v1/addresses/a9", "{'spec':{'type':'ipv4','value':'2001:db8::1'}}", 422,
	    "value", "" },
	{ "PUT", "/api/v1/pools/p1", "{'spec':{'type':'ipv4','addresses':[{'address':'none'}]}}",
	    422, "addresses[0].address", "" },
	{ "PUT", "/api/v1/domains/www.other.org/A", "{'spec':{'pools':[{'pool':'p1'}]}}", 422,
	    "name", "zone" },
	{ "PUT", LONG_NAME, "{'spec':{'type':'ipv4'}}", 422, "name", "" },
	{ "PUT", "/api/v1/pools/a%zzb", "{'spec':{'type':'ipv4'}}", 400, "url", "" },
	{ "PUT", "/api/v1/pools/a%00b", "{'spec':{'type':'ipv4'}}", 400, "url", "" },
	{ "PUT", "/api/v1/pools/a%ffb", "{'spec':{'type':'ipv4'}}", 400, "url", "" },
	{ "PUT", "/api/v1/zones/example.com/rrsets/w/A", "{'ttl':60,'records':['1.2.3']}", 422,
	    "records[0]", "" },
	{ "PUT", "/api/v1/zones/example.com/rrsets/w/A", "{'ttl':-1,'records':['1.2.3.4']}", 422,
	    "ttl", "range" },
	{ "PUT", "/api/v1/zones/example.com/rrsets/w/NOPE", "{'records':['x']}", 422, "type", "" },
	{ "PUT", "/api/v1/zones/example.com/rrsets/w.example.org./A", "{'records':['1.2.3.4']}",
	    422, "owner", "outside" },
	{ "POST", "/api/v1/config:apply",
	    "{'objects':[{'kind':'template','name':'t','spec':{'protocol':'tcp'}},"
	    "{'kind':'pool','name':'x','spec':{'type':'ipv4','addresses':[{'address':'none'}]}}]}",
	    422, "objects[1].spec.addresses[0].address", "" },
	{ "POST", "/api/v1/config:apply",
	    "{'objects':[{'kind':'zone','name':'b.org','spec':{}},"
	    "{'kind':'zone','name':'B.org','spec':{}}]}",
	    422, "objects[1].name", "twice" },
	{ "POST", "/api/v1/config:apply?prune=me", "{'objects':[]}", 400, "prune", "not" },
	{ "GET", "/api/v1/stream?topics=gossip", NULL, 400, "topics", "" },
	{ "GET", "/api/v1/nothing", NULL, 404, "url", "" },
};

static void
test_bad_input_is_named_and_changes_nothing(void **state)
{
	struct rig *r = *state;

	rig_fill(r);
	const uint64_t before = rig_revision(r);

	for (size_t i = 0; i < ARRAY_LEN(bads); i++) {
		const struct bad *b = &bads[i];
		const long status = rig_ask(r, b->method, b->path, b->body, NULL);
		const bool whole = b->pointer[0] == '\0';
		const char *pointer = rig_at(r, "errors[0].pointer");

		if (status != b->status || rig_revision(r) != before ||
		    (whole ? pointer[0] != '\0'
			   : strncmp(pointer, b->pointer, strlen(b->pointer)) != 0) ||
		    strstr(rig_at(r, "errors[0].detail"), b->word) == NULL)
			fail_msg("%s %s %s: %ld %s", b->method, b->path, b->body, status,
			    buf_str(&r->text));
		assert_string_equal(rig_header(r, "Content-Type"), "application/problem+json");
	}
}

static void
test_methods_and_types(void **state)
{
	struct rig *r = *state;

	assert_int_equal(rig_ask(r, "POST", "/api/v1/pools/x", "{}", NULL), 405);
	assert_string_equal(rig_header(r, "Allow"), "GET, HEAD, PUT, PATCH, DELETE");
	assert_int_equal(rig_send(r, "PUT", "/api/v1/pools/x", "text/plain", "{}", NULL), 415);
	assert_int_equal(
	    rig_send(r, "PUT", "/api/v1/zones/x.org/file", "application/json", "{}", NULL), 415);
}

static void
test_a_body_has_a_limit(void **state)
{
	struct rig *r = *state;
	char *body = xmalloc(1100000);

	memset(body, ' ', 1099999);
	body[1099999] = '\0';
	assert_int_equal(
	    rig_send(r, "PUT", "/api/v1/pools/x", "application/json", body, "Expect:"), 413);
	assert_int_equal(rig_send(r, "PUT", "/api/v1/pools/x", "application/json", body,
			     "Expect:\nTransfer-Encoding: chunked"),
	    413);
	free(body);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_start, rig_stop)
		TEST(test_bad_input_is_named_and_changes_nothing),
		TEST(test_methods_and_types),
		TEST(test_a_body_has_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
