/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Everything lives in the scene's arena. */
#include "steer/scene.h"

#include "base/check.h"
#include "steer/scene_types.h"

static bool
is_degraded(const struct build *b)
{
	for (size_t i = 0; i < b->d->n_links; i++) {
		const struct live_pool *p = b->d->links[i].pool;
		const struct live_state st = live_pool_state(p, b->light.words, b->light.what_if);

		if (p->live.imposed.force == FORCE_DRAIN)
			continue;
		if (!st.available || st.good < st.total)
			return true;
	}
	return false;
}

/* All members of a link, numbered. */
static void
muster(struct build *b, uint32_t link, const struct live_link *l)
{
	struct scene *s = b->s;
	struct crew *c = &b->crews[link];

	c->link = l;
	c->members = arena_alloc(&s->arena, (l->pool->n_members + 1) * sizeof(*c->members));
	for (uint32_t k = 0; k < l->pool->n_members; k++) {
		const struct live_member *m = &l->pool->members[k];
		const uint32_t tag = (uint32_t)s->n_members++;

		s->sources[tag] = (struct scene_source){ link, k };
		c->members[k] = (struct compile_member){
			.value = live_address_spec(m->address)->value,
			.rdata = m->address->rdata,
			.rdlen = m->address->rdlen,
			.rrtype = m->address->rrtype,
			.weight = m->spec->weight,
			.order = m->spec->order,
			.tag = tag,
		};
	}
}

static void
muster_all(struct build *b)
{
	const struct live_domain *d = b->d;
	const struct live_link *refuge = live_domain_refuge(d);
	size_t room = refuge == NULL ? 0 : refuge->pool->n_members;

	for (size_t i = 0; i < d->n_links; i++)
		room += d->links[i].pool->n_members;
	b->s->sources = arena_alloc(&b->s->arena, (room + 1) * sizeof(*b->s->sources));
	b->crews = arena_alloc(&b->s->arena, (d->n_links + 1) * sizeof(*b->crews));
	for (uint32_t i = 0; i < d->n_links; i++)
		muster(b, i, &d->links[i]);
	if (refuge != NULL)
		muster(b, (uint32_t)d->n_links, refuge);
}

/* The chart by variants instead of classes; NULL if there is but one variant. */
static struct chart *
join(struct build *b, struct charts *charts)
{
	const struct scene *s = b->s;

	if (b->n_variants < 2)
		return NULL;

	uint16_t *part = arena_alloc(&b->s->arena, s->n_classes * sizeof(*part));

	for (uint32_t i = 0; i < s->n_classes; i++)
		part[i] = (uint16_t)s->classes[i].variant;
	CHECK(b->n_variants <= UINT16_MAX);
	return charts_join(charts, b->chart, part, (unsigned)b->n_variants);
}

void
scene_init(struct scene *s, struct charts *charts, const struct live_domain *d,
    const struct word_table *words, const struct what_if *w)
{
	const struct domain_spec *spec = live_domain_spec(d);
	struct build b = { .s = s,
		.d = d,
		.light = { words, w, NULL, live_domain_frozen(d) },
		.chart = d->audience.chart };

	*s = (struct scene){ 0 };
	arena_init(&s->arena);
	strmap_init(&b.known);
	strmap_init(&b.shapes);
	if (d->n_links > 0 && !live_domain_rests(d)) {
		muster_all(&b);
		s->degraded = is_degraded(&b);
		if (d->live.imposed.force == FORCE_DOWN || !scene_add_available(&b))
			s->fallback = scene_add_fallback(&b);
	}
	strmap_fini(&b.known);
	strmap_fini(&b.shapes);
	s->variants = b.variants;
	s->input = (struct compile_input){
		.ttl_s =
		    s->degraded && spec->degraded_ttl_s > 0 ? spec->degraded_ttl_s : spec->ttl_s,
		.max_answers = spec->max_answers,
		.rrtype = d->rrtype,
		.fallback = s->fallback != LIVE_NO_FALLBACK,
		.ecs = spec->ecs,
		.variants = b.variants,
		.n_variants = b.n_variants,
		.chart = join(&b, charts),
		.balance = d->balance,
		.ttl_min_s = spec->ttl_min_s,
	};
}

void
scene_fini(struct scene *s)
{
	if (s->input.chart != NULL)
		chart_unref(&s->input.chart);
	arena_fini(&s->arena);
	*s = (struct scene){ 0 };
}
