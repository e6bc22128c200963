/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * atlas -- which built-in lines an address is in: what data sets say, flattened.
 *
 *	IPv4  0.0.0.0   1.0.0.0   1.0.1.0   ...    sorted starts; a range ends where the next begins
 *	        |         |         |
 *	       {}      {au,oceania,  {telecom_zj,telecom,cn_zj,cn_east,cn,asia}      sets of lines,
 *	                oversea}                                                     best first
 *
 * A set stands once however many ranges have it, and knows its ranges; a line knows its sets. So
 * whoever wants the ranges of a few lines pays for those only. Immutable and counted: made by a
 * loading thread, read by any.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

/* An address; IPv4 stands in the top 32 bits of hi. */
struct atlas_point {
	uint64_t hi, lo;
};

enum atlas_family { ATLAS_V4, ATLAS_V6, ATLAS_FAMILIES };

struct atlas;

struct atlas_list { /* of numbers, ascending */
	const uint32_t *items;
	size_t count;
};

struct atlas_set {
	const uint16_t *lines; /* indexes of line_tree, best first; default is never there */
	size_t count;
	uint8_t place_from, network_from; /* source of each, from 1; 0: none */
};

void atlas_ref(struct atlas *a);
void atlas_unref(struct atlas **a); /* the last one frees it */

/* -- ranges: 0..count-1, the first begins at 0, neighbours have different sets -- */

size_t atlas_count(const struct atlas *a, enum atlas_family f);
struct atlas_point atlas_start(const struct atlas *a, enum atlas_family f, size_t i);
struct atlas_point atlas_end(const struct atlas *a, enum atlas_family f, size_t i); /* its last */
uint32_t atlas_set_at(const struct atlas *a, enum atlas_family f, size_t i);
/* The range of an address. O(log ranges) */
size_t atlas_find(const struct atlas *a, enum atlas_family f, struct atlas_point at);

/* -- sets: 0 is the empty one -- */

size_t atlas_sets(const struct atlas *a);
struct atlas_set atlas_set(const struct atlas *a, uint32_t set);
struct atlas_list atlas_sets_of(const struct atlas *a, uint16_t line);
struct atlas_list atlas_ranges_of(const struct atlas *a, enum atlas_family f, uint32_t set);
size_t atlas_bytes(const struct atlas *a); /* memory it takes */

/* -- making one -- */

struct atlas_draft;
struct atlas_draft *atlas_draft_new(void);
void atlas_draft_free(struct atlas_draft **d);
/* The number of this set of lines, in whatever order they are given; at most ATLAS_SET_MAX. */
#define ATLAS_SET_MAX 64
uint32_t atlas_draft_set(struct atlas_draft *d, const uint16_t *lines, size_t count);
/* The same, with where it comes from: sets that differ in that are different ones. */
uint32_t atlas_draft_set_from(struct atlas_draft *d, const uint16_t *lines, size_t count,
    uint8_t place_from, uint8_t network_from);
/* From `first` on addresses have this set, until the next call says otherwise; ascending. */
void atlas_draft_from(
    struct atlas_draft *d, enum atlas_family f, struct atlas_point first, uint32_t set);
/* One reference; the draft is gone. */
MUST_USE struct atlas *atlas_draft_finish(struct atlas_draft **d);

static inline int
atlas_point_compare(struct atlas_point a, struct atlas_point b)
{
	if (a.hi != b.hi)
		return a.hi < b.hi ? -1 : 1;
	return (a.lo > b.lo) - (a.lo < b.lo);
}
