/* SPDX-License-Identifier: GPL-3.0-or-later */
/* record_index -- the sets of a zone file by owner and type; 8 bytes or so a set. */
#pragma once

#include "zone/zonefile.h"

#define RECORD_INDEX_NONE SIZE_MAX

struct record_index {
	const struct zonefile *file; /* borrowed; its items must stay in their places */
	uint32_t *slots;             /* open addressing: place + 1, 0 = free */
	size_t mask;
};

void record_index_init(struct record_index *x, const struct zonefile *file);
void record_index_fini(struct record_index *x);
/* The place among the file's items, or RECORD_INDEX_NONE. `owner` lower. */
size_t record_index_find(const struct record_index *x, const uint8_t *owner, uint16_t type);
