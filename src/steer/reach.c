/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "steer/reach.h"

#include <stdlib.h>
#include <string.h>

#include "steer/live.h"

static int
compare(const void *line, const void *entry)
{
	return strcmp(line, *(char *const *)entry);
}

/* The list of a line; REACH_NONE if nobody asks for it. */
static uint32_t
list_of(char *const *lines, size_t n, const char *line)
{
	if (strcmp(line, LIVE_DEFAULT_LINE) == 0)
		return (uint32_t)n;

	char *const *found = n == 0 ? NULL : bsearch(line, lines, n, sizeof(*lines), compare);

	return found == NULL ? REACH_NONE : (uint32_t)(found - lines);
}

/* Count, sum up, fill in: two passes over all lines of all links. */
void
reach_init(struct reach *r, struct arena *a, char *const *lines, size_t n_lines,
    const struct link_spec *const *links, bool *lives, uint32_t n_links)
{
	size_t total = 0;

	for (uint32_t i = 0; i < n_links; i++)
		total += links[i]->lines.count;
	*r = (struct reach){
		.n_lines = (uint32_t)n_lines,
		.begin = arena_alloc(a, (n_lines + 2) * sizeof(*r->begin)),
		.entries = arena_alloc(a, (total + 1) * sizeof(*r->entries)),
		.alive = arena_alloc(a, (n_lines + 1) * sizeof(*r->alive)),
		.lives = lives,
		.n_links = n_links,
	};

	uint32_t *lists = arena_alloc(a, (total + 1) * sizeof(*lists)), *list = lists;
	uint32_t *at = arena_alloc(a, (n_lines + 1) * sizeof(*at));

	for (uint32_t i = 0; i < n_links; i++)
		for (size_t k = 0; k < links[i]->lines.count; k++, list++) {
			*list = list_of(lines, n_lines, live_link_line(links[i], k));
			if (*list == REACH_NONE)
				continue;
			r->begin[*list + 1]++;
			r->alive[*list] += lives[i];
		}
	for (size_t i = 0; i <= n_lines; i++) {
		r->begin[i + 1] += r->begin[i];
		at[i] = r->begin[i];
	}
	list = lists;
	for (uint32_t i = 0; i < n_links; i++)
		for (size_t k = 0; k < links[i]->lines.count; k++, list++)
			if (*list != REACH_NONE)
				r->entries[at[*list]++] = i;
}

void
reach_choose(const struct reach *r, const struct chart_class *c, uint32_t *matched, uint32_t *used)
{
	*matched = *used = REACH_NONE;
	for (unsigned i = 0; i <= c->count; i++) {
		const uint32_t list = i < c->count ? c->lines[i] : r->n_lines;

		if (r->begin[list] == r->begin[list + 1])
			continue; /* nobody serves it */
		if (*matched == REACH_NONE)
			*matched = list;
		else if (!r->next_line && list != r->n_lines)
			continue;
		if (r->alive[list] > 0) {
			*used = list;
			return;
		}
	}
}

uint32_t
reach_list(const struct reach *r, uint32_t used, uint32_t *out)
{
	uint32_t n = 0;

	if (used == REACH_NONE) {
		for (uint32_t i = 0; i < r->n_links; i++)
			if (r->lives[i])
				out[n++] = i;
		return n;
	}
	for (uint32_t i = r->begin[used]; i < r->begin[used + 1]; i++)
		if (r->lives[r->entries[i]])
			out[n++] = r->entries[i];
	return n;
}
