/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * mem -- allocation that cannot fail: out of memory ends the process with a line on stderr.
 *
 * For the control plane and for compiling; the query path does not allocate at all.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>

#include "base/attr.h"

void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size); /* checks the product */
void *xrealloc(void *ptr, size_t size);
void *xmemdup(const void *ptr, size_t size);
char *xstrdup(const char *s); /* NULL stays NULL */
char *xstrndup(const char *s, size_t len);
char *xasprintf(const char *fmt, ...) PRINTF(1, 2);
char *xvasprintf(const char *fmt, va_list ap) PRINTF(1, 0);

/*
 * Grow the array `*items` (elements of `size` bytes) so that it holds at least `need`;
 * `*cap` counts elements. Doubles, so that appending is amortised O(1).
 */
void mem_grow(void **items, size_t *cap, size_t need, size_t size);
#define MEM_GROW(items, cap, need) mem_grow((void **)(items), (cap), (need), sizeof(**(items)))
