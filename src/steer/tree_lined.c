/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Record sets with lines: zone data that the tree compiles as it does domains. */
#include <stdlib.h>

#include "base/check.h"
#include "base/mem.h"
#include "steer/lined.h"
#include "steer/tree_types.h"

static struct live_lined *
new_lined(struct model_object *o)
{
	struct live_lined *l = xcalloc(1, sizeof(*l));
	char host[KIND_NAME_SIZE];

	l->live.o = o;
	list_init(&l->live.dirty);
	list_init(&l->leaving);
	CHECK(domain_name_split(o->name, host, &l->rrtype) == 0);
	CHECK(name_parse_lower(host, l->host) > 0);
	tree_lines_arrive(&l->audience, &l->live);
	o->runtime = l;
	return l;
}

void
tree_lined_put(struct tree *t, struct model_object *o)
{
	struct live_lined *l = o->runtime != NULL ? o->runtime : new_lined(o);

	tree_lines_lined(t, l);
	l->audience.chart_due = true;
	tree_settle_mark(t, &l->live);
}

void
tree_lined_forget(struct tree *t, struct live_lined *l)
{
	tree_lines_leave(t, &l->audience);
	list_append(&t->lined_leaving, &l->leaving);
}

void
tree_lined_free(struct live_lined *l)
{
	tree_lines_free(&l->lanes);
	for (size_t i = 0; i < l->idle.n; i++)
		cursors_free(&l->idle.list[i]);
	free(l->idle.list);
	free(l);
}

void
tree_lined_zone(struct tree *t, const char *apex)
{
	uint8_t wire[NAME_MAX_LEN];
	char above[NAME_TEXT_SIZE];

	if (t->model.objects[KIND_RRSET].count == 0 || name_parse_lower(apex, wire) <= 1)
		return;

	const struct model_object *zone =
	    model_zone_of(&t->model, name_text(name_skip(wire, 1), above));

	if (zone == NULL)
		return;
	STRMAP_EACH (&zone->referrers, e) {
		const struct model_object *o = e->value;

		if (o->kind == KIND_RRSET &&
		    name_below(((const struct live_lined *)o->runtime)->host, wire))
			tree_settle_mark(t, o->runtime);
	}
}

/* The overlay goes to the deepest zone of the name: the set's, unless another has come between. */
static bool
is_at_home(const struct tree *t, const struct live_lined *l)
{
	char host[NAME_TEXT_SIZE];

	return model_zone_of(&t->model, name_text(l->host, host)) ==
	       model_find(&t->model, KIND_ZONE, live_lined_spec(l)->zone);
}

void
tree_lined_compile(struct tree *t, struct live_lined *l)
{
	struct lined s;

	tree_lines_chart(t, &l->audience);
	l->compiled = true;
	l->next = NULL;
	if (!is_at_home(t, l))
		return;
	lined_init(&s, t->charts, l);
	if (s.input.n_variants > 0)
		l->next = compile_plan(&s.input);
	lined_fini(&s);
}
