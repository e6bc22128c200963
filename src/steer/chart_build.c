/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A chart from its parts. Two streams of change points, of the data and of the custom networks, are
 * merged; each pair of states is a class.
 *
 *	data     {}      {cn}        {telecom,cn}     {cn}
 *	custom        {}     {office}            {}
 *	         0       1   2       3            4
 */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/strmap.h"
#include "model/line_tree.h"
#include "steer/chart_types.h"

#define CLASSES_MAX 65535

/* -- lists of lines, each kept once: number 0 is the empty one -- */

struct orders {
	struct strmap known; /* spelled out -> number + 1 */
	uint16_t *pool;
	size_t used, cap;
	struct order {
		size_t first, count;
	} * list;
	size_t n, cap_list;
};

static uint32_t
number(struct orders *o, const uint16_t *lines, size_t count)
{
	char *key = xmalloc(4 * count + 1);

	for (size_t i = 0; i < 4 * count; i++)
		key[i] = (char)('a' + (lines[i / 4] >> 4 * (i % 4) & 15));
	key[4 * count] = '\0';

	size_t known = (size_t)strmap_find(&o->known, key);

	if (known == 0) {
		MEM_GROW(&o->pool, &o->cap, o->used + count + 1);
		if (count > 0)
			memcpy(o->pool + o->used, lines, count * sizeof(*lines));
		MEM_GROW(&o->list, &o->cap_list, o->n + 1);
		o->list[o->n] = (struct order){ o->used, count };
		o->used += count;
		known = ++o->n;
		strmap_put(&o->known, key, (void *)known);
	}
	free(key);
	return (uint32_t)(known - 1);
}

static void
init_orders(struct orders *o)
{
	*o = (struct orders){ 0 };
	strmap_init(&o->known);
	CHECK(number(o, NULL, 0) == 0);
}

static void
fini_orders(struct orders *o)
{
	strmap_fini(&o->known);
	free(o->pool);
	free(o->list);
}

/* First these, then those of `below` that are not among them. */
static uint32_t
chained(struct orders *to, const uint16_t *lines, size_t count, const uint16_t *below, size_t n)
{
	uint16_t *all = xmalloc((count + n + 1) * sizeof(*all));
	size_t k = 0;

	for (size_t i = 0; i < count + n; i++) {
		const uint16_t line = i < count ? lines[i] : below[i - count];
		size_t at = 0;

		while (at < k && all[at] != line)
			at++;
		all[k] = line;
		k += at == k;
	}

	const uint32_t found = number(to, all, k);

	free(all);
	return found;
}

/* -- change points -- */

struct change {
	struct atlas_point at;
	uint32_t order;
};

struct changes {
	struct change *items;
	size_t count, cap;
};

static void
change(struct changes *c, struct atlas_point at, uint32_t order)
{
	if (c->count > 0 && atlas_point_compare(c->items[c->count - 1].at, at) == 0)
		c->count--;
	if (c->count > 0 && c->items[c->count - 1].order == order)
		return;
	MEM_GROW(&c->items, &c->cap, c->count + 1);
	c->items[c->count++] = (struct change){ at, order };
}

static struct atlas_point
after(struct atlas_point end, enum atlas_family f)
{
	if (f == ATLAS_V4)
		return (struct atlas_point){ end.hi + (UINT64_C(1) << 32), 0 };
	return (struct atlas_point){ end.hi + (end.lo == UINT64_MAX), end.lo + 1 };
}

/* After the very last address comes 0 again. */
static bool
is_zero(struct atlas_point p)
{
	return p.hi == 0 && p.lo == 0;
}

/* -- the data -- */

#define NOT_USED UINT16_MAX

struct build {
	const struct chart_input *in;
	uint16_t *places;    /* line of the tree -> place among the used ones */
	uint32_t *set_order; /* set -> its order; 0: not looked at, or of no interest */
	uint32_t *sets;      /* those of interest */
	size_t n_sets, cap_sets;
	struct orders orders, classes;
	struct pair *pairs; /* open addressing */
	size_t n_pairs, cap_pairs;
};

static void
find_places(struct build *b)
{
	const size_t n = line_tree_count();

	b->places = xmalloc(n * sizeof(*b->places));
	memset(b->places, 0xff, n * sizeof(*b->places));
	for (size_t i = 0; i < b->in->n_lines; i++) {
		const struct line_info *l = line_tree_find(b->in->lines[i]);

		if (l != NULL)
			b->places[l->index] = (uint16_t)i;
	}
}

static void
look_at_set(struct build *b, uint32_t set)
{
	const struct atlas_set s = atlas_set(b->in->atlas, set);
	uint16_t used[ATLAS_SET_MAX];
	size_t n = 0;

	if (b->set_order[set] != 0)
		return;
	for (size_t i = 0; i < s.count; i++) {
		used[n] = b->places[s.lines[i]];
		n += used[n] != NOT_USED;
	}
	b->set_order[set] = number(&b->orders, used, n);
	MEM_GROW(&b->sets, &b->cap_sets, b->n_sets + 1);
	b->sets[b->n_sets++] = set;
}

static void
look_at_sets(struct build *b)
{
	if (b->in->atlas == NULL)
		return;
	b->set_order = xcalloc(atlas_sets(b->in->atlas), sizeof(*b->set_order));
	for (size_t i = 0; i < b->in->n_lines; i++) {
		const struct line_info *l = line_tree_find(b->in->lines[i]);
		const struct atlas_list sets =
		    l != NULL ? atlas_sets_of(b->in->atlas, l->index) : (struct atlas_list){ 0 };

		for (size_t k = 0; k < sets.count; k++)
			look_at_set(b, sets.items[k]);
	}
}

/* By the low `bits`, which are all there are; the result is in `items`. */
static void
sort_numbers(uint32_t *items, size_t n, uint32_t max)
{
	uint32_t *other = xmalloc((n + 1) * sizeof(*other)), *from = items, *to = other;

	for (unsigned shift = 0; shift < 32 && max >> shift != 0; shift += 11) {
		size_t at[2049] = { 0 };

		for (size_t i = 0; i < n; i++)
			at[(from[i] >> shift & 2047) + 1]++;
		for (size_t i = 1; i < 2048; i++)
			at[i] += at[i - 1];
		for (size_t i = 0; i < n; i++)
			to[at[from[i] >> shift & 2047]++] = from[i];

		uint32_t *const was = from;

		from = to;
		to = was;
	}
	if (from != items)
		memcpy(items, from, n * sizeof(*items));
	free(other);
}

/* The numbers of all ranges of interest, ascending. */
static uint32_t *
gather(struct build *b, enum atlas_family f, size_t *count)
{
	const struct atlas *a = b->in->atlas;
	uint32_t *ranges = NULL;
	size_t n = 0, cap = 0;

	for (size_t i = 0; i < b->n_sets; i++) {
		const struct atlas_list l = atlas_ranges_of(a, f, b->sets[i]);

		MEM_GROW(&ranges, &cap, n + l.count + 1);
		memcpy(ranges + n, l.items, l.count * sizeof(*ranges));
		n += l.count;
	}
	if (n > 0)
		sort_numbers(ranges, n, (uint32_t)atlas_count(a, f));
	*count = n;
	return ranges;
}

static void
trace_data(struct build *b, enum atlas_family f, struct changes *out)
{
	const struct atlas *a = b->in->atlas;
	size_t n;
	uint32_t *ranges = gather(b, f, &n);

	change(out, (struct atlas_point){ 0, 0 }, 0);
	for (size_t i = 0; i < n; i++) {
		const struct atlas_point next = after(atlas_end(a, f, ranges[i]), f);

		change(
		    out, atlas_start(a, f, ranges[i]), b->set_order[atlas_set_at(a, f, ranges[i])]);
		if (!is_zero(next))
			change(out, next, 0);
	}
	free(ranges);
}

/* -- the custom networks: nested or apart, as prefixes are -- */

static int
compare_cidrs(const void *a, const void *b)
{
	const struct chart_cidr *x = a, *y = b;
	const int c = atlas_point_compare(x->start, y->start);

	if (x->family != y->family)
		return x->family < y->family ? -1 : 1;
	if (c != 0)
		return c;
	return x->bits != y->bits ? (x->bits < y->bits ? -1 : 1) : strcmp(x->line, y->line);
}

struct open { /* a network that the sweep is in */
	struct atlas_point end;
	uint32_t order;
};

struct stack {
	struct open *items;
	size_t count, cap;
};

static uint32_t
top(const struct stack *s)
{
	return s->count > 0 ? s->items[s->count - 1].order : 0;
}

/* Leave those that end before `until`; NULL: all. */
static void
leave(struct stack *s, const struct atlas_point *until, enum atlas_family f, struct changes *out)
{
	while (s->count > 0) {
		const struct atlas_point end = s->items[s->count - 1].end, next = after(end, f);

		if (until != NULL && atlas_point_compare(end, *until) >= 0)
			return;
		s->count--;
		if (!is_zero(next))
			change(out, next, top(s));
	}
}

static void
trace_custom(struct build *b, enum atlas_family f, struct changes *out)
{
	struct stack s = { 0 };

	change(out, (struct atlas_point){ 0, 0 }, 0);
	for (size_t i = 0; i < b->in->n_cidrs; i++) {
		const struct chart_cidr *c = &b->in->cidrs[i];

		if (c->family != f)
			continue;
		leave(&s, &c->start, f, out);
		MEM_GROW(&s.items, &s.cap, s.count + 1);

		const struct order below = b->orders.list[top(&s)];
		const uint32_t order = chained(
		    &b->orders, c->chain, c->n_chain, b->orders.pool + below.first, below.count);

		s.items[s.count++] = (struct open){ c->end, order };
		change(out, c->start, order);
	}
	leave(&s, NULL, f, out);
	free(s.items);
}

/* -- both -- */

struct pair {
	uint32_t custom, data;
	uint32_t class; /* + 1; 0: free */
};

static uint32_t
class_of(struct build *b, uint32_t custom, uint32_t data)
{
	const struct order over = b->orders.list[custom], under = b->orders.list[data];
	const uint32_t class = chained(&b->classes, b->orders.pool + over.first, over.count,
	    b->orders.pool + under.first, under.count);

	if (class < CLASSES_MAX)
		return class;
	if (class == CLASSES_MAX)
		log_warn("steer", "a chart of %zu lines has over %d combinations of them",
		    b->in->n_lines, CLASSES_MAX);
	return 0;
}

static struct pair *
place_of(struct pair *pairs, size_t cap, uint32_t custom, uint32_t data)
{
	size_t at =
	    (custom * UINT64_C(0x9e3779b97f4a7c15) + data * UINT64_C(0xd1b54a32d192ed03)) >> 20 &
	    (cap - 1);

	while (pairs[at].class != 0 && (pairs[at].custom != custom || pairs[at].data != data))
		at = (at + 1) & (cap - 1);
	return &pairs[at];
}

static void
grow_pairs(struct build *b)
{
	const size_t cap = b->cap_pairs == 0 ? 64 : 2 * b->cap_pairs;
	struct pair *pairs = xcalloc(cap, sizeof(*pairs));

	for (size_t i = 0; i < b->cap_pairs; i++)
		if (b->pairs[i].class != 0)
			*place_of(pairs, cap, b->pairs[i].custom, b->pairs[i].data) = b->pairs[i];
	free(b->pairs);
	b->pairs = pairs;
	b->cap_pairs = cap;
}

static uint16_t
pair_class(struct build *b, uint32_t custom, uint32_t data)
{
	if (2 * b->n_pairs >= b->cap_pairs)
		grow_pairs(b);

	struct pair *p = place_of(b->pairs, b->cap_pairs, custom, data);

	if (p->class == 0) {
		*p = (struct pair){ custom, data, class_of(b, custom, data) + 1 };
		b->n_pairs++;
	}
	return (uint16_t)(p->class - 1);
}

static void
merge(struct build *b, const struct changes *custom, const struct changes *data,
    struct chart_strip *out)
{
	uint32_t cap = 0;

	for (size_t c = 0, d = 0; c < custom->count || d < data->count;) {
		const int order = c == custom->count ? 1
				  : d == data->count
				      ? -1
				      : atlas_point_compare(custom->items[c].at, data->items[d].at);
		const struct atlas_point at = order <= 0 ? custom->items[c].at : data->items[d].at;

		c += order <= 0;
		d += order >= 0;
		/* Both begin at 0, so neither is empty here. */
		chart_strip_add(out, &cap, at,
		    pair_class(b, custom->items[c - 1].order, data->items[d - 1].order));
	}
	chart_strip_finish(out);
}

static void
build_strip(struct build *b, enum atlas_family f, struct chart_strip *out)
{
	struct changes custom = { 0 }, data = { 0 };

	trace_custom(b, f, &custom);
	trace_data(b, f, &data);
	merge(b, &custom, &data, out);
	free(custom.items);
	free(data.items);
}

static void
keep_classes(struct build *b, struct chart *c)
{
	const struct orders *o = &b->classes;

	c->n_classes = (unsigned)(o->n < CLASSES_MAX ? o->n : CLASSES_MAX);
	c->classes = xcalloc(c->n_classes, sizeof(*c->classes));
	c->lines = xmemdup(o->pool, (o->used + 1) * sizeof(*c->lines));
	for (unsigned i = 0; i < c->n_classes; i++)
		c->classes[i] =
		    (struct chart_class){ c->lines + o->list[i].first, (unsigned)o->list[i].count };
}

static void
fini_build(struct build *b)
{
	fini_orders(&b->orders);
	fini_orders(&b->classes);
	free(b->places);
	free(b->set_order);
	free(b->sets);
	free(b->pairs);
}

struct chart *
chart_build(const struct chart_input *in)
{
	struct chart *c = xcalloc(1, sizeof(*c));
	struct build b = { .in = in };

	CHECK(in->n_lines < NOT_USED);
	c->magic = CHART_MAGIC;
	init_orders(&b.orders);
	init_orders(&b.classes);
	find_places(&b);
	look_at_sets(&b);
	if (in->n_cidrs > 0)
		qsort(in->cidrs, in->n_cidrs, sizeof(*in->cidrs), compare_cidrs);
	for (int f = 0; f < ATLAS_FAMILIES; f++)
		build_strip(&b, f, &c->strips[f]);
	keep_classes(&b, c);
	fini_build(&b);
	return c;
}

struct chart *
chart_build_joined(const struct chart *fine, const uint16_t *part, unsigned n_parts)
{
	struct chart *c = xcalloc(1, sizeof(*c));

	c->magic = CHART_MAGIC;
	c->nowhere = part[0];
	c->n_classes = n_parts;
	for (int f = 0; f < ATLAS_FAMILIES; f++) {
		const struct chart_strip *s = &fine->strips[f];
		uint32_t cap = 0;

		for (uint32_t i = 0; i < s->count; i++)
			chart_strip_add(&c->strips[f], &cap,
			    (struct atlas_point){ s->hi[i], s->lo != NULL ? s->lo[i] : 0 },
			    part[s->class[i]]);
		chart_strip_finish(&c->strips[f]);
	}
	return c;
}
