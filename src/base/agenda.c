/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/agenda.h"

#include <stdlib.h>

#include "base/mem.h"

/* Slots count from 1: the parent of i is i / 2. */
static struct agenda_item *
at(const struct agenda *h, size_t i)
{
	return h->items[i - 1];
}

static void
place(struct agenda *h, size_t i, struct agenda_item *it)
{
	h->items[i - 1] = it;
	it->place = i;
}

static void
rise(struct agenda *h, size_t i, struct agenda_item *it)
{
	for (; i > 1 && at(h, i / 2)->due_ms > it->due_ms; i /= 2)
		place(h, i, at(h, i / 2));
	place(h, i, it);
}

static void
sink(struct agenda *h, size_t i, struct agenda_item *it)
{
	for (size_t k = 2 * i; k <= h->count; k = 2 * i) {
		k += k < h->count && at(h, k + 1)->due_ms < at(h, k)->due_ms;
		if (at(h, k)->due_ms >= it->due_ms)
			break;
		place(h, i, at(h, k));
		i = k;
	}
	place(h, i, it);
}

static void
settle(struct agenda *h, size_t i, struct agenda_item *it)
{
	if (i > 1 && at(h, i / 2)->due_ms > it->due_ms)
		rise(h, i, it);
	else
		sink(h, i, it);
}

void
agenda_fini(struct agenda *h)
{
	free(h->items);
	*h = (struct agenda){ 0 };
}

void
agenda_set(struct agenda *h, struct agenda_item *it, int64_t due_ms)
{
	if (due_ms == AGENDA_NEVER) {
		agenda_remove(h, it);
		return;
	}
	it->due_ms = due_ms;
	if (it->place == 0) {
		MEM_GROW(&h->items, &h->cap, h->count + 1);
		it->place = ++h->count;
	}
	settle(h, it->place, it);
}

void
agenda_remove(struct agenda *h, struct agenda_item *it)
{
	const size_t i = it->place;
	struct agenda_item *last;

	if (i == 0)
		return;
	last = at(h, h->count--);
	it->place = 0;
	it->due_ms = AGENDA_NEVER;
	if (last != it)
		settle(h, i, last);
}

struct agenda_item *
agenda_first(const struct agenda *h)
{
	return h->count == 0 ? NULL : h->items[0];
}
