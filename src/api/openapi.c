/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/openapi.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "api/problem.h"
#include "api/rest.h"
#include "api/route.h"
#include "api/scenario.h"
#include "base/mem.h"
#include "model/nouns.h"

static json_t *
ref(const char *name)
{
	return json_pack("{s:o}", "$ref", json_sprintf("#/components/schemas/%s", name));
}

/* {kind, name, id, revision, created, updated, spec, status} */
static json_t *
object_schema(enum kind kind)
{
	const char *name = kind_table[kind].name;
	char *spec_name = xasprintf("%s_spec", name);
	json_t *spec = ref(spec_name);

	free(spec_name);
	return json_pack("{s:s, s:s, s:{s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s, s:s}, s:{s:s, "
			 "s:s}, s:o, s:{s:s}}, s:[s]}",
	    "type", "object", "description", kind_table[kind].prose, "properties", "kind", "const",
	    name, "name", "type", "string", "id", "type", "string", "revision", "type", "integer",
	    "created", "type", "string", "format", "date-time", "updated", "type", "string",
	    "format", "date-time", "spec", spec, "status", "type", "object", "required", "spec");
}

static json_t *
problem_schema(void)
{
	return json_pack("{s:s, s:{s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s, s:{s:s, s:{s:{s:s}, "
			 "s:{s:s}, s:{s:s}, s:{s:s}}}}, s:{s:s, s:{s:s}}}}",
	    "type", "object", "properties", "type", "type", "string", "title", "type", "string",
	    "status", "type", "integer", "detail", "type", "string", "errors", "type", "array",
	    "items", "type", "object", "properties", "pointer", "type", "string", "detail", "type",
	    "string", "got", "type", "string", "allowed", "type", "string", "referrers", "type",
	    "array", "items", "type", "string");
}

static json_t *
schemas(void)
{
	json_t *all = json_object();

	for (int k = 0; k < KIND_COUNT; k++) {
		const struct kind_info *info = &kind_table[k];
		char *spec = xasprintf("%s_spec", info->name);

		json_object_set_new(all, info->name, object_schema((enum kind)k));
		json_object_set_new(all, spec, field_schema(info->fields));
		free(spec);
	}
	json_object_set_new(all, "scenario", scenario_schema());
	json_object_set_new(all, "problem", problem_schema());
	return all;
}

static json_t *
parameters(const char *pattern)
{
	json_t *list = json_array();

	for (const char *at = strchr(pattern, '{'); at != NULL; at = strchr(at + 1, '{'))
		json_array_append_new(list,
		    json_pack("{s:s%, s:s, s:b, s:{s:s}}", "name", at + 1, strcspn(at + 1, "}"),
			"in", "path", "required", 1, "schema", "type", "string"));
	return list;
}

/* "put_pools_name": unique, since a route is. */
static json_t *
operation_id(const struct route *route)
{
	char *id = xasprintf("%s_%s", route->method, route->pattern), *to = id;
	json_t *j;

	for (const char *c = id; *c != '\0'; c++)
		if (isalnum((unsigned char)*c) || *c == '.')
			*to++ = (char)tolower((unsigned char)*c);
		else if (to > id && to[-1] != '_' && *c != '}')
			*to++ = '_';
	*to = '\0';
	j = json_string(id);
	free(id);
	return j;
}

/* One record set of a zone: what its object would say but for the zone. */
static json_t *
record_set(void)
{
	json_t *whole = field_schema(rrset_fields), *of = json_object_get(whole, "properties");
	json_t *schema = json_pack("{s:s, s:{s:{s:s}, s:{s:s}, s:O, s:O}, s:[s]}", "type", "object",
	    "properties", "owner", "type", "string", "type", "type", "string", "ttl",
	    json_object_get(of, "ttl"), "records", json_object_get(of, "records"), "required",
	    "records");

	json_decref(whole);
	return schema;
}

static bool
is_override(const struct route *route)
{
	const char *last = strrchr(route->pattern, '/');

	return strcmp(last, "/override") == 0;
}

/* A whole object or, for a list, its page; other replies are told by prose. */
static json_t *
reply_schema(const struct route *route)
{
	const char *last = strrchr(route->pattern, '/');

	if (route->kind == KIND_COUNT || strchr(route->pattern + 8, '/') == NULL) {
		if (route->kind == KIND_COUNT || strcmp(route->method, "GET") != 0)
			return json_pack("{s:s}", "type", "object");
		return json_pack("{s:s, s:{s:{s:s, s:o}, s:{s:s}}}", "type", "object", "properties",
		    "items", "type", "array", "items", ref(kind_table[route->kind].name), "next",
		    "type", "string");
	}
	if (strstr(route->pattern, "/rrsets/{owner}") != NULL)
		return record_set();
	if (is_override(route))
		return ref(kind_table[KIND_OVERRIDE].name);
	if (last[1] == '{')
		return ref(kind_table[route->kind].name);
	return json_pack("{s:s}", "type", "object");
}

/* What is put: the spec but for who, which the server knows, or `for` instead of `until`. */
static json_t *
override_body(void)
{
	json_t *schema = field_schema(override_fields), *of = json_object_get(schema, "properties");

	json_object_del(of, "by");
	json_object_set_new(of, "for",
	    json_pack("{s:s, s:s}", "type", "string", "description",
		"how long from now, such as 30m; instead of until"));
	return schema;
}

static json_t *
responses(const struct route *route)
{
	json_t *all = json_object();
	const bool gone = strcmp(route->method, "DELETE") == 0;

	if (gone)
		json_object_set_new(all, "204", json_pack("{s:s}", "description", "Done"));
	else
		json_object_set_new(all, "200",
		    json_pack("{s:s, s:{s:{s:o}}}", "description", "Done", "content",
			"application/json", "schema", reply_schema(route)));
	json_object_set_new(all, "default",
	    json_pack("{s:s, s:{s:{s:o}}}", "description", "A problem", "content", PROBLEM_TYPE,
		"schema", ref("problem")));
	return all;
}

static json_t *
body_schema(const struct route *route)
{
	if (route->handle == rest_scenario)
		return ref("scenario");
	if (is_override(route))
		return override_body();
	if (strcmp(route->method, "PUT") == 0)
		return reply_schema(route);
	return json_pack("{s:s}", "type", "object");
}

static json_t *
operation(const struct route *route)
{
	json_t *op = json_pack("{s:o, s:s, s:o, s:o}", "operationId", operation_id(route),
	    "summary", route->prose, "parameters", parameters(route->pattern), "responses",
	    responses(route));

	if (route->kind != KIND_COUNT)
		json_object_set_new(op, "tags", json_pack("[s]", kind_table[route->kind].plural));
	if (route->body == ROUTE_JSON)
		json_object_set_new(op, "requestBody",
		    json_pack("{s:b, s:{s:{s:o}}}", "required", 1, "content", "application/json",
			"schema", body_schema(route)));
	if (route->body == ROUTE_ZONE_TEXT)
		json_object_set_new(op, "requestBody",
		    json_pack("{s:b, s:{s:{s:{s:s}}}}", "required", 1, "content", "text/dns",
			"schema", "type", "string"));
	json_object_set_new(op, "x-scope", json_string(auth_scope_words[route->scope]));
	if (route->scope == AUTH_NONE)
		json_object_set_new(op, "security", json_array());
	return op;
}

static json_t *
paths(void)
{
	json_t *all = json_object();

	for (const struct route *route = route_table; route->method != NULL; route++) {
		char *method = xstrdup(route->method);

		for (char *c = method; *c != '\0'; c++)
			*c = (char)tolower((unsigned char)*c);
		if (json_object_get(all, route->pattern) == NULL)
			json_object_set_new(all, route->pattern, json_object());
		json_object_set_new(json_object_get(all, route->pattern), method, operation(route));
		free(method);
	}
	return all;
}

json_t *
openapi_document(void)
{
	return json_pack("{s:s, s:{s:s, s:s, s:{s:s}}, s:[{s:[]}], s:o, s:{s:{s:{s:s, s:s}}, s:o}}",
	    "openapi", "3.1.0", "info", "title", "OpenGTM", "version", GTM_VERSION, "license",
	    "name", "GPL-3.0-or-later", "security", "token", "paths", paths(), "components",
	    "securitySchemes", "token", "type", "http", "scheme", "bearer", "schemas", schemas());
}
