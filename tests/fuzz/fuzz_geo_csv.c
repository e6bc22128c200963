/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any text is read or refused with a line; what is read becomes ranges that ascend, apart. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "geo/csv.h"
#include "target.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct csv_columns columns = { 0 };
	char *text = xmalloc(size + 1);
	struct layer l;
	struct diag d;

	memcpy(text, data, size);
	text[size] = '\0';
	layer_init(&l);
	diag_init(&d);
	if (csv_read(text, size, "f.csv", &columns, &l, &d) < 0) {
		CHECK(diag_failed(&d));
		CHECK(strncmp(d.first->where, "f.csv:", 6) == 0);
	}
	layer_finish(&l);
	for (int f = 0; f < ATLAS_FAMILIES; f++) {
		for (size_t i = 0; i < l.count[f]; i++) {
			const struct layer_range *r = &l.items[f][i];

			CHECK(atlas_point_compare(r->first, r->last) <= 0);
			CHECK(i == 0 || atlas_point_compare(r[-1].last, r->first) < 0);
		}
	}
	layer_fini(&l);
	diag_fini(&d);
	free(text);
	return 0;
}
