/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/hash.h"

#include <pthread.h>
#include <string.h>
#include <xxhash.h>

#include "base/rand.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static uint64_t seed;

static void
draw_seed(void)
{
	seed = rand_u64();
}

uint64_t
hash_bytes(const void *data, size_t len)
{
	pthread_once(&once, draw_seed);
	return XXH3_64bits_withSeed(data, len, seed);
}

uint64_t
hash_str(const char *s)
{
	return hash_bytes(s, strlen(s));
}
