/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any text is read or refused with a line; what was read and is written again reads as the same. */
#include <string.h>

#include "base/check.h"
#include "base/yaml_in.h"
#include "base/yaml_out.h"
#include "target.h"

static void
check_round_trip(const json_t *object)
{
	struct yaml_in again;
	struct diag d;
	struct buf b;

	buf_init(&b, (size_t)1 << 26);
	yaml_in_init(&again);
	diag_init(&d);
	yaml_out_write(&b, object);
	CHECK(!b.overflow);
	if (yaml_in_read(&again, "again", buf_str(&b), b.len, &d) != 0)
		CHECK(
		    strstr(diag_text(&d), "nested deeper") != NULL); /* a list was one level less */
	else
		CHECK(json_equal(json_array_get(again.objects, 0), object));
	diag_fini(&d);
	yaml_in_fini(&again);
	buf_fini(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct yaml_in y;
	struct diag d;
	const json_t *object;
	size_t i;

	yaml_in_init(&y);
	diag_init(&d);
	if (yaml_in_read(&y, "f.yaml", (const char *)data, size, &d) != 0) {
		CHECK(diag_failed(&d));
		CHECK(strncmp(d.first->where, "f.yaml:", 7) == 0);
	} else {
		json_array_foreach(y.objects, i, object) check_round_trip(object);
	}
	diag_fini(&d);
	yaml_in_fini(&y);
	return 0;
}
