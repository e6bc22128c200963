/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/model.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "model/line_ranges.h"
#include "model/view.h"

void
model_init(struct model *m)
{
	*m = (struct model){ 0 };
	for (int k = 0; k < KIND_COUNT; k++)
		strmap_init(&m->objects[k]);
	strmap_init(&m->ranges);
}

static void
free_object(struct model_object *o)
{
	strmap_fini(&o->referrers);
	arena_fini(&o->arena);
	free(o);
}

void
model_fini(struct model *m)
{
	for (int k = 0; k < KIND_COUNT; k++) {
		STRMAP_EACH (&m->objects[k], e)
			free_object(e->value);
		strmap_fini(&m->objects[k]);
	}
	strmap_fini(&m->ranges);
	m->revision = 0;
}

struct model_object *
model_find(const struct model *m, enum kind kind, const char *name)
{
	return strmap_find(&m->objects[kind], name);
}

/* -- who refers to whom -- */

struct tie {
	const struct model *model;
	struct model_object *from;
};

static void
add_ref(enum kind to, const char *name, const struct diag_path *path, void *arg)
{
	const struct tie *tie = arg;
	struct model_object *target = model_find(tie->model, to, name);
	char key[CHANGE_KEY_SIZE];

	(void)path;
	CHECK(target != NULL);
	strmap_put(
	    &target->referrers, change_key(tie->from->kind, tie->from->name, key), tie->from);
}

static void
drop_ref(enum kind to, const char *name, const struct diag_path *path, void *arg)
{
	const struct tie *tie = arg;
	struct model_object *target = model_find(tie->model, to, name);
	char key[CHANGE_KEY_SIZE];

	(void)path;
	if (target != NULL)
		strmap_remove(
		    &target->referrers, change_key(tie->from->kind, tie->from->name, key));
}

static void
each_ref(const struct model *m, struct model_object *o, kind_ref_f *visit)
{
	struct tie tie = { m, o };

	if (o->spec != NULL && kind_table[o->kind].refs != NULL)
		kind_table[o->kind].refs(o->spec, visit, &tie);
}

/* -- applying -- */

static const void *
decode_spec(const struct change_op *op, struct arena *a)
{
	struct diag d;

	diag_init(&d);
	const void *spec = kind_decode_text(op->kind, op->name, op->spec, a, &d);

	CHECK(spec != NULL);
	diag_fini(&d);
	return spec;
}

/* The op's text may belong to the object itself, so the old arena goes last. */
static void
fill(struct model_object *o, const struct change_op *op)
{
	struct arena old = o->arena;

	arena_init(&o->arena);
	o->kind = op->kind;
	o->spec = decode_spec(op, &o->arena);
	o->name = arena_strdup(&o->arena, op->name);
	o->id = arena_strdup(&o->arena, op->id);
	o->revision = op->revision;
	o->created_ms = op->created_ms;
	o->updated_ms = op->updated_ms;
	arena_fini(&old);
}

static struct model_object *
put(struct model *m, const struct change_op *op)
{
	struct model_object *o = model_find(m, op->kind, op->name);

	if (o == NULL) {
		o = xcalloc(1, sizeof(*o));
		arena_init(&o->arena);
		strmap_init(&o->referrers);
		strmap_put(&m->objects[op->kind], op->name, o);
	} else {
		each_ref(m, o, drop_ref);
		if (o->kind == KIND_LINE)
			line_ranges_drop(&m->ranges, o->spec, o);
	}
	fill(o, op);
	each_ref(m, o, add_ref);
	if (o->kind == KIND_LINE)
		line_ranges_add(&m->ranges, o->spec, o);
	return o;
}

static void
remove_object(struct model *m, const struct change_op *op)
{
	struct model_object *o = strmap_remove(&m->objects[op->kind], op->name);

	if (o == NULL)
		return;
	CHECK(o->referrers.count == 0);
	each_ref(m, o, drop_ref);
	if (o->kind == KIND_LINE)
		line_ranges_drop(&m->ranges, o->spec, o);
	free_object(o);
}

struct model_object *
model_apply(struct model *m, const struct change_op *op)
{
	CHECK(op->op == CHANGE_PUT || op->op == CHANGE_DELETE);
	if (op->revision > m->revision)
		m->revision = op->revision;
	if (op->op == CHANGE_PUT)
		return put(m, op);
	remove_object(m, op);
	return NULL;
}

json_t *
model_encode(const struct model_object *o)
{
	char created[CLOCK_TEXT_SIZE], updated[CLOCK_TEXT_SIZE];

	return json_pack("{s:s, s:s, s:s*, s:I, s:s, s:s, s:o}", "kind", kind_table[o->kind].name,
	    "name", o->name, "id", o->id, "revision", (json_int_t)o->revision, "created",
	    clock_text(o->created_ms, created), "updated", clock_text(o->updated_ms, updated),
	    "spec", field_encode(kind_table[o->kind].fields, o->spec, false));
}

struct model_object *
model_zone_of(const struct model *m, const char *host)
{
	char zone[KIND_NAME_SIZE];
	struct view v;

	view_init(&v, m, NULL);
	const bool found = view_zone_of(&v, host, zone);

	view_fini(&v);
	return found ? model_find(m, KIND_ZONE, zone) : NULL;
}
