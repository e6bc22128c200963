/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pile -- the records of a whole zone as they come, in any order; then its RRsets, in order.
 *
 *	pile_add, pile_add, ...     records, one behind the other in large blocks
 *	pile_sort; pile_at, ...     by owner and type as rrpage_order has them, then as they came
 *
 * Sorting instead of a table of owners: 60 bytes or so a record, and nothing at all to do for what
 * comes in order. Pure.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct pile_record {
	uint32_t turn; /* how many came before it */
	uint32_t line; /* the caller's */
	uint32_t ttl_s;
	uint16_t type;
	uint16_t rdata_len;
	uint8_t owner_len;
	uint8_t owner[]; /* lower wire; then the rdata */
};

struct pile;

struct pile *pile_new(void);
void pile_free(struct pile **p);
/* A copy: of `head` all but its turn, and as much of the rest as it says. */
void pile_add(
    struct pile *p, const struct pile_record *head, const uint8_t *owner, const uint8_t *rdata);
size_t pile_count(const struct pile *p);

void pile_sort(struct pile *p);
/* After pile_sort. */
const struct pile_record *pile_at(const struct pile *p, size_t i);
/* How many records from `i` on have its owner; its owner and type. At least 1. */
size_t pile_owner_run(const struct pile *p, size_t i);
size_t pile_set_run(const struct pile *p, size_t i);

static inline const uint8_t *
pile_rdata(const struct pile_record *r)
{
	return r->owner + r->owner_len;
}
