/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "steer/strategy.h"

const struct strategy_row strategy_table[] = {
	[STRATEGY_ROUND_ROBIN] = {
		.prose = "all available members, rotated by one each query",
		.how = PLAN_ALL,
	},
	[STRATEGY_WEIGHT] = {
		.prose = "one available member per answer, exactly in proportion to its weight",
		.how = PLAN_DRAW,
		.arrange = pick_weight_arrange,
	},
	[STRATEGY_SEQUENCE] = {
		.prose = "the available member with the smallest order",
		.how = PLAN_FIRST,
		.arrange = pick_sequence_arrange,
	},
	/* The lines have chosen already (scene); what is left is the tie. */
	[STRATEGY_SOURCE_NEAREST] = {
		.prose = "of the available members of the client's line the one with the smallest order",
		.how = PLAN_FIRST,
		.arrange = pick_sequence_arrange,
	},
	[STRATEGY_HASH] = {
		.prose = "always the same available member for the same client prefix, by weight",
		.how = PLAN_HASH,
		.arrange = pick_weight_arrange,
	},
};

size_t
strategy_arrange(int strategy, struct candidate *c, size_t n, int64_t current, uint32_t limit)
{
	const struct strategy_row *row = &strategy_table[strategy];

	if (row->arrange != NULL)
		n = row->arrange(c, n, current);
	return row->how == PLAN_FIRST && limit > 0 && n > limit ? limit : n;
}
