/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lines as the tree sees them: lanes of links, the charts that domains need, and who must be looked
 * at again when a line or the data under all of them change.
 */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "model/line_tree.h"
#include "steer/charts.h"
#include "steer/tree_types.h"

/* -- sets of lines: sorted arrays of canonical codes -- */

static int
compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

struct line_set {
	char **list; /* borrowed texts */
	size_t n, cap;
};

static void
collect(struct line_set *set, const struct link_spec *l)
{
	for (size_t i = 0; i < l->lines.count; i++) {
		const char *line = live_link_line(l, i);

		if (strcmp(line, LIVE_DEFAULT_LINE) == 0)
			continue;
		MEM_GROW(&set->list, &set->cap, set->n + 1);
		set->list[set->n++] = (char *)(uintptr_t)line;
	}
}

static void
tidy(struct line_set *set)
{
	size_t kept = 0;

	if (set->n > 1)
		qsort(set->list, set->n, sizeof(*set->list), compare);
	for (size_t i = 0; i < set->n; i++) {
		if (kept == 0 || strcmp(set->list[kept - 1], set->list[i]) != 0)
			set->list[kept++] = set->list[i];
	}
	set->n = kept;
}

/* -- lanes -- */

static void
open_lane(struct tree *t, struct live *l, struct live_lane *lane, const char *line, bool of_domain)
{
	const bool is_default = strcmp(line, LIVE_DEFAULT_LINE) == 0;
	char *key = tree_memory_key(l->o->kind, l->o->name, line);

	*lane = (struct live_lane){ .line = xstrdup(line) };
	lane->recalled = tree_memory_take(t, key);
	if (of_domain)
		lane->cursors = cursors_new(l->o->name, is_default ? "" : line, t->workers);
	free(key);
}

static void
close_lane(struct tree *t, const struct live *l, struct live_lane *lane, struct live_domain *d)
{
	char *key = tree_memory_key(l->o->kind, l->o->name, lane->line);

	if (lane->current != NULL || lane->recalled != NULL)
		t->hooks.remember(t->hooks.arg, key, NULL);
	if (d != NULL) {
		MEM_GROW(&d->idle, &d->cap_idle, d->n_idle + 1);
		d->idle[d->n_idle++] = lane->cursors;
	}
	free(key);
	free(lane->line);
	free(lane->recalled);
}

void
tree_lines_lanes(struct tree *t, struct live *l, struct lanes *lanes, const struct link_spec *links,
    size_t n, struct live_domain *d)
{
	struct line_set set = { 0 };
	struct lanes now = { 0 };

	for (size_t i = 0; i < n; i++)
		collect(&set, &links[i]);
	tidy(&set);
	now.n = set.n + 1;
	now.list = xcalloc(now.n, sizeof(*now.list));
	for (size_t i = 0; i < now.n; i++) {
		const char *line = i == 0 ? LIVE_DEFAULT_LINE : set.list[i - 1];
		struct live_lane *old = lanes->n == 0 ? NULL : live_lane_find(lanes, line);

		if (old == NULL) {
			open_lane(t, l, &now.list[i], line, d != NULL);
			continue;
		}
		now.list[i] = *old;
		old->cursors = NULL; /* `line` stays, for the search */
		old->recalled = NULL;
		old->current = NULL;
		now.list[i].line = xstrdup(line);
	}
	for (size_t i = 0; i < lanes->n; i++)
		close_lane(t, l, &lanes->list[i], lanes->list[i].cursors == NULL ? NULL : d);
	free(lanes->list);
	free(set.list);
	*lanes = now;
}

void
tree_lines_free(struct lanes *lanes)
{
	for (size_t i = 0; i < lanes->n; i++) {
		cursors_free(&lanes->list[i].cursors);
		free(lanes->list[i].line);
		free(lanes->list[i].recalled);
	}
	free(lanes->list);
	*lanes = (struct lanes){ 0 };
}

/* -- charts -- */

static struct line_set
lines_of(const struct live_domain *d)
{
	struct line_set set = { 0 };

	for (size_t i = 0; i < d->n_links; i++) {
		const struct live_pool *p = d->links[i].pool;

		collect(&set, d->links[i].spec);
		for (size_t k = 0; k < p->n_members; k++)
			collect(&set, p->members[k].spec);
	}
	tidy(&set);
	return set;
}

static bool
is_same(const struct live_domain *d, const struct line_set *set)
{
	if (d->n_lines != set->n)
		return false;
	for (size_t i = 0; i < set->n; i++) {
		if (strcmp(d->lines[i], set->list[i]) != 0)
			return false;
	}
	return true;
}

static void
leave_lines(struct tree *t, struct live_domain *d)
{
	for (size_t i = 0; i < d->n_lines; i++) {
		struct strmap *users = strmap_find(&t->line_users, d->lines[i]);

		strmap_remove(users, d->key);
		if (users->count == 0) {
			strmap_remove(&t->line_users, d->lines[i]);
			strmap_fini(users);
			free(users);
		}
		free(d->lines[i]);
	}
	free(d->lines);
	d->lines = NULL;
	d->n_lines = 0;
}

static void
join_lines(struct tree *t, struct live_domain *d, const struct line_set *set)
{
	d->lines = xcalloc(set->n + 1, sizeof(*d->lines));
	d->n_lines = set->n;
	for (size_t i = 0; i < set->n; i++) {
		struct strmap *users = strmap_find(&t->line_users, set->list[i]);

		if (users == NULL) {
			users = xcalloc(1, sizeof(*users));
			strmap_init(users);
			strmap_put(&t->line_users, set->list[i], users);
		}
		d->lines[i] = xstrdup(set->list[i]);
		strmap_put(users, d->key, d);
	}
}

void
tree_lines_chart(struct tree *t, struct live_domain *d)
{
	if (!d->chart_due)
		return;

	struct line_set set = lines_of(d);

	if (!is_same(d, &set)) {
		leave_lines(t, d);
		join_lines(t, d, &set);
	}
	free(set.list);
	if (d->chart != NULL)
		chart_unref(&d->chart);
	if (d->n_lines > 0)
		d->chart = charts_get(t->charts, (const char *const *)d->lines, d->n_lines);
	d->chart_due = false;
	list_remove(&d->stale);
}

void
tree_lines_leave(struct tree *t, struct live_domain *d)
{
	leave_lines(t, d);
	if (d->chart != NULL)
		chart_unref(&d->chart);
	list_remove(&d->stale);
}

/* -- custom lines -- */

static void
mark_line(struct tree *t, const char *line)
{
	const struct strmap *users = strmap_find(&t->line_users, line);

	if (users == NULL)
		return;
	STRMAP_EACH (users, e) {
		struct live_domain *d = e->value;

		d->chart_due = true;
		tree_settle_mark(t, &d->live);
	}
}

/* The next line upwards; NULL above the top. */
static const char *
parent_of(const struct tree *t, const char *line)
{
	const struct model_object *o = model_find(&t->model, KIND_LINE, line);
	const struct line_info *built_in = o != NULL ? NULL : line_tree_find(line);

	if (o != NULL)
		return ((const struct line_spec *)o->spec)->parent;
	return built_in == NULL || built_in->parent == NULL ? NULL : built_in->parent->code;
}

/* Whoever is a client of the line is one of its ancestors, too. */
static void
mark_ancestry(struct tree *t, const char *line)
{
	for (; line != NULL; line = parent_of(t, line)) {
		const struct line_info *built_in = line_tree_find(line);

		mark_line(t, built_in == NULL ? line : built_in->code);
	}
}

void
tree_lines_put(struct tree *t, const struct change_op *op)
{
	mark_ancestry(t, op->name); /* as it was */

	const struct model_object *o = model_apply(&t->model, op);

	charts_put_line(t->charts, op->name, o->spec);
	mark_ancestry(t, op->name);
}

void
tree_lines_drop(struct tree *t, const char *name)
{
	mark_ancestry(t, name);
	charts_drop_line(t->charts, name);
}

/* -- other data -- */

void
tree_set_atlas(struct tree *t, struct atlas *a)
{
	OBJ_CHECK(t, TREE_MAGIC);
	charts_set_atlas(t->charts, a);
	STRMAP_EACH (&t->line_users, e)
		STRMAP_EACH ((const struct strmap *)e->value, u) {
			struct live_domain *d = u->value;

			list_remove(&d->stale);
			list_append(&t->stale, &d->stale);
		}
}

size_t
tree_refresh(struct tree *t, size_t max, int64_t real_ms)
{
	const struct tree_cause cause = { .code = "geo data", .real_ms = real_ms };
	size_t left = 0;

	OBJ_CHECK(t, TREE_MAGIC);
	LIST_EACH (it, tmp, &t->stale) {
		struct live_domain *d = LIST_ENTRY(it, struct live_domain, stale);

		if (max == 0) {
			left++;
			continue;
		}
		max--;
		d->chart_due = true;
		tree_settle_mark(t, &d->live);
	}
	tree_settle(t, &cause);
	return left;
}

const struct charts *
tree_charts(const struct tree *t)
{
	OBJ_CHECK(t, TREE_MAGIC);
	return t->charts;
}
