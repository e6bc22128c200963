/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * arena -- allocations that live and die together.
 *
 * Chunks double from 256 bytes; no single free. Under AddressSanitizer every allocation is its own
 * malloc, so that overflows between neighbours are seen. Not thread-safe.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>

#include "base/attr.h"

struct arena_chunk;

struct arena {
	struct arena_chunk *chunks;
	char *next;
	size_t left;
};

void arena_init(struct arena *a);
void arena_fini(struct arena *a); /* frees everything; the arena may be used again */

void *arena_alloc(struct arena *a, size_t size); /* zeroed, aligned to 16 */
void *arena_memdup(struct arena *a, const void *ptr, size_t size);
char *arena_strdup(struct arena *a, const char *s); /* NULL stays NULL */
char *arena_strndup(struct arena *a, const char *s, size_t len);
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF(2, 3);
char *arena_vprintf(struct arena *a, const char *fmt, va_list ap) PRINTF(2, 0);
