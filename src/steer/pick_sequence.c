/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sequence: the member with the smallest order; the first in the list where orders are equal.
 * `current` is where a sequence stays; the scene has seen to it that it is available.
 */
#include <stdlib.h>

#include "steer/strategy.h"

/* Indexes rise in the list as it comes, so equal orders keep their places. */
static int
compare(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->order != y->order)
		return x->order < y->order ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

size_t
pick_sequence_arrange(struct candidate *c, size_t n, int64_t current)
{
	for (size_t i = 0; i < n; i++) {
		if (c[i].index == current)
			c[i].order = 0; /* real ones begin at 1 */
	}
	qsort(c, n, sizeof(*c), compare);
	return n;
}
