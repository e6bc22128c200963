/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "steer/tape.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"

struct tape *
tape_new(unsigned workers)
{
	const size_t size = sizeof(struct tape) + workers * sizeof(struct tape_ring);
	struct tape *t = aligned_alloc(_Alignof(struct tape), size);

	CHECK(workers > 0 && t != NULL);
	memset(t, 0, size);
	t->magic = TAPE_MAGIC;
	t->workers = workers;
	return t;
}

void
tape_free(struct tape **t)
{
	if (*t == NULL)
		return;
	OBJ_CHECK(*t, TAPE_MAGIC);
	(*t)->magic = 0;
	free(*t);
	*t = NULL;
}

/* The ring whose next sighting is the oldest; NULL: all are read up to `heads`. */
static struct tape_ring *
oldest(struct tape *t, const uint32_t *heads)
{
	struct tape_ring *best = NULL;
	uint32_t best_ms = 0;

	for (unsigned w = 0; w < t->workers; w++) {
		struct tape_ring *r = &t->rings[w];

		if (r->tail == heads[w])
			continue;

		const uint32_t at_ms = r->sightings[r->tail % TAPE_LENGTH].at_ms;

		if (best == NULL || (int32_t)(at_ms - best_ms) < 0) {
			best = r;
			best_ms = at_ms;
		}
	}
	return best;
}

bool
tape_drain(struct tape *t, void (*visit)(void *arg, const struct tape_sighting *s), void *arg)
{
	uint32_t *heads = xcalloc(t->workers, sizeof(*heads));
	bool whole = true;

	OBJ_CHECK(t, TAPE_MAGIC);
	for (unsigned w = 0; w < t->workers; w++) {
		struct tape_ring *r = &t->rings[w];
		const uint32_t dropped = __atomic_load_n(&r->dropped, __ATOMIC_RELAXED);

		heads[w] = __atomic_load_n(&r->head, __ATOMIC_ACQUIRE);
		whole &= dropped == r->told;
		r->told = dropped;
	}
	for (struct tape_ring *r; (r = oldest(t, heads)) != NULL;) {
		visit(arg, &r->sightings[r->tail % TAPE_LENGTH]);
		__atomic_store_n(&r->tail, r->tail + 1, __ATOMIC_RELEASE);
	}
	free(heads);
	return whole;
}
