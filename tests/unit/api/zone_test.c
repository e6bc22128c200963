/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Zones: first records, record sets, files, serials. */
#include "api/soa.h"
#include "model/nouns.h"
#include "rig.h"

#define ZONE "/api/v1/zones/example.com"

static unsigned
serial(struct rig *r)
{
	unsigned n = 0;

	assert_int_equal(rig_ask(r, "GET", ZONE "/rrsets/@/SOA", NULL, NULL), 200);
	assert_int_equal(sscanf(rig_at(r, "records[0]"), "%*s %*s %u", &n), 1);
	return n;
}

static void
test_a_new_zone_has_its_first_records(void **state)
{
	struct rig *r = *state;

	rig_put(
	    r, ZONE, "{'spec':{'nameservers':['ns1.example.net'],'contact':'a.b@example.org'}}");
	assert_int_equal(rig_ask(r, "GET", ZONE "/rrsets", NULL, NULL), 200);
	assert_int_equal(rig_ask(r, "GET", ZONE "/rrsets/@/NS", NULL, NULL), 200);
	assert_non_null(strstr(rig_at(r, "records[0]"), "ns1.example.net"));
	assert_int_equal(rig_ask(r, "GET", ZONE "/rrsets/example.com./SOA", NULL, NULL), 200);
	assert_non_null(strstr(rig_at(r, "records[0]"), "a\\.b.example.org"));
	assert_int_equal(serial(r), 1);
	rig_put(r, "/api/v1/zones/bare.org", "{'spec':{}}");
	assert_non_null(strstr(rig_at(r, "warnings[0]"), "ns1.bare.org"));
}

static void
test_record_sets_move_the_serial(void **state)
{
	struct rig *r = *state;

	rig_fill(r);
	assert_int_equal(rig_ask(r, "PUT", ZONE "/rrsets/mail/MX",
			     "{'ttl':300,'records':['10 mx1','20 mx2.example.net.']}", NULL),
	    201);
	assert_int_equal(serial(r), 2);
	const uint64_t before = rig_revision(r);

	assert_int_equal(rig_ask(r, "PUT", ZONE "/rrsets/mail.example.com/MX",
			     "{'ttl':300,'records':['20 mx2.example.net.','10 mx1']}", NULL),
	    200);
	assert_int_equal(rig_revision(r), before);
	assert_int_equal(rig_ask(r, "GET", ZONE "/rrsets/mail/MX", NULL, NULL), 200);
	assert_string_equal(rig_at(r, "owner"), "mail.example.com");
	assert_string_equal(rig_at(r, "ttl"), "300");
	assert_int_equal(
	    rig_ask(r, "PUT", ZONE "/rrsets/mail/CNAME", "{'records':['x']}", NULL), 422);
	assert_int_equal(rig_ask(r, "DELETE", ZONE "/rrsets/mail/MX", NULL, NULL), 204);
	assert_int_equal(rig_ask(r, "DELETE", ZONE "/rrsets/mail/MX", NULL, NULL), 404);
	assert_int_equal(serial(r), 3);
	assert_int_equal(rig_ask(r, "DELETE", ZONE "/rrsets/@/SOA", NULL, NULL), 409);
}

static void
test_what_a_domain_hides_is_said(void **state)
{
	struct rig *r = *state;

	rig_fill(r);
	assert_int_equal(
	    rig_ask(r, "PUT", ZONE "/rrsets/www/A", "{'records':['192.0.2.99']}", NULL), 201);
	assert_non_null(strstr(rig_at(r, "warnings[0]"), "www.example.com/A"));
	rig_ask(r, "POST", "/api/v1/domains/www.example.com/A:disable", NULL, NULL);
	assert_string_equal(rig_at(r, "warnings"), "");
	rig_ask(r, "POST", "/api/v1/domains/www.example.com/A:enable", NULL, NULL);
	assert_non_null(strstr(rig_at(r, "warnings[0]"), "hides the static A"));
}

#define FILE_HEAD                                                                                  \
	"$TTL 60\n@ SOA ns1.example.net. hostmaster.example.com. 7 1 1 1 1\n@ NS "                 \
	"ns1.example.net.\n"

static void
test_a_file_goes_in_and_comes_out(void **state)
{
	struct rig *r = *state;

	assert_int_equal(
	    rig_send(r, "PUT", ZONE "/file", "text/dns", FILE_HEAD "www A 192.0.2.1\n", NULL), 201);
	assert_string_equal(rig_at(r, "records"), "3");
	assert_int_equal(rig_revision(r), 1);
	assert_int_equal(rig_ask(r, "GET", ZONE "/file", NULL, NULL), 200);
	assert_string_equal(rig_header(r, "Content-Type"), "text/dns; charset=utf-8");
	assert_non_null(strstr(buf_str(&r->text), "192.0.2.1"));

	char *out = xstrdup(buf_str(&r->text));

	assert_int_equal(rig_send(r, "PUT", ZONE "/file", "text/dns", out, NULL), 200);
	assert_string_equal(rig_at(r, "changed"), "false");
	assert_int_equal(rig_revision(r), 1);
	free(out);
	assert_int_equal(serial(r), 7);
	assert_int_equal(
	    rig_send(r, "PUT", ZONE "/file", "text/dns", FILE_HEAD "www A 192.0.2.2\n", NULL), 200);
	assert_int_equal(serial(r), 8); /* the file's own would not be news to secondaries */
	assert_int_equal(rig_ask(r, "GET", ZONE "/rrsets/www/A", NULL, NULL), 200);
	assert_string_equal(rig_at(r, "records[0]"), "192.0.2.2");
	assert_int_equal(
	    rig_send(r, "PUT", ZONE "/file?dryRun=1", "text/dns", FILE_HEAD, NULL), 200);
	assert_int_equal(rig_revision(r), 2);
}

static void
test_a_broken_file_names_its_line(void **state)
{
	struct rig *r = *state;

	rig_fill(r);
	const uint64_t before = rig_revision(r);

	assert_int_equal(
	    rig_send(r, "PUT", ZONE "/file", "text/dns", FILE_HEAD "www A 192.0.2.300\n", NULL),
	    422);
	assert_string_equal(rig_at(r, "errors[0].pointer"), "line 4");
	assert_int_equal(
	    rig_send(r, "PUT", ZONE "/file", "text/dns", "www A 192.0.2.1\n", NULL), 422);
	assert_int_equal(rig_send(r, "PUT", ZONE "/file", "text/dns",
			     FILE_HEAD "www.example.org. A 192.0.2.1\n", NULL),
	    422);
	assert_int_equal(rig_revision(r), before);
	assert_int_equal(rig_ask(r, "GET", "/api/v1/zones/none.org/file", NULL, NULL), 404);
}

static void
test_sets_are_listed_in_pages(void **state)
{
	struct rig *r = *state;

	rig_fill(r);
	rig_put(r, ZONE "/rrsets/b/A", "{'records':['192.0.2.1']}");
	rig_put(r, ZONE "/rrsets/c/TXT", "{'records':['\\'x y\\'']}");
	rig_ask(r, "GET", ZONE "/rrsets?limit=3", NULL, NULL);

	char path[256];

	snprintf(path, sizeof(path), ZONE "/rrsets?cursor=%s", rig_at(r, "next"));
	assert_int_equal(rig_ask(r, "GET", path, NULL, NULL), 200);
	assert_string_equal(rig_at(r, "items[0].type"), "SOA"); /* the store sorts by wire name */
	assert_string_equal(rig_at(r, "items[1]"), "");
	rig_ask(r, "GET", ZONE "/rrsets?type=a", NULL, NULL);
	assert_string_equal(rig_at(r, "items[0].owner"), "b.example.com");
}

static void
test_a_secondary_is_not_edited_here(void **state)
{
	struct rig *r = *state;

	rig_put(r, ZONE, "{'spec':{'role':'secondary','primaries':[{'address':'192.0.2.1'}]}}");
	assert_int_equal(rig_ask(r, "GET", ZONE "/rrsets/@/SOA", NULL, NULL), 404);
	assert_int_equal(
	    rig_ask(r, "PUT", ZONE "/rrsets/www/A", "{'records':['192.0.2.1']}", NULL), 409);
	assert_non_null(strstr(rig_at(r, "errors[0].detail"), "come from 192.0.2.1:53"));
	assert_int_equal(
	    rig_send(r, "PUT", ZONE "/file", "text/dns", "@ SOA a b 1 2 3 4 5\n@ NS a\n", NULL),
	    409);
	/* Promoted it gets what a zone needs, and is edited again. */
	rig_put(r, ZONE, "{'spec':{'role':'primary','nameservers':['ns.x.org']}}");
	rig_put(r, ZONE "/rrsets/www/A", "{'records':['192.0.2.1']}");
}

static void
test_serials_by_policy(void **state)
{
	const int64_t now = 1785492000; /* 2026-07-31 10:00 UTC */

	(void)state;
	assert_int_equal(soa_next_serial(SERIAL_INCREMENT, 7, now), 8);
	assert_int_equal(soa_next_serial(SERIAL_INCREMENT, UINT32_MAX, now), 0);
	assert_int_equal(soa_next_serial(SERIAL_UNIXTIME, 7, now), 1785492000);
	assert_int_equal(soa_next_serial(SERIAL_UNIXTIME, 1785492000, now), 1785492001);
	assert_int_equal(soa_next_serial(SERIAL_DATESERIAL, 2026073000, now), 2026073100);
	assert_int_equal(soa_next_serial(SERIAL_DATESERIAL, 2026073100, now), 2026073101);
	assert_int_equal(soa_next_serial(SERIAL_DATESERIAL, 2026080100, now), 2026080101);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_start, rig_stop)
		TEST(test_a_new_zone_has_its_first_records),
		TEST(test_record_sets_move_the_serial),
		TEST(test_what_a_domain_hides_is_said),
		TEST(test_a_file_goes_in_and_comes_out),
		TEST(test_a_broken_file_names_its_line),
		TEST(test_sets_are_listed_in_pages),
		TEST(test_a_secondary_is_not_edited_here),
		cmocka_unit_test(test_serials_by_policy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
