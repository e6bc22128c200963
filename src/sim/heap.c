/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/heap.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/mem.h"

void
heap_init(struct heap *h)
{
	*h = (struct heap){ 0 };
}

void
heap_fini(struct heap *h)
{
	free(h->events);
	heap_init(h);
}

static bool
before(const struct heap_event *a, const struct heap_event *b)
{
	if (a->at_s < b->at_s || a->at_s > b->at_s)
		return a->at_s < b->at_s;
	return a->place < b->place;
}

void
heap_push(struct heap *h, double at_s, uint32_t kind, uint32_t who)
{
	const struct heap_event e = { at_s, h->pushed++, kind, who };
	size_t i = h->count++;

	MEM_GROW(&h->events, &h->cap, h->count);
	while (i > 0 && before(&e, &h->events[(i - 1) / 2])) {
		h->events[i] = h->events[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	h->events[i] = e;
}

struct heap_event
heap_pop(struct heap *h)
{
	CHECK(h->count > 0);

	const struct heap_event top = h->events[0], e = h->events[--h->count];
	size_t i = 0;

	for (size_t child = 1; child < h->count; child = 2 * i + 1) {
		if (child + 1 < h->count && before(&h->events[child + 1], &h->events[child]))
			child++;
		if (!before(&h->events[child], &e))
			break;
		h->events[i] = h->events[child];
		i = child;
	}
	h->events[i] = e;
	return top;
}
