/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/record_index.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "dns/name.h"

/* Types of one owner become neighbours. */
static size_t
first_slot(const struct record_index *x, const uint8_t *owner, uint16_t type)
{
	return (hash_bytes(owner, name_len(owner)) + type) & x->mask;
}

void
record_index_init(struct record_index *x, const struct zonefile *file)
{
	size_t size = 16;

	while (size < file->count * 2)
		size *= 2;
	*x = (struct record_index){ file, xcalloc(size, sizeof(*x->slots)), size - 1 };
	for (size_t i = 0; i < file->count; i++) {
		const struct zonefile_item *item = &file->items[i];
		size_t at = first_slot(x, item->owner, item->set->type);

		while (x->slots[at] != 0)
			at = (at + 1) & x->mask;
		x->slots[at] = (uint32_t)i + 1;
	}
}

void
record_index_fini(struct record_index *x)
{
	free(x->slots);
}

size_t
record_index_find(const struct record_index *x, const uint8_t *owner, uint16_t type)
{
	for (size_t at = first_slot(x, owner, type); x->slots[at] != 0; at = (at + 1) & x->mask) {
		const struct zonefile_item *item = &x->file->items[x->slots[at] - 1];

		if (item->set->type == type && name_equal(item->owner, owner))
			return x->slots[at] - 1;
	}
	return RECORD_INDEX_NONE;
}
