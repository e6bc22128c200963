/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "geo/survey.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "geo/csv.h"
#include "geo/mmdb.h"
#include "model/line_tree.h"

#define CSV_MAX ((size_t)1 << 31)

/* -- one source -- */

int
survey_stat(const char *file, struct survey_report *out)
{
	struct stat st;

	if (stat(file, &st) != 0)
		return -errno;
	out->modified_ms = (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
	out->made_ms = out->modified_ms;
	out->size = (uint64_t)st.st_size;
	out->inode = (uint64_t)st.st_ino;
	return 0;
}

static int
refuse(const char *file, int error, struct diag *d)
{
	return diag_add(d, DIAG_INVALID, file, "%s", strerror(-error));
}

static unsigned
column(const char *key)
{
	return key != NULL ? (unsigned)strtoul(key, NULL, 10) : 0;
}

static int
read_csv(const struct survey_source *s, struct layer *out, struct diag *d)
{
	const struct csv_columns columns = { column(s->country), column(s->subdivision),
		column(s->asn) };
	struct buf text;
	size_t len;

	buf_init(&text, CSV_MAX);

	const int error = file_read(s->file, &text);

	len = text.len;
	buf_put_u8(&text, 0);

	const int rc = error < 0 ? refuse(s->file, error, d)
				 : csv_read((char *)text.data, len, s->file, &columns, out, d);

	buf_fini(&text);
	return rc;
}

static bool
is_mmdb(const char *file)
{
	const size_t len = strlen(file);

	return len > 5 && strcmp(file + len - 5, ".mmdb") == 0;
}

static int
read_source(
    const struct survey_source *s, struct layer *out, struct survey_report *report, struct diag *d)
{
	const struct mmdb_keys keys = { s->country, s->subdivision, s->asn };
	const int error = survey_stat(s->file, report);

	if (error < 0)
		return refuse(s->file, error, d);
	if ((is_mmdb(s->file) ? mmdb_read(s->file, &keys, out, &report->made_ms, d)
			      : read_csv(s, out, d)) < 0)
		return -EINVAL;
	layer_finish(out);
	report->ranges = out->count[ATLAS_V4] + out->count[ATLAS_V6];
	report->skipped = out->skipped;
	report->overlaps = out->overlaps;
	if (report->ranges > 0)
		return 0;
	return diag_add(d, DIAG_INVALID, s->file, "says nothing about any line we know");
}

/* -- from values to sets -- */

struct found { /* at some address, and in which layers, from 1 */
	struct layer_value is;
	uint8_t place_from, network_from;
};

/* Numbers of sets already made, by value. */
struct sets {
	struct atlas_draft *draft;
	struct known {
		struct found value;
		uint32_t set; /* + 1; 0: free */
	} * known;
	size_t count, cap;
};

static size_t
add_up(uint16_t lines[ATLAS_SET_MAX], size_t n, const struct line_info *l)
{
	for (; l != NULL && l->kind != LINE_DEFAULT; l = l->parent) {
		size_t at = 0;

		while (at < n && lines[at] != l->index)
			at++;
		lines[n] = l->index;
		n += at == n;
	}
	return n;
}

static const struct line_info *
line_at(uint16_t index)
{
	return index != LAYER_NONE ? line_tree_at(index) : NULL;
}

/* The province that a carrier's line is of: telecom_sh -> cn_sh. */
static const struct line_info *
province_of(const struct line_info *network)
{
	char code[16] = "cn_";

	if (network == NULL || network->kind != LINE_ISP_PROVINCE)
		return NULL;
	strncat(code, strrchr(network->code, '_') + 1, sizeof(code) - 4);
	return line_tree_find(code);
}

static uint32_t
make_set(struct sets *s, struct found v)
{
	const struct line_info *place = line_at(v.is.place), *network = line_at(v.is.network), *met;
	const struct line_info *china = line_tree_find("cn");
	uint16_t lines[ATLAS_SET_MAX];
	size_t n = 0;

	if (place == china && province_of(network) != NULL)
		place = province_of(network);
	if (network != NULL && network->kind == LINE_ISP_PROVINCE && place != NULL &&
	    place->kind == LINE_PROVINCE)
		network = network->parent; /* the places know it better */
	met = place != NULL && network != NULL ? line_tree_meet(network, place) : NULL;
	n = add_up(lines, n, met);
	n = add_up(lines, n, network);
	n = add_up(lines, n, place);
	if (place != NULL && !line_tree_within(place, china))
		n = add_up(lines, n, line_tree_find("oversea"));
	return atlas_draft_set_from(s->draft, lines, n, v.place_from, v.network_from);
}

static bool
same(struct found a, struct found b)
{
	return a.is.place == b.is.place && a.is.network == b.is.network &&
	       a.place_from == b.place_from && a.network_from == b.network_from;
}

static struct known *
place_of(struct known *known, size_t cap, struct found v)
{
	const uint64_t all = (uint64_t)v.place_from << 40 | (uint64_t)v.network_from << 32 |
			     (uint64_t)v.is.place << 16 | v.is.network;
	size_t i = all * UINT64_C(0x9e3779b97f4a7c15) >> 32 & (cap - 1);

	while (known[i].set != 0 && !same(known[i].value, v))
		i = (i + 1) & (cap - 1);
	return &known[i];
}

static void
grow(struct sets *s)
{
	const size_t cap = s->cap == 0 ? 1024 : 2 * s->cap;
	struct known *known = xcalloc(cap, sizeof(*known));

	for (size_t i = 0; i < s->cap; i++)
		if (s->known[i].set != 0)
			*place_of(known, cap, s->known[i].value) = s->known[i];
	free(s->known);
	s->known = known;
	s->cap = cap;
}

static uint32_t
set_of(struct sets *s, struct found v)
{
	if (2 * s->count >= s->cap)
		grow(s);

	struct known *k = place_of(s->known, s->cap, v);

	if (k->set == 0) {
		*k = (struct known){ v, make_set(s, v) + 1 };
		s->count++;
	}
	return k->set - 1;
}

/* -- all layers, one over the other -- */

struct sweep { /* where we are in one layer */
	const struct layer_range *at, *end;
};

static struct atlas_point
after(struct atlas_point p, enum atlas_family f)
{
	if (f == ATLAS_V4)
		return (struct atlas_point){ p.hi + (UINT64_C(1) << 32), 0 };
	return (struct atlas_point){ p.hi + (p.lo == UINT64_MAX), p.lo + 1 };
}

/* Where the layer changes next; false: not any more. Ranges that end before `here` are left. */
static bool
next_change(struct sweep *s, struct atlas_point here, enum atlas_family f, struct atlas_point *next)
{
	while (s->at < s->end && atlas_point_compare(s->at->last, here) < 0)
		s->at++;
	if (s->at == s->end)
		return false;
	if (atlas_point_compare(s->at->first, here) > 0) {
		*next = s->at->first;
		return true;
	}
	*next = after(s->at->last, f);
	return next->hi != 0 || next->lo != 0; /* behind the last address is none */
}

static struct found
value_at(const struct sweep *sweeps, size_t n, struct atlas_point here)
{
	struct found v = { .is = { LAYER_NONE, LAYER_NONE } };

	for (size_t i = 0; i < n; i++) {
		const struct sweep *s = &sweeps[i];

		if (s->at == s->end || atlas_point_compare(s->at->first, here) > 0)
			continue;
		if (v.is.place == LAYER_NONE && s->at->value.place != LAYER_NONE) {
			v.is.place = s->at->value.place;
			v.place_from = (uint8_t)(i + 1);
		}
		if (v.is.network == LAYER_NONE && s->at->value.network != LAYER_NONE) {
			v.is.network = s->at->value.network;
			v.network_from = (uint8_t)(i + 1);
		}
	}
	return v;
}

static void
merge(struct sets *sets, const struct layer *layers, size_t n, enum atlas_family f)
{
	struct sweep *sweeps = xcalloc(n, sizeof(*sweeps));
	struct atlas_point here = { 0, 0 };
	bool more = true;

	for (size_t i = 0; i < n; i++)
		sweeps[i] =
		    (struct sweep){ layers[i].items[f], layers[i].items[f] + layers[i].count[f] };
	while (more) {
		struct atlas_point next = { UINT64_MAX, UINT64_MAX }, change;

		more = false;
		for (size_t i = 0; i < n; i++) {
			if (!next_change(&sweeps[i], here, f, &change))
				continue;
			more = true;
			if (atlas_point_compare(change, next) < 0)
				next = change;
		}
		atlas_draft_from(sets->draft, f, here, set_of(sets, value_at(sweeps, n, here)));
		here = next;
	}
	free(sweeps);
}

static struct atlas *
put_together(const struct layer *layers, size_t n)
{
	struct sets sets = { .draft = atlas_draft_new() };

	for (int f = 0; f < ATLAS_FAMILIES; f++)
		merge(&sets, layers, n, f);
	free(sets.known);
	return atlas_draft_finish(&sets.draft);
}

struct atlas *
survey_make(
    const struct survey_source *sources, size_t n, struct survey_report *reports, struct diag *d)
{
	struct layer *layers = xcalloc(n + 1, sizeof(*layers));
	struct atlas *a = NULL;
	size_t read = 0;

	for (size_t i = 0; i < n; i++)
		layer_init(&layers[i]);
	while (read < n && read_source(&sources[read], &layers[read], &reports[read], d) == 0)
		read++;
	if (read == n)
		a = put_together(layers, n);
	for (size_t i = 0; i < n; i++)
		layer_fini(&layers[i]);
	free(layers);
	return a;
}
