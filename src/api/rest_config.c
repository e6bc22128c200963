/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The whole configuration: out as a list, in as one atomic revision. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "api/diff.h"
#include "api/edit.h"
#include "api/problem.h"
#include "api/rest.h"
#include "api/soa.h"
#include "base/mem.h"

#define OBJECTS_MAX 100000

void
rest_config_get(struct request *r)
{
	json_t *reply = json_object(), *list = json_array();
	const struct model *m = control_read_begin(r->control);

	for (unsigned kind = 0; kind < KIND_COUNT; kind++) {
		if (kind_table[kind].operational)
			continue;
		STRMAP_EACH (&m->objects[kind], it) {
			const struct model_object *o = it->value;
			json_t *j = json_object();

			json_object_set_new(j, "kind", json_string(kind_table[kind].name));
			json_object_set_new(j, "name", json_string(o->name));
			json_object_set_new(
			    j, "spec", field_encode(kind_table[kind].fields, o->spec, false));
			json_array_append_new(list, j);
		}
	}
	json_object_set_new(reply, "revision", json_integer((json_int_t)m->revision));
	control_read_end(r->control);
	json_object_set_new(reply, "objects", list);
	request_reply(r, 200, reply);
}

struct item {
	enum kind kind;
	char name[KIND_NAME_SIZE];
	json_t *spec; /* borrowed */
	bool known;   /* kind and name are fine */
	bool put;
};

static const char *
place(struct request *r, size_t i, const char *below)
{
	return arena_printf(&r->arena, "objects[%zu]%s", i, below);
}

/* {kind, name, spec}: everything that needs no other object. */
static void
read_item(struct request *r, size_t i, const json_t *j, struct item *out)
{
	static const char *const members[] = { "kind", "name", "spec", "id", "revision", "created",
		"updated", "labels", "status", NULL };
	const char *kind = json_string_value(json_object_get(j, "kind"));
	const char *name = json_string_value(json_object_get(j, "name"));
	struct diag d;

	*out = (struct item){ .spec = json_object_get(j, "spec") };
	if (!json_is_object(j)) {
		diag_add(&r->diag, DIAG_INVALID, place(r, i, ""), "must be an object");
		return;
	}
	if (request_members(r, j, place(r, i, ""), members) < 0)
		return;
	if (kind == NULL || kind_parse(kind, &out->kind) < 0) {
		diag_add(&r->diag, DIAG_INVALID, place(r, i, ".kind"), "is not a kind of object");
		diag_detail(&r->diag, kind, kind_names(&r->arena));
		return;
	}
	if (kind_table[out->kind].operational) {
		diag_add(&r->diag, DIAG_INVALID, place(r, i, ".kind"),
		    "is no part of the configuration: PUT .../override imposes one");
		diag_detail(&r->diag, kind, kind_names(&r->arena));
		return;
	}
	if (name == NULL || !json_is_object(out->spec)) {
		diag_add(&r->diag, DIAG_INVALID, place(r, i, name == NULL ? ".name" : ".spec"),
		    name == NULL ? "must be a string" : "must be an object");
		return;
	}
	diag_init(&d);
	out->known = kind_name(out->kind, name, out->name, &d) == 0;
	if (!out->known)
		problem_adopt(&r->diag, &d, place(r, i, ".name"), true);
	diag_fini(&d);
}

static void
refuse_twice(struct request *r, const struct item *items, size_t n)
{
	struct strmap seen;

	strmap_init(&seen);
	for (size_t i = 0; i < n; i++) {
		const char *key =
		    arena_printf(&r->arena, "%s %s", kind_table[items[i].kind].name, items[i].name);

		if (items[i].known && strmap_put(&seen, key, &seen) != NULL)
			diag_add(&r->diag, DIAG_INVALID, place(r, i, ".name"),
			    "%s is in the list twice", key);
	}
	strmap_fini(&seen);
}

static void
put_item(struct edit *e, struct item *item, size_t i)
{
	struct diag d;

	item->put = true;
	diag_init(&d);
	if (edit_put(e, item->kind, item->name, item->spec, &d) < 0)
		problem_adopt(&e->r->diag, &d, place(e->r, i, ".spec"), false);
	else if (item->kind == KIND_ZONE)
		soa_plant(e, item->name);
	diag_fini(&d);
}

/* What a dry run shows of an update; secrets are masked. */
static json_t *
changes(const struct change_op *op)
{
	const struct field *fields = kind_table[op->kind].fields;
	json_t *from, *to, *list;

	if (!field_has_secrets(fields))
		return diff_values(op->was, op->is);
	from = json_deep_copy(op->was);
	to = json_deep_copy(op->is);
	field_mask(fields, to, from);
	field_mask(fields, from, NULL);
	list = diff_values(from, to);
	json_decref(from);
	json_decref(to);
	return list;
}

static json_t *
outcome(const struct edit *e, const struct item *item)
{
	const struct change_op *op = edit_pending(e, item->kind, item->name);
	const bool exists = model_find(e->model, item->kind, item->name) != NULL;
	const char *action = op == NULL ? "unchanged" : exists ? "update" : "create";
	json_t *j = json_pack("{s:s, s:s, s:s}", "kind", kind_table[item->kind].name, "name",
	    item->name, "action", action);

	if (op != NULL && exists)
		json_object_set_new(j, "changes", changes(op));
	return j;
}

/* Only what is wrong with it by itself. */
static void
judge_item(struct edit *e, const struct item *item, size_t i)
{
	struct arena arena;
	struct diag d;

	arena_init(&arena);
	diag_init(&d);
	if (kind_decode(item->kind, item->name, item->spec, &arena, &d) == NULL)
		problem_adopt(&e->r->diag, &d, place(e->r, i, ".spec"), false);
	diag_fini(&d);
	arena_fini(&arena);
}

#define LINES_DEEP 32 /* more than any chain of lines that is accepted */

/* The lines among the items, each after its parent. */
static void
put_lines(struct edit *e, struct item *items, size_t n)
{
	struct item *chain[LINES_DEEP];
	struct strmap lines;

	strmap_init(&lines);
	for (size_t i = 0; i < n; i++)
		if (items[i].kind == KIND_LINE)
			strmap_put(&lines, items[i].name, &items[i]);
	for (size_t i = 0; i < n; i++) {
		struct item *at = items[i].kind == KIND_LINE ? &items[i] : NULL;
		size_t deep = 0;

		for (; at != NULL && !at->put && deep < LINES_DEEP; deep++) {
			const char *parent = json_string_value(json_object_get(at->spec, "parent"));

			chain[deep] = at;
			at = parent != NULL ? strmap_find(&lines, parent) : NULL;
		}
		while (deep-- > 0)
			if (!chain[deep]->put)
				put_item(e, chain[deep], (size_t)(chain[deep] - items));
	}
	strmap_fini(&lines);
}

/*
 * Kind by kind, so that what is referred to comes first whatever the list's order. After a kind
 * with problems the others are only judged by themselves: they would complain about what is
 * missing.
 */
static void
put_items(struct edit *e, struct item *items, size_t n)
{
	for (enum kind kind = 0; kind < KIND_COUNT; kind++) {
		const bool alone = diag_failed(&e->r->diag);

		if (kind == KIND_LINE && !alone)
			put_lines(e, items, n);
		for (size_t i = 0; i < n; i++) {
			if (items[i].kind == kind && alone)
				judge_item(e, &items[i], i);
			else if (items[i].kind == kind && !items[i].put)
				put_item(e, &items[i], i);
		}
	}
}

static void
apply(struct request *r, struct item *items, size_t n)
{
	json_t *list = json_array();
	struct edit e;

	edit_begin(&e, r);
	put_items(&e, items, n);
	for (size_t i = 0; i < n && !diag_failed(&r->diag); i++)
		json_array_append_new(list, outcome(&e, &items[i]));
	edit_commit(&e);
	edit_reply_json(&e, 200,
	    json_pack("{s:I, s:o}", "revision", (json_int_t)e.receipt.revision, "objects", list));
	edit_end(&e);
}

void
rest_config_apply(struct request *r)
{
	static const char *const members[] = { "objects", NULL };
	json_t *body, *list, *j;
	struct item *items;
	size_t i;

	if (request_query(r, "prune") != NULL) {
		request_refuse(
		    r, 400, DIAG_INVALID, "prune", "is not there yet: delete objects one by one");
		return;
	}
	body = request_json(r);
	if (body == NULL || request_members(r, body, "", members) < 0) {
		json_decref(body);
		return;
	}
	list = json_object_get(body, "objects");
	if (!json_is_array(list) || json_array_size(list) > OBJECTS_MAX)
		diag_add(&r->diag, DIAG_INVALID, "objects", "must be a list of at most %d objects",
		    OBJECTS_MAX);
	else {
		items = arena_alloc(&r->arena, (json_array_size(list) + 1) * sizeof(*items));
		json_array_foreach(list, i, j) read_item(r, i, j, &items[i]);
		refuse_twice(r, items, i);
		if (!diag_failed(&r->diag))
			apply(r, items, i);
	}
	json_decref(body);
}
