/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "geo/layer.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/line_tree.h"

void
layer_init(struct layer *l)
{
	*l = (struct layer){ 0 };
}

void
layer_fini(struct layer *l)
{
	for (int f = 0; f < ATLAS_FAMILIES; f++)
		free(l->items[f]);
}

void
layer_add(struct layer *l, enum atlas_family f, const struct layer_range *r)
{
	if (r->value.place == LAYER_NONE && r->value.network == LAYER_NONE) {
		l->skipped++;
		return;
	}
	MEM_GROW(&l->items[f], &l->cap[f], l->count[f] + 1);
	l->items[f][l->count[f]++] = *r;
}

/* -- finishing -- */

static int
compare(const void *a, const void *b)
{
	const struct layer_range *x = a, *y = b;
	int c = atlas_point_compare(x->first, y->first);

	if (c == 0)
		c = atlas_point_compare(y->last, x->last);
	return c != 0 ? c : (x->line > y->line) - (x->line < y->line);
}

struct open_range {
	struct atlas_point last;
	struct layer_value value;
};

struct flat { /* what is open, outermost first, and what has been told */
	struct open_range *open;
	size_t n_open, cap_open;
	struct layer_range *out;
	size_t n_out, cap_out;
	struct atlas_point here; /* told up to before this */
	bool full;               /* up to the last address there is */
	enum atlas_family family;
};

static struct atlas_point
after(struct atlas_point p, enum atlas_family f)
{
	if (f == ATLAS_V4)
		return (struct atlas_point){ p.hi + (UINT64_C(1) << 32), 0 };
	return (struct atlas_point){ p.hi + (p.lo == UINT64_MAX), p.lo + 1 };
}

static struct atlas_point
before(struct atlas_point p, enum atlas_family f)
{
	if (f == ATLAS_V4)
		return (struct atlas_point){ p.hi - (UINT64_C(1) << 32), 0 };
	return (struct atlas_point){ p.hi - (p.lo == 0), p.lo - 1 };
}

/* The innermost range holds from here to `last`. */
static void
tell(struct flat *t, struct atlas_point last)
{
	if (t->full || atlas_point_compare(last, t->here) < 0)
		return;
	MEM_GROW(&t->out, &t->cap_out, t->n_out + 1);
	t->out[t->n_out++] = (struct layer_range){
		.first = t->here, .last = last, .value = t->open[t->n_open - 1].value
	};
	t->here = after(last, t->family);
	t->full = t->here.hi == 0 && t->here.lo == 0;
}

/* Close what ends before `until`; NULL: all. */
static void
close_ranges(struct flat *t, const struct atlas_point *until)
{
	while (t->n_open > 0) {
		const struct atlas_point last = t->open[t->n_open - 1].last;

		if (until != NULL && atlas_point_compare(last, *until) >= 0)
			return;
		tell(t, last);
		t->n_open--;
	}
}

static void
flatten(struct layer *l, enum atlas_family f)
{
	struct flat t = { .family = f };

	for (size_t i = 0; i < l->count[f]; i++) {
		const struct layer_range *r = &l->items[f][i];

		close_ranges(&t, &r->first);
		if (t.n_open > 0 && atlas_point_compare(t.here, r->first) < 0)
			tell(&t, before(r->first, f));
		l->overlaps += t.n_open > 0;
		t.here = r->first;
		MEM_GROW(&t.open, &t.cap_open, t.n_open + 1);
		t.open[t.n_open++] = (struct open_range){ r->last, r->value };
	}
	close_ranges(&t, NULL);
	free(t.open);
	free(l->items[f]);
	l->items[f] = t.out;
	l->count[f] = t.n_out;
	l->cap[f] = t.cap_out;
}

/* Ascending and apart already, as databases are. */
static bool
is_flat(const struct layer_range *r, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (atlas_point_compare(r[i - 1].last, r[i].first) >= 0)
			return false;
	return true;
}

void
layer_finish(struct layer *l)
{
	for (int f = 0; f < ATLAS_FAMILIES; f++) {
		if (is_flat(l->items[f], l->count[f]))
			continue;
		qsort(l->items[f], l->count[f], sizeof(*l->items[f]), compare);
		flatten(l, f);
	}
}

/* -- words -- */

static uint16_t
find(const char *code, enum line_kind kind)
{
	const struct line_info *l = line_tree_find(code);

	return l != NULL && l->kind == kind ? l->index : LAYER_NONE;
}

static void
lower(char *text)
{
	for (; *text != '\0'; text++)
		*text = (char)tolower((unsigned char)*text);
}

uint16_t
layer_country(const char *code)
{
	char text[3];

	if (strlen(code) != 2)
		return LAYER_NONE;
	memcpy(text, code, 3);
	lower(text);
	return find(text, LINE_COUNTRY);
}

uint16_t
layer_subdivision(uint16_t country, const char *text)
{
	const struct line_info *in = line_tree_at(country), *named;
	char code[16];
	const char *dash = strchr(text, '-');

	if (text[0] == '\0')
		return LAYER_NONE;
	if (dash != NULL && dash - text == 2)
		text = dash + 1;
	if (strlen(text) <= 3) {
		snprintf(code, sizeof(code), "%s_%s", in->code, text);
		lower(code);
		return find(code, LINE_PROVINCE);
	}
	named = line_tree_named(in, text);
	return named != NULL ? named->index : LAYER_NONE;
}

uint16_t
layer_network(uint32_t asn)
{
	const struct line_info *l = line_tree_of_asn(asn);

	return l != NULL ? l->index : LAYER_NONE;
}
