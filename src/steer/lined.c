/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Everything lives in the arena; the texts are the model's. */
#include "steer/lined.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/mem.h"
#include "steer/strategy.h"

/* A line that records serve. */
struct share {
	const char *line;
	struct compile_member *members; /* the enabled ones */
	size_t n;
	bool weighted;
	bool known; /* it has a variant by now */
	uint32_t variant;
};

struct build {
	struct lined *s;
	const struct live_lined *l;
	struct share *lists; /* by number of the line; the last is default's */
	uint32_t n_lists;
	struct strmap known; /* what a variant consists of -> its number + 1 */
	uint32_t n_variants;
};

static int
compare(const void *line, const void *entry)
{
	return strcmp(line, *(char *const *)entry);
}

static struct share *
list_of(const struct build *b, const struct record_spec *r)
{
	const struct audience *a = &b->l->audience;
	const char *line = rrset_record_line(r);

	if (strcmp(line, LIVE_DEFAULT_LINE) == 0)
		return &b->lists[a->n_lines];

	char *const *found = bsearch(line, a->lines, a->n_lines, sizeof(*a->lines), compare);

	CHECK(found != NULL);
	return &b->lists[found - a->lines];
}

/* Who is in which list: count, then fill in. */
static void
muster(struct build *b)
{
	const struct rrset_spec *spec = live_lined_spec(b->l);
	const struct record_spec *r = spec->records.items;
	const struct audience *a = &b->l->audience;

	b->n_lists = (uint32_t)a->n_lines + 1;
	b->lists = arena_alloc(&b->s->arena, b->n_lists * sizeof(*b->lists));
	for (uint32_t i = 0; i < b->n_lists; i++)
		b->lists[i].line = i < a->n_lines ? a->lines[i] : LIVE_DEFAULT_LINE;
	for (size_t i = 0; i < spec->records.count; i++) {
		struct share *list = list_of(b, &r[i]);

		list->n += r[i].enabled;
		list->weighted |= r[i].weight != RECORD_NO_WEIGHT;
	}
	for (uint32_t i = 0; i < b->n_lists; i++) {
		b->lists[i].members =
		    arena_alloc(&b->s->arena, (b->lists[i].n + 1) * sizeof(struct compile_member));
		b->lists[i].n = 0;
	}
	for (size_t i = 0; i < spec->records.count; i++) {
		struct share *list = list_of(b, &r[i]);

		if (!r[i].enabled)
			continue;
		list->members[list->n++] = (struct compile_member){
			.value = r[i].data,
			.rdata = r[i].rdata,
			.rdlen = r[i].rdlen,
			.rrtype = b->l->rrtype,
			.weight = r[i].weight == RECORD_NO_WEIGHT ? 1 : r[i].weight,
			.tag = (uint32_t)i,
		};
	}
}

static uint32_t
common_divisor(uint32_t a, uint32_t b)
{
	while (b != 0) {
		const uint32_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/* Who answers for a line and in which proportion, as text: equal texts, equal answers. */
static void
describe(const struct share *list, int strategy, struct buf *key)
{
	struct candidate *c = xcalloc(list->n + 1, sizeof(*c));
	size_t n = list->n;
	uint32_t unit = 0;

	for (size_t i = 0; i < n; i++)
		c[i] = (struct candidate){ (uint32_t)i, list->members[i].weight, 0 };
	if (n > 0)
		n = strategy_arrange(strategy, c, n, -1, 0);
	for (size_t i = 0; i < n; i++)
		unit = common_divisor(c[i].weight, unit);
	if (n > 1)
		buf_printf(key, "%d", strategy);
	for (size_t i = 0; i < n; i++)
		buf_printf(key, "\n%u %s", c[i].weight / unit, list->members[c[i].index].value);
	free(c);
}

static void
fill_variant(struct build *b, const struct share *list, int strategy, struct compile_variant *v)
{
	struct compile_pool *pool = arena_alloc(&b->s->arena, sizeof(*pool));
	struct cursors *cursors = live_lane_find(&b->l->lanes, list->line)->cursors;

	*pool = (struct compile_pool){
		.name = list->line,
		.strategy = strategy,
		.weight = 1,
		.members = list->members,
		.count = list->n,
		.current = -1,
		.cursors = cursors,
	};
	*v = (struct compile_variant){
		.strategy = STRATEGY_SEQUENCE, /* of one */
		.pools = pool,
		.count = list->n > 0,
		.current = -1,
		.cursors = cursors,
	};
}

static uint32_t
variant_of(struct build *b, struct share *list)
{
	const int strategy = list->weighted ? STRATEGY_WEIGHT : STRATEGY_ROUND_ROBIN;
	struct buf key;

	if (list->known)
		return list->variant;
	buf_init(&key, SIZE_MAX);
	describe(list, strategy, &key);

	uintptr_t number = (uintptr_t)strmap_find(&b->known, buf_str(&key));

	if (number == 0) {
		fill_variant(b, list, strategy, &b->s->variants[b->n_variants]);
		number = ++b->n_variants;
		strmap_put(&b->known, buf_str(&key), (void *)number);
	}
	buf_fini(&key);
	list->known = true;
	list->variant = (uint32_t)(number - 1);
	return list->variant;
}

static void
judge_class(struct build *b, uint32_t i)
{
	const struct chart *chart = b->l->audience.chart;
	const struct chart_class of =
	    chart == NULL ? (struct chart_class){ .count = 0 } : chart_class(chart, i);
	struct share *list = &b->lists[b->n_lists - 1];

	for (unsigned k = 0; k < of.count; k++) {
		if (b->lists[of.lines[k]].n == 0)
			continue;
		list = &b->lists[of.lines[k]];
		break;
	}
	b->s->classes[i] = (struct lined_class){
		.line = list->n > 0 ? list->line : NULL,
		.variant = variant_of(b, list),
	};
}

static bool
anything(const struct build *b)
{
	for (uint32_t i = 0; i < b->n_lists; i++) {
		if (b->lists[i].n > 0)
			return true;
	}
	return false;
}

/* The chart by variants instead of classes; NULL if there is but one variant. */
static struct chart *
join(const struct build *b, struct charts *charts)
{
	struct lined *s = b->s;
	uint16_t *part;

	if (b->n_variants < 2)
		return NULL;
	part = arena_alloc(&s->arena, s->n_classes * sizeof(*part));
	for (uint32_t i = 0; i < s->n_classes; i++)
		part[i] = (uint16_t)s->classes[i].variant;
	return charts_join(charts, b->l->audience.chart, part, b->n_variants);
}

static void
judge(struct build *b, struct charts *charts)
{
	struct lined *s = b->s;
	const struct chart *chart = b->l->audience.chart;

	s->n_classes = chart == NULL ? 1 : chart_classes(chart);
	s->classes = arena_alloc(&s->arena, s->n_classes * sizeof(*s->classes));
	s->variants = arena_alloc(&s->arena, b->n_lists * sizeof(*s->variants));
	for (uint32_t i = 0; i < s->n_classes; i++)
		judge_class(b, i);
	s->input = (struct compile_input){
		.ttl_s = live_lined_spec(b->l)->ttl_s,
		.rrtype = b->l->rrtype,
		.zone_data = true,
		.ecs = true,
		.variants = s->variants,
		.n_variants = b->n_variants,
		.chart = join(b, charts),
	};
}

void
lined_init(struct lined *s, struct charts *charts, const struct live_lined *l)
{
	struct build b = { .s = s, .l = l };

	*s = (struct lined){ 0 };
	arena_init(&s->arena);
	strmap_init(&b.known);
	muster(&b);
	if (anything(&b))
		judge(&b, charts);
	strmap_fini(&b.known);
}

void
lined_fini(struct lined *s)
{
	if (s->input.chart != NULL)
		chart_unref(&s->input.chart);
	arena_fini(&s->arena);
	*s = (struct lined){ 0 };
}
