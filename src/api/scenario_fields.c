/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The members of the request: one table reads them and describes them. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "api/scenario.h"
#include "api/scenario_types.h"

#define SITES_MAX     256
#define ADDRESSES_MAX 10000
#define LINES_MAX     1000

static const char *const kind_words[] = { "health_check_only", "active_standby", "multi_active",
	"single_dc_multi_isp", "active_standby_multi_isp", "multi_active_multi_isp", "custom",
	NULL };
static const char *const type_words[] = { "A", "AAAA", "CNAME", NULL };

const char *const scenario_fields_domain[] = { "ttl", "enabled", "ecs", "line_failover",
	"degraded_ttl", "fallback", "fallback_pool", "remark", "labels", NULL };
const char *const scenario_fields_sequence[] = { "sequence_mode", "failback_delay", NULL };
/* Read elsewhere, too: by the template's table, and by the domain's for custom. */
static const char *const others[] = { "check", "strategy", "pools", NULL };

static int
refuse(const struct diag_path *path, struct diag *d, const char *detail, const char *got,
    const char *allowed)
{
	char where[512];

	diag_add(d, DIAG_INVALID, diag_path_text(path, where, sizeof(where)), "%s", detail);
	diag_detail(d, got, allowed);
	return -EINVAL;
}

/* -- type: "A", or a list of those one domain each is made for -- */

static int
decode_type(const json_t *j, const char **out, const struct diag_path *path, struct diag *d)
{
	const char *text = json_string_value(j);

	for (size_t i = 0; text != NULL && type_words[i] != NULL; i++) {
		if (strcasecmp(type_words[i], text) == 0) {
			*out = type_words[i];
			return 0;
		}
	}
	return refuse(path, d, "cannot be steered", text, "A, AAAA, CNAME");
}

static int
decode_types(const struct field *f, const json_t *j, void *at, struct arena *a,
    const struct diag_path *path, struct diag *d)
{
	struct scenario_spec *spec =
	    (struct scenario_spec *)((char *)at - offsetof(struct scenario_spec, types));
	const size_t n = json_array_size(j);

	(void)f;
	(void)a;
	spec->n_types = 1;
	if (!json_is_array(j))
		return decode_type(j, &spec->types[0], path, d);
	spec->n_types = n;
	for (size_t i = 0; i < n && n <= 2; i++) {
		const struct diag_path here = { .parent = path, .index = i };

		if (decode_type(json_array_get(j, i), &spec->types[i], &here, d) < 0)
			return -EINVAL;
	}
	if (n == 1 || (n == 2 && spec->types[0] != spec->types[1] &&
			  spec->types[0] != type_words[2] && spec->types[1] != type_words[2]))
		return 0;
	return refuse(path, d, "is one type, or both of A and AAAA", NULL,
	    "\"A\", \"AAAA\", \"CNAME\", [\"A\", \"AAAA\"]");
}

static void
default_types(const struct field *f, void *at, struct arena *a)
{
	struct scenario_spec *spec =
	    (struct scenario_spec *)((char *)at - offsetof(struct scenario_spec, types));

	(void)f;
	(void)a;
	spec->types[0] = type_words[0];
	spec->n_types = 1;
}

static json_t *
schema_types(const struct field *f)
{
	(void)f;
	return json_pack("{s:[{s:[s,s,s]}, {s:s, s:{s:[s,s]}, s:i, s:i, s:b}], s:s}", "oneOf",
	    "enum", "A", "AAAA", "CNAME", "type", "array", "items", "enum", "A", "AAAA", "minItems",
	    1, "maxItems", 2, "uniqueItems", 1, "default", "A");
}

static const struct field_codec types_codec = { decode_types, NULL, default_types, schema_types,
	NULL };

/* -- addresses: each its value, or {value, target} -- */

#define AT(member) offsetof(struct scenario_address, member)
static const struct field endpoint_fields[] = {
	{ .name = "value",
	    .offset = AT(value),
	    .type = FIELD_STR,
	    .flags = FIELD_REQUIRED,
	    .min = 1,
	    .max = 255,
	    .prose = "what is answered: an IP or a domain name" },
	{ .name = "target",
	    .offset = AT(target),
	    .type = FIELD_STR,
	    .flags = FIELD_OPTIONAL,
	    .min = 1,
	    .max = 64,
	    .prose = "numeric IP to probe instead of the value" },
	FIELD_END,
};
#undef AT

static void
decode_address(const json_t *j, struct scenario_address *out, struct arena *a,
    const struct diag_path *path, struct diag *d)
{
	if (json_is_string(j))
		*out = (struct scenario_address){ .value = arena_strdup(a, json_string_value(j)) };
	else if (json_is_object(j))
		(void)!field_decode(endpoint_fields, j, out, a, path, d);
	else
		refuse(path, d, "must be a string, or {value, target}", NULL, NULL);
}

static int
decode_addresses(const struct field *f, const json_t *j, void *at, struct arena *a,
    const struct diag_path *path, struct diag *d)
{
	struct field_list *list = at;
	const size_t before = d->count;

	(void)f;
	if (!json_is_array(j) || json_array_size(j) == 0 || json_array_size(j) > ADDRESSES_MAX)
		return refuse(path, d, "must be a list of addresses, at least one", NULL, NULL);
	list->count = json_array_size(j);
	list->items = arena_alloc(a, list->count * sizeof(struct scenario_address));
	for (size_t i = 0; i < list->count; i++) {
		const struct diag_path here = { .parent = path, .index = i };

		decode_address(
		    json_array_get(j, i), (struct scenario_address *)list->items + i, a, &here, d);
	}
	return d->count == before ? 0 : -EINVAL;
}

static void
default_empty(const struct field *f, void *at, struct arena *a)
{
	(void)f;
	(void)a;
	*(struct field_list *)at = (struct field_list){ NULL, 0 };
}

static json_t *
schema_addresses(const struct field *f)
{
	(void)f;
	return json_pack("{s:s, s:i, s:i, s:{s:[{s:s}, o]}}", "type", "array", "minItems", 1,
	    "maxItems", ADDRESSES_MAX, "items", "oneOf", "type", "string",
	    field_schema(endpoint_fields));
}

static const struct field_codec addresses_codec = { decode_addresses, NULL, default_empty,
	schema_addresses, NULL };

/* -- lines: {"telecom": [addresses], "default": [addresses]} -- */

static int
decode_lines(const struct field *f, const json_t *j, void *at, struct arena *a,
    const struct diag_path *path, struct diag *d)
{
	struct field_list *list = at;
	const size_t before = d->count;
	struct scenario_line *line;
	const char *name;
	json_t *addresses;

	if (!json_is_object(j) || json_object_size(j) == 0 || json_object_size(j) > LINES_MAX)
		return refuse(path, d, "must be an object with a list of addresses for each line",
		    NULL, "{\"telecom\": [\"192.0.2.1\"], \"default\": [...]}");
	list->items = line = arena_alloc(a, json_object_size(j) * sizeof(*line));
	json_object_foreach((json_t *)(uintptr_t)j, name, addresses)
	{
		const struct diag_path here = { .parent = path, .name = name };

		line[list->count].name = arena_strdup(a, name);
		(void)!decode_addresses(f, addresses, &line[list->count].addresses, a, &here, d);
		list->count++;
	}
	return d->count == before ? 0 : -EINVAL;
}

static json_t *
schema_lines(const struct field *f)
{
	return json_pack("{s:s, s:i, s:o}", "type", "object", "minProperties", 1,
	    "additionalProperties", schema_addresses(f));
}

static const struct field_codec lines_codec = { decode_lines, NULL, default_empty, schema_lines,
	NULL };

/* -- the tables -- */

#define AT(member) offsetof(struct scenario_site, member)
static const struct field site_fields[] = {
	{ .name = "name",
	    .offset = AT(name),
	    .type = FIELD_NAME,
	    .flags = FIELD_REQUIRED,
	    .prose = "of the site, and of its pool in scenarios without lines" },
	{ .name = "weight",
	    .offset = AT(weight),
	    .type = FIELD_U32,
	    .max = 65535,
	    .def = 1,
	    .prose = "share of the answers; 0 = standby; multi_active scenarios only look at it" },
	{ .name = "addresses",
	    .offset = AT(addresses),
	    .type = FIELD_CUSTOM,
	    .codec = &addresses_codec,
	    .prose = "its addresses; not in multi_isp scenarios" },
	{ .name = "lines",
	    .offset = AT(lines),
	    .type = FIELD_CUSTOM,
	    .codec = &lines_codec,
	    .prose = "its addresses by line, built-in by code or alias or custom; multi_isp only" },
	FIELD_END,
};
#undef AT

#define AT(member) offsetof(struct scenario_spec, member)
static const struct field scenario_fields[] = {
	{ .name = "scenario",
	    .offset = AT(kind),
	    .type = FIELD_ENUM,
	    .flags = FIELD_REQUIRED,
	    .words = kind_words,
	    .prose = "what to make" },
	{ .name = "name",
	    .offset = AT(name),
	    .type = FIELD_STR,
	    .flags = FIELD_REQUIRED,
	    .min = 1,
	    .max = 255,
	    .prose = "the name to steer, in a hosted zone" },
	{ .name = "type",
	    .offset = AT(types),
	    .type = FIELD_CUSTOM,
	    .codec = &types_codec,
	    .prose = "record type; with both of A and AAAA each address goes where it belongs" },
	{ .name = "sites",
	    .offset = AT(sites),
	    .type = FIELD_LIST,
	    .max = SITES_MAX,
	    .sub = site_fields,
	    .sub_size = sizeof(struct scenario_site),
	    .prose = "in order: of a standby scenario the primary comes first" },
	{ .name = "names",
	    .offset = AT(names),
	    .type = FIELD_LABELS,
	    .max = 255,
	    .prose = "other names for what is made: {\"pool/dc-a\": \"east\"}; kinds template, "
		     "address, pool" },
	FIELD_END,
};
#undef AT

/* Without the members that other tables read. */
static json_t *
own_members(const json_t *body)
{
	static const char *const *const lists[] = { scenario_fields_domain,
		scenario_fields_sequence, others };
	json_t *own = json_copy((json_t *)(uintptr_t)body);

	for (size_t l = 0; l < ARRAY_LEN(lists); l++) {
		for (size_t i = 0; lists[l][i] != NULL; i++)
			json_object_del(own, lists[l][i]);
	}
	return own;
}

int
scenario_fields_read(struct scenario_spec *out, const json_t *body, struct request *r)
{
	json_t *own = own_members(body);
	const int rc = field_decode(scenario_fields, own, out, &r->arena, NULL, &r->diag);

	json_decref(own);
	return rc;
}

/* -- the schema: our own table, and members of others' -- */

static void
borrow(json_t *properties, const struct field *table, const char *const *names)
{
	json_t *schema = field_schema(table), *theirs = json_object_get(schema, "properties");

	for (; *names != NULL; names++)
		json_object_set(properties, *names, json_object_get(theirs, *names));
	json_decref(schema);
}

static json_t *
check_schema(void)
{
	json_t *schema = field_schema(template_fields);
	json_t *properties = json_object_get(schema, "properties");

	json_object_del(properties, "remark");
	json_object_del(properties, "labels");
	json_object_set_new(properties, "port",
	    json_pack("{s:s, s:i, s:i, s:s}", "type", "integer", "minimum", 1, "maximum", 65535,
		"description", "port to probe"));
	json_object_set_new(properties, "template",
	    json_pack("{s:s, s:s}", "type", "string", "description",
		"an existing template instead of all members but port"));
	json_object_set_new(schema, "required", json_pack("[s]", "port"));
	json_object_set_new(
	    schema, "description", json_string("how each address is probed; absent: not at all"));
	return schema;
}

json_t *
scenario_schema(void)
{
	static const char *const custom[] = { "strategy", "pools", NULL };
	json_t *schema = field_schema(scenario_fields);
	json_t *properties = json_object_get(schema, "properties");

	json_object_set_new(properties, "check", check_schema());
	borrow(properties, domain_fields, scenario_fields_domain);
	borrow(properties, domain_fields, scenario_fields_sequence);
	borrow(properties, domain_fields, custom);
	return schema;
}
