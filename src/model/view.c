/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/view.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "dns/name.h"

void
view_init(struct view *v, const struct model *m, const struct change_set *pending)
{
	*v = (struct view){ .model = m, .pending = pending };
	arena_init(&v->arena);
}

void
view_fini(struct view *v)
{
	arena_fini(&v->arena);
}

static const struct change_op *
pending_op(const struct view *v, enum kind kind, const char *name)
{
	return v->pending == NULL ? NULL : change_find(v->pending, kind, name);
}

/* What change_add took was checked before, so it decodes. */
static const void *
decode_op(struct view *v, const struct change_op *op)
{
	struct diag d;

	diag_init(&d);
	const void *spec = kind_decode_text(op->kind, op->name, op->spec, &v->arena, &d);

	CHECK(spec != NULL);
	diag_fini(&d);
	return spec;
}

const void *
view_spec(struct view *v, enum kind kind, const char *name)
{
	const struct change_op *op = pending_op(v, kind, name);

	if (op != NULL)
		return op->op == CHANGE_PUT ? decode_op(v, op) : NULL;

	const struct model_object *o = model_find(v->model, kind, name);

	return o == NULL ? NULL : o->spec;
}

bool
view_exists(const struct view *v, enum kind kind, const char *name)
{
	const struct change_op *op = pending_op(v, kind, name);

	return op != NULL ? op->op == CHANGE_PUT : model_find(v->model, kind, name) != NULL;
}

bool
view_zone_of(const struct view *v, const char *host, char out[KIND_NAME_SIZE])
{
	uint8_t wire[NAME_MAX_LEN];
	char text[NAME_TEXT_SIZE];

	if (name_parse_lower(host, wire) < 0)
		return false;
	for (const uint8_t *at = wire;; at = name_skip(at, 1)) {
		if (view_exists(v, KIND_ZONE, name_text(at, text))) {
			snprintf(out, KIND_NAME_SIZE, "%.255s", text); /* as kind_name made it */
			return true;
		}
		if (at[0] == 0)
			return false;
	}
}

struct match {
	enum kind kind;
	const char *name;
	bool found;
};

static void
match_ref(enum kind to, const char *name, const struct diag_path *path, void *arg)
{
	struct match *m = arg;

	(void)path;
	if (to == m->kind && strcmp(name, m->name) == 0)
		m->found = true;
}

static bool
refers(const struct change_op *op, const void *spec, enum kind kind, const char *name)
{
	struct match m = { .kind = kind, .name = name };

	if (kind_table[op->kind].refs != NULL)
		kind_table[op->kind].refs(spec, match_ref, &m);
	return m.found;
}

/* The pending PUTs that count, those of `kind` or of all kinds above it. */
static void
each_pending(struct view *v, enum kind first, enum kind last, const char *target, enum kind to,
    view_referrer_f *visit, void *arg)
{
	for (size_t i = 0; v->pending != NULL && i < v->pending->count; i++) {
		const struct change_op *op = &v->pending->ops[i];

		if (op->op != CHANGE_PUT || op->kind < first || op->kind > last ||
		    pending_op(v, op->kind, op->name) != op)
			continue;
		/* The text is searched first: decoding every spec would make big sets quadratic. */
		if (target != NULL && strstr(op->spec, target) == NULL)
			continue;

		const void *spec = decode_op(v, op);

		if (target == NULL || refers(op, spec, to, target))
			visit(op->kind, op->name, spec, arg);
	}
}

void
view_referrers(struct view *v, enum kind kind, const char *name, view_referrer_f *visit, void *arg)
{
	const struct model_object *o = model_find(v->model, kind, name);

	if (o != NULL) {
		STRMAP_EACH (&o->referrers, e) {
			const struct model_object *r = e->value;

			if (pending_op(v, r->kind, r->name) == NULL)
				visit(r->kind, r->name, r->spec, arg);
		}
	}
	each_pending(v, kind + 1, KIND_COUNT - 1, name, kind, visit, arg);
}

void
view_each(struct view *v, enum kind kind, view_referrer_f *visit, void *arg)
{
	STRMAP_EACH (&v->model->objects[kind], e) {
		const struct model_object *o = e->value;

		if (pending_op(v, kind, o->name) == NULL)
			visit(kind, o->name, o->spec, arg);
	}
	each_pending(v, kind, kind, NULL, kind, visit, arg);
}
