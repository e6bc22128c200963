/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/route.h"

#include <stdio.h>
#include <string.h>

#include "api/rest.h"

#define API "/api/v1"

/* The five that every kind has; `key` is the path of one object. */
#define KIND_ROUTES(kind, plural, key)                                                             \
	{ "GET", API "/" plural, rest_object_list, AUTH_READ, ROUTE_NO_BODY, kind,                 \
		"List, by name: limit, cursor, health, state, label=k=v, q" },                     \
	    { "GET", API "/" plural key, rest_object_get, AUTH_READ, ROUTE_NO_BODY, kind,          \
		    "One, with its status" },                                                      \
	    { "PUT", API "/" plural key, rest_object_put, AUTH_WRITE, ROUTE_JSON, kind,            \
		    "Create, or replace the spec" },                                               \
	    { "PATCH", API "/" plural key, rest_object_patch, AUTH_WRITE, ROUTE_JSON, kind,        \
		    "Merge-patch of the spec (RFC 7396)" },                                        \
	{                                                                                          \
		"DELETE", API "/" plural key, rest_object_delete, AUTH_WRITE, ROUTE_NO_BODY, kind, \
		    "Delete; 409 with referrers while in use"                                      \
	}

/* What operators impose on one. */
#define OVERRIDE_ROUTES(kind, plural, key)                                                         \
	{ "GET", API "/" plural key "/override", rest_override_get, AUTH_READ, ROUTE_NO_BODY,      \
		kind, "What an operator has imposed on it" },                                      \
	    { "PUT", API "/" plural key "/override", rest_override_put, AUTH_OPERATE, ROUTE_JSON,  \
		    kind, "Impose {state: up, down, drain; reason; until or for}" },               \
	{                                                                                          \
		"DELETE", API "/" plural key "/override", rest_override_delete, AUTH_OPERATE,      \
		    ROUTE_NO_BODY, kind, "Lift it"                                                 \
	}

#define ANY KIND_COUNT

/* clang-format off */
const struct route route_table[] = {
	KIND_ROUTES(KIND_TSIG_KEY, "tsig-keys", "/{name}"),
	{ "POST", API "/nodes/{name}:token", rest_node_token, AUTH_WRITE, ROUTE_JSON, KIND_NODE,
	    "Invite a node: {for?, server?, dir?} to a token, good once, and the command that "
	    "takes it there, where its data directory is `dir`" },
	KIND_ROUTES(KIND_NODE, "nodes", "/{name}"),
	KIND_ROUTES(KIND_TEMPLATE, "templates", "/{name}"),
	{ "POST", API "/templates/{name}:try", rest_template_try, AUTH_OPERATE, ROUTE_JSON, KIND_TEMPLATE,
	    "Probe {target, port, host?} once: outcome, cause, phases" },
	{ "POST", API "/lines:locate", rest_line_locate, AUTH_READ, ROUTE_JSON, KIND_LINE,
	    "The lines of an address, best first, and why: {ip}" },
	{ "GET", API "/line-tree", rest_line_tree, AUTH_READ, ROUTE_NO_BODY, ANY,
	    "The built-in lines, and whether there is data for them: q, kind, parent" },
	KIND_ROUTES(KIND_LINE, "lines", "/{name}"),
	KIND_ROUTES(KIND_ADDRESS, "addresses", "/{name}"),
	{ "GET", API "/addresses/{name}/health", rest_address_health, AUTH_READ, ROUTE_NO_BODY, KIND_ADDRESS,
	    "Per check and node: verdict, last observations with cause and timing" },
	{ "POST", API "/addresses/{name}:heartbeat", rest_address_heartbeat, AUTH_NONE, ROUTE_JSON, KIND_ADDRESS,
	    "Protocol push: {template, at, for, signature}; the signature is what authorises" },
	OVERRIDE_ROUTES(KIND_ADDRESS, "addresses", "/{name}"),
	KIND_ROUTES(KIND_POOL, "pools", "/{name}"),
	OVERRIDE_ROUTES(KIND_POOL, "pools", "/{name}"),
	{ "POST", API "/pools/{name}/addresses", rest_pool_link, AUTH_WRITE, ROUTE_JSON, KIND_POOL,
	    "Add one address to a pool without replacing the list" },
	{ "DELETE", API "/pools/{name}/addresses/{address}", rest_pool_unlink, AUTH_WRITE, ROUTE_NO_BODY, KIND_POOL,
	    "Take one address out of a pool" },
	{ "POST", API "/domains:from-scenario", rest_scenario, AUTH_WRITE, ROUTE_JSON, KIND_DOMAIN,
	    "Make template, addresses, pools and domain in one revision" },
	{ "POST", API "/domains/{name}/{type}:enable", rest_domain_enable, AUTH_OPERATE, ROUTE_NO_BODY, KIND_DOMAIN,
	    "Start steering" },
	{ "POST", API "/domains/{name}/{type}:disable", rest_domain_disable, AUTH_OPERATE, ROUTE_NO_BODY, KIND_DOMAIN,
	    "Stop steering: the zone's own records answer" },
	KIND_ROUTES(KIND_DOMAIN, "domains", "/{name}/{type}"),
	OVERRIDE_ROUTES(KIND_DOMAIN, "domains", "/{name}/{type}"),
	{ "GET", API "/overrides", rest_object_list, AUTH_READ, ROUTE_NO_BODY, KIND_OVERRIDE,
	    "All that operators have imposed: limit, cursor, q" },
	KIND_ROUTES(KIND_MAINTENANCE, "maintenances", "/{name}"),
	KIND_ROUTES(KIND_RRSET, "rrsets", "/{name}/{type}"),
	{ "GET", API "/zones/{zone}/file", rest_zonefile_get, AUTH_READ, ROUTE_NO_BODY, KIND_ZONE,
	    "All records as zone text" },
	{ "PUT", API "/zones/{zone}/file", rest_zonefile_put, AUTH_WRITE, ROUTE_ZONE_TEXT, KIND_ZONE,
	    "Replace all records in one revision; makes the zone if there is none" },
	{ "GET", API "/zones/{zone}/rrsets", rest_rrset_list, AUTH_READ, ROUTE_NO_BODY, KIND_ZONE,
	    "Record sets: limit, cursor, type, q" },
	{ "GET", API "/zones/{zone}/rrsets/{owner}/{type}", rest_rrset_get, AUTH_READ, ROUTE_NO_BODY, KIND_ZONE,
	    "One record set; owner \"@\" is the apex" },
	{ "PUT", API "/zones/{zone}/rrsets/{owner}/{type}", rest_rrset_put, AUTH_WRITE, ROUTE_JSON, KIND_ZONE,
	    "Replace one record set: {ttl, records}; records are data, or {data, line, weight, enabled, remark}" },
	{ "DELETE", API "/zones/{zone}/rrsets/{owner}/{type}", rest_rrset_delete, AUTH_WRITE, ROUTE_NO_BODY, KIND_ZONE,
	    "Delete one record set" },
	{ "POST", API "/zones/{zone}:refresh", rest_zone_refresh, AUTH_OPERATE, ROUTE_NO_BODY, KIND_ZONE,
	    "Secondary: ask the primaries now whether there is something new" },
	{ "POST", API "/zones/{zone}:retransfer", rest_zone_retransfer, AUTH_OPERATE, ROUTE_NO_BODY, KIND_ZONE,
	    "Secondary: transfer the whole zone now, whatever its serial" },
	KIND_ROUTES(KIND_ZONE, "zones", "/{zone}"),
	{ "GET", API "/config", rest_config_get, AUTH_READ, ROUTE_NO_BODY, ANY,
	    "All objects, what is referred to first" },
	{ "POST", API "/config:apply", rest_config_apply, AUTH_WRITE, ROUTE_JSON, ANY,
	    "Put many objects in one revision, or none" },
	{ "POST", API "/explain", rest_explain, AUTH_READ, ROUTE_JSON, ANY,
	    "What would be answered, and why" },
	{ "POST", API "/simulate", rest_simulate, AUTH_READ, ROUTE_JSON, ANY,
	    "What clients would get: resolvers by the thousand, failing sites, a virtual clock" },
	{ "GET", API "/events", rest_events, AUTH_READ, ROUTE_NO_BODY, ANY,
	    "Events, oldest first, those after `since` or the latest: kind, object, before, limit" },
	{ "GET", API "/audit", rest_audit, AUTH_READ, ROUTE_NO_BODY, ANY,
	    "Who changed what, newest first: before, limit" },
	{ "GET", API "/stream", rest_stream, AUTH_READ, ROUTE_NO_BODY, ANY,
	    "Server-sent events: topics=health,events,config; Last-Event-ID replays" },
	{ "GET", API "/openapi.json", rest_openapi, AUTH_NONE, ROUTE_NO_BODY, ANY, "This document" },
	{ "GET", "/healthz", rest_healthz, AUTH_NONE, ROUTE_NO_BODY, ANY, "The process lives" },
	{ "GET", "/readyz", rest_readyz, AUTH_NONE, ROUTE_NO_BODY, ANY, "DNS is served, or why not (503)" },
	{ "GET", "/version", rest_version, AUTH_NONE, ROUTE_NO_BODY, ANY, "Version" },
	{ "GET", "/metrics", rest_metrics, AUTH_READ, ROUTE_NO_BODY, ANY, "OpenMetrics" },
	{ .method = NULL },
};
/* clang-format on */

/* Does `value` fit the pattern's part text[0..len)? For a {part}, *param is what it stands for. */
static bool
fits(struct arena *a, const char *text, size_t len, const char *value, const char **param)
{
	*param = NULL;
	if (text[0] != '{')
		return strlen(value) == len && memcmp(text, value, len) == 0;

	const char *suffix = (const char *)memchr(text, '}', len) + 1;
	const size_t tail = (size_t)(text + len - suffix), whole = strlen(value);

	if (whole <= tail || memcmp(value + whole - tail, suffix, tail) != 0)
		return false;
	*param = tail == 0 ? value : arena_strndup(a, value, whole - tail);
	return true;
}

static bool
matches(struct request *r, const struct route *route)
{
	const char *at = route->pattern;
	size_t i = 0, n = 0;

	for (; *at == '/'; i++) {
		const size_t len = strcspn(at + 1, "/");
		const char *param;

		if (i == r->n_segments || !fits(&r->arena, at + 1, len, r->segments[i], &param))
			return false;
		if (param != NULL)
			r->params[n++] = param;
		at += 1 + len;
	}
	return i == r->n_segments;
}

static void
allow_add(char *allow, size_t size, const char *method)
{
	const size_t len = strlen(allow);

	if (strstr(allow, method) == NULL)
		snprintf(allow + len, size - len, "%s%s", len > 0 ? ", " : "", method);
	if (strcmp(method, "GET") == 0)
		allow_add(allow, size, "HEAD");
}

const struct route *
route_find(struct request *r, char *allow, size_t size)
{
	allow[0] = '\0';
	for (const struct route *route = route_table; route->method != NULL; route++) {
		if (!matches(r, route))
			continue;
		if (strcmp(route->method, r->method) == 0)
			return route;
		allow_add(allow, size, route->method);
	}
	return NULL;
}
