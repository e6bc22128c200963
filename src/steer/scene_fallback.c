/* SPDX-License-Identifier: GPL-3.0-or-later */
/* No pool is available: what the domain answers all the same, alike to everybody (2-model). */
#include "steer/scene_types.h"

static void
add_single(struct build *b, const struct compile_variant *v)
{
	struct scene *s = b->s;

	s->n_classes = 1;
	s->classes = arena_alloc(&s->arena, sizeof(*s->classes));
	b->variants = arena_alloc(&s->arena, sizeof(*b->variants));
	b->variants[b->n_variants++] = *v;
}

/* One pool for everybody: its available addresses, or all that may answer, health ignored. */
static bool
add_pool(struct build *b, uint32_t link, const struct live_link *l, bool healthy)
{
	const struct live_pool *p = l->pool;
	struct compile_member *members =
	    arena_alloc(&b->s->arena, (p->n_members + 1) * sizeof(*members));
	struct compile_pool *pool = arena_alloc(&b->s->arena, sizeof(*pool));
	const bool opens = live_pool_state(p, b->light.words, b->light.what_if).opens;
	size_t n = 0;

	for (size_t k = 0; k < p->n_members; k++) {
		const struct live_address *a = p->members[k].address;

		if (healthy ? scene_lives(a, opens, &b->light) : live_address_usable(a))
			members[n++] = b->crews[link].members[k];
	}
	if (n == 0 || !live_pool_usable(p))
		return false;
	*pool = (struct compile_pool){
		.name = p->live.o->name,
		.strategy = healthy ? live_pool_spec(p)->strategy : STRATEGY_ROUND_ROBIN,
		.max_answers = healthy ? live_pool_spec(p)->max_answers : 0,
		.weight = 1,
		.order = 1,
		.members = members,
		.count = n,
		.current = -1,
		.cursors = l->cursors,
		.ordinal = link,
	};
	add_single(b, &(struct compile_variant){ .strategy = STRATEGY_ROUND_ROBIN,
			  .pools = pool,
			  .count = 1,
			  .current = -1,
			  .cursors = b->d->lanes.list[0].cursors });
	return true;
}

/* The pool with the smallest order that may answer and has somebody; -1 if there is none. */
static int64_t
find_refuge(const struct live_domain *d, bool default_only)
{
	int64_t best = -1;

	for (size_t i = 0; i < d->n_links; i++) {
		const struct live_link *l = &d->links[i];

		if (!live_pool_usable(l->pool) || l->pool->live.state.usable == 0 ||
		    (default_only && !live_link_serves(l->spec, LIVE_DEFAULT_LINE)))
			continue;
		if (best < 0 || l->spec->order < d->links[best].spec->order)
			best = (int64_t)i;
	}
	return best;
}

/* Rules b and c of 2-model. */
static enum live_fallback
fail_open(struct build *b)
{
	int64_t link = find_refuge(b->d, true);

	b->s->rule = 'b';
	if (link < 0) {
		link = find_refuge(b->d, false);
		b->s->rule = 'c';
	}
	if (link < 0 || !add_pool(b, (uint32_t)link, &b->d->links[link], false)) {
		b->s->rule = 0;
		return LIVE_EMPTY;
	}
	b->s->rule_link = (uint32_t)link;
	return LIVE_FAIL_OPEN;
}

static enum live_fallback
last_good(struct build *b)
{
	b->light.good = &b->d->good;
	if (b->d->good.count > 0 && scene_add_available(b))
		return LIVE_LAST_GOOD;
	return fail_open(b);
}

static enum live_fallback
fallback_pool(struct build *b)
{
	const struct live_link *l = live_domain_refuge(b->d);
	const uint32_t link = (uint32_t)b->d->n_links;

	if (add_pool(b, link, l, true) || add_pool(b, link, l, false))
		return LIVE_FALLBACK_POOL;
	return fail_open(b);
}

static enum live_fallback
nodata(struct build *b)
{
	if (find_refuge(b->d, false) < 0)
		return LIVE_EMPTY;
	add_single(b, &(struct compile_variant){ .current = -1 });
	return LIVE_NODATA;
}

enum live_fallback
scene_add_fallback(struct build *b)
{
	switch ((enum fallback)live_domain_spec(b->d)->fallback) {
	case FALLBACK_FAIL_OPEN:
		return fail_open(b);
	case FALLBACK_POOL:
		return fallback_pool(b);
	case FALLBACK_LAST_GOOD:
		return last_good(b);
	case FALLBACK_PUBLIC_ZONE:
		return find_refuge(b->d, false) < 0 ? LIVE_EMPTY : LIVE_PUBLIC_ZONE;
	case FALLBACK_NODATA:
		return nodata(b);
	}
	return LIVE_EMPTY;
}
