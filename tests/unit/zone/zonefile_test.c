/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "dns/name.h"
#include "dns/rrtype.h"
#include "zone/zonefile.h"

#define HEAD "@ SOA ns host 1 2 3 4 5\n@ NS ns\n"

static const char whole[] = "$TTL 300\n"
			    "@ 3600 IN SOA ns host ( 1 ; serial\n 2 3\n 4 5 )\n"
			    "\tNS ns\n"
			    "@ NS ns2.example.net.\n"
			    "NS A 192.0.2.1\n"
			    "www 60 A 192.0.2.3\n"
			    "www 99 A 192.0.2.2\n"
			    "www 60 A 192.0.2.3\n"
			    "* TXT \"a;b\" c\n"
			    "$ORIGIN sub.example.com.\n"
			    "deep.er AAAA ::1\n"
			    "\\@ TYPE4711 \\# 2 abcd\n"
			    "last CNAME www.example.com.";

static void
reads(void **state)
{
	struct zonefile z;
	struct diag d;

	(void)state;
	diag_init(&d);
	if (zonefile_parse(whole, sizeof(whole) - 1, "Example.com", "t", &z, &d) != 0)
		fail_msg("%s", diag_text(&d));
	assert_int_equal(z.records, 11);
	assert_int_equal(z.count, 8);
	assert_int_equal(z.items[0].set->type, RRTYPE_SOA);
	assert_int_equal(z.items[0].set->ttl_s, 3600);
	assert_int_equal(z.items[1].set->count, 2);
	assert_int_equal(z.items[1].set->ttl_s, 300);
	assert_memory_equal(z.items[2].owner, "\2ns\7example\3com", 16);
	assert_int_equal(z.items[3].set->count, 2);
	assert_int_equal(z.items[3].set->ttl_s, 60);
	assert_memory_equal(z.items[3].set->data + 2, "\300\0\2\2", 4);
	assert_int_equal(z.items[7].set->type, RRTYPE_CNAME);
	zonefile_fini(&z);
	diag_fini(&d);
}

static void
refused(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "", "t:1: the zone has no SOA" },
		{ "@ NS ns\n", "t:1: the zone has no SOA" },
		{ "@ SOA ns host 1 2 3 4 5\n", "t:1: the zone has no NS" },
		{ HEAD "www A 1.2.3\n", "t:3: " },
		{ HEAD "\n\n; x\nwww A 192.0.2.1\nwww MX mail\n", "t:7: " },
		{ HEAD "www A 192.0.2.1\n$INCLUDE other.zone\n", "t:4: $INCLUDE" },
		{ HEAD "$FOO\n", "t:3: " },
		{ HEAD "example.net. A 192.0.2.1\n", "t:3: the name is outside" },
		{ HEAD "www CH A 192.0.2.1\n", "t:3: " },
		{ HEAD "@ SOA ns host 9 2 3 4 5\n", "t:1: only one SOA" },
		{ HEAD "www SOA ns host 9 2 3 4 5\n", "t:3: a SOA record is allowed at" },
		{ HEAD "www CNAME a\nwww CNAME b\n", "t:3: only one CNAME" },
		{ HEAD "www A 192.0.2.1\nwww CNAME a\n", "t:4: a CNAME cannot stand beside" },
		{ HEAD "www CNAME a\nwww A 192.0.2.1\n", "t:4: no other record" },
		{ HEAD "@ CNAME a\n", "t:3: a CNAME cannot stand at" },
		{ HEAD "www DNAME a\nwww DNAME b\n", "t:3: only one DNAME" },
		{ HEAD "www 3000000000 A 192.0.2.1\n", "t:3: the TTL is over" },
		{ HEAD "www TYPE1 \\# 3 010203\n", "t:3: " },
		{ HEAD "www TYPE250 \\# 0\n", "t:3: " },
		{ HEAD "www MX ( 10\n mail\n", "t:" },
		{ HEAD "www A 192.0.2.1\r\nwww A x\r\n", "t:4: " },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct zonefile z;
		struct diag d;

		diag_init(&d);
		if (zonefile_parse(
			rows[i].text, strlen(rows[i].text), "example.com", "t", &z, &d) != -EINVAL)
			fail_msg("taken: %s", rows[i].text);
		if (strncmp(diag_text(&d), rows[i].want, strlen(rows[i].want)) != 0)
			fail_msg("got '%s', want '%s'", diag_text(&d), rows[i].want);
		assert_null(z.items);
		diag_fini(&d);
	}
}

static void
stops_at_twenty(void **state)
{
	char text[4096] = HEAD;
	struct zonefile z;
	struct diag d;

	(void)state;
	diag_init(&d);
	for (int i = 0; i < 100; i++)
		strcat(text, "x A bad\n");
	assert_int_equal(zonefile_parse(text, strlen(text), "example.com.", "t", &z, &d), -EINVAL);
	assert_int_equal(d.count, 20);
	diag_fini(&d);
	diag_init(&d);
	assert_int_equal(zonefile_parse("", 0, "bad..name", "t", &z, &d), -EINVAL);
	zonefile_fini(&z);
	diag_fini(&d);
}

/* Written, read and written again: the same text, and the same sets in it. */
static void
round_trip(void **state)
{
	struct zonefile z, again;
	struct buf first, second;
	struct diag d;

	(void)state;
	diag_init(&d);
	buf_init(&first, SIZE_MAX);
	buf_init(&second, SIZE_MAX);
	assert_int_equal(zonefile_parse(whole, sizeof(whole) - 1, "example.com", "t", &z, &d), 0);
	zonefile_write(z.items, z.count, (const uint8_t *)"\7example\3com", &first);
	if (zonefile_parse(buf_str(&first), first.len, "example.com", "t", &again, &d) != 0)
		fail_msg("%s\n%s", diag_text(&d), buf_str(&first));
	zonefile_write(again.items, again.count, (const uint8_t *)"\7example\3com", &second);
	assert_string_equal(buf_str(&first), buf_str(&second));
	assert_true(strncmp(buf_str(&first), "$ORIGIN example.com.\n@\t3600\tIN\tSOA\t", 34) == 0);
	assert_int_equal(z.count, again.count);
	for (size_t i = 0; i < z.count; i++) {
		bool found = false;

		for (size_t j = 0; j < again.count; j++)
			found |= name_equal(z.items[i].owner, again.items[j].owner) &&
				 rrset_equal(z.items[i].set, again.items[j].set);
		assert_true(found);
	}
	zonefile_fini(&z);
	zonefile_fini(&again);
	buf_fini(&first);
	buf_fini(&second);
	diag_fini(&d);
}

static void
check_set(void **state)
{
	const uint8_t *apex = (const uint8_t *)"\7example",
		      *www = (const uint8_t *)"\3www\7example";
	const uint16_t a[] = { RRTYPE_A, RRTYPE_RRSIG }, dnssec[] = { RRTYPE_NSEC, RRTYPE_RRSIG };
	struct rrset *cname = rrset_new(RRTYPE_CNAME, 1, (const uint8_t *)"\0\1\0", 3);
	struct diag d;

	(void)state;
	diag_init(&d);
	assert_int_equal(zonefile_check_set(apex, www, cname, dnssec, 2, &d), 0);
	assert_int_equal(zonefile_check_set(apex, www, cname, NULL, 0, &d), 0);
	assert_false(diag_failed(&d));
	assert_int_equal(zonefile_check_set(apex, www, cname, a, 2, &d), -EINVAL);
	assert_int_equal(zonefile_check_set(apex, apex, cname, NULL, 0, &d), -EINVAL);
	assert_int_equal(zonefile_check_set(www, apex, cname, NULL, 0, &d), -EINVAL);
	assert_int_equal(d.count, 3);
	rrset_free(&cname);
	diag_fini(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads),
		cmocka_unit_test(refused),
		cmocka_unit_test(stops_at_twenty),
		cmocka_unit_test(round_trip),
		cmocka_unit_test(check_set),
	};

	return cmocka_run_group_tests_name("zonefile", tests, NULL, NULL);
}
