/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A type is a codec (decode, encode, default, schema). This file only walks tables and asks the
 * codec of each row; structs and lists come back here for their own rows.
 */
#include "model/field.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "model/field_types.h"

#define GOT_MAX 80 /* of a value repeated in a problem */

const struct field_codec *
field_codec_of(const struct field *f)
{
	static const struct field_codec *const builtin[] = {
		[FIELD_BOOL] = &field_bool,
		[FIELD_U32] = &field_u32,
		[FIELD_DURATION] = &field_duration,
		[FIELD_STR] = &field_str,
		[FIELD_NAME] = &field_name,
		[FIELD_ENUM] = &field_enum,
		[FIELD_STRUCT] = &field_struct,
		[FIELD_LIST] = &field_array,
		[FIELD_STRS] = &field_strs,
		[FIELD_LABELS] = &field_labels,
	};

	return f->type == FIELD_CUSTOM ? f->codec : builtin[f->type];
}

static void *
member(const struct field *f, void *obj)
{
	return (char *)obj + f->offset;
}

static const void *
const_member(const struct field *f, const void *obj)
{
	return (const char *)obj + f->offset;
}

int
field_refuse(const struct field *f, const json_t *j, const struct diag_path *path, struct diag *d,
    const char *detail, const char *allowed)
{
	char where[512];

	diag_add(d, DIAG_INVALID, diag_path_text(path, where, sizeof(where)), "%s", detail);
	if (j == NULL || (f != NULL && (f->flags & FIELD_SECRET) != 0)) {
		diag_detail(d, NULL, allowed);
		return -EINVAL;
	}

	char *got = json_text(j);

	if (strlen(got) > GOT_MAX) {
		size_t end = GOT_MAX - 3;

		while ((got[end] & 0xc0) == 0x80) /* not within a character */
			end--;
		strcpy(got + end, "...");
	}
	diag_detail(d, got, allowed);
	free(got);
	return -EINVAL;
}

void
field_defaults(const struct field *table, void *obj, struct arena *a)
{
	for (const struct field *f = table; f->name != NULL; f++)
		field_codec_of(f)->set_default(f, member(f, obj), a);
}

static const struct field *
find(const struct field *table, const char *name)
{
	for (const struct field *f = table; f->name != NULL; f++) {
		if (strcmp(f->name, name) == 0)
			return f;
	}
	return NULL;
}

static const char *
names_of(const struct field *table, struct arena *a)
{
	const char *all = "";

	for (const struct field *f = table; f->name != NULL; f++)
		all = arena_printf(a, "%s%s%s", all, all[0] != '\0' ? ", " : "", f->name);
	return all;
}

static void
decode_member(const struct field *table, const char *key, const json_t *j, void *obj,
    struct arena *a, const struct diag_path *path, struct diag *d)
{
	const struct diag_path here = { .parent = path, .name = key };
	const struct field *f = find(table, key);

	if (f == NULL)
		field_refuse(NULL, NULL, &here, d, "unknown field", names_of(table, &d->arena));
	else if (!json_is_null(j) || (f->flags & FIELD_OPTIONAL) == 0)
		field_codec_of(f)->decode(f, j, member(f, obj), a, &here, d);
}

int
field_decode(const struct field *table, const json_t *j, void *obj, struct arena *a,
    const struct diag_path *path, struct diag *d)
{
	const size_t before = d->count;
	const char *key;
	json_t *value;

	field_defaults(table, obj, a);
	if (!json_is_object(j))
		return field_refuse(NULL, j, path, d, "must be an object", NULL);

	/* jansson iterates by a non-const object, but does not write to it. */
	json_object_foreach((json_t *)(uintptr_t)j, key, value)
	    decode_member(table, key, value, obj, a, path, d);

	for (const struct field *f = table; f->name != NULL; f++) {
		const struct diag_path here = { .parent = path, .name = f->name };

		if ((f->flags & FIELD_REQUIRED) != 0 && json_object_get(j, f->name) == NULL)
			field_refuse(f, NULL, &here, d, "is required", NULL);
	}
	return d->count == before ? 0 : -EINVAL;
}

static json_t *
encode_list(const struct field *f, const struct field_list *list, bool with_secrets)
{
	json_t *j = json_array();

	for (size_t i = 0; i < list->count; i++)
		json_array_append_new(
		    j, field_encode(
			   f->sub, (const char *)list->items + i * f->sub_size, with_secrets));
	return j;
}

/* NULL: an optional member that is not there. */
static json_t *
encode_member(const struct field *f, const void *at, bool with_secrets)
{
	if (f->type == FIELD_STRUCT)
		return field_encode(f->sub, at, with_secrets);
	if (f->type == FIELD_LIST)
		return encode_list(f, at, with_secrets);
	return field_codec_of(f)->encode(f, at);
}

json_t *
field_encode(const struct field *table, const void *obj, bool with_secrets)
{
	json_t *j = json_object();

	for (const struct field *f = table; f->name != NULL; f++) {
		if ((f->flags & FIELD_SECRET) != 0 && !with_secrets)
			continue;

		json_t *value = encode_member(f, const_member(f, obj), with_secrets);

		if (value != NULL)
			CHECK(json_object_set_new(j, f->name, value) == 0);
	}
	return j;
}

json_t *
field_encode_member(const struct field *f, const void *obj)
{
	return encode_member(f, const_member(f, obj), true);
}

bool
field_has_secrets(const struct field *table)
{
	for (const struct field *f = table; f->name != NULL; f++) {
		if ((f->flags & FIELD_SECRET) != 0)
			return true;
		if ((f->type == FIELD_STRUCT || f->type == FIELD_LIST) && field_has_secrets(f->sub))
			return true;
	}
	return false;
}

static void
mask_member(const struct field *f, json_t *j, const json_t *value, const json_t *before)
{
	const bool changed = before != NULL && !json_equal(value, before);

	if ((f->flags & FIELD_SECRET) != 0 && !changed && strcmp(json_string_value(value), "") == 0)
		return; /* there is none */
	if ((f->flags & FIELD_SECRET) != 0)
		json_object_set_new(j, f->name, json_string(changed ? "(new secret)" : "(secret)"));
	else if (f->type == FIELD_STRUCT)
		field_mask(f->sub, json_object_get(j, f->name), before);
	else if (f->type == FIELD_LIST)
		for (size_t i = 0; i < json_array_size(value); i++)
			field_mask(f->sub, json_array_get(value, i), json_array_get(before, i));
}

void
field_mask(const struct field *table, json_t *j, const json_t *before)
{
	for (const struct field *f = table; f->name != NULL; f++) {
		const json_t *value = json_object_get(j, f->name);

		if (value != NULL)
			mask_member(f, j, value, json_object_get(before, f->name));
	}
}

static json_t *
schema_member(const struct field *f)
{
	json_t *j = field_codec_of(f)->schema(f);

	if (f->prose != NULL)
		json_object_set_new(j, "description", json_string(f->prose));
	if ((f->flags & FIELD_IMMUTABLE) != 0)
		json_object_set_new(j, "x-immutable", json_true());
	if ((f->flags & FIELD_SECRET) != 0)
		json_object_set_new(j, "writeOnly", json_true());
	return j;
}

json_t *
field_schema(const struct field *table)
{
	json_t *properties = json_object(), *required = json_array();

	for (const struct field *f = table; f->name != NULL; f++) {
		json_object_set_new(properties, f->name, schema_member(f));
		if ((f->flags & FIELD_REQUIRED) != 0)
			json_array_append_new(required, json_string(f->name));
	}

	json_t *j = json_pack("{s:s, s:o, s:b}", "type", "object", "properties", properties,
	    "additionalProperties", 0);

	if (json_array_size(required) > 0)
		json_object_set(j, "required", required);
	json_decref(required);
	return j;
}
