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
expect(const struct zonefile *z, const char *owner, uint16_t type, uint32_t ttl_s, size_t count)
{
	uint8_t wire[NAME_MAX_LEN];
	struct rrpage_set set;

	assert_true(name_parse_lower(owner, wire) > 0);
	assert_true(zonefile_find(z, wire, type, &set));

	struct rrset *made = rrset_new(set.type, set.ttl_s, set.rdata, set.rdata_len);

	assert_int_equal(made->ttl_s, ttl_s);
	assert_int_equal(made->count, count);
	assert_int_equal(made->size, set.rdata_len);
	rrset_free(&made);
}

static void
reads(void **state)
{
	struct zonefile z;
	struct rrpage_set set;
	struct diag d;

	(void)state;
	diag_init(&d);
	if (zonefile_parse(whole, sizeof(whole) - 1, "Example.com", "t", &z, &d) != 0)
		fail_msg("%s", diag_text(&d));
	assert_int_equal(z.records, 11);
	assert_int_equal(z.sets.sets, 8);
	expect(&z, "example.com", RRTYPE_SOA, 3600, 1);
	expect(&z, "example.com", RRTYPE_NS, 300, 2);
	expect(&z, "ns.example.com", RRTYPE_A, 300, 1);
	expect(&z, "*.example.com", RRTYPE_TXT, 300, 1);
	expect(&z, "deep.er.sub.example.com", RRTYPE_AAAA, 300, 1);
	expect(&z, "last.sub.example.com", RRTYPE_CNAME, 300, 1);
	expect(&z, "www.example.com", RRTYPE_A, 60, 2); /* sorted, without the twin */
	assert_true(zonefile_find(&z, (const uint8_t *)"\3www\7example\3com", RRTYPE_A, &set));
	assert_memory_equal(set.rdata + 2, "\300\0\2\2", 4);
	assert_false(zonefile_find(&z, (const uint8_t *)"\3www\7example\3com", RRTYPE_MX, &set));
	assert_false(zonefile_find(&z, (const uint8_t *)"\3wwx\7example\3com", RRTYPE_A, &set));
	assert_false(zonefile_find(&z, (const uint8_t *)"\0", RRTYPE_A, &set));
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
		assert_int_equal(z.sets.sets, 0);
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
	zonefile_write(&z.sets, z.apex, &first);
	if (zonefile_parse(buf_str(&first), first.len, "example.com", "t", &again, &d) != 0)
		fail_msg("%s\n%s", diag_text(&d), buf_str(&first));
	zonefile_write(&again.sets, z.apex, &second);
	assert_string_equal(buf_str(&first), buf_str(&second));
	assert_true(strncmp(buf_str(&first), "$ORIGIN example.com.\n@\t3600\tIN\tSOA\t", 34) == 0);
	assert_int_equal(z.sets.sets, again.sets.sets);
	assert_int_equal(z.sets.bytes.len, again.sets.bytes.len);
	assert_memory_equal(z.sets.bytes.data, again.sets.bytes.data, z.sets.bytes.len);
	zonefile_fini(&z);
	zonefile_fini(&again);
	buf_fini(&first);
	buf_fini(&second);
	diag_fini(&d);
}

/* Thousands of names in no order, on many pages, some with sets that are apart in the file. */
static void
scattered(void **state)
{
	struct zonefile z;
	struct rrpage_reader r;
	struct rrpage_set set;
	struct buf text;
	struct diag d;
	uint8_t last[NAME_MAX_LEN], wire[NAME_MAX_LEN];
	uint16_t last_type = 0;
	char name[64];

	(void)state;
	diag_init(&d);
	buf_init(&text, SIZE_MAX);
	buf_puts(&text, HEAD);
	for (unsigned i = 0; i < 6000; i++) {
		const unsigned n = i * 7919u % 5000;

		if (i < 5000)
			buf_printf(&text, "n%u %u TXT \"%u\"\n", n, i + 1, n);
		else
			buf_printf(&text, "n%u 9 A 192.0.2.1\nn%u 1 TXT \"b\"\n", n, n);
	}
	assert_int_equal(zonefile_parse(buf_str(&text), text.len, "example.com", "t", &z, &d), 0);
	assert_int_equal(z.sets.sets, 2 + 5000 + 1000);
	assert_true(z.sets.count > 5);
	last[0] = 0;
	rrpage_open_book(&r, z.apex, &z.sets);
	while (rrpage_next(&r, &set)) {
		assert_true(rrpage_order(last, last_type, set.owner, set.type) < 0);
		memcpy(last, set.owner, name_len(set.owner));
		last_type = set.type;
	}
	assert_false(r.bad);
	for (unsigned i = 0; i < 5000; i++) {
		const unsigned n = i * 7919u % 5000;
		const bool twice = i < 1000; /* 5000 + i is the same name again */

		snprintf(name, sizeof(name), "n%u.example.com", n);
		assert_true(name_parse_lower(name, wire) > 0);
		assert_true(zonefile_find(&z, wire, RRTYPE_TXT, &set));
		assert_int_equal(set.ttl_s, i + 1); /* the first wins */
		assert_int_equal(zonefile_find(&z, wire, RRTYPE_A, &set), twice);
	}
	zonefile_fini(&z);
	buf_fini(&text);
	diag_fini(&d);
}

/* Problems of sets come by line, the first twenty of them. */
static void
first_problems(void **state)
{
	struct zonefile z;
	struct buf text;
	struct diag d;
	unsigned line = 3;

	(void)state;
	diag_init(&d);
	buf_init(&text, SIZE_MAX);
	buf_puts(&text, HEAD);
	for (int i = 90; i > 0; i--)
		buf_printf(&text, "n%d CNAME a\nn%d CNAME b\n", i, i);
	assert_int_equal(
	    zonefile_parse(buf_str(&text), text.len, "example.com", "t", &z, &d), -EINVAL);
	assert_int_equal(d.count, 20);
	for (const struct diag_problem *p = d.first; p != NULL; p = p->next, line += 2) {
		char want[16];

		snprintf(want, sizeof(want), "t:%u", line);
		assert_string_equal(p->where, want);
	}
	buf_fini(&text);
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
		cmocka_unit_test(scattered),
		cmocka_unit_test(first_problems),
		cmocka_unit_test(check_set),
	};

	return cmocka_run_group_tests_name("zonefile", tests, NULL, NULL);
}
