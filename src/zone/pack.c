/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "zone/pack.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "dns/rrtype.h"
#include "zone/rrset.h"
#include "zone/zonefile_check.h"

#define OWNER_TYPES 256 /* looked at when a set joins them */

/* One type at an owner: a run of the sorted pile. */
struct group {
	size_t at, count;
	const struct pile_record *first; /* to come */
};

/* Remember the first problems by line: what a reader of the file meets first. */
static void
note(struct pack *p, uint32_t line, const char *why)
{
	size_t at = p->count;

	while (at > 0 && p->problems[at - 1].line > line)
		at--;
	if (at == PACK_PROBLEMS)
		return;
	if (p->count < PACK_PROBLEMS)
		p->count++;
	memmove(
	    &p->problems[at + 1], &p->problems[at], (p->count - 1 - at) * sizeof(p->problems[0]));
	p->problems[at] = (struct pack_problem){ line, why };
}

/* { rdlen; rdata } of all records of the group. */
static void
gather(const struct pack *p, const struct group *g, struct buf *out)
{
	buf_clear(out);
	for (size_t i = 0; i < g->count; i++) {
		const struct pile_record *r = pile_at(p->pile, g->at + i);

		buf_put_u16(out, r->rdata_len);
		buf_put(out, pile_rdata(r), r->rdata_len);
	}
}

/* The rules for a set of `count` records, seen from the sets that came before it at its owner. */
static void
check_group(struct pack *p, const struct group *all, size_t n, const struct group *g, size_t count)
{
	uint16_t have[OWNER_TYPES];
	size_t n_have = 0;
	const char *why;

	for (size_t i = 0; i < n && n_have < OWNER_TYPES; i++)
		if (all[i].first->turn < g->first->turn)
			have[n_have++] = all[i].first->type;
	why = zonefile_check_rule(p->apex, g->first->owner, g->first->type, count, have, n_have);
	if (why != NULL)
		note(p, g->first->line, why);
}

/* Pack the group's set; the number of its different records. */
static size_t
pack_group(struct pack *p, const struct group *g, struct buf *scratch)
{
	struct rrpage_set set = {
		.owner = g->first->owner, .type = g->first->type, .ttl_s = g->first->ttl_s
	};
	size_t count = 1;

	gather(p, g, scratch);
	if (g->count == 1 && set.type != RRTYPE_RRSIG) { /* whose TTL is its own affair */
		set.rdata = scratch->data;
		set.rdata_len = (uint32_t)scratch->len;
		rrpage_add(p->out, name_len(p->apex), &set);
		return count;
	}

	struct rrset *sorted = rrset_new(set.type, set.ttl_s, scratch->data, scratch->len);

	if (sorted == NULL) {
		note(p, g->first->line, "over 65535 records of one name and type");
		return count;
	}
	set.ttl_s = sorted->ttl_s;
	set.rdata = sorted->data;
	set.rdata_len = sorted->size;
	count = sorted->count;
	rrpage_add(p->out, name_len(p->apex), &set);
	rrset_free(&sorted);
	return count;
}

struct work {
	struct buf rdata;
	struct group *groups; /* of one owner */
	size_t count, cap;
};

static void
find_groups(const struct pack *p, size_t at, size_t records, struct work *w)
{
	w->count = 0;
	for (size_t i = at; i < at + records; i += w->groups[w->count++].count) {
		MEM_GROW(&w->groups, &w->cap, w->count + 1);
		w->groups[w->count] =
		    (struct group){ i, pile_set_run(p->pile, i), pile_at(p->pile, i) };
	}
}

/* The sets of the owner whose records begin at `at`; how many records these are. */
static size_t
take_owner(struct pack *p, size_t at, struct work *w)
{
	const size_t records = pile_owner_run(p->pile, at);

	find_groups(p, at, records, w);
	for (size_t i = 0; i < w->count; i++) {
		const size_t count = pack_group(p, &w->groups[i], &w->rdata);

		if (w->count > 1 || count > 1)
			check_group(p, w->groups, w->count, &w->groups[i], count);
	}
	return records;
}

void
pack_run(struct pack *p)
{
	struct work w = { .groups = NULL };

	buf_init(&w.rdata, SIZE_MAX);
	pile_sort(p->pile);
	for (size_t at = 0; at < pile_count(p->pile);)
		at += take_owner(p, at, &w);
	buf_fini(&w.rdata);
	free(w.groups);
}
