/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * layer -- what one data set says: ranges, each with a place, a network, or both.
 *
 * Filled by a reader of its format (csv.c, mmdb.c), then finished: sorted, apart from each other.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/diag.h"
#include "geo/atlas.h"

#define LAYER_NONE UINT16_MAX

struct layer_value { /* indexes of line_tree, the deepest each; or LAYER_NONE */
	uint16_t place, network;
};

struct layer_range {
	struct atlas_point first, last;
	struct layer_value value;
	uint32_t line; /* in its file */
};

struct layer {
	struct layer_range *items[ATLAS_FAMILIES];
	size_t count[ATLAS_FAMILIES], cap[ATLAS_FAMILIES];
	size_t skipped;  /* ranges that say nothing of use */
	size_t overlaps; /* ranges that begin inside another */
};

void layer_init(struct layer *l);
void layer_fini(struct layer *l);
void layer_add(struct layer *l, enum atlas_family f, const struct layer_range *r);
/*
 * Sort, and take apart what overlaps: inside a range a narrower one holds (of two that cross, the
 * one that begins later; of two that are the same, the later one). Real data sets have such.
 */
void layer_finish(struct layer *l);

/* -- words of data sets as lines; LAYER_NONE: we know no such -- */

uint16_t layer_country(const char *code); /* "CN", in any case */
/* By its code ("CA", "US-CA") or its English name. */
uint16_t layer_subdivision(uint16_t country, const char *text);
uint16_t layer_network(uint32_t asn);
