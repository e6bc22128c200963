/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Zone text. What is taken must come back the same after being written and read again, and be
 * taken by a zone; what is refused must say why.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "dns/name.h"
#include "target.h"
#include "zone/zonefile.h"

static const uint8_t apex[] = "\7example";

static void
write_text(const struct zonefile *z, struct buf *out)
{
	buf_init(out, SIZE_MAX);
	zonefile_write(&z->sets, apex, out);
}

static void
round_trip(const struct zonefile *z, struct diag *d)
{
	struct zonefile again;
	struct buf first, second;

	write_text(z, &first);
	if (zonefile_parse(buf_str(&first), first.len, "example", "again", &again, d) != 0) {
		(void)fprintf(stderr, "%s\n%s", diag_text(d), buf_str(&first));
		abort();
	}
	write_text(&again, &second);
	CHECK(again.sets.sets == z->sets.sets);
	CHECK(first.len == second.len && memcmp(first.data, second.data, first.len) == 0);
	buf_fini(&first);
	buf_fini(&second);
	zonefile_fini(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct zonefile z;
	struct diag d;

	diag_init(&d);
	if (zonefile_parse((const char *)data, size, "example", "input", &z, &d) == 0)
		round_trip(&z, &d);
	else
		CHECK(diag_failed(&d));
	zonefile_fini(&z);
	diag_fini(&d);
	return 0;
}
