/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/extract.h"

#include <errno.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/mem.h"
#include "model/nouns.h"
#include "model/target.h"

#define ID "0000000000000000" /* nobody outside sees these objects */

int
extract_name(const struct sim_spec *spec, char out[KIND_NAME_SIZE], struct diag *d)
{
	char *name = xasprintf("%s/%s", spec->name, spec->type);
	struct diag inner;
	int rc = 0;

	diag_init(&inner);
	if (kind_name(KIND_DOMAIN, name, out, &inner) < 0) {
		rc = diag_add(d, DIAG_INVALID, "name", "%s", inner.first->detail);
		diag_detail(d, spec->name, NULL);
	}
	diag_fini(&inner);
	free(name);
	return rc;
}

static void
put(struct change_set *set, enum kind kind, const char *name, const char *spec)
{
	change_add(set, &(struct change_op){
			    .op = CHANGE_PUT, .kind = kind, .name = name, .id = ID, .spec = spec });
}

/* -- what is referred to, before who refers to it -- */

struct walk {
	const struct model *model;
	struct change_set *set;
};

static void
take(enum kind kind, const char *name, const struct diag_path *path UNUSED, void *arg)
{
	const struct walk *w = arg;
	const struct model_object *o = model_find(w->model, kind, name);

	CHECK(o != NULL);
	if (change_find(w->set, kind, name) != NULL)
		return;
	if (kind_table[kind].refs != NULL)
		kind_table[kind].refs(o->spec, take, arg);

	char *text = kind_spec_text(kind, o->spec);

	put(w->set, kind, name, text);
	free(text);
}

/* -- what operators impose on these -- */

static void
note_window(const struct model_object *o, struct strmap *windows)
{
	STRMAP_EACH (&o->referrers, e) {
		struct model_object *window = e->value;

		if (window->kind == KIND_MAINTENANCE)
			strmap_put(windows, window->name, window);
	}
}

/* Of a window only the objects that are there. */
static char *
window_text(const struct model_object *o, const struct change_set *set)
{
	json_t *j = field_encode(kind_table[KIND_MAINTENANCE].fields, o->spec, true);
	json_t *all = json_object_get(j, "objects"), *ours = json_array(), *one;
	char name[KIND_NAME_SIZE];
	enum kind kind;
	size_t i;

	json_array_foreach(all, i, one)
	{
		if (target_parse(json_string_value(one), &kind, name) == NULL &&
		    change_find(set, kind, name) != NULL)
			json_array_append(ours, one);
	}
	json_object_set_new(j, "objects", ours);

	char *text = json_text(j);

	json_decref(j);
	return text;
}

static void
take_imposed(const struct model *m, struct change_set *set)
{
	const size_t count = set->count;
	struct strmap windows;

	strmap_init(&windows);
	for (size_t i = 0; i < count; i++) {
		const struct change_op *op = &set->ops[i];
		const struct model_object *o = model_find(m, op->kind, op->name), *override;
		char name[KIND_NAME_SIZE], *text;

		override = model_find(m, KIND_OVERRIDE, target_text(op->kind, op->name, name));
		if (o != NULL)
			note_window(o, &windows);
		if (override == NULL)
			continue;
		text = kind_spec_text(KIND_OVERRIDE, override->spec);
		put(set, KIND_OVERRIDE, override->name, text);
		free(text);
	}
	STRMAP_EACH (&windows, e) {
		const struct model_object *window = e->value;
		char *text = window_text(window, set);

		put(set, KIND_MAINTENANCE, window->name, text);
		free(text);
	}
	strmap_fini(&windows);
}

static char *
domain_text(const struct model_object *o, const struct sim_spec *spec)
{
	static const char *const words[] = { NULL, "answers", "traffic" };
	json_t *j = field_encode(kind_table[KIND_DOMAIN].fields, o->spec, true);

	json_object_set_new(j, "enabled", json_true());
	if (spec->ttl_s > 0)
		json_object_set_new(j, "ttl", json_integer(spec->ttl_s));
	if (spec->ttl_min_s > 0)
		json_object_set_new(j, "ttl_min", json_integer(spec->ttl_min_s));
	if (words[spec->balance] != NULL)
		json_object_set_new(j, "balance", json_string(words[spec->balance]));

	char *text = json_text(j);

	json_decref(j);
	return text;
}

static int
check_failures(const struct sim_spec *spec, const struct change_set *set, struct diag *d)
{
	const struct sim_failure *f = spec->failures.items;
	const size_t before = d->count;

	for (size_t i = 0; i < spec->failures.count; i++) {
		if (change_find(set, KIND_ADDRESS, f[i].address) != NULL)
			continue;
		diag_add(d, DIAG_INVALID, arena_printf(&d->arena, "failures[%zu].address", i),
		    "the domain has no address of that name");
		diag_detail(d, f[i].address, NULL);
	}
	return d->count == before ? 0 : -EINVAL;
}

int
extract_domain(
    const struct model *m, const struct sim_spec *spec, struct change_set *set, struct diag *d)
{
	char name[KIND_NAME_SIZE], host[KIND_NAME_SIZE];
	uint16_t type;

	if (extract_name(spec, name, d) < 0)
		return -EINVAL;

	const struct model_object *o = model_find(m, KIND_DOMAIN, name);

	if (o == NULL) {
		diag_add(d, DIAG_NOT_FOUND, "name", "no access domain '%s' exists", name);
		return -EINVAL;
	}

	struct walk w = { m, set };

	CHECK(domain_name_split(name, host, &type) == 0);
	put(set, KIND_ZONE, model_zone_of(m, host)->name, "{}");
	kind_table[KIND_DOMAIN].refs(o->spec, take, &w);

	char *text = domain_text(o, spec);

	put(set, KIND_DOMAIN, name, text);
	free(text);
	take_imposed(m, set);
	return check_failures(spec, set, d);
}
