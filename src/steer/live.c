/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "steer/live.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/line_tree.h"

const char *const live_fallback_words[] = {
	[LIVE_NO_FALLBACK] = NULL,
	[LIVE_FAIL_OPEN] = "fail_open",
	[LIVE_FALLBACK_POOL] = "fallback_pool",
	[LIVE_LAST_GOOD] = "last_good",
	[LIVE_PUBLIC_ZONE] = "public_zone",
	[LIVE_NODATA] = "nodata",
	[LIVE_EMPTY] = "public_zone",
};

const struct address_spec *
live_address_spec(const struct live_address *a)
{
	return a->live.o->spec;
}

const struct pool_spec *
live_pool_spec(const struct live_pool *p)
{
	return p->live.o->spec;
}

const struct domain_spec *
live_domain_spec(const struct live_domain *d)
{
	return d->live.o->spec;
}

const struct rrset_spec *
live_lined_spec(const struct live_lined *l)
{
	return l->live.o->spec;
}

/* -- lines -- */

void
live_idle(struct idle *idle, struct cursors *c)
{
	MEM_GROW(&idle->list, &idle->cap, idle->n + 1);
	idle->list[idle->n++] = c;
}

void
live_idle_retire(struct idle *idle)
{
	for (size_t i = 0; i < idle->n; i++)
		cursors_retire(&idle->list[i]);
	idle->n = 0;
}

static int
compare_lane(const void *line, const void *lane)
{
	return strcmp(line, ((const struct live_lane *)lane)->line);
}

struct live_lane *
live_lane_find(const struct lanes *l, const char *line)
{
	if (strcmp(line, LIVE_DEFAULT_LINE) == 0)
		return &l->list[0];
	return bsearch(line, l->list + 1, l->n - 1, sizeof(*l->list), compare_lane);
}

const char *
live_link_line(const struct link_spec *l, size_t i)
{
	const char *word = ((const char *const *)l->lines.items)[i];

	if (strcmp(word, LIVE_DEFAULT_LINE) == 0)
		return LIVE_DEFAULT_LINE;

	const struct line_info *built_in = line_tree_find(word);

	return built_in == NULL ? word : built_in->code;
}

bool
live_link_serves(const struct link_spec *l, const char *line)
{
	for (size_t i = 0; i < l->lines.count; i++) {
		if (strcmp(live_link_line(l, i), line) == 0)
			return true;
	}
	return false;
}

const struct live_link *
live_domain_refuge(const struct live_domain *d)
{
	return d->has_refuge ? &d->links[d->n_links] : NULL;
}

size_t
live_domain_all_links(const struct live_domain *d)
{
	return d->n_links + d->has_refuge;
}

/* -- rules 4 and 5 -- */

static const char *
supposed(const struct live_address *a, const struct what_if *w)
{
	return w == NULL ? NULL : strmap_find(w->verdicts, a->live.o->name);
}

/* `up`: its verdict. */
static bool
is_available(const struct live_address *a, bool up)
{
	const struct address_spec *s = live_address_spec(a);

	if (a->live.imposed.force == FORCE_UP)
		return true;
	if (!live_address_usable(a))
		return false;
	return s->mode == MODE_MANUAL ? s->manual_state == MANUAL_AVAILABLE : up;
}

struct live_state
live_address_fold(
    const struct live_address *a, const struct word_table *words, const struct what_if *w)
{
	const struct address_spec *s = live_address_spec(a);
	const char *verdict = supposed(a, w);
	struct live_state st = { .total = (uint32_t)a->n_checks };
	uint32_t unknown = 0;

	for (size_t i = 0; i < a->n_checks; i++) {
		const uint32_t word = word_load(words, a->checks[i]->slot);

		unknown += (word & WORD_UNKNOWN) != 0;
		st.good += (word & WORD_UNKNOWN) != 0 || (word & WORD_DOWN) == 0;
	}
	st.health = health_address(&s->healthy_when, st.good, unknown, st.total);
	st.steadied = a->steady && verdict == NULL;
	if (verdict != NULL) {
		st.health = strcmp(verdict, "up") == 0 ? HEALTH_OK : HEALTH_EXCEPTIONAL;
		st.good = st.health == HEALTH_OK ? st.total : 0;
	}
	st.available = is_available(a, st.steadied ? a->steady_up : health_is_available(st.health));
	return st;
}

struct live_state
live_address_state(
    const struct live_address *a, const struct word_table *words, const struct what_if *w)
{
	return supposed(a, w) == NULL ? a->live.state : live_address_fold(a, words, w);
}

/* -- rule 6 -- */

struct live_state
live_pool_fold(const struct live_pool *p, const struct word_table *words, const struct what_if *w)
{
	const bool forced_up = p->live.imposed.force == FORCE_UP;
	struct live_state st = { 0 };

	for (size_t i = 0; i < p->n_members; i++) {
		const struct live_address *a = p->members[i].address;

		if (!live_address_counts(a))
			continue;
		st.total++;
		st.usable += live_address_usable(a);
		st.good += live_address_state(a, words, w).available;
	}
	st.health = health_pool(&live_pool_spec(p)->healthy_when, st.good, st.total);
	st.opens = forced_up && st.good == 0;
	if (forced_up)
		st.available = st.usable > 0;
	else
		st.available = live_pool_usable(p) && health_is_available(st.health);
	return st;
}

struct live_state
live_pool_state(const struct live_pool *p, const struct word_table *words, const struct what_if *w)
{
	return w == NULL ? p->live.state : live_pool_fold(p, words, w);
}

/* -- rule 7 -- */

/* A drained pool is as if it were not linked. */
static bool
is_linked(const struct live_pool *p)
{
	return p->live.imposed.force != FORCE_DRAIN;
}

struct live_state
live_domain_fold(
    const struct live_domain *d, const struct word_table *words, const struct what_if *w)
{
	struct live_state st = { 0 };

	for (size_t i = 0; i < d->n_links; i++) {
		const struct live_pool *p = d->links[i].pool;
		const struct live_state of = live_pool_state(p, words, w);

		st.total += is_linked(p);
		st.good += of.available;
		st.usable += live_pool_usable(p) && of.usable > 0;
	}
	st.health = health_domain(st.good, st.total);
	if (live_domain_rests(d) || d->live.imposed.force == FORCE_DOWN)
		st.available = false;
	else
		st.available =
		    live_domain_frozen(d) ? st.usable > 0 : health_is_available(st.health);
	return st;
}

/* -- how loud -- */

static enum live_level
level_of(enum health h)
{
	if (h == HEALTH_EXCEPTIONAL)
		return LIVE_DOWN;
	return h == HEALTH_OK_ALERT ? LIVE_DEGRADED : LIVE_GOOD;
}

/* Of an address only down is worth an event; degraded shows in its status. */
enum live_level
live_address_level(const struct live_address *a)
{
	if (!live_address_counts(a))
		return LIVE_QUIET;
	if (a->live.imposed.force == FORCE_DOWN)
		return LIVE_DOWN;
	if (a->live.state.steadied)
		return a->steady_up ? LIVE_GOOD : LIVE_DOWN;
	return a->live.state.health == HEALTH_EXCEPTIONAL ? LIVE_DOWN : LIVE_GOOD;
}

/* An empty pool is unavailable, but nothing has happened to it. */
enum live_level
live_pool_level(const struct live_pool *p)
{
	const bool forced_down = p->live.imposed.force == FORCE_DOWN && live_pool_spec(p)->enabled;

	if ((!forced_down && !live_pool_usable(p)) || p->live.state.total == 0)
		return LIVE_QUIET;
	return forced_down ? LIVE_DOWN : level_of(p->live.state.health);
}

enum live_level
live_domain_level(const struct live_domain *d)
{
	if (live_domain_rests(d) || d->n_links == 0)
		return LIVE_QUIET;
	if (d->fallback == LIVE_EMPTY)
		return LIVE_GONE;
	return d->live.imposed.force == FORCE_DOWN ? LIVE_DOWN : level_of(d->live.state.health);
}
