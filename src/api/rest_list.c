/* SPDX-License-Identifier: GPL-3.0-or-later */
/* GET of all objects of a kind: by name, filtered, paged. */
#include <stdlib.h>
#include <string.h>

#include "api/edit.h"
#include "api/rest.h"
#include "api/route.h"
#include "base/mem.h"

#define LIMIT_DEFAULT 100
#define LIMIT_MAX     10000

struct filter {
	const struct request *r;
	const char *health, *state, *text, *cursor;
};

static int
by_name(const void *a, const void *b)
{
	const struct model_object *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

static bool
has_labels(const struct filter *f, const json_t *object)
{
	const json_t *labels = json_object_get(json_object_get(object, "spec"), "labels");

	for (size_t i = 0; i < f->r->n_query; i++) {
		const char *want = f->r->query[i].value, *equals;

		if (strcmp(f->r->query[i].key, "label") != 0)
			continue;
		equals = strchrnul(want, '=');

		char *key = xstrndup(want, (size_t)(equals - want));
		const char *value = json_string_value(json_object_get(labels, key));

		free(key);
		if (value == NULL || (*equals == '=' && strcmp(value, equals + 1) != 0))
			return false;
	}
	return true;
}

static bool
has_text(const struct filter *f, const json_t *object)
{
	const json_t *spec = json_object_get(object, "spec");
	const char *const places[] = {
		json_string_value(json_object_get(object, "name")),
		json_string_value(json_object_get(spec, "value")),
		json_string_value(json_object_get(spec, "remark")),
	};

	if (f->text == NULL)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		if (places[i] != NULL && strcasestr(places[i], f->text) != NULL)
			return true;
	return false;
}

/* `want` NULL: any will do. */
static bool
has_word(const json_t *object, const char *member, const char *want)
{
	const char *word =
	    json_string_value(json_object_get(json_object_get(object, "status"), member));

	return want == NULL || strcmp(want, word != NULL ? word : "unknown") == 0;
}

/* Objects after the cursor, sorted; to free(). */
static const struct model_object **
sorted(const struct model *m, enum kind kind, const char *cursor, size_t *count)
{
	const struct strmap *map = &m->objects[kind];
	const struct model_object **list = xcalloc(map->count + 1, sizeof(struct model_object *));

	*count = 0;
	STRMAP_EACH (map, e)
		if (cursor == NULL || strcmp(e->key, cursor) > 0)
			list[(*count)++] = e->value;
	qsort(list, *count, sizeof(struct model_object *), by_name);
	return list;
}

void
rest_object_list(struct request *r)
{
	const struct filter f = {
		.r = r,
		.health = request_query(r, "health"),
		.state = request_query(r, "state"),
		.text = request_query(r, "q"),
		.cursor = request_query(r, "cursor"),
	};
	json_t *reply = json_object(), *items = json_array();
	const char *last = NULL;
	uint64_t limit;
	size_t count;

	json_object_set_new(reply, "items", items);
	if (request_number(r, "limit", LIMIT_DEFAULT, LIMIT_MAX, &limit) < 0) {
		json_decref(reply);
		return;
	}

	const struct model *m = control_read_begin(r->control);
	const struct model_object **list = sorted(m, r->route->kind, f.cursor, &count);

	for (size_t i = 0; i < count; i++) {
		json_t *object = edit_encode(r, list[i]);

		if (!has_labels(&f, object) || !has_text(&f, object) ||
		    !has_word(object, "health", f.health) || !has_word(object, "state", f.state)) {
			json_decref(object);
			continue;
		}
		if (json_array_size(items) == limit) {
			json_decref(object);
			if (last != NULL)
				json_object_set_new(reply, "next", json_string(last));
			break;
		}
		json_array_append_new(items, object);
		last = list[i]->name;
	}
	json_object_set_new(reply, "revision", json_integer((json_int_t)m->revision));
	control_read_end(r->control);
	free(list);
	request_reply(r, 200, reply);
}
