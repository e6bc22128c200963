/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/name_hash.h"

#include <pthread.h>

#include "base/rand.h"

uint64_t name_hash_keys[NAME_HASH_KEYS];

static void
draw_keys(void)
{
	for (int i = 0; i < NAME_HASH_KEYS; i++)
		name_hash_keys[i] = rand_u64();
}

void
name_hash_ready(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, draw_keys);
}
