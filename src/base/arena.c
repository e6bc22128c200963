/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define ALIGN          16u
#define CHUNK_MIN_SIZE 256u /* most objects of a model fit into one or two */
#define CHUNK_MAX_SIZE (256u * 1024u)

/* clang tells by __has_feature, gcc by a macro. */
#if defined(__SANITIZE_ADDRESS__)
#define OWN_MALLOCS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define OWN_MALLOCS 1
#endif
#endif
#ifndef OWN_MALLOCS
#define OWN_MALLOCS 0
#endif

struct arena_chunk {
	struct arena_chunk *next;
	size_t size; /* of bytes */
	_Alignas(ALIGN) char bytes[];
};

void
arena_init(struct arena *a)
{
	*a = (struct arena){ 0 };
}

void
arena_fini(struct arena *a)
{
	for (struct arena_chunk *c = a->chunks, *next; c != NULL; c = next) {
		next = c->next;
		free(c);
	}
	arena_init(a);
}

/* calloc, so that all that is handed out is zeroed: nothing is handed out twice. */
static struct arena_chunk *
add_chunk(struct arena *a, size_t size)
{
	struct arena_chunk *c = xcalloc(1, sizeof(*c) + size);

	c->size = size;
	c->next = a->chunks;
	a->chunks = c;
	return c;
}

/* From the third on chunks double, so that a big arena has few of them. */
static void
refill(struct arena *a)
{
	const struct arena_chunk *last = a->chunks;
	size_t size = last == NULL || last->next == NULL ? CHUNK_MIN_SIZE : last->size * 2;

	if (size < CHUNK_MIN_SIZE)
		size = CHUNK_MIN_SIZE;
	if (size > CHUNK_MAX_SIZE)
		size = CHUNK_MAX_SIZE;
	a->next = add_chunk(a, size)->bytes;
	a->left = size;
}

void *
arena_alloc(struct arena *a, size_t size)
{
	if (OWN_MALLOCS)
		return add_chunk(a, size)->bytes;

	size = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (size > a->left && size > CHUNK_MIN_SIZE / 4)
		return add_chunk(a, size)->bytes; /* the current chunk stays in use */
	if (size > a->left)
		refill(a);

	void *ptr = a->next;

	a->next += size;
	a->left -= size;
	return ptr;
}

void *
arena_memdup(struct arena *a, const void *ptr, size_t size)
{
	void *copy = arena_alloc(a, size);

	if (size > 0)
		memcpy(copy, ptr, size);
	return copy;
}

char *
arena_strdup(struct arena *a, const char *s)
{
	return s == NULL ? NULL : arena_memdup(a, s, strlen(s) + 1);
}

char *
arena_strndup(struct arena *a, const char *s, size_t len)
{
	const size_t used = strnlen(s, len);
	char *copy = arena_alloc(a, used + 1);

	memcpy(copy, s, used);
	return copy;
}

char *
arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *text = arena_vprintf(a, fmt, ap);
	va_end(ap);
	return text;
}

char *
arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
	va_list again;

	va_copy(again, ap);
	const int len = vsnprintf(NULL, 0, fmt, again);
	va_end(again);

	char *text = arena_alloc(a, (size_t)(len > 0 ? len : 0) + 1);

	vsnprintf(text, (size_t)(len > 0 ? len : 0) + 1, fmt, ap);
	return text;
}
