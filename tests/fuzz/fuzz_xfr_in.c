/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A primary that says anything. First byte: AXFR or IXFR; then messages, each behind its length
 * (two bytes). Every state must hold what it promises; what is taken has one SOA and may live in a
 * zone.
 */
#include <string.h>

#include "base/check.h"
#include "dns/rrtype.h"
#include "target.h"
#include "zone/xfr_in.h"

static int
load(void *arg, const uint8_t *owner, struct draft *d)
{
	static const uint8_t soa[] = "\0\26\0\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5";
	static const uint8_t ns[] = "\0\1\0";

	(void)arg;
	if (owner[0] == 7) {
		draft_have(d, RRTYPE_SOA, 1, soa, sizeof(soa) - 1);
		draft_have(d, RRTYPE_NS, 1, ns, sizeof(ns) - 1);
	}
	return 0;
}

static void
visit(void *arg, const uint8_t *owner, uint16_t type, const struct rrset *set)
{
	unsigned *soas = arg;

	CHECK(name_len(owner) > 0);
	CHECK(set == NULL || (set->count > 0 && set->type == type));
	*soas += type == RRTYPE_SOA && set != NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct draft_source have = { .load = load };
	struct xfr_question q = { .apex = "\7example", .id = 0, .serial = 1 };
	enum xfr_in_state state = XFR_IN_MORE;
	unsigned soas = 0;

	if (size == 0)
		return 0;
	q.type = data[0] & 1 ? RRTYPE_IXFR : RRTYPE_AXFR;

	struct xfr_in *x = xfr_in_new(&q, 1u << 20, &have);

	for (size_t at = 1; at + 2 <= size && state == XFR_IN_MORE;) {
		size_t len = (size_t)data[at] << 8 | data[at + 1];

		at += 2;
		if (len > size - at)
			len = size - at;
		state = xfr_in_feed(x, data + at, len);
		at += len;
	}
	if (state == XFR_IN_WHOLE || state == XFR_IN_CHANGES) {
		xfr_in_each(x, visit, &soas);
		CHECK(soas == 1);
	}
	CHECK((state == XFR_IN_REFUSED) == (xfr_in_why(x)[0] != '\0'));
	xfr_in_free(&x);
	return 0;
}
