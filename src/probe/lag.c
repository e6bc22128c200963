/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "probe/lag.h"

static const uint32_t bounds_us[LAG_BUCKETS - 1] = { 500, 1000, 2000, 5000, 10000, 20000, 50000,
	100000, 500000, 1000000, 10000000 };

void
lag_add(struct lag *l, uint64_t late_us)
{
	unsigned i = 0;

	while (i < LAG_BUCKETS - 1 && late_us > bounds_us[i])
		i++;
	l->counts[i]++;
	l->sum_us += late_us;
}

json_t *
lag_json(const struct lag *l)
{
	json_t *list = json_array();
	uint64_t n = 0;

	for (unsigned i = 0; i < LAG_BUCKETS; i++) {
		n += l->counts[i];
		json_array_append_new(
		    list, json_pack("[o, I]",
			      i < LAG_BUCKETS - 1 ? json_real(bounds_us[i] / 1e6) : json_null(),
			      (json_int_t)n));
	}
	return json_pack("{s:o, s:f, s:I}", "histogram", list, "sum", (double)l->sum_us / 1e6,
	    "count", (json_int_t)n);
}
