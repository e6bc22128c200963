/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * line_networks -- the lines that are networks, and the AS numbers they are known by.
 *
 * Inside the room: line_tree.c puts them into the tree. Whose an AS is, is public registry data;
 * carriers without a number here are accepted as lines, which no data set can fill.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct line_network {
	const char *code, *parent, *en, *zh, *aliases;
};
extern const struct line_network line_networks_carriers[], line_networks_clouds[],
    line_networks_search[]; /* each ends with a row without a code */

struct line_asn {
	uint32_t asn;
	const char *line;
	const char *province; /* of China, "zj"; NULL: the carrier's network is in many */
};
extern const struct line_asn line_networks_asns[]; /* ends with asn 0 */
