/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What operators impose on an object is found anew whenever it is settled: its override by its
 * name, O(1), and the maintenance windows among those who refer to it. Nothing is kept in step, so
 * nothing can get out of step. When it may change next stands in the tree's agenda, so a window
 * that opens or an override that ends costs its object, those above it and O(log n); nobody is
 * searched.
 *
 *	phase 0 of a settlement:  domains -> pools -> addresses
 *	                          a hold goes down:  domain -> its pools' addresses
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/target.h"
#include "steer/tree_types.h"

/* -- who is concerned -- */

static void
touch(enum kind kind, const char *name, const struct diag_path *path, void *arg)
{
	struct tree *t = arg;
	struct model_object *o = model_find(&t->model, kind, name);
	struct live *l = o == NULL ? NULL : o->runtime;

	(void)path;
	if (l == NULL)
		return;
	l->edited = true;
	tree_settle_mark(t, l);
}

void
tree_impose_touch(struct tree *t, const struct change_op *op)
{
	const struct model_object *o = model_find(&t->model, op->kind, op->name);
	char of[KIND_NAME_SIZE];
	enum kind kind;

	if (op->kind == KIND_OVERRIDE && target_parse(op->name, &kind, of) == NULL)
		touch(kind, of, NULL, t);
	if (op->kind == KIND_MAINTENANCE && o != NULL)
		kind_table[KIND_MAINTENANCE].refs(o->spec, touch, t);
}

static void
mark_members(struct tree *t, const struct live_pool *p)
{
	for (size_t i = 0; i < p->n_members; i++)
		tree_settle_mark(t, &p->members[i].address->live);
}

static void
mark_below(struct tree *t, struct live *l)
{
	const struct live_domain *d = (const struct live_domain *)l;

	if (l->o->kind == KIND_POOL)
		mark_members(t, (const struct live_pool *)l);
	for (size_t i = 0; l->o->kind == KIND_DOMAIN && i < live_domain_all_links(d); i++)
		mark_members(t, d->links[i].pool);
}

void
tree_impose_let_go(struct tree *t, struct live *l)
{
	if (l->imposed.force == FORCE_HOLD)
		mark_below(t, l);
}

/* -- what is imposed -- */

static int
by_name(const void *a, const void *b)
{
	const struct model_object *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

/* Its windows, by name, so that each start of the engine prefers the same one; to free(). */
static const struct model_object **
find_windows(const struct tree *t, const struct live *l, size_t *n)
{
	const struct model_object **list;

	*n = 0;
	if (t->model.objects[KIND_MAINTENANCE].count == 0)
		return NULL;
	list = xcalloc(l->o->referrers.count + 1, sizeof(struct model_object *));
	STRMAP_EACH (&l->o->referrers, e) {
		const struct model_object *o = e->value;

		if (o->kind == KIND_MAINTENANCE)
			list[(*n)++] = o;
	}
	qsort(list, *n, sizeof(struct model_object *), by_name);
	return list;
}

static const struct model_object *
find_override(const struct tree *t, const struct live *l)
{
	char name[KIND_NAME_SIZE];

	if (t->model.objects[KIND_OVERRIDE].count == 0)
		return NULL;
	return model_find(&t->model, KIND_OVERRIDE, target_text(l->o->kind, l->o->name, name));
}

static struct live_imposed
judge(const struct tree *t, const struct live *l, int64_t now_ms, int64_t *turn_ms)
{
	const struct model_object *override = find_override(t, l);
	struct force_override o = { .force = FORCE_NONE };
	struct force_window *windows;
	struct live_imposed imposed;
	struct force_verdict v;
	size_t n;
	const struct model_object **list = find_windows(t, l, &n);

	if (override != NULL)
		o = (struct force_override){
			.force = override_force(override->spec),
			.until_ms = ((const struct override_spec *) override->spec)->until_ms,
		};
	windows = xcalloc(n + 1, sizeof(*windows));
	for (size_t i = 0; i < n; i++)
		windows[i] = maintenance_window(list[i]->spec);
	v = force_at(&o, windows, n, now_ms);
	imposed = (struct live_imposed){ .force = v.force, .until_ms = v.until_ms };
	if (v.force != FORCE_NONE)
		imposed.by = v.by == FORCE_BY_OVERRIDE ? override : list[v.by];
	*turn_ms = v.next_ms;
	free(windows);
	free(list);
	return imposed;
}

void
tree_impose_refresh(struct tree *t, struct live *l, int64_t now_ms)
{
	const struct live_imposed was = l->imposed, is = judge(t, l, now_ms, &l->turn_ms);
	const bool held = was.force == FORCE_HOLD, holds = is.force == FORCE_HOLD;

	l->imposed = is;
	l->edited =
	    l->edited || is.force != was.force || is.by != was.by || is.until_ms != was.until_ms;
	t->n_holding += holds;
	t->n_holding -= held;
	if (held || holds)
		mark_below(t, l);
}

/* -- holds -- */

static const struct live *
holder_above(const struct live *l)
{
	STRMAP_EACH (&l->o->referrers, e) {
		const struct model_object *o = e->value;
		const struct live *above = o->runtime;

		if (o->kind != KIND_POOL && o->kind != KIND_DOMAIN)
			continue;
		if (above->imposed.force == FORCE_HOLD)
			return above;
		if (o->kind == KIND_POOL && (above = holder_above(above)) != NULL)
			return above;
	}
	return NULL;
}

const struct live *
tree_impose_keeper(const struct tree *t, const struct live_address *a)
{
	if (t->n_holding == 0)
		return NULL;
	if (a->live.imposed.force == FORCE_HOLD)
		return &a->live;
	return a->live.imposed.force == FORCE_NONE ? holder_above(&a->live) : NULL;
}
