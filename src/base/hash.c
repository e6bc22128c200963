/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/hash.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "base/attr.h"
#include "base/hash_inline.h"
#include "base/rand.h"

uint64_t hash_seed;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static atomic_bool seeded; /* spares the hot path pthread_once */

static void
draw_seed(void)
{
	hash_seed = rand_u64();
	atomic_store_explicit(&seeded, true, memory_order_release);
}

void
hash_ready(void)
{
	if (UNLIKELY(!atomic_load_explicit(&seeded, memory_order_acquire)))
		pthread_once(&once, draw_seed);
}

uint64_t
hash_bytes(const void *data, size_t len)
{
	hash_ready();
	return hash_inline(data, len);
}

uint64_t
hash_str(const char *s)
{
	return hash_bytes(s, strlen(s));
}
