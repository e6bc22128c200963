/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An UPDATE that says anything, on a small zone. What is taken leaves a zone that keeps the rules
 * (one SOA, an NS, a CNAME alone), whatever was asked for.
 */
#include "base/check.h"
#include "dns/query.h"
#include "dns/rrtype.h"
#include "target.h"
#include "zone/update.h"

static const uint8_t apex[] = "\7example";
static const uint8_t soa[] = "\0\26\0\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5";
static const uint8_t ns[] = "\0\1\0\0\5\3ns1\0";
static const uint8_t a[] = "\0\4\300\0\2\1\0\4\300\0\2\2";
static const uint8_t cname[] = "\0\3\1a\0";

static int
load(void *arg, const uint8_t *owner, struct draft *d)
{
	(void)arg;
	if (name_equal(owner, apex)) {
		draft_have(d, RRTYPE_SOA, 1, soa, sizeof(soa) - 1);
		draft_have(d, RRTYPE_NS, 1, ns, sizeof(ns) - 1);
	} else if (owner[1] == 'a') {
		draft_have(d, RRTYPE_A, 1, a, sizeof(a) - 1);
	} else if (owner[1] == 'c') {
		draft_have(d, RRTYPE_CNAME, 1, cname, sizeof(cname) - 1);
	}
	return 0;
}

static void
visit(void *arg, const uint8_t *owner, uint16_t type, const struct rrset *set)
{
	const struct update *u = arg;

	CHECK(name_below(owner, u->apex));
	CHECK(!rrtype_is_meta(type));
	CHECK(set != NULL || type != RRTYPE_SOA);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct draft_source source = { .load = load };
	const uint8_t *owner;
	struct update u;
	uint16_t type;

	if (update_parse(data, size, &u) == RCODE_NOERROR && name_equal(u.apex, apex)) {
		struct draft *d = draft_new(u.apex, 1u << 24, &source);

		(void)!update_require(&u, d);
		CHECK(update_apply(&u, d) == NULL);
		CHECK(draft_check(d, &owner, &type) == NULL);
		draft_each(d, visit, &u);
		draft_free(&d);
	}
	update_fini(&u);
	return 0;
}
