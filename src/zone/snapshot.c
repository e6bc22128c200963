/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "zone/snapshot.h"

#include "zone/inside.h"

#define FREE_TRIES 4 /* before the writer is held up */

void
snapshot_hold(struct zone *z)
{
	OBJ_CHECK(z, ZONE_MAGIC);
	pthread_mutex_lock(&z->gate);
	__atomic_store_n(&z->generation, z->generation + 1, __ATOMIC_SEQ_CST); /* odd: under way */
}

void
snapshot_let_go(struct zone *z)
{
	__atomic_store_n(&z->generation, z->generation + 1, __ATOMIC_SEQ_CST);
	pthread_mutex_unlock(&z->gate);
}

bool
snapshot_is_held(const struct zone *z)
{
	return z->generation % 2 != 0;
}

static bool
walked_whole(const struct zone *z, void (*begin)(void *arg),
    void (*visit)(const struct zone_node *n, void *arg), void *arg)
{
	const uint64_t before = __atomic_load_n(&z->generation, __ATOMIC_SEQ_CST);

	if (before % 2 != 0)
		return false;
	begin(arg);
	zone_walk(z, visit, arg);
	return __atomic_load_n(&z->generation, __ATOMIC_SEQ_CST) == before;
}

void
snapshot_take(const struct zone *z, void (*begin)(void *arg),
    void (*visit)(const struct zone_node *n, void *arg), void *arg)
{
	/* The gate is the one thing a reader may touch, though it changes the zone for nobody. */
	pthread_mutex_t *gate = (pthread_mutex_t *)(uintptr_t)&z->gate;

	OBJ_CHECK(z, ZONE_MAGIC);
	for (int i = 0; i < FREE_TRIES; i++)
		if (walked_whole(z, begin, visit, arg))
			return;
	pthread_mutex_lock(gate);
	CHECK(walked_whole(z, begin, visit, arg));
	pthread_mutex_unlock(gate);
}
