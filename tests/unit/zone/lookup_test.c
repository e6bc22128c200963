/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lookups in zones made by hand; random ones are in changes_test.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#define URCU_API_MAP
#include <urcu/urcu-qsbr.h>

#include "dns/name.h"
#include "dns/rrtype.h"
#include "zone/zone.h"

static struct rrset *
some_set(uint16_t type)
{
	return rrset_new(type, 1, (const uint8_t *)"\0\1x", 3);
}

/* The examples of RFC 4592 section 2.2.1. */
static void
rfc4592_examples(void **state)
{
	static const struct {
		const char *qname;
		enum lookup_kind kind;
		bool wildcard;
	} rows[] = {
		{ "host3.example", LOOKUP_NAME, true },
		{ "foo.bar.example", LOOKUP_NAME, true },
		{ "host1.example", LOOKUP_NAME, false },
		{ "sub.*.example", LOOKUP_NAME, false },
		{ "_telnet._tcp.host1.example", LOOKUP_NXDOMAIN, false },
		{ "host.subdel.example", LOOKUP_DELEGATION, false },
		{ "ghost.*.example", LOOKUP_NXDOMAIN, false },
		{ "_tcp.host1.example", LOOKUP_NAME, false }, /* empty non-terminal */
		{ "x._tcp.host1.example", LOOKUP_NXDOMAIN, false },
	};
	static const char *const owners[] = { "*.example", "sub.*.example", "host1.example",
		"_ssh._tcp.host1.example", "_ssh._tcp.host2.example" };
	uint8_t name[NAME_MAX_LEN];
	struct zone *z;

	(void)state;
	assert_true(name_parse("example", name) > 0);
	z = zone_new(name);
	for (size_t i = 0; i < sizeof(owners) / sizeof(owners[0]); i++) {
		assert_true(name_parse(owners[i], name) > 0);
		zone_put(z, name, some_set(RRTYPE_TXT));
	}
	assert_true(name_parse("subdel.example", name) > 0);
	zone_put(z, name, some_set(RRTYPE_NS));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct lookup l;

		assert_true(name_parse(rows[i].qname, name) > 0);
		lookup(z, name, RRTYPE_MX, &l);
		if (l.kind != rows[i].kind || l.wildcard != rows[i].wildcard)
			fail_msg("%s: kind %d wildcard %d", rows[i].qname, l.kind, l.wildcard);
	}
	zone_free(&z);
}

/* 127 labels: the depth bits' second word, and bisection, at their limits. */
static void
deepest_names(void **state)
{
	uint8_t name[NAME_MAX_LEN];
	struct zone *z = zone_new((const uint8_t *)"");
	struct lookup l;

	(void)state;
	for (int i = 0; i < 127; i++)
		memcpy(name + 2 * i, "\1a", 2);
	name[254] = 0;
	zone_put(z, name, some_set(RRTYPE_A));
	assert_int_equal(zone_names(z), 128);
	lookup(z, name, RRTYPE_A, &l);
	assert_int_equal(l.kind, LOOKUP_NAME);
	for (int cut = 1; cut < 127; cut++) {
		zone_put(z, name + 2 * (127 - cut), some_set(RRTYPE_NS));
		lookup(z, name, RRTYPE_A, &l);
		assert_int_equal(l.kind, LOOKUP_DELEGATION);
		assert_int_equal(name_labels(l.node->name), cut);
		zone_del(z, name + 2 * (127 - cut), RRTYPE_NS);
		name[2 * (127 - cut) - 1] = 'b';
		lookup(z, name, RRTYPE_A, &l);
		assert_int_equal(l.kind, LOOKUP_NXDOMAIN);
		assert_int_equal(name_labels(l.encloser->name), cut);
		name[2 * (127 - cut) - 1] = 'a';
	}
	zone_del(z, name, RRTYPE_A);
	assert_int_equal(zone_names(z), 1);
	zone_free(&z);
}

static int
online(void **state)
{
	(void)state;
	rcu_register_thread();
	return 0;
}

/* Wait for what was retired, so that leaks are leaks. */
static int
offline(void **state)
{
	(void)state;
	rcu_barrier();
	rcu_unregister_thread();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc4592_examples),
		cmocka_unit_test(deepest_names),
	};

	return cmocka_run_group_tests_name("lookup", tests, online, offline);
}
