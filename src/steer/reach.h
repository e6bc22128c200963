/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * reach -- which links each line reaches, of the pools of a domain or of the addresses of a pool,
 * and which line's links answer a class of clients. Private to the room. Pure.
 */
#pragma once

#include "base/arena.h"
#include "model/nouns.h"
#include "steer/charts.h"

/* The links of a domain or a pool by line: a table of lists, and how many of each are available. */
struct reach {
	uint32_t n_lines;  /* lines of the domain; list n_lines is default's */
	uint32_t *begin;   /* list i: entries[begin[i]] .. entries[begin[i + 1]] */
	uint32_t *entries; /* numbers of links, in their order */
	uint32_t *alive;   /* by list */
	bool *lives;       /* by link */
	uint32_t n_links;
	bool next_line; /* when a line is down try the next best one before default */
};
#define REACH_NONE UINT32_MAX

/* `lives` is kept. Lines outside of `lines` and "default" reach nobody. */
void reach_init(struct reach *r, struct arena *a, char *const *lines, size_t n_lines,
    const struct link_spec *const *links, bool *lives, uint32_t n_links);
/* For a class: the list that answers, and the one that matched; REACH_NONE: none. */
void
reach_choose(const struct reach *r, const struct chart_class *c, uint32_t *matched, uint32_t *used);
/* Who is available in list `used`; REACH_NONE: of all. Returns how many it wrote. */
uint32_t reach_list(const struct reach *r, uint32_t used, uint32_t *out);
