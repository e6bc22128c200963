/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What workers do with a chart: find a position's range, and how far around it nothing changes. */
#include <stdlib.h>

#include "base/check.h"
#include "base/mem.h"
#include "steer/chart_types.h"
#include "zone/retire.h"

#define INDEX_BITS_MAX 20

/* -- finding -- */

static inline unsigned
common(uint64_t a, uint64_t b)
{
	return (unsigned)__builtin_clzll(a ^ b); /* they differ */
}

static inline unsigned
longer(unsigned a, unsigned b)
{
	return a > b ? a : b;
}

/* Where to search: *at, and of how many ranges. `hi` is not below the base. */
static inline size_t
bucket(const struct chart_strip *s, uint64_t hi, size_t *at)
{
	uint64_t b = (hi - s->base) >> s->shift;

	if (b >= s->buckets)
		b = s->buckets - 1;
	*at = s->index[b];
	return s->index[b + 1] - *at + 1;
}

/* All starts have lo 0, so the first word decides, and neighbours differ in it. */
static unsigned
find(const struct chart_strip *s, uint64_t x, unsigned *scope)
{
	const uint64_t *const hi = s->hi;
	size_t at = 0;
	unsigned same = 0;

	if (x >= s->base) {
		for (size_t n = bucket(s, x, &at); n > 1;) {
			const size_t half = n / 2;

			at += hi[at + half] <= x ? half : 0;
			n -= half;
		}
	}
	if (at > 0)
		same = common(x, hi[at] - 1) + 1;
	if (at + 1 < s->count)
		same = longer(same, common(x, hi[at + 1]) + 1);
	*scope = longer(same, 1);
	return s->class[at];
}

static inline struct atlas_point
start_of(const struct chart_strip *s, size_t i)
{
	return (struct atlas_point){ s->hi[i], s->lo[i] };
}

static unsigned
common_wide(struct atlas_point a, struct atlas_point b)
{
	return a.hi != b.hi ? common(a.hi, b.hi) : 64 + common(a.lo, b.lo);
}

static unsigned
find_wide(const struct chart_strip *s, struct atlas_point x, unsigned *scope)
{
	size_t at = 0;
	unsigned same = 0;

	if (x.hi >= s->base) {
		for (size_t n = bucket(s, x.hi, &at); n > 1;) {
			const size_t half = n / 2;

			at += atlas_point_compare(start_of(s, at + half), x) <= 0 ? half : 0;
			n -= half;
		}
	}
	if (at > 0) {
		const struct atlas_point p = start_of(s, at);

		same = common_wide(x, (struct atlas_point){ p.hi - (p.lo == 0), p.lo - 1 }) + 1;
	}
	if (at + 1 < s->count)
		same = longer(same, common_wide(x, start_of(s, at + 1)) + 1);
	*scope = longer(same, 1);
	return s->class[at];
}

unsigned
chart_find(const struct chart *c, const struct position *at, unsigned *scope)
{
	const struct chart_strip *s = &c->strips[at->family == 6 ? ATLAS_V6 : ATLAS_V4];

	if (UNLIKELY(at->family == 0)) {
		*scope = 0;
		return c->nowhere;
	}
	if (UNLIKELY(s->lo != NULL))
		return find_wide(s, (struct atlas_point){ at->hi, at->lo }, scope);
	return find(s, at->hi, scope);
}

unsigned
chart_classes(const struct chart *c)
{
	return c->n_classes;
}

struct chart_class
chart_class(const struct chart *c, unsigned i)
{
	CHECK(c->classes != NULL && i < c->n_classes);
	return c->classes[i];
}

/* -- life -- */

void
chart_ref(struct chart *c)
{
	OBJ_CHECK(c, CHART_MAGIC);
	c->refs++;
}

static void
release(void *ptr)
{
	struct chart *c = ptr;

	for (int f = 0; f < ATLAS_FAMILIES; f++) {
		free(c->strips[f].hi);
		free(c->strips[f].lo);
		free(c->strips[f].class);
		free(c->strips[f].index);
	}
	free(c->classes);
	free(c->lines);
	free(c->key);
	for (size_t i = 0; i < c->n_codes; i++)
		free(c->codes[i]);
	free(c->codes);
	c->magic = 0;
	free(c);
}

void
chart_unref(struct chart **cp)
{
	struct chart *c = *cp;

	*cp = NULL;
	if (c == NULL)
		return;
	OBJ_CHECK(c, CHART_MAGIC);
	if (--c->refs > 0)
		return;
	charts_forget(c);
	retire(c, release);
}

/* -- making -- */

void
chart_strip_add(struct chart_strip *s, uint32_t *cap, struct atlas_point start, uint16_t class)
{
	if (s->count > 0 && s->class[s->count - 1] == class)
		return;
	if (s->count == *cap) {
		*cap = *cap == 0 ? 16 : *cap * 2;
		s->hi = xrealloc(s->hi, *cap * sizeof(*s->hi));
		s->lo = xrealloc(s->lo, *cap * sizeof(*s->lo));
		s->class = xrealloc(s->class, *cap * sizeof(*s->class));
	}
	s->hi[s->count] = start.hi;
	s->lo[s->count] = start.lo;
	s->class[s->count++] = class;
}

static bool
is_narrow(const struct chart_strip *s)
{
	for (uint32_t i = 0; i < s->count; i++)
		if (s->lo[i] != 0)
			return false;
	return true;
}

static unsigned
bits_of(uint64_t n) /* how many it takes to write n */
{
	return n == 0 ? 0 : 64 - (unsigned)__builtin_clzll(n);
}

static bool
begins_after(const struct chart_strip *s, uint32_t i, uint64_t hi)
{
	return s->hi[i] > hi || (s->hi[i] == hi && s->lo != NULL && s->lo[i] > 0);
}

/* About as many buckets as ranges, over what lies between the second start and the last. */
static void
make_index(struct chart_strip *s)
{
	const uint64_t span = s->hi[s->count - 1] - s->hi[s->count > 1];
	const unsigned want = bits_of(s->count - 1), have = bits_of(span);
	const unsigned bits = want < INDEX_BITS_MAX ? want : INDEX_BITS_MAX;
	uint32_t at = 0;

	s->base = s->count > 1 ? s->hi[1] : UINT64_MAX;
	s->shift = have > bits ? have - bits : 0;
	s->buckets = s->count > 1 ? (uint32_t)(span >> s->shift) + 1 : 1;
	s->index = xcalloc(s->buckets + 1, sizeof(*s->index));
	for (uint32_t b = 0; b < s->buckets; b++) {
		while (at + 1 < s->count &&
		       !begins_after(s, at + 1, s->base + ((uint64_t)b << s->shift)))
			at++;
		s->index[b] = at;
	}
	s->index[s->buckets] = s->count - 1;
}

void
chart_strip_finish(struct chart_strip *s)
{
	s->hi = xrealloc(s->hi, s->count * sizeof(*s->hi));
	s->class = xrealloc(s->class, s->count * sizeof(*s->class));
	if (is_narrow(s)) {
		free(s->lo);
		s->lo = NULL;
	} else {
		s->lo = xrealloc(s->lo, s->count * sizeof(*s->lo));
	}
	make_index(s);
}
