/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "steer/strategy.h"

const struct strategy_row strategy_table[] = {
	[STRATEGY_ROUND_ROBIN] = {
		.prose = "all available members, rotated by one each query",
		.over_pools = pick_round_robin_pools,
		.in_share = pick_round_robin_share,
		.in_union = pick_round_robin_union,
	},
	[STRATEGY_WEIGHT] = {
		.prose = "one available member per answer, exactly in proportion to its weight",
		.over_pools = pick_weight_pools,
		.in_share = pick_weight_share,
		.in_union = pick_weight_union,
	},
	[STRATEGY_SEQUENCE] = {
		.prose = "the available member with the smallest order",
		.over_pools = pick_sequence_pools,
		.in_share = pick_sequence_share,
		.in_union = pick_sequence_union,
	},
};
