/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "steer/scene.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "dns/rrtype.h"

struct light {
	const struct word_table *words;
	const struct what_if *what_if;
};

static bool
lives(const struct live_address *a, const struct light *l)
{
	return live_address_state(a, l->words, l->what_if).available;
}

/* A pool whose rule is met by nobody at all would have nothing to answer. */
static bool
answers(const struct live_pool *p, const struct light *l)
{
	const struct live_state st = live_pool_state(p, l->words, l->what_if);

	return st.available && st.good > 0;
}

/* -- sequences -- */

struct live_address *
scene_next_address(
    const struct live_pool *p, const struct word_table *words, const struct what_if *w)
{
	const struct light light = { words, w };
	const struct live_member *best = NULL;

	if (live_pool_spec(p)->strategy != STRATEGY_SEQUENCE ||
	    live_pool_spec(p)->sequence_mode != SEQUENCE_NON_PREEMPTIVE)
		return NULL;
	for (size_t i = 0; i < p->n_members; i++) {
		const struct live_member *m = &p->members[i];

		if (!lives(m->address, &light))
			continue;
		if (m->address == p->current)
			return p->current;
		if (best == NULL || m->spec->order < best->spec->order)
			best = m;
	}
	return best == NULL ? NULL : best->address;
}

struct live_pool *
scene_next_pool(
    const struct live_domain *d, const struct word_table *words, const struct what_if *w)
{
	const struct light light = { words, w };
	const struct live_link *best = NULL;

	if (live_domain_spec(d)->strategy != STRATEGY_SEQUENCE ||
	    live_domain_spec(d)->sequence_mode != SEQUENCE_NON_PREEMPTIVE)
		return NULL;
	for (size_t i = 0; i < d->n_links; i++) {
		const struct live_link *l = &d->links[i];

		if (!answers(l->pool, &light))
			continue;
		if (l->pool == d->current)
			return d->current;
		if (best == NULL || l->spec->order < best->spec->order)
			best = l;
	}
	return best == NULL ? NULL : best->pool;
}

/* -- members -- */

static void
add_member(struct scene *s, const struct live_domain *d, uint32_t link, uint32_t member)
{
	const struct live_member *m = &d->links[link].pool->members[member];
	const uint32_t tag = (uint32_t)s->n_members++;

	s->sources[tag] = (struct scene_source){ link, member };
	s->members[tag] = (struct compile_member){
		.value = live_address_spec(m->address)->value,
		.rdata = m->address->rdata,
		.rdlen = m->address->rdlen,
		.rrtype = m->address->rrtype,
		.weight = m->spec->weight,
		.order = m->spec->order,
		.tag = tag,
	};
}

static struct compile_pool *
open_pool(struct scene *s, const struct live_domain *d, uint32_t link)
{
	const struct live_link *l = &d->links[link];
	struct compile_pool *p = &s->pools[s->input.count++];

	*p = (struct compile_pool){
		.strategy = live_pool_spec(l->pool)->strategy,
		.weight = l->spec->weight,
		.order = l->spec->order,
		.members = &s->members[s->n_members],
		.current = -1,
		.cursors = l->cursors,
		.ordinal = link,
	};
	return p;
}

static void
add_available(struct scene *s, const struct live_domain *d, const struct light *light)
{
	const struct live_pool *stay = scene_next_pool(d, light->words, light->what_if);

	for (uint32_t i = 0; i < d->n_links; i++) {
		const struct live_pool *pool = d->links[i].pool;

		if (!answers(pool, light))
			continue;
		if (pool == stay)
			s->input.current = (int64_t)s->input.count;

		struct compile_pool *p = open_pool(s, d, i);
		const struct live_address *on =
		    scene_next_address(pool, light->words, light->what_if);

		for (uint32_t k = 0; k < pool->n_members; k++) {
			if (!lives(pool->members[k].address, light))
				continue;
			if (pool->members[k].address == on)
				p->current = (int64_t)p->count;
			add_member(s, d, i, k);
			p->count++;
		}
	}
}

/* -- fallback -- */

static bool
has_default_line(const struct link_spec *l)
{
	const char *const *lines = l->lines.items;

	for (size_t i = 0; i < l->lines.count; i++) {
		if (strcmp(lines[i], "default") == 0)
			return true;
	}
	return false;
}

/* The enabled, non-empty pool with the smallest order; -1 if there is none. */
static int64_t
find_refuge(const struct live_domain *d, bool default_only)
{
	int64_t best = -1;

	for (size_t i = 0; i < d->n_links; i++) {
		const struct live_link *l = &d->links[i];

		if (!live_pool_spec(l->pool)->enabled || l->pool->live.state.total == 0 ||
		    (default_only && !has_default_line(l->spec)))
			continue;
		if (best < 0 || l->spec->order < d->links[best].spec->order)
			best = (int64_t)i;
	}
	return best;
}

static void
add_refuge(struct scene *s, const struct live_domain *d)
{
	int64_t link = find_refuge(d, true);

	s->rule = 'b';
	if (link < 0) {
		link = find_refuge(d, false);
		s->rule = 'c';
	}
	if (link < 0) {
		s->fallback = LIVE_PUBLIC_ZONE;
		s->rule = 0;
		return;
	}
	s->fallback = LIVE_FAIL_OPEN;
	s->rule_link = (uint32_t)link;
	s->input.fallback = true;
	s->input.strategy = STRATEGY_ROUND_ROBIN;

	const struct live_pool *pool = d->links[link].pool;
	struct compile_pool *p = open_pool(s, d, (uint32_t)link);

	p->strategy = STRATEGY_ROUND_ROBIN;
	for (uint32_t k = 0; k < pool->n_members; k++) {
		if (!live_address_spec(pool->members[k].address)->enabled)
			continue;
		add_member(s, d, (uint32_t)link, k);
		p->count++;
	}
}

void
scene_init(struct scene *s, const struct live_domain *d, const struct word_table *words,
    const struct what_if *w)
{
	const struct light light = { words, w };
	const struct domain_spec *spec = live_domain_spec(d);
	size_t room = 0;

	for (size_t i = 0; i < d->n_links; i++)
		room += d->links[i].pool->n_members;
	*s = (struct scene){
		.pools = xcalloc(d->n_links + 1, sizeof(*s->pools)),
		.members = xcalloc(room + 1, sizeof(*s->members)),
		.sources = xcalloc(room + 1, sizeof(*s->sources)),
	};
	s->input = (struct compile_input){
		.strategy = spec->strategy,
		.ttl_s = spec->ttl_s,
		.rrtype = d->rrtype,
		.pools = s->pools,
		.current = -1,
		.cursors = d->cursors,
	};
	add_available(s, d, &light);
	if (s->input.count == 0 && d->n_links > 0)
		add_refuge(s, d);
}

void
scene_fini(struct scene *s)
{
	free(s->pools);
	free(s->members);
	free(s->sources);
	*s = (struct scene){ 0 };
}

/* -- everybody -- */

/* Records of one type; of CNAME just the first (RFC 1034 3.6.2). */
static struct rrset *
everybody(const struct live_domain *d, uint16_t rrtype)
{
	struct rrset *set = NULL;
	struct buf data;

	buf_init(&data, SIZE_MAX);
	for (size_t i = 0; i < d->n_links; i++) {
		const struct live_pool *pool = d->links[i].pool;

		for (size_t k = 0; k < pool->n_members && live_pool_spec(pool)->enabled; k++) {
			const struct live_address *a = pool->members[k].address;

			if (a->rrtype != rrtype || !live_address_spec(a)->enabled ||
			    (rrtype == RRTYPE_CNAME && data.len > 0))
				continue;
			buf_put_u16(&data, a->rdlen);
			buf_put(&data, a->rdata, a->rdlen);
		}
	}
	if (data.len > 0)
		set = rrset_new(rrtype, live_domain_spec(d)->ttl_s, data.data, data.len);
	buf_fini(&data);
	return set;
}

struct rrset *
scene_fallback_set(const struct live_domain *d)
{
	struct rrset *set = everybody(d, d->rrtype);

	return set != NULL || d->rrtype == RRTYPE_CNAME ? set : everybody(d, RRTYPE_CNAME);
}
