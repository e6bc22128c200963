/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Cost: the links and members of the domain once, and for each class of clients the pools it gets.
 */
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "steer/scene_types.h"
#include "steer/strategy.h"

/* -- who is available -- */

bool
scene_lives(const struct live_address *a, bool opens, const struct light *l)
{
	if (l->good != NULL)
		return live_address_usable(a) && live_good_has(l->good, &a->live);
	if (l->frozen || opens)
		return live_address_usable(a);
	return live_address_state(a, l->words, l->what_if).available;
}

static bool
was_anybody_good(const struct live_pool *p, const struct light *l)
{
	for (size_t i = 0; i < p->n_members; i++) {
		if (scene_lives(p->members[i].address, false, l))
			return true;
	}
	return false;
}

/* A pool whose rule is met by nobody at all would have nothing to answer. */
static bool
answers(const struct live_pool *p, const struct light *l)
{
	const struct live_state st = live_pool_state(p, l->words, l->what_if);

	if (l->good != NULL)
		return live_pool_usable(p) && live_good_has(l->good, &p->live) &&
		       was_anybody_good(p, l);
	if (l->frozen)
		return live_pool_usable(p) && st.usable > 0;
	return st.available && (st.good > 0 || st.opens);
}

/* The number of a key in a map; a new one gets the next. */
static uint32_t
number_of(struct strmap *map, const char *key)
{
	uintptr_t number = (uintptr_t)strmap_find(map, key);

	if (number == 0) {
		number = map->count + 1;
		strmap_put(map, key, (void *)number);
	}
	return (uint32_t)(number - 1);
}

/* -- pools as classes see them -- */

static void
reach_members(struct build *b, struct crew *c)
{
	struct arena *a = &b->s->arena;
	const struct live_pool *p = c->link->pool;
	const bool opens = live_pool_state(p, b->light.words, b->light.what_if).opens;
	const struct link_spec **specs =
	    arena_alloc(a, (p->n_members + 1) * sizeof(struct link_spec *));
	bool *open = arena_alloc(a, p->n_members + 1);

	for (size_t k = 0; k < p->n_members; k++) {
		specs[k] = p->members[k].spec;
		open[k] = scene_lives(p->members[k].address, opens, &b->light);
	}
	reach_init(&c->reach, a, b->d->audience.lines, b->d->audience.n_lines, specs, open,
	    (uint32_t)p->n_members);
	c->by_used = arena_alloc(a, (b->d->audience.n_lines + 2) * sizeof(struct sight *));
}

static void
reach_pools(struct build *b)
{
	struct arena *a = &b->s->arena;
	const struct live_domain *d = b->d;
	const struct link_spec **specs =
	    arena_alloc(a, (d->n_links + 1) * sizeof(struct link_spec *));
	bool *open = arena_alloc(a, d->n_links + 1);

	for (size_t i = 0; i < d->n_links; i++) {
		specs[i] = d->links[i].spec;
		open[i] = answers(d->links[i].pool, &b->light);
	}
	reach_init(&b->reach, a, d->audience.lines, d->audience.n_lines, specs, open,
	    (uint32_t)d->n_links);
	b->reach.next_line = live_domain_spec(d)->line_failover == LINE_FAILOVER_NEXT;
	for (size_t i = 0; i < d->n_links; i++) {
		if (open[i])
			reach_members(b, &b->crews[i]);
	}
}

static const char *
line_of(const struct build *b, uint32_t list)
{
	return list == REACH_NONE               ? NULL
	       : list == b->d->audience.n_lines ? LIVE_DEFAULT_LINE
						: b->d->audience.lines[list];
}

/* Where the sequence of these clients is; NULL: nowhere in particular. */
static const struct live *
pointer(const struct build *b, const struct live_pool *pool, const struct live_lane *lane)
{
	int64_t due_ms;

	if (b->light.good != NULL || b->light.frozen || lane == NULL)
		return NULL;
	if (b->light.what_if == NULL)
		return lane->current;
	if (pool != NULL)
		return scene_next_address(
		    pool, lane, b->light.words, b->light.what_if, INT64_MAX / 2, &due_ms);
	return scene_next_pool(
	    b->d, lane, b->light.words, b->light.what_if, INT64_MAX / 2, &due_ms);
}

/* Whom a choice among n comes down to: what tells it from another one. The caller frees. */
static struct candidate *
come_down(int strategy, const struct compile_member *members, const struct compile_pool *pools,
    size_t *n, int64_t current, uint32_t limit)
{
	struct candidate *list = xcalloc(*n + 1, sizeof(*list));

	for (size_t i = 0; i < *n; i++)
		list[i] = (struct candidate){
			.index = (uint32_t)i,
			.weight = members != NULL ? members[i].weight : pools[i].weight,
			.order = members != NULL ? members[i].order : pools[i].order,
		};
	if (*n > 0)
		*n = strategy_arrange(strategy, list, *n, current, limit);
	return list;
}

/* A number for a key: six bits a byte, none of them NUL. */
static void
put_number(struct buf *key, uint32_t n)
{
	char digits[7];
	size_t len = 0;

	do
		digits[len++] = (char)(64 + n % 64);
	while ((n /= 64) > 0);
	digits[len++] = ' ';
	buf_put(key, digits, len);
}

/* The shape of a pool: whom it chooses from, by tag. Equal ones of a link get the same number.
 * Nobody compares where all clients are one class. */
static uint32_t
shape_of(struct build *b, const struct compile_pool *p)
{
	struct candidate *list;
	size_t n = p->count;
	struct buf key;

	if (b->s->n_classes == 1)
		return 0;
	list = come_down(
	    p->strategy, p->members, NULL, &n, p->current, p->max_answers > 0 ? p->max_answers : 1);
	buf_init(&key, SIZE_MAX);
	put_number(&key, p->ordinal);
	for (size_t i = 0; i < n; i++)
		put_number(&key, p->members[list[i].index].tag);
	free(list);

	const uint32_t shape = number_of(&b->shapes, buf_str(&key));

	buf_fini(&key);
	return shape;
}

/* The pool as the clients of list `used` of its own reach see it. */
static const struct sight *
look_at(struct build *b, uint32_t link, uint32_t used)
{
	struct crew *c = &b->crews[link];
	const struct live_pool *p = c->link->pool;
	struct sight **made = &c->by_used[used == REACH_NONE ? b->d->audience.n_lines + 1 : used];

	if (*made != NULL)
		return *made;

	struct arena *a = &b->s->arena;
	uint32_t *list = arena_alloc(a, (p->n_members + 1) * sizeof(*list));
	const uint32_t n = reach_list(&c->reach, used, list);
	struct compile_member *members = arena_alloc(a, (n + 1) * sizeof(*members));
	const char *line = line_of(b, used);
	const struct live_lane *lane = line == NULL ? NULL : live_lane_find(&p->lanes, line);
	const struct live *on = pointer(b, p, lane);
	struct sight *seen = arena_alloc(a, sizeof(*seen));

	seen->pool = (struct compile_pool){
		.name = p->live.o->name,
		.strategy = live_pool_spec(p)->strategy,
		.max_answers = live_pool_spec(p)->max_answers,
		.weight = c->link->spec->weight,
		.order = c->link->spec->order,
		.members = members,
		.count = n,
		.current = -1,
		.cursors = c->link->cursors,
		.ordinal = link,
	};
	for (uint32_t i = 0; i < n; i++) {
		members[i] = c->members[list[i]];
		if (&p->members[list[i]].address->live == on)
			seen->pool.current = i;
	}
	seen->shape = shape_of(b, &seen->pool);
	return *made = seen;
}

/* -- variants -- */

/* `shapes`: of its pools. */
static uint32_t
number_of_variant(struct build *b, const struct compile_variant *v, const uint32_t *shapes)
{
	struct candidate *list;
	size_t n = v->count;
	struct buf key;
	uint32_t number;

	if (b->s->n_classes == 1)
		return 0;
	list = come_down(v->strategy, NULL, v->pools, &n, v->current, 1);
	buf_init(&key, SIZE_MAX);
	for (size_t i = 0; i < n; i++)
		put_number(&key, shapes[list[i].index]);
	free(list);
	number = number_of(&b->known, buf_str(&key));
	buf_fini(&key);
	return number;
}

/* Variants that come down to the same are one. */
static uint32_t
add_variant(struct build *b, const struct compile_variant *v, const uint32_t *shapes)
{
	const uint32_t number = number_of_variant(b, v, shapes);

	if (number == b->n_variants)
		b->variants[b->n_variants++] = *v;
	return number;
}

static void
judge_class(struct build *b, uint32_t class)
{
	struct scene *s = b->s;
	const struct live_domain *d = b->d;
	const struct chart_class of =
	    b->chart == NULL ? (struct chart_class){ .count = 0 } : chart_class(b->chart, class);
	uint32_t matched, used, in_pool, ignored;

	reach_choose(&b->reach, &of, &matched, &used);

	const uint32_t n = reach_list(&b->reach, used, b->list);
	const char *line = line_of(b, used);
	const struct live_lane *lane =
	    live_lane_find(&d->lanes, line == NULL ? LIVE_DEFAULT_LINE : line);
	const struct live *on = line == NULL ? NULL : pointer(b, NULL, lane);
	struct compile_pool *pools = arena_alloc(&s->arena, (n + 1) * sizeof(*pools));
	struct compile_variant v = { .strategy = live_domain_spec(d)->strategy,
		.pools = pools,
		.count = n,
		.current = -1,
		.cursors = lane->cursors };
	uint32_t *shapes = arena_alloc(&s->arena, (n + 1) * sizeof(*shapes));

	for (uint32_t i = 0; i < n; i++) {
		reach_choose(&b->crews[b->list[i]].reach, &of, &ignored, &in_pool);

		const struct sight *seen = look_at(b, b->list[i], in_pool);

		pools[i] = seen->pool;
		shapes[i] = seen->shape;
		if (&d->links[b->list[i]].pool->live == on)
			v.current = i;
	}
	s->classes[class] = (struct scene_class){
		.matched = line_of(b, matched),
		.used = line,
		.variant = add_variant(b, &v, shapes),
	};
}

static bool
anybody(const struct reach *r)
{
	for (uint32_t i = 0; i < r->n_links; i++) {
		if (r->lives[i])
			return true;
	}
	return false;
}

bool
scene_add_available(struct build *b)
{
	struct scene *s = b->s;

	reach_pools(b);
	if (!anybody(&b->reach))
		return false;
	s->n_classes = b->chart == NULL ? 1 : chart_classes(b->chart);
	s->classes = arena_alloc(&s->arena, s->n_classes * sizeof(*s->classes));
	b->variants = arena_alloc(&s->arena, s->n_classes * sizeof(*b->variants));
	b->list = arena_alloc(&s->arena, (b->d->n_links + 1) * sizeof(*b->list));
	for (uint32_t i = 0; i < s->n_classes; i++)
		judge_class(b, i);
	return true;
}
