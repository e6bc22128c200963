/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * line_tree -- the built-in lines: where a client may be and whose network it may be in.
 *
 *	default -+- asia -- cn -- cn_east -- cn_zj       places: continent, country (ISO 3166-1),
 *	         |                                       region of China, subdivision (ISO 3166-2)
 *	         +- oversea                              every country but cn
 *	         +- telecom -- telecom_zj                China's carriers, by AS, and by province
 *	         +- cloud -- cloud_aliyun                clouds, by AS
 *	         +- search -- search_google              search engines, by AS
 *
 * Alibaba's codes (cn_telecom_zhejiang, os_namerica_us, aliyun, internal) are aliases. Custom
 * lines are objects of the model, not here. Made once, immutable, any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Best match first (2-model, "Choosing the answer"); custom lines come before all of them. */
enum line_kind {
	LINE_SEARCH,
	LINE_CLOUD,
	LINE_ISP_PROVINCE,
	LINE_ISP,
	LINE_PROVINCE, /* any subdivision of a country: province, state, county, city */
	LINE_REGION,   /* several provinces */
	LINE_COUNTRY,
	LINE_CONTINENT,
	LINE_OVERSEA,
	LINE_DEFAULT,
	LINE_KINDS,
};
extern const char *const line_tree_kinds[LINE_KINDS + 1]; /* "search", "cloud", ..., NULL */

struct line_info {
	const char *code;
	const char *en, *zh; /* names; zh is the English one where we know no other */
	const char *aliases; /* separated by blanks; "" */
	enum line_kind kind;
	uint16_t index; /* its place in the tree's list */
	uint16_t rank;  /* 0..count-1, best match first: by kind, deeper before shallower */
	uint16_t depth; /* 0: default */
	const struct line_info *parent; /* NULL: default itself */
};

/* By code or alias; NULL: there is no such line. O(1). */
const struct line_info *line_tree_find(const char *word);
/* All of them, 0..line_tree_count()-1. */
size_t line_tree_count(void);
const struct line_info *line_tree_at(size_t index);
const struct line_info *line_tree_ranked(size_t rank);
/* Is `l` the line `above` or below it? */
bool line_tree_within(const struct line_info *l, const struct line_info *above);

/* -- what data sets are turned into lines by -- */

/* The deepest line of a network's number: telecom_sh, telecom, cloud_aws, ...; NULL: none. */
const struct line_info *line_tree_of_asn(uint32_t asn);
/* Where a place and an ISP meet: telecom and cn_zj make telecom_zj; NULL: nowhere. */
const struct line_info *line_tree_meet(const struct line_info *isp, const struct line_info *place);
/* A subdivision by its English name ("California"), in any case; NULL: not known by it. */
const struct line_info *line_tree_named(const struct line_info *country, const char *name);
