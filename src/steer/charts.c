/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The maker of charts: which there are, and what a change of a custom line or of the data does to
 * them. A chart in use never changes; it only ceases to be the one found under its lines.
 */
#include "steer/charts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/mem.h"
#include "base/strmap.h"
#include "model/line_tree.h"
#include "steer/chart_types.h"

#define CHAIN_MAX 64 /* more than any line has above it */

struct custom {
	char *name;
	char *parent;             /* canonical */
	struct chart_cidr *cidrs; /* without chains */
	size_t n_cidrs;
	uint64_t seen; /* serial of the chart it was last looked at for */
};

/* What depends on a line, whether it exists or not. */
struct code {
	struct strmap under;  /* name -> struct custom *: it, and all below it */
	struct strmap charts; /* key -> struct chart * */
};

struct charts {
	uint32_t magic;
#define CHARTS_MAGIC 0xc4a27a11u
	struct atlas *atlas;
	struct strmap customs; /* name -> struct custom * */
	struct strmap codes;   /* code -> struct code * */
	struct strmap found;   /* key -> struct chart *: lines, one a row */
	struct strmap joined;  /* likewise: serial of the fine one, parts */
	uint64_t serial;
};

/* -- codes -- */

static struct code *
code_of(struct charts *cs, const char *text)
{
	struct code *c = strmap_find(&cs->codes, text);

	if (c == NULL) {
		c = xcalloc(1, sizeof(*c));
		strmap_init(&c->under);
		strmap_init(&c->charts);
		strmap_put(&cs->codes, text, c);
	}
	return c;
}

static void
drop_code_if_idle(struct charts *cs, const char *text)
{
	struct code *c = strmap_find(&cs->codes, text);

	if (c == NULL || c->under.count > 0 || c->charts.count > 0)
		return;
	strmap_remove(&cs->codes, text);
	strmap_fini(&c->under);
	strmap_fini(&c->charts);
	free(c);
}

/* A custom line and what is above it, nearest first, without default. Returns how many. */
static size_t
chain_of(const struct charts *cs, const struct custom *c, const char *out[CHAIN_MAX])
{
	const char *at = c->name;
	size_t n = 0;

	while (n < CHAIN_MAX && line_tree_find(at) == NULL) {
		const struct custom *line = strmap_find(&cs->customs, at);

		out[n++] = at;
		if (line == NULL)
			return n;
		at = line->parent;
	}
	for (const struct line_info *l = line_tree_find(at); n < CHAIN_MAX && l != NULL;
	     l = l->parent)
		if (l->kind != LINE_DEFAULT)
			out[n++] = l->code;
	return n;
}

/* -- charts under their keys -- */

static char *
serial_text(const struct chart *c, char out[24])
{
	snprintf(out, 24, "%jx", (uintmax_t)c->serial);
	return out;
}

static void
keep(struct charts *cs, struct strmap *under, struct chart *c, char *key)
{
	c->owner = cs;
	c->refs = 1;
	c->key = key;
	c->known = true;
	strmap_put(under, key, c);
}

static void
tie_lines(struct charts *cs, struct chart *c, const char *const *lines, size_t n)
{
	char serial[24];

	c->codes = xcalloc(n, sizeof(*c->codes));
	for (c->n_codes = 0; c->n_codes < n; c->n_codes++) {
		c->codes[c->n_codes] = xstrdup(lines[c->n_codes]);
		strmap_put(&code_of(cs, lines[c->n_codes])->charts, serial_text(c, serial), c);
	}
}

void
charts_forget(struct chart *c)
{
	struct charts *cs = c->owner;
	char serial[24];

	if (!c->known)
		return;
	c->known = false;
	strmap_remove(c->codes != NULL ? &cs->found : &cs->joined, c->key);
	for (size_t i = 0; i < c->n_codes; i++) {
		strmap_remove(&code_of(cs, c->codes[i])->charts, serial_text(c, serial));
		drop_code_if_idle(cs, c->codes[i]);
	}
}

/* -- custom lines -- */

/* All charts that `c` has a part in. */
static void
forget_charts(struct charts *cs, const struct custom *c)
{
	const char *chain[CHAIN_MAX];
	const size_t n = chain_of(cs, c, chain);

	for (size_t i = 0; i < n; i++) {
		struct code *code;

		/* Forgetting the last one may take the code along. */
		while (
		    (code = strmap_find(&cs->codes, chain[i])) != NULL && code->charts.count > 0) {
			STRMAP_EACH (&code->charts, e) {
				charts_forget(e->value);
				break;
			}
		}
	}
}

static void
tie_custom(struct charts *cs, struct custom *c)
{
	const char *chain[CHAIN_MAX];
	const size_t n = chain_of(cs, c, chain);

	for (size_t i = 0; i < n; i++)
		strmap_put(&code_of(cs, chain[i])->under, c->name, c);
}

static void
untie_custom(struct charts *cs, struct custom *c)
{
	const char *chain[CHAIN_MAX];
	const size_t n = chain_of(cs, c, chain);

	for (size_t i = 0; i < n; i++) {
		strmap_remove(&code_of(cs, chain[i])->under, c->name);
		drop_code_if_idle(cs, chain[i]);
	}
}

struct affected { /* a line, and the custom ones below it */
	struct custom **items;
	size_t count, cap;
};

static void
begin_change(struct charts *cs, const char *name, struct affected *out)
{
	const struct code *code = strmap_find(&cs->codes, name);

	*out = (struct affected){ 0 };
	if (code != NULL) {
		STRMAP_EACH (&code->under, e) {
			MEM_GROW(&out->items, &out->cap, out->count + 1);
			out->items[out->count++] = e->value;
		}
	}
	for (size_t i = 0; i < out->count; i++) {
		forget_charts(cs, out->items[i]);
		untie_custom(cs, out->items[i]);
	}
}

static void
end_change(struct charts *cs, struct affected *a)
{
	for (size_t i = 0; i < a->count; i++) {
		tie_custom(cs, a->items[i]);
		forget_charts(cs, a->items[i]);
	}
	free(a->items);
}

static uint64_t
word(const uint8_t *bytes)
{
	uint64_t w = 0;

	for (int i = 0; i < 8; i++)
		w = w << 8 | bytes[i];
	return w;
}

static uint64_t
low_bits(unsigned n) /* n may be 64 or more */
{
	return n >= 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1;
}

static struct chart_cidr
network(const struct cidr *c, const char *line)
{
	struct chart_cidr n = { .bits = c->bits, .line = line };

	n.start = (struct atlas_point){ word(c->ip), word(c->ip + 8) };
	n.end = n.start;
	if (c->family == AF_INET) {
		n.family = ATLAS_V4;
		n.end.hi |= low_bits(64 - c->bits) & UINT64_MAX << 32;
		return n;
	}
	n.family = ATLAS_V6;
	n.end.hi |= c->bits < 64 ? low_bits(64 - c->bits) : 0;
	n.end.lo |= c->bits < 128 ? low_bits(128 - c->bits) : 0;
	return n;
}

static void
fill_custom(struct custom *c, const struct line_spec *spec)
{
	const struct line_info *l = line_tree_find(spec->parent);
	const char *const *text = spec->cidrs.items;
	struct cidr cidr;

	free(c->parent);
	free(c->cidrs);
	c->parent = xstrdup(l != NULL ? l->code : spec->parent);
	c->cidrs = xcalloc(spec->cidrs.count + 1, sizeof(*c->cidrs));
	c->n_cidrs = 0;
	for (size_t i = 0; i < spec->cidrs.count; i++)
		if (line_cidr(&cidr, text[i]) == NULL)
			c->cidrs[c->n_cidrs++] = network(&cidr, c->name);
}

void
charts_put_line(struct charts *cs, const char *name, const struct line_spec *spec)
{
	struct custom *c;
	struct affected a;

	OBJ_CHECK(cs, CHARTS_MAGIC);
	begin_change(cs, name, &a);
	c = strmap_find(&cs->customs, name);
	if (c == NULL) {
		c = xcalloc(1, sizeof(*c));
		c->name = xstrdup(name);
		strmap_put(&cs->customs, name, c);
		MEM_GROW(&a.items, &a.cap, a.count + 1);
		a.items[a.count++] = c;
	}
	fill_custom(c, spec);
	end_change(cs, &a);
}

static void
free_custom(struct custom *c)
{
	free(c->name);
	free(c->parent);
	free(c->cidrs);
	free(c);
}

void
charts_drop_line(struct charts *cs, const char *name)
{
	struct custom *c;
	struct affected a;
	size_t n = 0;

	OBJ_CHECK(cs, CHARTS_MAGIC);
	begin_change(cs, name, &a);
	c = strmap_remove(&cs->customs, name);
	for (size_t i = 0; i < a.count; i++)
		if (a.items[i] != c)
			a.items[n++] = a.items[i];
	a.count = n;
	end_change(cs, &a);
	if (c != NULL)
		free_custom(c);
}

/* -- the data -- */

static bool
uses_data(const struct chart *c)
{
	for (size_t i = 0; i < c->n_codes; i++)
		if (line_tree_find(c->codes[i]) != NULL)
			return true;
	return false;
}

const struct atlas *
charts_atlas(const struct charts *cs)
{
	return cs->atlas;
}

void
charts_set_atlas(struct charts *cs, struct atlas *a)
{
	OBJ_CHECK(cs, CHARTS_MAGIC);
	atlas_unref(&cs->atlas);
	cs->atlas = a;
	STRMAP_EACH (&cs->found, e)
		if (uses_data(e->value))
			charts_forget(e->value);
}

/* -- getting one -- */

struct making {
	struct charts *cs;
	const char *const *lines;
	size_t n_lines;
	uint64_t serial;
	struct arena arena;
	struct chart_cidr *cidrs;
	size_t n_cidrs, cap_cidrs;
};

/* Place among the lines, or n_lines. */
static size_t
place_of(const struct making *m, const char *code)
{
	size_t low = 0, high = m->n_lines;

	while (low < high) {
		const size_t mid = low + (high - low) / 2;
		const int order = strcmp(m->lines[mid], code);

		if (order == 0)
			return mid;
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return m->n_lines;
}

static void
take_custom(struct making *m, struct custom *c)
{
	const char *chain[CHAIN_MAX];
	uint16_t *used = arena_alloc(&m->arena, CHAIN_MAX * sizeof(*used));
	uint16_t n = 0;

	if (c->seen == m->serial)
		return;
	c->seen = m->serial;

	const size_t above = chain_of(m->cs, c, chain);

	for (size_t i = 0; i < above; i++) {
		const size_t place = place_of(m, chain[i]);

		if (place < m->n_lines)
			used[n++] = (uint16_t)place;
	}
	MEM_GROW(&m->cidrs, &m->cap_cidrs, m->n_cidrs + c->n_cidrs + 1);
	for (size_t i = 0; i < c->n_cidrs; i++) {
		struct chart_cidr *cidr = &m->cidrs[m->n_cidrs++];

		*cidr = c->cidrs[i];
		cidr->chain = used;
		cidr->n_chain = n;
	}
}

static struct chart *
make(struct charts *cs, const char *const *lines, size_t n)
{
	struct making m = { .cs = cs, .lines = lines, .n_lines = n, .serial = ++cs->serial };

	arena_init(&m.arena);
	for (size_t i = 0; i < n; i++) {
		const struct code *code = strmap_find(&cs->codes, lines[i]);

		if (code != NULL)
			STRMAP_EACH (&code->under, e)
				take_custom(&m, e->value);
	}

	const struct chart_input in = { cs->atlas, lines, n, m.cidrs, m.n_cidrs };
	struct chart *c = chart_build(&in);

	c->serial = m.serial;
	free(m.cidrs);
	arena_fini(&m.arena);
	return c;
}

struct chart *
charts_get(struct charts *cs, const char *const *lines, size_t n)
{
	struct buf key;
	struct chart *c;

	OBJ_CHECK(cs, CHARTS_MAGIC);
	CHECK(n > 0);
	buf_init(&key, SIZE_MAX);
	for (size_t i = 0; i < n; i++)
		buf_printf(&key, "%s\n", lines[i]);
	c = strmap_find(&cs->found, buf_str(&key));
	if (c != NULL) {
		chart_ref(c);
	} else {
		c = make(cs, lines, n);
		keep(cs, &cs->found, c, xstrdup(buf_str(&key)));
		tie_lines(cs, c, lines, n);
	}
	buf_fini(&key);
	return c;
}

struct chart *
charts_join(struct charts *cs, const struct chart *fine, const uint16_t *part, unsigned n_parts)
{
	struct buf key;
	struct chart *c;

	OBJ_CHECK(cs, CHARTS_MAGIC);
	CHECK(fine->classes != NULL && n_parts >= 2);
	buf_init(&key, SIZE_MAX);
	buf_printf(&key, "%jx", (uintmax_t)fine->serial);
	for (unsigned i = 0; i < fine->n_classes; i++) {
		CHECK(part[i] < n_parts);
		buf_printf(&key, ",%x", part[i]);
	}
	c = strmap_find(&cs->joined, buf_str(&key));
	if (c != NULL) {
		chart_ref(c);
	} else {
		c = chart_build_joined(fine, part, n_parts);
		c->serial = ++cs->serial;
		keep(cs, &cs->joined, c, xstrdup(buf_str(&key)));
	}
	buf_fini(&key);
	return c;
}

/* -- life -- */

struct charts *
charts_new(void)
{
	struct charts *cs = xcalloc(1, sizeof(*cs));

	cs->magic = CHARTS_MAGIC;
	strmap_init(&cs->customs);
	strmap_init(&cs->codes);
	strmap_init(&cs->found);
	strmap_init(&cs->joined);
	return cs;
}

void
charts_free(struct charts **csp)
{
	struct charts *cs = *csp;

	*csp = NULL;
	if (cs == NULL)
		return;
	OBJ_CHECK(cs, CHARTS_MAGIC);
	CHECK(cs->found.count == 0 && cs->joined.count == 0);
	STRMAP_EACH (&cs->customs, e) /* all before the first is freed: chains name others */
		untie_custom(cs, e->value);
	STRMAP_EACH (&cs->customs, e)
		free_custom(e->value);
	strmap_fini(&cs->customs);
	strmap_fini(&cs->codes);
	strmap_fini(&cs->found);
	strmap_fini(&cs->joined);
	atlas_unref(&cs->atlas);
	cs->magic = 0;
	free(cs);
}
