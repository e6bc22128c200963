/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/hash.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

/* Keys are short: a call through the library's table costs as much as the hash. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/attr.h"
#include "base/rand.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static uint64_t seed;
static atomic_bool seeded; /* spares the hot path pthread_once */

static void
draw_seed(void)
{
	seed = rand_u64();
	atomic_store_explicit(&seeded, true, memory_order_release);
}

uint64_t
hash_bytes(const void *data, size_t len)
{
	if (UNLIKELY(!atomic_load_explicit(&seeded, memory_order_acquire)))
		pthread_once(&once, draw_seed);
	return XXH3_64bits_withSeed(data, len, seed);
}

uint64_t
hash_str(const char *s)
{
	return hash_bytes(s, strlen(s));
}
