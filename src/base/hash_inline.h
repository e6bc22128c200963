/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * hash_inline -- hash_bytes without the call, for tables that every query probes: keys are short,
 * and the call costs as much as the hash. The same values; hash_ready must have been called.
 */
#pragma once

#include "base/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

extern uint64_t hash_seed; /* private: drawn once, by hash_ready */

void hash_ready(void); /* any thread, any number of times */

static inline uint64_t
hash_inline(const void *data, size_t len)
{
	return XXH3_64bits_withSeed(data, len, hash_seed);
}
