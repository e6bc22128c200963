/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "intake/policy.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "dns/name.h"
#include "dns/rrtype.h"

#define LIST(a)                                                                                    \
	{                                                                                          \
		.items = (void *)(uintptr_t)(a), .count = ARRAY_LEN(a)                             \
	}

static const char *const acme_names[] = { "*.example.com" }, *const txt[] = { "TXT", "TYPE65280" };
static const char *const host_names[] = { "@", "host.example.com" }, *const any[] = { "any" };

static struct update_spec updates[] = {
	{ .key = "acme", .names = LIST(acme_names), .types = LIST(txt) },
	{ .key = "host", .names = LIST(host_names), .types = LIST(any) },
	{ .key = "acme", .names = LIST(host_names), .types = LIST(txt) },
};

static const struct zone_spec zone = { .update = LIST(updates) };

static bool
allows(const char *key, const char *owner, uint16_t type)
{
	uint8_t apex[NAME_MAX_LEN], name[NAME_MAX_LEN];

	assert_true(name_parse_lower("example.com", apex) > 0);
	assert_true(name_parse_lower(owner, name) > 0);
	return policy_allows(&zone, apex, key, name, type);
}

static void
test_names(void **state UNUSED)
{
	assert_true(allows("acme", "a.example.com", RRTYPE_TXT));
	assert_true(allows("acme", "a.b.example.com", RRTYPE_TXT));
	assert_true(allows("acme", "*.example.com", RRTYPE_TXT));
	assert_true(allows("host", "example.com", RRTYPE_A));
	assert_true(allows("host", "Host.example.com", RRTYPE_A));
	assert_false(allows("host", "a.host.example.com", RRTYPE_A));
	assert_false(allows("host", "ahost.example.com", RRTYPE_A));
	assert_true(allows("acme", "example.com", RRTYPE_TXT)); /* by its second entry */
}

static void
test_types(void **state UNUSED)
{
	assert_false(allows("acme", "a.example.com", RRTYPE_A));
	assert_true(allows("acme", "a.example.com", 65280));
	assert_false(allows("acme", "a.example.com", 65281));
	assert_false(allows("acme", "a.example.com", RRTYPE_ANY));
	assert_true(allows("host", "host.example.com", RRTYPE_ANY));
}

static void
test_keys(void **state UNUSED)
{
	const struct zone_spec nobody = { .role = ZONE_PRIMARY };

	assert_true(policy_knows(&zone, "host"));
	assert_false(policy_knows(&zone, "hos"));
	assert_false(policy_knows(&nobody, "host"));
	assert_false(allows("other", "host.example.com", RRTYPE_A));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
