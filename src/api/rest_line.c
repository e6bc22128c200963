/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The built-in lines, what data there is for them, and the lines of an address. */
#include <stdlib.h>
#include <string.h>

#include "api/edit.h"
#include "api/rest.h"
#include "base/mem.h"
#include "model/line_tree.h"

static json_t *
aliases_of(const struct line_info *l)
{
	json_t *list = json_array();

	for (const char *at = l->aliases; *at != '\0';) {
		const size_t len = strcspn(at, " ");

		json_array_append_new(list, json_stringn(at, len));
		at += len + (at[len] == ' ');
	}
	return list;
}

static bool
is_wanted(const struct request *r, const struct line_info *l)
{
	const char *text = request_query(r, "q"), *kind = request_query(r, "kind");
	const char *parent = request_query(r, "parent");

	if (kind != NULL && strcmp(kind, line_tree_kinds[l->kind]) != 0)
		return false;
	if (parent != NULL && (l->parent == NULL || line_tree_find(parent) != l->parent))
		return false;
	return text == NULL || strcasestr(l->code, text) != NULL ||
	       strcasestr(l->en, text) != NULL || strstr(l->zh, text) != NULL ||
	       strcasestr(l->aliases, text) != NULL;
}

/* By index: has the engine data for it? To free(); all false without an engine. */
static bool *
with_data(const json_t *geo)
{
	bool *has = xcalloc(line_tree_count(), sizeof(*has));
	const json_t *code;
	size_t i;

	json_array_foreach(json_object_get(geo, "lines"), i, code)
	{
		const struct line_info *l = line_tree_find(json_string_value(code));

		if (l != NULL)
			has[l->index] = true;
	}
	return has;
}

void
rest_line_tree(struct request *r)
{
	json_t *none = json_object(), *list = json_array();
	struct diag d;

	diag_init(&d);

	json_t *geo = control_ask(r->control, "geo", none, &d);
	bool *has = with_data(geo);

	for (size_t i = 0; i < line_tree_count(); i++) {
		const struct line_info *l = line_tree_at(i);

		if (is_wanted(r, l))
			json_array_append_new(
			    list, json_pack("{s:s, s:s?, s:s, s:s, s:s, s:o, s:b}", "code", l->code,
				      "parent", l->parent != NULL ? l->parent->code : NULL, "kind",
				      line_tree_kinds[l->kind], "en", l->en, "zh", l->zh, "aliases",
				      aliases_of(l), "data", (int)has[i]));
	}
	json_object_del(geo, "lines");
	request_reply(
	    r, 200, json_pack("{s:o, s:O}", "items", list, "geo", geo != NULL ? geo : json_null()));
	json_decref(geo);
	json_decref(none);
	free(has);
	diag_fini(&d);
}

void
rest_line_locate(struct request *r)
{
	static const char *const members[] = { "ip", NULL };
	json_t *body = request_json(r);

	if (body != NULL && request_members(r, body, "", members) == 0)
		request_reply(r, 200, control_ask(r->control, "locate", body, &r->diag));
	json_decref(body);
}
