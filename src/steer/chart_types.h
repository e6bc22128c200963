/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inside of a chart, for the chart*.c files. */
#pragma once

#include <stdbool.h>

#include "geo/atlas.h"
#include "steer/charts.h"

/*
 * Ranges of one family. A search looks up the bucket of an address, which says between which
 * ranges it lies, and halves from there:
 *
 *	0 ... base          base + 1 << shift         ...     last start ... end
 *	range 0 |  index[0]..index[1]  |  index[1]..index[2]  |      index[n]
 */
struct chart_strip {
	uint64_t *hi, *lo; /* starts; lo NULL: all 0, so one word tells */
	uint16_t *class;
	uint32_t count;
	uint32_t buckets;
	uint32_t *index; /* buckets + 1: the range of each bucket's first address */
	uint64_t base;   /* hi of the second start */
	unsigned shift;
};

struct chart {
	uint32_t magic;
#define CHART_MAGIC 0xc4a27001u
	uint16_t nowhere; /* class of who has no position */
	struct chart_strip strips[ATLAS_FAMILIES];
	unsigned n_classes;
	struct chart_class *classes; /* NULL: joined */
	uint16_t *lines;             /* of all classes */

	/* charts.c: the writer's */
	struct charts *owner;
	unsigned refs;
	uint64_t serial; /* never given twice */
	char *key;
	bool known;   /* under its key */
	char **codes; /* its lines; NULL: joined */
	size_t n_codes;
};

/* -- chart.c -- */

/* Give back what is too much, and make the index. */
void chart_strip_finish(struct chart_strip *s);
void
chart_strip_add(struct chart_strip *s, uint32_t *cap, struct atlas_point start, uint16_t class);

/* -- chart_build.c -- */

/* A network of a custom line; `chain`: the used ones among that line and its ancestors. */
struct chart_cidr {
	struct atlas_point start, end;
	uint8_t family; /* enum atlas_family */
	uint8_t bits;
	uint16_t n_chain;
	const uint16_t *chain;
	const char *line; /* its name: decides between equal networks */
};

struct chart_input {
	const struct atlas *atlas; /* may be NULL */
	const char *const *lines;
	size_t n_lines;
	struct chart_cidr *cidrs; /* in any order; will be sorted */
	size_t n_cidrs;
};

MUST_USE struct chart *chart_build(const struct chart_input *in);
MUST_USE struct chart *
chart_build_joined(const struct chart *fine, const uint16_t *part, unsigned n_parts);

/* -- charts.c -- */

/* From now on it is not found any more. */
void charts_forget(struct chart *c);
