/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The types made of others: struct, list, strings, labels. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "model/field_types.h"
#include "model/objname.h"

#define STR_MAX    255 /* bytes of one item of STRS */
#define KEY_MAX    63
#define LABELS_MAX 64

/* -- struct -- */

static int
decode_struct(const struct field *f, const json_t *j, void *at, struct arena *a,
    const struct diag_path *path, struct diag *d)
{
	return field_decode(f->sub, j, at, a, path, d);
}

static void
default_struct(const struct field *f, void *at, struct arena *a)
{
	field_defaults(f->sub, at, a);
}

static json_t *
schema_struct(const struct field *f)
{
	return field_schema(f->sub);
}

const struct field_codec field_struct = { decode_struct, NULL, default_struct, schema_struct,
	field_read_struct };

/* -- lists -- */

static int
check_array(const struct field *f, const json_t *j, const struct diag_path *path, struct diag *d)
{
	const size_t count = json_array_size(j);
	const char *fault = NULL;

	if (!json_is_array(j))
		fault = "must be an array";
	else if (count < (size_t)f->min)
		fault = "has too few items";
	else if (count > (size_t)f->max)
		fault = "has too many items";
	if (fault == NULL)
		return 0;
	return field_refuse(f, j, path, d, fault,
	    arena_printf(&d->arena, "%" PRId64 "..%" PRId64 " items", f->min, f->max));
}

static json_t *
schema_array(const struct field *f, json_t *items)
{
	return json_pack("{s:s, s:o, s:I, s:I}", "type", "array", "items", items, "minItems",
	    (json_int_t)f->min, "maxItems", (json_int_t)f->max);
}

static void
default_empty(const struct field *f, void *at, struct arena *a)
{
	(void)f;
	(void)a;
	*(struct field_list *)at = (struct field_list){ NULL, 0 };
}

static int
decode_list(const struct field *f, const json_t *j, void *at, struct arena *a,
    const struct diag_path *path, struct diag *d)
{
	struct field_list *list = at;
	const size_t before = d->count;

	if (check_array(f, j, path, d) < 0)
		return -EINVAL;
	list->count = json_array_size(j);
	list->items = arena_alloc(a, list->count * f->sub_size);
	for (size_t i = 0; i < list->count; i++) {
		const struct diag_path here = { .parent = path, .index = i };

		(void)!field_decode(f->sub, json_array_get(j, i),
		    (char *)list->items + i * f->sub_size, a, &here, d);
	}
	return d->count == before ? 0 : -EINVAL;
}

static json_t *
schema_list(const struct field *f)
{
	json_t *j = schema_array(f, field_schema(f->sub));

	if (f->min == 0)
		json_object_set_new(j, "default", json_array());
	return j;
}

const struct field_codec field_array = { decode_list, NULL, default_empty, schema_list,
	field_read_list };

/* -- strs: with `words`, a set of them -- */

static bool
given_before(const json_t *j, size_t i)
{
	for (size_t k = 0; k < i; k++) {
		if (json_equal(json_array_get(j, k), json_array_get(j, i)))
			return true;
	}
	return false;
}

static void
decode_item(const struct field *f, const json_t *j, size_t i, const char **out, struct arena *a,
    const struct diag_path *path, struct diag *d)
{
	const struct diag_path here = { .parent = path, .index = i };
	const json_t *item = json_array_get(j, i);
	const char *text = field_text(f, item, 1, STR_MAX, &here, d);

	if (text == NULL)
		return;
	if (f->words != NULL && field_word(f->words, text) < 0)
		field_refuse(
		    f, item, &here, d, "is not an allowed value", field_words(f->words, &d->arena));
	else if (f->words != NULL && given_before(j, i))
		field_refuse(f, item, &here, d, "is given twice", NULL);
	*out = arena_strdup(a, text);
}

static int
decode_strs(const struct field *f, const json_t *j, void *at, struct arena *a,
    const struct diag_path *path, struct diag *d)
{
	struct field_list *list = at;
	const size_t before = d->count;

	if (check_array(f, j, path, d) < 0)
		return -EINVAL;

	const size_t count = json_array_size(j);
	const char **items = arena_alloc(a, count * sizeof(*items));

	for (size_t i = 0; i < count; i++)
		decode_item(f, j, i, &items[i], a, path, d);
	*list = (struct field_list){ items, count };
	return d->count == before ? 0 : -EINVAL;
}

static json_t *
encode_strs(const struct field *f, const void *at)
{
	const struct field_list *list = at;
	const char *const *items = list->items;
	json_t *j = json_array();

	(void)f;
	for (size_t i = 0; i < list->count; i++)
		json_array_append_new(j, json_string(items[i]));
	return j;
}

static void
default_strs(const struct field *f, void *at, struct arena *a)
{
	struct field_list *list = at;

	default_empty(f, at, a);
	if (f->def_str == NULL)
		return;

	const char **item = arena_alloc(a, sizeof(*item));

	*item = f->def_str;
	*list = (struct field_list){ item, 1 };
}

static json_t *
schema_strs(const struct field *f)
{
	json_t *item =
	    json_pack("{s:s, s:i, s:i}", "type", "string", "minLength", 1, "maxLength", STR_MAX);
	json_t *def = json_array();

	if (f->words != NULL) {
		json_t *words = json_array();

		for (size_t i = 0; f->words[i] != NULL; i++)
			json_array_append_new(words, json_string(f->words[i]));
		json_object_set_new(item, "enum", words);
	}
	if (f->def_str != NULL)
		json_array_append_new(def, json_string(f->def_str));

	json_t *j = schema_array(f, item);

	json_object_set_new(j, "default", def);
	return j;
}

const struct field_codec field_strs = { decode_strs, encode_strs, default_strs, schema_strs,
	field_read_strs };

/* -- labels: `max` bounds the bytes of a value -- */

static void
decode_label(const struct field *f, const char *key, const json_t *value, struct field_label *out,
    struct arena *a, const struct diag_path *path, struct diag *d)
{
	const struct diag_path here = { .parent = path, .name = key };
	const char *text = field_text(f, value, 0, (size_t)f->max, &here, d);

	if (key[0] == '\0' || strlen(key) > KEY_MAX || !objname_is_printable(key, strlen(key)))
		field_refuse(f, NULL, &here, d, "is not a valid key",
		    "1..63 bytes without control characters");
	*out = (struct field_label){ arena_strdup(a, key), arena_strdup(a, text) };
}

static int
decode_labels(const struct field *f, const json_t *j, void *at, struct arena *a,
    const struct diag_path *path, struct diag *d)
{
	struct field_list *list = at;
	const size_t before = d->count, count = json_object_size(j);
	const char *key;
	json_t *value;

	if (!json_is_object(j))
		return field_refuse(f, j, path, d, "must be an object of strings", NULL);
	if (count > LABELS_MAX)
		return field_refuse(f, j, path, d, "has too many members", "0..64 members");

	struct field_label *next = arena_alloc(a, count * sizeof(*next));

	*list = (struct field_list){ next, count };
	json_object_foreach((json_t *)(uintptr_t)j, key, value)
	    decode_label(f, key, value, next++, a, path, d);
	return d->count == before ? 0 : -EINVAL;
}

static json_t *
encode_labels(const struct field *f, const void *at)
{
	const struct field_list *list = at;
	const struct field_label *labels = list->items;
	json_t *j = json_object();

	(void)f;
	for (size_t i = 0; i < list->count; i++)
		json_object_set_new(j, labels[i].key, json_string(labels[i].value));
	return j;
}

static json_t *
schema_labels(const struct field *f)
{
	return json_pack("{s:s, s:{s:s, s:I}, s:{s:i, s:i}, s:i, s:{}}", "type", "object",
	    "additionalProperties", "type", "string", "maxLength", (json_int_t)f->max,
	    "propertyNames", "minLength", 1, "maxLength", KEY_MAX, "maxProperties", LABELS_MAX,
	    "default");
}

const struct field_codec field_labels = { decode_labels, encode_labels, default_empty,
	schema_labels, field_read_labels };
