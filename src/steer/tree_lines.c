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
add(struct line_set *set, const char *line)
{
	if (strcmp(line, LIVE_DEFAULT_LINE) == 0)
		return;
	MEM_GROW(&set->list, &set->cap, set->n + 1);
	set->list[set->n++] = (char *)(uintptr_t)line;
}

static void
collect(struct line_set *set, const struct link_spec *l)
{
	for (size_t i = 0; i < l->lines.count; i++)
		add(set, live_link_line(l, i));
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
open_lane(struct tree *t, struct live *l, struct live_lane *lane, const char *line, bool moves)
{
	const bool is_default = strcmp(line, LIVE_DEFAULT_LINE) == 0;

	*lane = (struct live_lane){ .line = xstrdup(line) };
	if (t->recalled.count > 0) {
		char *key = tree_memory_key(l->o->kind, l->o->name, line);

		lane->recalled = tree_memory_take(t, key);
		free(key);
	}
	if (moves)
		lane->cursors = cursors_new(l->o->name, is_default ? "" : line, t->workers);
}

static void
close_lane(struct tree *t, const struct live *l, struct live_lane *lane, struct idle *idle)
{
	char *key = tree_memory_key(l->o->kind, l->o->name, lane->line);

	if (lane->current != NULL || lane->recalled != NULL)
		t->hooks.remember(t->hooks.arg, key, NULL);
	if (lane->cursors != NULL)
		live_idle(idle, lane->cursors);
	free(key);
	free(lane->line);
	free(lane->recalled);
}

/* `idle` NULL: nothing moves in these lanes. */
static void
relane(struct tree *t, struct live *l, struct lanes *lanes, struct line_set *set, struct idle *idle)
{
	struct lanes now = { 0 };

	tidy(set);
	now.n = set->n + 1;
	now.list = xcalloc(now.n, sizeof(*now.list));
	for (size_t i = 0; i < now.n; i++) {
		const char *line = i == 0 ? LIVE_DEFAULT_LINE : set->list[i - 1];
		struct live_lane *old = lanes->n == 0 ? NULL : live_lane_find(lanes, line);

		if (old == NULL) {
			open_lane(t, l, &now.list[i], line, idle != NULL);
			continue;
		}
		now.list[i] = *old;
		old->cursors = NULL; /* `line` stays, for the search */
		old->recalled = NULL;
		old->current = NULL;
		now.list[i].line = xstrdup(line);
	}
	for (size_t i = 0; i < lanes->n; i++)
		close_lane(t, l, &lanes->list[i], idle);
	free(lanes->list);
	free(set->list);
	*lanes = now;
}

void
tree_lines_lanes(struct tree *t, struct live *l, struct lanes *lanes, const struct link_spec *links,
    size_t n, struct idle *idle)
{
	struct line_set set = { 0 };

	for (size_t i = 0; i < n; i++)
		collect(&set, &links[i]);
	relane(t, l, lanes, &set, idle);
}

static struct line_set
lines_of_lined(const struct live_lined *l)
{
	const struct field_list *records = &live_lined_spec(l)->records;
	const struct record_spec *r = records->items;
	struct line_set set = { 0 };

	for (size_t i = 0; i < records->count; i++)
		add(&set, rrset_record_line(&r[i]));
	return set;
}

void
tree_lines_lined(struct tree *t, struct live_lined *l)
{
	struct line_set set = lines_of_lined(l);

	relane(t, &l->live, &l->lanes, &set, &l->idle);
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

/* -- audiences -- */

static struct line_set
lines_of_domain(const struct live_domain *d)
{
	struct line_set set = { 0 };

	for (size_t i = 0; i < d->n_links; i++) {
		const struct live_pool *p = d->links[i].pool;

		collect(&set, d->links[i].spec);
		for (size_t k = 0; k < p->n_members; k++)
			collect(&set, p->members[k].spec);
	}
	return set;
}

static bool
is_same(const struct audience *a, const struct line_set *set)
{
	if (a->n_lines != set->n)
		return false;
	for (size_t i = 0; i < set->n; i++) {
		if (strcmp(a->lines[i], set->list[i]) != 0)
			return false;
	}
	return true;
}

static void
leave_lines(struct tree *t, struct audience *a)
{
	for (size_t i = 0; i < a->n_lines; i++) {
		struct strmap *users = strmap_find(&t->line_users, a->lines[i]);

		strmap_remove(users, a->key);
		if (users->count == 0) {
			strmap_remove(&t->line_users, a->lines[i]);
			strmap_fini(users);
			free(users);
		}
		free(a->lines[i]);
	}
	free(a->lines);
	a->lines = NULL;
	a->n_lines = 0;
}

static void
join_lines(struct tree *t, struct audience *a, const struct line_set *set)
{
	a->lines = xcalloc(set->n + 1, sizeof(*a->lines));
	a->n_lines = set->n;
	for (size_t i = 0; i < set->n; i++) {
		struct strmap *users = strmap_find(&t->line_users, set->list[i]);

		if (users == NULL) {
			users = xcalloc(1, sizeof(*users));
			strmap_init(users);
			strmap_put(&t->line_users, set->list[i], users);
		}
		a->lines[i] = xstrdup(set->list[i]);
		strmap_put(users, a->key, a);
	}
}

void
tree_lines_arrive(struct audience *a, struct live *who)
{
	char key[CHANGE_KEY_SIZE];

	*a = (struct audience){
		.who = who,
		.key = xstrdup(change_key(who->o->kind, who->o->name, key)),
		.chart_due = true,
	};
	list_init(&a->stale);
}

void
tree_lines_chart(struct tree *t, struct audience *a)
{
	if (!a->chart_due)
		return;

	struct line_set set = a->who->o->kind == KIND_DOMAIN
				  ? lines_of_domain((const struct live_domain *)a->who)
				  : lines_of_lined((const struct live_lined *)a->who);

	tidy(&set);
	if (!is_same(a, &set)) {
		leave_lines(t, a);
		join_lines(t, a, &set);
	}
	free(set.list);
	if (a->chart != NULL)
		chart_unref(&a->chart);
	if (a->n_lines > 0)
		a->chart = charts_get(t->charts, (const char *const *)a->lines, a->n_lines);
	a->chart_due = false;
	list_remove(&a->stale);
}

void
tree_lines_leave(struct tree *t, struct audience *a)
{
	leave_lines(t, a);
	if (a->chart != NULL)
		chart_unref(&a->chart);
	list_remove(&a->stale);
	free(a->key);
	a->key = NULL;
}

/* -- custom lines -- */

static void
mark_line(struct tree *t, const char *line)
{
	const struct strmap *users = strmap_find(&t->line_users, line);

	if (users == NULL)
		return;
	STRMAP_EACH (users, e) {
		struct audience *a = e->value;

		a->chart_due = true;
		tree_settle_mark(t, a->who);
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
			struct audience *user = u->value;

			list_remove(&user->stale);
			list_append(&t->stale, &user->stale);
		}
}

size_t
tree_refresh(struct tree *t, size_t max, int64_t real_ms)
{
	const struct tree_cause cause = { .code = "geo data", .real_ms = real_ms };
	size_t left = 0;

	OBJ_CHECK(t, TREE_MAGIC);
	LIST_EACH (it, tmp, &t->stale) {
		struct audience *a = LIST_ENTRY(it, struct audience, stale);

		if (max == 0) {
			left++;
			continue;
		}
		max--;
		a->chart_due = true;
		tree_settle_mark(t, a->who);
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
