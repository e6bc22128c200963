/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/mem.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

NORETURN static void
die(size_t size)
{
	log_error("mem", "out of memory (%zu bytes wanted)", size);
	abort();
}

/* malloc(0) may be NULL or not; a byte more makes it never NULL. */
void *
xmalloc(size_t size)
{
	void *ptr = malloc(size > 0 ? size : 1);

	if (ptr == NULL)
		die(size);
	return ptr;
}

void *
xcalloc(size_t count, size_t size)
{
	const bool empty = count == 0 || size == 0;
	void *ptr = calloc(empty ? 1 : count, empty ? 1 : size);

	if (ptr == NULL)
		die(count * size);
	return ptr;
}

void *
xrealloc(void *ptr, size_t size)
{
	ptr = realloc(ptr, size > 0 ? size : 1);
	if (ptr == NULL)
		die(size);
	return ptr;
}

void *
xmemdup(const void *ptr, size_t size)
{
	void *copy = xmalloc(size);

	if (size > 0)
		memcpy(copy, ptr, size);
	return copy;
}

char *
xstrdup(const char *s)
{
	return s == NULL ? NULL : xmemdup(s, strlen(s) + 1);
}

char *
xstrndup(const char *s, size_t len)
{
	const size_t used = strnlen(s, len);
	char *copy = xmalloc(used + 1);

	memcpy(copy, s, used);
	copy[used] = '\0';
	return copy;
}

char *
xasprintf(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *text = xvasprintf(fmt, ap);
	va_end(ap);
	return text;
}

char *
xvasprintf(const char *fmt, va_list ap)
{
	char *text;

	if (vasprintf(&text, fmt, ap) < 0)
		die(strlen(fmt));
	return text;
}

void
mem_grow(void **items, size_t *cap, size_t need, size_t size)
{
	if (need <= *cap)
		return;

	size_t grown = *cap < 8 ? 8 : *cap * 2;
	size_t bytes;
	void *array;

	if (grown < need)
		grown = need;
	if (__builtin_mul_overflow(grown, size, &bytes))
		die(SIZE_MAX);
	/* The pointer's real type is the caller's: go around aliasing. */
	memcpy(&array, items, sizeof(array));
	array = xrealloc(array, bytes);
	memcpy(items, &array, sizeof(array));
	*cap = grown;
}
