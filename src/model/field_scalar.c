/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/duration.h"
#include "model/field_types.h"
#include "model/objname.h"

const char *
field_words(const char *const *words, struct arena *a)
{
	const char *all = words[0];

	for (size_t i = 1; words[i] != NULL; i++)
		all = arena_printf(a, "%s, %s", all, words[i]);
	return all;
}

int
field_word(const char *const *words, const char *word)
{
	for (int i = 0; words[i] != NULL; i++) {
		if (strcmp(words[i], word) == 0)
			return i;
	}
	return -1;
}

static bool
is_printable(const struct field *f, const char *text, size_t len)
{
	if ((f->flags & FIELD_LINES) == 0)
		return objname_is_printable(text, len);
	for (size_t at = 0, part; at < len; at += part + 1) {
		part = strcspn(text + at, "\r\n\t");
		if (!objname_is_printable(text + at, part) ||
		    (text[at + part] == '\0' && at + part < len))
			return false;
	}
	return true;
}

const char *
field_text(const struct field *f, const json_t *j, size_t min, size_t max,
    const struct diag_path *path, struct diag *d)
{
	const char *text = json_string_value(j);
	const char *fault = NULL;

	if (text == NULL)
		fault = "must be a string";
	else if (json_string_length(j) < min)
		fault = min == 1 ? "must not be empty" : "is too short";
	else if (json_string_length(j) > max)
		fault = "is too long";
	else if (!is_printable(f, text, json_string_length(j)))
		fault = "must not contain control characters";
	if (fault == NULL)
		return text;
	field_refuse(f, j, path, d, fault, arena_printf(&d->arena, "%zu..%zu bytes", min, max));
	return NULL;
}

static json_t *
schema_words(const char *const *words)
{
	json_t *all = json_array();

	for (size_t i = 0; words[i] != NULL; i++)
		json_array_append_new(all, json_string(words[i]));
	return json_pack("{s:s, s:o}", "type", "string", "enum", all);
}

/* -- bool -- */

static int
decode_bool(const struct field *f, const json_t *j, void *at, struct arena *a,
    const struct diag_path *path, struct diag *d)
{
	(void)a;
	if (!json_is_boolean(j))
		return field_refuse(f, j, path, d, "must be true or false", "true, false");
	*(bool *)at = json_is_true(j);
	return 0;
}

static json_t *
encode_bool(const struct field *f, const void *at)
{
	(void)f;
	return json_boolean(*(const bool *)at);
}

static void
default_bool(const struct field *f, void *at, struct arena *a)
{
	(void)a;
	*(bool *)at = f->def != 0;
}

static json_t *
schema_bool(const struct field *f)
{
	return json_pack("{s:s, s:b}", "type", "boolean", "default", f->def != 0);
}

const struct field_codec field_bool = { decode_bool, encode_bool, default_bool, schema_bool,
	field_read_bool };

/* -- u32 -- */

static int
decode_u32(const struct field *f, const json_t *j, void *at, struct arena *a,
    const struct diag_path *path, struct diag *d)
{
	const json_int_t n = json_integer_value(j);
	const char *fault = NULL;

	(void)a;
	if (!json_is_integer(j))
		fault = "must be an integer";
	else if (n < f->min || n > f->max)
		fault = "is out of range";
	if (fault != NULL)
		return field_refuse(f, j, path, d, fault,
		    arena_printf(&d->arena, "%" PRId64 "..%" PRId64, f->min, f->max));
	*(uint32_t *)at = (uint32_t)n;
	return 0;
}

static json_t *
encode_u32(const struct field *f, const void *at)
{
	(void)f;
	return json_integer(*(const uint32_t *)at);
}

static void
default_u32(const struct field *f, void *at, struct arena *a)
{
	(void)a;
	*(uint32_t *)at = (uint32_t)f->def;
}

static json_t *
schema_u32(const struct field *f)
{
	json_t *j = json_pack("{s:s, s:I, s:I}", "type", "integer", "minimum", (json_int_t)f->min,
	    "maximum", (json_int_t)f->max);

	if ((f->flags & FIELD_REQUIRED) == 0 &&
	    f->def >= f->min) /* a computed default is outside */
		json_object_set_new(j, "default", json_integer(f->def));
	return j;
}

const struct field_codec field_u32 = { decode_u32, encode_u32, default_u32, schema_u32,
	field_read_u32 };

/* -- duration: a u32 of milliseconds -- */

static const char *
duration_range(const struct field *f, struct arena *a)
{
	char min[DURATION_TEXT_SIZE], max[DURATION_TEXT_SIZE];

	return arena_printf(a, "%s..%s", duration_text((uint64_t)f->min, min),
	    duration_text((uint64_t)f->max, max));
}

static int
decode_duration(const struct field *f, const json_t *j, void *at, struct arena *a,
    const struct diag_path *path, struct diag *d)
{
	const char *text = json_string_value(j), *fault = NULL;
	uint64_t ms;

	(void)a;
	const int rc = text == NULL ? -EINVAL : duration_parse(text, &ms);

	if (rc == -EINVAL)
		fault = "must be a duration such as \"5s\" or \"200ms\"";
	else if (rc < 0 || ms < (uint64_t)f->min || ms > (uint64_t)f->max)
		fault = "is out of range";
	if (fault != NULL)
		return field_refuse(f, j, path, d, fault, duration_range(f, &d->arena));
	*(uint32_t *)at = (uint32_t)ms;
	return 0;
}

static json_t *
encode_duration(const struct field *f, const void *at)
{
	char text[DURATION_TEXT_SIZE];

	(void)f;
	return json_string(duration_text(*(const uint32_t *)at, text));
}

static json_t *
schema_duration(const struct field *f)
{
	char min[DURATION_TEXT_SIZE], max[DURATION_TEXT_SIZE], def[DURATION_TEXT_SIZE];

	json_t *schema = json_pack("{s:s, s:s, s:s, s:s}", "type", "string", "pattern",
	    "^([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$", "x-minimum",
	    duration_text((uint64_t)f->min, min), "x-maximum",
	    duration_text((uint64_t)f->max, max));

	/* Below the range: it depends on other members, and the prose tells. */
	if (f->def >= f->min)
		json_object_set_new(
		    schema, "default", json_string(duration_text((uint64_t)f->def, def)));
	return schema;
}

const struct field_codec field_duration = { decode_duration, encode_duration, default_u32,
	schema_duration, field_read_duration };

/* -- str: any text, or one of `words` -- */

static int
decode_str(const struct field *f, const json_t *j, void *at, struct arena *a,
    const struct diag_path *path, struct diag *d)
{
	if (f->words != NULL) {
		if (!json_is_string(j) || field_word(f->words, json_string_value(j)) < 0)
			return field_refuse(f, j, path, d, "is not an allowed value",
			    field_words(f->words, &d->arena));
	} else if (field_text(f, j, (size_t)f->min, (size_t)f->max, path, d) == NULL) {
		return -EINVAL;
	}
	*(const char **)at = arena_strdup(a, json_string_value(j));
	return 0;
}

static json_t *
encode_str(const struct field *f, const void *at)
{
	const char *text = *(const char *const *)at;

	(void)f;
	return text == NULL ? NULL : json_string(text);
}

static void
default_str(const struct field *f, void *at, struct arena *a)
{
	const char *none = (f->flags & FIELD_OPTIONAL) != 0 ? NULL : "";

	(void)a;
	*(const char **)at = f->def_str != NULL ? f->def_str : none;
}

static json_t *
schema_str(const struct field *f)
{
	json_t *j = f->words != NULL
			? schema_words(f->words)
			: json_pack("{s:s, s:I, s:I}", "type", "string", "minLength",
			      (json_int_t)(f->min > 0), "maxLength", (json_int_t)f->max);

	if ((f->flags & FIELD_OPTIONAL) != 0)
		json_object_set_new(j, "type", json_pack("[s, s]", "string", "null"));
	else if ((f->flags & FIELD_REQUIRED) == 0)
		json_object_set_new(j, "default", json_string(f->def_str ? f->def_str : ""));
	return j;
}

const struct field_codec field_str = { decode_str, encode_str, default_str, schema_str,
	field_read_str };

/* -- name: of another object -- */

static int
decode_name(const struct field *f, const json_t *j, void *at, struct arena *a,
    const struct diag_path *path, struct diag *d)
{
	const char *fault = "must be a string";

	if (json_is_string(j))
		fault = objname_fault(json_string_value(j));
	if (fault != NULL)
		return field_refuse(f, j, path, d, fault, OBJNAME_ALLOWED);
	*(const char **)at = arena_strdup(a, json_string_value(j));
	return 0;
}

static json_t *
schema_name(const struct field *f)
{
	return json_pack("{s:s, s:i, s:i, s:s*}", "type", "string", "minLength", 1, "maxLength",
	    OBJNAME_MAX, "default", f->def_str);
}

const struct field_codec field_name = { decode_name, encode_str, default_str, schema_name,
	field_read_name };

/* -- enum -- */

static int
decode_enum(const struct field *f, const json_t *j, void *at, struct arena *a,
    const struct diag_path *path, struct diag *d)
{
	const int word = json_is_string(j) ? field_word(f->words, json_string_value(j)) : -1;

	(void)a;
	if (word < 0)
		return field_refuse(
		    f, j, path, d, "is not an allowed value", field_words(f->words, &d->arena));
	*(int *)at = word;
	return 0;
}

static json_t *
encode_enum(const struct field *f, const void *at)
{
	return json_string(f->words[*(const int *)at]);
}

static void
default_enum(const struct field *f, void *at, struct arena *a)
{
	(void)a;
	*(int *)at = (int)f->def;
}

static json_t *
schema_enum(const struct field *f)
{
	json_t *j = schema_words(f->words);

	if ((f->flags & FIELD_REQUIRED) == 0)
		json_object_set_new(j, "default", json_string(f->words[f->def]));
	return j;
}

const struct field_codec field_enum = { decode_enum, encode_enum, default_enum, schema_enum,
	field_read_enum };
