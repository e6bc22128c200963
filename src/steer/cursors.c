/* SPDX-License-Identifier: GPL-3.0-or-later */
#define URCU_API_MAP
#include <urcu/urcu-qsbr.h>

#include "steer/cursors.h"

#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/check.h"
#include "steer/mix.h"

static struct cursors *
allocate(unsigned workers)
{
	const size_t size = sizeof(struct cursors) + workers * sizeof(struct cursor);
	struct cursors *c = aligned_alloc(_Alignof(struct cursors), size);

	CHECK(workers > 0 && c != NULL);
	memset(c, 0, size);
	c->magic = CURSORS_MAGIC;
	c->workers = workers;
	return c;
}

struct cursors *
cursors_new(const char *seed, const char *sub, unsigned workers)
{
	const uint64_t start = mix_text(mix_absorb(MIX_START, seed), sub);
	struct cursors *c = allocate(workers);

	for (unsigned w = 0; w < workers; w++) {
		c->lines[w].u = start + w * (UINT64_MAX / workers);
		c->lines[w].turn = w;
	}
	return c;
}

struct cursors *
cursors_copy(const struct cursors *c)
{
	struct cursors *copy = allocate(1);

	OBJ_CHECK(c, CURSORS_MAGIC);
	/* Worker 0 may be writing: any recent value will do, but it must be read whole. */
	copy->lines[0].u = __atomic_load_n(&c->lines[0].u, __ATOMIC_RELAXED);
	copy->lines[0].turn = __atomic_load_n(&c->lines[0].turn, __ATOMIC_RELAXED);
	return copy;
}

void
cursors_free(struct cursors **c)
{
	if (*c == NULL)
		return;
	OBJ_CHECK(*c, CURSORS_MAGIC);
	(*c)->magic = 0;
	free(*c);
	*c = NULL;
}

static void
free_late(struct rcu_head *head)
{
	struct cursors *c = container_of(head, struct cursors, rcu);

	cursors_free(&c);
}

void
cursors_retire(struct cursors **c)
{
	if (*c == NULL)
		return;
	OBJ_CHECK(*c, CURSORS_MAGIC);
	call_rcu(&(*c)->rcu, free_late);
	*c = NULL;
}
