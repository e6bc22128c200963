/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A page of RRsets, as a journal or the other process may hand it over. What is read goes into a
 * book and comes back the same. */
#include <string.h>

#include "base/check.h"
#include "dns/rrpage.h"
#include "target.h"

static const uint8_t apex[] = "\7example";

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rrpage_book b;
	struct rrpage_reader r, again;
	struct rrpage_set set, same;

	rrpage_init(&b);
	rrpage_open(&r, apex, data, size);
	while (rrpage_next(&r, &set)) {
		CHECK(name_check(set.owner, NAME_MAX_LEN, 0) > 0);
		CHECK(name_below(set.owner, apex));
		rrpage_add(&b, sizeof(apex), &set);
	}
	rrpage_open(&r, apex, data, size);
	rrpage_open_book(&again, apex, &b);
	while (rrpage_next(&r, &set)) {
		CHECK(rrpage_next(&again, &same));
		CHECK(rrpage_order(set.owner, set.type, same.owner, same.type) == 0);
		CHECK(set.ttl_s == same.ttl_s && set.rdata_len == same.rdata_len);
		CHECK(memcmp(set.rdata, same.rdata, set.rdata_len) == 0);
	}
	CHECK(!rrpage_next(&again, &same) && !again.bad);
	rrpage_fini(&b);
	return 0;
}
