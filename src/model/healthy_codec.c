/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/healthy_codec.h"

#include <string.h>

#include "model/field_types.h"
#include "verdict/health.h"

#define AT_LEAST_MAX 65535

static const struct {
	const char *name;
	int kind;
	uint32_t max;
	const char *allowed;
} counted[] = {
	{ "at_least", HEALTHY_AT_LEAST, AT_LEAST_MAX, "1..65535" },
	{ "percent", HEALTHY_PERCENT, 100, "1..100" },
};

static int
refuse_form(const struct field *f, const json_t *j, const struct diag_path *path, struct diag *d)
{
	const char *allowed = arena_printf(&d->arena,
	    "%s, {\"at_least\": n}, {\"percent\": 1..100}", field_words(healthy_words, &d->arena));

	return field_refuse(f, j, path, d, "is not an allowed value", allowed);
}

static int
decode_counted(const struct field *f, const json_t *j, struct healthy_when *out,
    const struct diag_path *path, struct diag *d)
{
	for (size_t i = 0; json_object_size(j) == 1 && i < ARRAY_LEN(counted); i++) {
		const struct diag_path here = { .parent = path, .name = counted[i].name };
		const json_t *n = json_object_get(j, counted[i].name);

		if (n == NULL)
			continue;
		if (!json_is_integer(n))
			return field_refuse(
			    f, n, &here, d, "must be an integer", counted[i].allowed);
		if (json_integer_value(n) < 1 || json_integer_value(n) > counted[i].max)
			return field_refuse(f, n, &here, d, "is out of range", counted[i].allowed);
		*out = (struct healthy_when){ counted[i].kind, (uint32_t)json_integer_value(n) };
		return 0;
	}
	return refuse_form(f, j, path, d);
}

static int
decode(const struct field *f, const json_t *j, void *at, struct arena *a,
    const struct diag_path *path, struct diag *d)
{
	struct healthy_when *out = at;
	const int word = json_is_string(j) ? field_word(healthy_words, json_string_value(j)) : -1;

	(void)a;
	if (json_is_object(j))
		return decode_counted(f, j, out, path, d);
	if (word < 0)
		return refuse_form(f, j, path, d);
	*out = (struct healthy_when){ .kind = word };
	return 0;
}

static json_t *
encode(const struct field *f, const void *at)
{
	const struct healthy_when *when = at;

	(void)f;
	for (size_t i = 0; i < ARRAY_LEN(counted); i++) {
		if (when->kind == counted[i].kind)
			return json_pack("{s:I}", counted[i].name, (json_int_t)when->n);
	}
	return json_string(healthy_words[when->kind]);
}

static void
set_default(const struct field *f, void *at, struct arena *a)
{
	(void)f;
	(void)a;
	*(struct healthy_when *)at = (struct healthy_when){ .kind = HEALTHY_ANY_OK };
}

static json_t *
schema_counted(const char *name, uint32_t max)
{
	return json_pack("{s:s, s:{s:{s:s, s:i, s:I}}, s:[s], s:b}", "type", "object", "properties",
	    name, "type", "integer", "minimum", 1, "maximum", (json_int_t)max, "required", name,
	    "additionalProperties", 0);
}

static json_t *
schema(const struct field *f)
{
	json_t *words = json_array(), *forms = json_array();

	(void)f;
	for (size_t i = 0; healthy_words[i] != NULL; i++)
		json_array_append_new(words, json_string(healthy_words[i]));
	json_array_append_new(forms, json_pack("{s:s, s:o}", "type", "string", "enum", words));
	for (size_t i = 0; i < ARRAY_LEN(counted); i++)
		json_array_append_new(forms, schema_counted(counted[i].name, counted[i].max));
	return json_pack("{s:o, s:s}", "oneOf", forms, "default", healthy_words[HEALTHY_ANY_OK]);
}

/* One of the words; the others are rare. */
static bool
read(const struct field *f, struct json_scan *in, void *at, struct arena *a)
{
	(void)f;
	(void)a;
	const int word = field_read_word(in, healthy_words);

	*(struct healthy_when *)at = (struct healthy_when){ .kind = word };
	return word >= 0;
}

const struct field_codec healthy_codec = { decode, encode, set_default, schema, read };
