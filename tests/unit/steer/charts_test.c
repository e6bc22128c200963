/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Charts against an obvious oracle: for an address, look at every network of every custom line and
 * at the data's range, and write down the used lines in the order the model asks for.
 */
#define URCU_API_MAP
#include <urcu/urcu-qsbr.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/strmap.h"
#include "geo/atlas.h"
#include "model/line_tree.h"
#include "steer/charts.h"

typedef unsigned __int128 u128;

static uint64_t seed = 1;

static uint64_t
draw(uint64_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * UINT64_C(0x2545f4914f6cdd1d) % below;
}

/* -- a world: data, custom lines -- */

#define CUSTOMS 7
#define CIDRS   6
#define RANGES  40

static const char *const builtin[] = { "search_google", "search", "cloud_aws", "cloud",
	"telecom_zj", "telecom", "mobile", "cn_zj", "cn_east", "cn", "asia", "us_ca", "us",
	"north_america", "oversea" };

struct net {
	int family; /* enum atlas_family */
	u128 first, last;
	unsigned bits;
};

struct custom {
	char name[8];
	bool exists;
	const char *parent;
	struct net nets[CIDRS];
	size_t n;
};

struct range {
	u128 first;
	uint16_t lines[8];
	size_t n;
};

struct world {
	struct charts *charts;
	struct custom customs[CUSTOMS];
	bool data;
	struct range ranges[ATLAS_FAMILIES][RANGES];
	size_t n_ranges[ATLAS_FAMILIES];
};

static unsigned
width(int family)
{
	return family == ATLAS_V4 ? 32 : 128;
}

/* Addresses stand in the top bits, as in a position. */
static u128
top_bits(unsigned n)
{
	return n == 0 ? 0 : ~(u128)0 << (128 - n);
}

/* Crowded, so that networks meet: few different bits at few places. */
static u128
draw_address(int family)
{
	static const uint64_t crowd[] = { 0, 0x0a00000000000000, 0x0a80000000000000,
		0x20010db800000000, 0x20010db800010000, 0x7fffffff00000000, 0x8000000000000000,
		UINT64_MAX };
	u128 a = (u128)crowd[draw(8)] << 64 | (draw(3) == 0 ? UINT64_MAX : 0);

	for (uint64_t flips = draw(4); flips > 0; flips--)
		a ^= (u128)1 << (127 - draw(width(family)));
	return a & top_bits(width(family));
}

static struct atlas_point
point(u128 a)
{
	return (struct atlas_point){ (uint64_t)(a >> 64), (uint64_t)a };
}

static int
compare_ranges(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

/* As 2-model has it: kind, the deeper one, then by code so that it is told. */
static int
compare_lines(const void *a, const void *b)
{
	const struct line_info *x = line_tree_at(*(const uint16_t *)a);
	const struct line_info *y = line_tree_at(*(const uint16_t *)b);

	if (x->kind != y->kind)
		return (int)x->kind - (int)y->kind;
	return x->depth != y->depth ? y->depth - x->depth : strcmp(x->code, y->code);
}

static void
draw_ranges(struct world *w, struct atlas_draft *d, int f)
{
	const size_t n = 1 + draw(RANGES - 1);
	struct range *r = w->ranges[f];
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		r[i] = (struct range){ .first = i == 0 ? 0 : draw_address(f), .n = draw(6) };
		for (size_t k = 0; k < r[i].n; k++)
			r[i].lines[k] = line_tree_find(builtin[(draw(3) + 3 * k)])->index;
	}
	qsort(r, n, sizeof(*r), compare_ranges);
	for (size_t i = 0; i < n; i++)
		if (i + 1 == n || r[i].first != r[i + 1].first)
			r[kept++] = r[i];
	w->n_ranges[f] = kept;
	for (size_t i = 0; i < kept; i++) {
		const uint32_t set = atlas_draft_set(d, r[i].lines, r[i].n); /* as drawn */

		qsort(r[i].lines, r[i].n, sizeof(*r[i].lines), compare_lines);
		atlas_draft_from(d, f, point(r[i].first), set);
	}
}

static void
draw_data(struct world *w)
{
	struct atlas_draft *d = atlas_draft_new();

	w->data = draw(8) != 0;
	for (int f = 0; f < ATLAS_FAMILIES; f++)
		draw_ranges(w, d, f);
	if (!w->data)
		atlas_draft_free(&d);
	charts_set_atlas(w->charts, w->data ? atlas_draft_finish(&d) : NULL);
}

/* A line below itself is none of ours: the model refuses it. */
static bool
is_above(const struct world *w, const char *name, const char *parent)
{
	for (unsigned deep = 0; deep <= CUSTOMS; deep++) {
		const struct custom *c = NULL;

		if (strcmp(parent, name) == 0)
			return true;
		for (size_t i = 0; i < CUSTOMS; i++)
			if (strcmp(w->customs[i].name, parent) == 0)
				c = &w->customs[i];
		if (c == NULL || c->parent == NULL)
			return false;
		parent = c->parent;
	}
	return true;
}

static void
draw_parent(struct world *w, struct custom *c)
{
	static const char *const aliases[] = { "default", "internal", "cn_telecom_zhejiang",
		"nobody" };

	c->parent = NULL;
	switch (draw(4)) {
	case 0:
		c->parent = aliases[draw(4)];
		break;
	case 1:
		c->parent = builtin[draw(ARRAY_LEN(builtin))];
		break;
	default:
		do
			c->parent = w->customs[draw(CUSTOMS)].name;
		while (is_above(w, c->name, c->parent) && draw(20) != 0);
		if (is_above(w, c->name, c->parent))
			c->parent = "default";
	}
}

static void
draw_nets(struct custom *c)
{
	c->n = draw(CIDRS + 1);
	for (size_t i = 0; i < c->n; i++) {
		struct net *n = &c->nets[i];

		n->family = (int)draw(2);
		n->bits = (unsigned)draw(width(n->family) + 1);
		if (draw(2) == 0)
			n->bits = n->bits % 9; /* short ones are met more often */
		n->first = draw_address(n->family) & top_bits(n->bits);
		n->last = n->first | (~top_bits(n->bits) & top_bits(width(n->family)));
	}
}

static char *
net_text(const struct net *n)
{
	struct cidr c = { .bits = (uint8_t)n->bits,
		.family = n->family == ATLAS_V4 ? AF_INET : AF_INET6 };
	static char text[CIDR_TEXT_SIZE];

	for (int i = 0; i < 16; i++)
		c.ip[i] = (uint8_t)(n->first >> (120 - 8 * i));
	return cidr_text(&c, text);
}

static void
draw_custom(struct world *w, size_t i)
{
	struct custom *c = &w->customs[i];
	char *texts[CIDRS];

	c->exists = draw(5) != 0;
	if (!c->exists) {
		charts_drop_line(w->charts, c->name);
		return;
	}
	draw_parent(w, c);
	draw_nets(c);
	for (size_t k = 0; k < c->n; k++)
		texts[k] = xstrdup(net_text(&c->nets[k]));

	const struct line_spec spec = { .parent = c->parent, .cidrs = { texts, c->n } };

	charts_put_line(w->charts, c->name, &spec);
	for (size_t k = 0; k < c->n; k++)
		free(texts[k]);
}

static void
init_world(struct world *w)
{
	*w = (struct world){ .charts = charts_new() };
	for (size_t i = 0; i < CUSTOMS; i++)
		snprintf(w->customs[i].name, sizeof(w->customs[i].name), "x%zu", i);
	for (size_t i = 0; i < CUSTOMS; i++)
		draw_custom(w, i);
	draw_data(w);
}

/* -- the oracle -- */

struct used {
	const char *lines[16];
	size_t n;
};

static const struct custom *
custom_named(const struct world *w, const char *name)
{
	for (size_t i = 0; i < CUSTOMS; i++)
		if (w->customs[i].exists && strcmp(w->customs[i].name, name) == 0)
			return &w->customs[i];
	return NULL;
}

static void
note(const struct used *u, const char *line, struct buf *out)
{
	char word[80];

	for (size_t i = 0; i < u->n; i++) {
		if (strcmp(u->lines[i], line) != 0)
			continue;
		snprintf(word, sizeof(word), "%zu,", i);
		if (strstr(buf_str(out), word) == NULL) /* places are of one digit */
			buf_puts(out, word);
	}
}

static void
note_custom(const struct world *w, const struct used *u, const struct custom *c, struct buf *out)
{
	const char *at = c->name;

	while (c != NULL) {
		note(u, c->name, out);
		at = c->parent;
		c = custom_named(w, at);
	}
	for (const struct line_info *l = line_tree_find(at); l != NULL; l = l->parent)
		note(u, l->code, out);
	if (line_tree_find(at) == NULL)
		note(u, at, out); /* a parent that is not there is nobody's line, but a name */
}

static void
note_customs(const struct world *w, const struct used *u, int f, u128 at, struct buf *out)
{
	const struct custom *in[CUSTOMS * CIDRS];
	unsigned bits[CUSTOMS * CIDRS];
	size_t n = 0;

	for (size_t i = CUSTOMS; i-- > 0;) /* of equal ones the last by name is inside */
		for (size_t k = 0; k < w->customs[i].n; k++) {
			const struct net *net = &w->customs[i].nets[k];

			if (!w->customs[i].exists || net->family != f || net->first > at ||
			    at > net->last)
				continue;
			in[n] = &w->customs[i];
			bits[n++] = net->bits;
		}
	for (unsigned len = 129; n > 0 && len-- > 0;)
		for (size_t i = 0; i < n; i++)
			if (bits[i] == len)
				note_custom(w, u, in[i], out);
}

static void
note_data(const struct world *w, const struct used *u, int f, u128 at, struct buf *out)
{
	const struct range *r = &w->ranges[f][0];

	if (!w->data)
		return;
	for (size_t i = 0; i < w->n_ranges[f]; i++)
		if (w->ranges[f][i].first <= at)
			r = &w->ranges[f][i];
	for (size_t k = 0; k < r->n; k++)
		note(u, line_tree_at(r->lines[k])->code, out);
}

/* Places of the lines that match, best first: "3,0,". The caller frees. */
static char *
oracle(const struct world *w, const struct used *u, int f, u128 at)
{
	struct buf b;

	buf_init(&b, 4096);
	buf_puts(&b, "");
	note_customs(w, u, f, at, &b);
	note_data(w, u, f, at, &b);

	char *text = xstrdup(buf_str(&b));

	buf_fini(&b);
	return text;
}

/* -- all places where something may change, with what the oracle says there -- */

#define BREAKS (RANGES + 2 * CUSTOMS * CIDRS + 2)

struct breaks {
	u128 at[BREAKS];
	char *order[BREAKS];
	size_t n;
};

static void
find_breaks(const struct world *w, const struct used *u, int f, struct breaks *b)
{
	*b = (struct breaks){ .n = 1 };
	for (size_t i = 0; i < w->n_ranges[f]; i++)
		b->at[b->n++] = w->ranges[f][i].first;
	for (size_t i = 0; i < CUSTOMS; i++)
		for (size_t k = 0; k < w->customs[i].n; k++) {
			const struct net *n = &w->customs[i].nets[k];
			const u128 one = (u128)1 << (128 - width(f));

			if (n->family != f)
				continue;
			b->at[b->n++] = n->first;
			if (n->last != top_bits(width(f)))
				b->at[b->n++] = n->last + one;
		}
	for (size_t i = 0; i < b->n; i++)
		b->order[i] = oracle(w, u, f, b->at[i]);
}

static void
free_breaks(struct breaks *b)
{
	for (size_t i = 0; i < b->n; i++)
		free(b->order[i]);
}

/* -- what the chart says -- */

static char *
order_of(const struct chart *c, unsigned class)
{
	const struct chart_class k = chart_class(c, class);
	struct buf b;

	buf_init(&b, 4096);
	for (unsigned i = 0; i < k.count; i++)
		buf_printf(&b, "%u,", k.lines[i]);

	char *text = xstrdup(buf_str(&b));

	buf_fini(&b);
	return text;
}

static struct position
position(int f, u128 at)
{
	return (struct position){ .hi = (uint64_t)(at >> 64),
		.lo = (uint64_t)at,
		.family = f == ATLAS_V4 ? 4 : 6,
		.bits = (uint8_t)width(f) };
}

struct look {
	const struct world *w;
	struct used u;
	struct chart *fine, *joined;
	uint16_t part[4096];
	struct breaks breaks[ATLAS_FAMILIES];
	struct strmap parts[1]; /* order -> part + 1 */
};

static uintptr_t
part_of(const struct look *l, const char *order)
{
	return (uintptr_t)strmap_find(&l->parts[0], order);
}

/* The largest prefix in which no break says something else. */
static unsigned
scope(const struct look *l, int f, u128 at, const char *order, bool joined)
{
	const struct breaks *b = &l->breaks[f];

	for (unsigned bits = 1; bits < width(f); bits++) {
		const u128 first = at & top_bits(bits), last = at | ~top_bits(bits);
		bool same = true;

		for (size_t i = 0; same && i < b->n; i++)
			if (b->at[i] > first && b->at[i] <= last)
				same = joined ? part_of(l, b->order[i]) == part_of(l, order)
					      : strcmp(b->order[i], order) == 0;
		if (same) {
			char *begins = oracle(l->w, &l->u, f, first);

			same = joined ? part_of(l, begins) == part_of(l, order)
				      : strcmp(begins, order) == 0;
			free(begins);
		}
		if (same)
			return bits;
	}
	return width(f);
}

static void
check_at(const struct look *l, int f, u128 at)
{
	const struct position p = position(f, at);
	unsigned got;
	char *want = oracle(l->w, &l->u, f, at);
	char *order = order_of(l->fine, chart_find(l->fine, &p, &got));

	assert_string_equal(order, want);
	assert_int_equal(got, scope(l, f, at, want, false));
	if (l->joined != NULL) {
		assert_int_equal(chart_find(l->joined, &p, &got) + 1, part_of(l, want));
		assert_int_equal(got, scope(l, f, at, want, true));
	}
	free(order);
	free(want);
}

static u128
draw_position(const struct look *l, int f)
{
	const struct breaks *b = &l->breaks[f];
	const u128 one = (u128)1 << (128 - width(f));

	switch (draw(4)) {
	case 0:
		return draw_address(f);
	case 1:
		return b->at[draw(b->n)] - one; /* before 0: the last one */
	case 2:
		return b->at[draw(b->n)];
	default:
		return b->at[draw(b->n)] + one;
	}
}

static int
compare_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void
draw_used(const struct world *w, struct used *u)
{
	u->n = 0;
	for (size_t i = 0; i < CUSTOMS && u->n < 4; i++)
		if (draw(2) == 0)
			u->lines[u->n++] = w->customs[i].name;
	for (size_t i = 0; i < ARRAY_LEN(builtin) && u->n < 9; i++)
		if (draw(2) == 0)
			u->lines[u->n++] = builtin[i];
	if (draw(10) == 0)
		u->lines[u->n++] = "nobody";
	if (u->n == 0)
		u->lines[u->n++] = "cn";
	qsort(u->lines, u->n, sizeof(*u->lines), compare_text);
}

static void
join(struct world *w, struct look *l)
{
	const unsigned n = chart_classes(l->fine);
	const unsigned parts = n < 2 ? 0 : 2 + (unsigned)draw(n - 1 < 4 ? n - 1 : 4);

	l->joined = NULL;
	strmap_init(&l->parts[0]);
	if (parts == 0)
		return;
	assert_true(n <= ARRAY_LEN(l->part));
	for (unsigned i = 0; i < n; i++) {
		char *order = order_of(l->fine, i);

		l->part[i] = (uint16_t)(i < parts ? i : draw(parts));
		strmap_put(&l->parts[0], order, (void *)(uintptr_t)(l->part[i] + 1));
		free(order);
	}
	l->joined = charts_join(w->charts, l->fine, l->part, parts);

	struct chart *again = charts_join(w->charts, l->fine, l->part, parts);

	assert_ptr_equal(again, l->joined);
	chart_unref(&again);
}

/* Returns how many positions were looked at. */
static size_t
check_chart(struct world *w, size_t positions)
{
	struct look l = { .w = w };
	const struct position nowhere = { .family = 0 };
	unsigned got = 7;

	draw_used(w, &l.u);
	l.fine = charts_get(w->charts, l.u.lines, l.u.n);

	struct chart *again = charts_get(w->charts, l.u.lines, l.u.n);

	assert_ptr_equal(again, l.fine);
	chart_unref(&again);
	join(w, &l);
	assert_int_equal(chart_class(l.fine, 0).count, 0);
	assert_int_equal(chart_find(l.fine, &nowhere, &got), 0);
	assert_int_equal(got, 0);
	if (l.joined != NULL) {
		assert_int_equal(chart_find(l.joined, &nowhere, &got), l.part[0]);
		assert_int_equal(got, 0);
	}
	for (int f = 0; f < ATLAS_FAMILIES; f++) {
		find_breaks(w, &l.u, f, &l.breaks[f]);
		check_at(&l, f, 0);
		check_at(&l, f, top_bits(width(f)));
		for (size_t i = 0; i < positions; i++)
			check_at(&l, f, draw_position(&l, f) & top_bits(width(f)));
		free_breaks(&l.breaks[f]);
	}
	strmap_fini(&l.parts[0]);
	chart_unref(&l.fine);
	chart_unref(&l.joined);
	return ATLAS_FAMILIES * (positions + 2);
}

static void
against_the_oracle(void **state)
{
	const char *asked = getenv("CHARTS_SEED");
	size_t cases = 0;

	(void)state;
	seed = asked != NULL ? strtoull(asked, NULL, 0) : UINT64_C(0x5eed) << 20;
	print_message("CHARTS_SEED=0x%jx\n", (uintmax_t)seed);
	for (int world = 0; world < 120; world++) {
		struct world w;

		init_world(&w);
		for (int turn = 0; turn < 10; turn++) {
			cases += check_chart(&w, 45);
			if (draw(4) == 0)
				draw_data(&w);
			else
				draw_custom(&w, draw(CUSTOMS));
		}
		charts_free(&w.charts);
		rcu_quiescent_state();
	}
	print_message("%zu cases\n", cases);
	assert_true(cases >= 100000);
}

/* -- which charts a change concerns -- */

static void
put(struct charts *cs, const char *name, const char *parent, const char *cidr)
{
	const char *cidrs[] = { cidr };
	const struct line_spec spec = { .parent = parent,
		.cidrs = { (void *)(uintptr_t)cidrs, cidr != NULL } };

	charts_put_line(cs, name, &spec);
}

/* Is the chart of this line still the one it was? */
static bool
stays(struct charts *cs, struct chart **held, const char *line)
{
	struct chart *now = charts_get(cs, &line, 1);
	const bool same = now == *held;

	chart_unref(held);
	*held = now;
	return same;
}

static void
only_those_concerned(void **state)
{
	static const char *const lines[] = { "cn", "far", "office", "telecom" };
	struct charts *cs = charts_new();
	struct chart *held[4];

	(void)state;
	put(cs, "office", "telecom", "10.0.0.0/8");
	put(cs, "far", "default", "192.0.2.0/24");
	for (size_t i = 0; i < 4; i++)
		held[i] = charts_get(cs, &lines[i], 1);

	put(cs, "far", "default", "198.51.100.0/24");
	assert_true(stays(cs, &held[0], "cn"));
	assert_false(stays(cs, &held[1], "far"));
	assert_true(stays(cs, &held[2], "office"));
	assert_true(stays(cs, &held[3], "telecom"));

	put(cs, "office", "telecom", "10.0.0.0/9"); /* telecom has it, too */
	assert_true(stays(cs, &held[0], "cn"));
	assert_true(stays(cs, &held[1], "far"));
	assert_false(stays(cs, &held[2], "office"));
	assert_false(stays(cs, &held[3], "telecom"));

	put(cs, "desk", "office", "10.1.0.0/16"); /* a new one below it */
	assert_true(stays(cs, &held[0], "cn"));
	assert_true(stays(cs, &held[1], "far"));
	assert_false(stays(cs, &held[2], "office"));
	assert_false(stays(cs, &held[3], "telecom"));

	put(cs, "office", "cn", "10.0.0.0/9"); /* takes the desk along */
	assert_false(stays(cs, &held[0], "cn"));
	assert_true(stays(cs, &held[1], "far"));
	assert_false(stays(cs, &held[2], "office"));
	assert_false(stays(cs, &held[3], "telecom"));

	charts_drop_line(cs, "office");
	assert_false(stays(cs, &held[0], "cn"));
	assert_true(stays(cs, &held[3], "telecom"));

	struct atlas_draft *d = atlas_draft_new();

	charts_set_atlas(cs, atlas_draft_finish(&d));
	assert_false(stays(cs, &held[0], "cn"));
	assert_true(stays(cs, &held[1], "far")); /* no data in it */
	for (size_t i = 0; i < 4; i++)
		chart_unref(&held[i]);
	charts_free(&cs);
}

/* Whoever holds a chart sees what it was made from. */
static void
a_chart_stays_as_it_is(void **state)
{
	const struct position inside = {
		.hi = UINT64_C(0x0a010203) << 32, .family = 4, .bits = 32
	};
	static const char *const lines[] = { "office" };
	static const uint16_t swap[] = { 1, 0 };
	struct charts *cs = charts_new();
	unsigned scope_bits;

	(void)state;
	put(cs, "office", "default", "10.0.0.0/8");

	struct chart *old = charts_get(cs, lines, 1);
	struct chart *joined = charts_join(cs, old, swap, 2);

	charts_drop_line(cs, "office");
	struct chart *now = charts_get(cs, lines, 1);

	assert_ptr_not_equal(old, now);
	assert_int_equal(chart_find(old, &inside, &scope_bits), 1);
	assert_int_equal(scope_bits, 8);
	assert_int_equal(chart_find(now, &inside, &scope_bits), 0);
	assert_int_equal(chart_classes(now), 1);
	chart_unref(&old);
	assert_int_equal(chart_find(joined, &inside, &scope_bits), 0);
	assert_int_equal(scope_bits, 8);
	chart_unref(&joined);
	chart_unref(&now);
	charts_free(&cs);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(against_the_oracle),
		cmocka_unit_test(only_those_concerned),
		cmocka_unit_test(a_chart_stays_as_it_is),
	};

	rcu_register_thread();
	const int failed = cmocka_run_group_tests(tests, NULL, NULL);

	rcu_barrier();
	rcu_unregister_thread();
	return failed;
}
