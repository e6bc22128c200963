/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * agenda -- what is due next among many: an intrusive binary heap.
 *
 * Looking at the earliest is O(1), setting, moving and removing O(log n). Items live in the
 * caller's structs and must be removed before their memory goes. Equal times come in any order.
 * Pure: no clock. Thread: the owner's.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define AGENDA_NEVER INT64_MAX

struct agenda_item {
	int64_t due_ms;
	size_t place; /* 1 + where in the heap it is; 0: not in it. Private */
};

struct agenda {
	struct agenda_item **items;
	size_t count, cap;
};

void agenda_fini(struct agenda *h); /* of an empty one, or one whose items go with it */
/* Put it in or move it; AGENDA_NEVER takes it out. */
void agenda_set(struct agenda *h, struct agenda_item *it, int64_t due_ms);
void agenda_remove(struct agenda *h, struct agenda_item *it); /* harmless if it is not in */
/* The earliest; NULL: none. */
struct agenda_item *agenda_first(const struct agenda *h);
