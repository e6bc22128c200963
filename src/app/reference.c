/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * reference -- a program for the build: prints docs/reference from the tables that gtmd itself runs
 * on.
 *
 *   gtm-reference model | configuration | events
 *
 * A house test compares its output with the committed pages, so the manual cannot lie.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/config.h"
#include "base/json.h"
#include "model/event_kinds.h"
#include "model/kind.h"

static const char *
member(const json_t *schema, const char *name)
{
	return json_string_value(json_object_get(schema, name));
}

/* "any_ok | all_ok", "80..443", "1s..1h": what a value may be, as far as the schema says it in
 * short. */
static void
print_allowed(const json_t *s)
{
	const json_t *words = json_object_get(s, "enum");
	const json_t *min = json_object_get(s, "minimum"), *max = json_object_get(s, "maximum");
	size_t i;
	const json_t *w;

	if (words != NULL) {
		json_array_foreach(words, i, w)
		    printf("%s`%s`", i > 0 ? ", " : "", json_string_value(w));
	} else if (member(s, "x-minimum") != NULL) {
		printf("duration, %s..%s", member(s, "x-minimum"), member(s, "x-maximum"));
	} else if (min != NULL && max != NULL) {
		printf("%lld..%lld", (long long)json_integer_value(min),
		    (long long)json_integer_value(max));
	} else {
		const json_t *type = json_object_get(s, "type");
		if (json_is_array(type)) /* ["string", "null"] */
			type = json_array_get(type, 0);
		printf("%s", type == NULL ? "see the description" : json_string_value(type));
	}
}

static void
print_default(const struct field *f, const json_t *s)
{
	const json_t *def = json_object_get(s, "default");
	if (f->flags & FIELD_REQUIRED) {
		printf("*required*");
	} else if (def != NULL) {
		char *text = json_dumps(def, JSON_ENCODE_ANY | JSON_COMPACT);
		printf("`%s`", text);
		free(text);
	}
}

static void
print_fields(const struct field *table, const char *prefix)
{
	json_t *schema = field_schema(table);
	for (const struct field *f = table; f->name != NULL; f++) {
		const json_t *s = json_object_get(json_object_get(schema, "properties"), f->name);
		char path[256];
		snprintf(path, sizeof(path), "%s%s%s", prefix, f->name,
		    f->type == FIELD_LIST ? "[]" : "");
		printf("| `%s` | ", path);
		print_allowed(s);
		printf(" | ");
		print_default(f, s);
		printf(" | %s%s |\n", f->prose,
		    f->flags & FIELD_IMMUTABLE ? " (cannot be changed later)" : "");
		if (f->sub != NULL) {
			strncat(path, ".", sizeof(path) - strlen(path) - 1);
			print_fields(f->sub, path);
		}
	}
	json_decref(schema);
}

static void
print_table(const struct field *table)
{
	printf("| member | allowed | default | meaning |\n|---|---|---|---|\n");
	print_fields(table, "");
	printf("\n");
}

static void
print_model(void)
{
	printf("# The model's objects\n\n"
	       "Generated from the field tables (`gtm-reference model`); do not edit.\n\n"
	       "Every object is `{kind, name, spec{...}}` in JSON and YAML; replies add `id`, "
	       "`revision`, "
	       "`created`, `updated` and `status`.\n\n");
	for (enum kind k = 0; k < KIND_COUNT; k++) {
		printf("## %s\n\n%s. REST: `/api/v1/%s`%s.\n\n", kind_table[k].name,
		    kind_table[k].prose, kind_table[k].plural,
		    kind_table[k].operational ? " to read; no part of YAML" : "");
		print_table(kind_table[k].fields);
	}
}

static void
print_configuration(void)
{
	printf("# The configuration file\n\n"
	       "Generated from the field table (`gtm-reference configuration`); do not edit.\n\n"
	       "`gtmd -c FILE` reads one YAML mapping with these members, all optional; the "
	       "command line is "
	       "over the file. Check one with `gtmd -c FILE --check-config`.\n\n");
	print_table(config_fields);
}

static void
print_events(void)
{
	printf("# Events\n\n"
	       "Generated from the table of kinds (`gtm-reference events`); do not edit.\n\n"
	       "`gtmctl events`, `GET /api/v1/events`, and the stream tell them as `{id, at, kind, "
	       "object?{kind, name}, severity, text, data?}`; the newest 100,000 are kept.\n\n"
	       "| kind | object | severity | when |\n|---|---|---|---|\n");
	for (const struct event_kind *k = event_kinds; k < event_kinds + event_kinds_count; k++)
		printf("| `%s` | %s | %s | %s |\n", k->name, k->object, k->severity, k->prose);
}

int
main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "model") == 0)
		print_model();
	else if (argc == 2 && strcmp(argv[1], "configuration") == 0)
		print_configuration();
	else if (argc == 2 && strcmp(argv[1], "events") == 0)
		print_events();
	else {
		fprintf(stderr, "usage: gtm-reference model | configuration | events\n");
		return 2;
	}
	return 0;
}
