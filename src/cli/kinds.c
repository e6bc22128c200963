/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/kinds.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/client.h"

#define OVERRIDE "override"

const json_t *
kinds_at(const json_t *object, const char *path)
{
	while (object != NULL && *path != '\0') {
		const size_t len = strcspn(path, ".");

		object = json_object_getn(object, path, len);
		path += len + (path[len] == '.');
	}
	return object;
}

const char *
kinds_text(const json_t *j, struct arena *a)
{
	const char *text = NULL;
	const json_t *item;
	size_t i;

	if (json_is_string(j))
		return json_string_length(j) > 0 ? arena_strdup(a, json_string_value(j)) : "-";
	if (json_is_integer(j))
		return arena_printf(a, "%" JSON_INTEGER_FORMAT, json_integer_value(j));
	if (json_is_real(j))
		return arena_printf(a, "%.4g", json_real_value(j));
	if (json_is_boolean(j))
		return json_is_true(j) ? "yes" : "no";
	json_array_foreach(j, i, item) text =
	    text == NULL ? kinds_text(item, a)
			 : arena_printf(a, "%s,%s", text, kinds_text(item, a));
	return text != NULL ? text : "-";
}

/* A domain's object is named "www.example.com/A". */
static const char *
domain_host(const json_t *o, struct arena *a)
{
	const char *name = json_string_value(json_object_get(o, "name"));

	return name == NULL ? "-" : arena_strndup(a, name, strcspn(name, "/"));
}

static const char *
domain_type(const json_t *o, struct arena *a)
{
	const char *name = json_string_value(json_object_get(o, "name"));
	const char *slash = name != NULL ? strchr(name, '/') : NULL;

	return slash != NULL ? arena_strdup(a, slash + 1) : kinds_text(kinds_at(o, "spec.type"), a);
}

/* "dc-a:3,dc-b:1", or only names where weights say nothing. */
static const char *
links(const json_t *list, const char *member, bool weights, struct arena *a)
{
	const char *text = NULL;
	const json_t *link;
	size_t i;

	json_array_foreach(list, i, link)
	{
		const char *name = kinds_text(json_object_get(link, member), a);

		if (weights)
			name = arena_printf(
			    a, "%s:%s", name, kinds_text(json_object_get(link, "weight"), a));
		text = text == NULL ? name : arena_printf(a, "%s,%s", text, name);
	}
	return text != NULL ? text : "-";
}

static bool
is_weighted(const json_t *o)
{
	const char *strategy = json_string_value(kinds_at(o, "spec.strategy"));

	return strategy != NULL && strcmp(strategy, "weight") == 0;
}

static const char *
domain_pools(const json_t *o, struct arena *a)
{
	return links(kinds_at(o, "spec.pools"), "pool", is_weighted(o), a);
}

static const char *
pool_addresses(const json_t *o, struct arena *a)
{
	return links(kinds_at(o, "spec.addresses"), "address", is_weighted(o), a);
}

static const char *
available(const json_t *o, struct arena *a)
{
	const json_t *n = kinds_at(o, "status.available"), *total = kinds_at(o, "status.total");

	return n == NULL && total == NULL
		   ? "-"
		   : arena_printf(a, "%s/%s", kinds_text(n, a), kinds_text(total, a));
}

/* From the status with verdicts ("tcp:80 up"), else from the spec. */
static const char *
checks(const json_t *o, struct arena *a)
{
	const json_t *list = kinds_at(o, "status.checks"), *check;
	const char *text = NULL;
	size_t i;

	if (json_array_size(list) == 0)
		list = kinds_at(o, "spec.checks");
	json_array_foreach(list, i, check)
	{
		const json_t *verdict = json_object_get(check, "verdict");
		const char *one =
		    arena_printf(a, "%s:%s%s%s", kinds_text(json_object_get(check, "template"), a),
			kinds_text(json_object_get(check, "port"), a), verdict != NULL ? " " : "",
			verdict != NULL ? kinds_text(verdict, a) : "");

		text = text == NULL ? one : arena_printf(a, "%s, %s", text, one);
	}
	return text != NULL ? text : "-";
}

/* "3400ms, at worst 11s" */
static const char *
detection(const json_t *o, struct arena *a)
{
	const json_t *d = kinds_at(o, "status.detection");

	if (d == NULL)
		return "-";
	return arena_printf(a, "%s, at worst %s", kinds_text(json_object_get(d, "typical"), a),
	    kinds_text(json_object_get(d, "worst"), a));
}

static const char *
until_text(const json_t *j, struct arena *a)
{
	const char *until = json_string_value(json_object_get(j, "until"));

	return until != NULL ? arena_printf(a, " until %s", until) : "";
}

/* What keeps it from being as its health says, who says so and why. */
static const char *
imposed(const json_t *o, struct arena *a)
{
	const json_t *override = kinds_at(o, "status.override"),
		     *window = kinds_at(o, "status.maintenance"),
		     *damped = kinds_at(o, "status.damped");

	if (override != NULL)
		return arena_printf(a, "%s by %s%s: %s",
		    kinds_text(json_object_get(override, "state"), a),
		    kinds_text(json_object_get(override, "by"), a), until_text(override, a),
		    kinds_text(json_object_get(override, "reason"), a));
	if (window != NULL)
		return arena_printf(a, "%s by maintenance %s%s: %s",
		    kinds_text(json_object_get(window, "state"), a),
		    kinds_text(json_object_get(window, "name"), a), until_text(window, a),
		    kinds_text(json_object_get(window, "reason"), a));
	if (damped != NULL)
		return arena_printf(a, "flapping, held %s%s",
		    kinds_text(json_object_get(damped, "held"), a), until_text(damped, a));
	return "-";
}

static const struct kinds_column tsig_key_columns[] = {
	{ "NAME", "name", .wide = false },
	{ "ALGORITHM", "spec.algorithm", .wide = false },
	{ "REVISION", "revision", .wide = true, .right = true },
	{ "REMARK", "spec.remark", .wide = false },
	{ .title = NULL },
};
static const struct kinds_column zone_columns[] = {
	{ "NAME", "name", .wide = false },
	{ "ROLE", "spec.role", .wide = true },
	{ "NAMESERVERS", "spec.nameservers", .wide = false },
	{ "CONTACT", "spec.contact", .wide = false },
	{ "REVISION", "revision", .wide = true, .right = true },
	{ "REMARK", "spec.remark", .wide = true },
	{ .title = NULL },
};
static const struct kinds_column template_columns[] = {
	{ "NAME", "name", .wide = false },
	{ "PROTOCOL", "spec.protocol", .wide = false },
	{ "INTERVAL", "spec.interval", .right = true },
	{ "TIMEOUT", "spec.timeout", .right = true },
	{ "FALL", "spec.fall", .right = true },
	{ "RISE", "spec.rise", .right = true },
	{ "DETECTION", .text = detection, .wide = true },
	{ "RECHECK", "spec.recheck", .wide = true, .right = true },
	{ "FAILURE RATE", "spec.failure_rate", .wide = true, .right = true },
	{ "REVISION", "revision", .wide = true, .right = true },
	{ .title = NULL },
};
static const struct kinds_column line_columns[] = {
	{ "NAME", "name", .wide = false },
	{ "PARENT", "spec.parent", .wide = false },
	{ "CIDRS", "spec.cidrs", .wide = false },
	{ "REVISION", "revision", .wide = true, .right = true },
	{ "REMARK", "spec.remark", .wide = false },
	{ .title = NULL },
};
static const struct kinds_column address_columns[] = {
	{ "NAME", "name", .wide = false },
	{ "VALUE", "spec.value", .wide = false },
	{ "STATE", "status.state", .wide = false },
	{ "CHECKS", .text = checks },
	{ "TYPE", "spec.type", .wide = true },
	{ "ENABLED", "spec.enabled", .wide = true },
	{ "MODE", "spec.mode", .wide = true },
	{ "IMPOSED", .text = imposed, .wide = true },
	{ "HEALTH", "status.health", .wide = true },
	{ "AVAILABILITY", "status.availability", .wide = true },
	{ "REVISION", "revision", .wide = true, .right = true },
	{ .title = NULL },
};
static const struct kinds_column pool_columns[] = {
	{ "NAME", "name", .wide = false },
	{ "TYPE", "spec.type", .wide = false },
	{ "STATE", "status.state", .wide = false },
	{ "AVAILABLE", .text = available, .right = true },
	{ "STRATEGY", "spec.strategy", .wide = false },
	{ "ADDRESSES", .text = pool_addresses },
	{ "IMPOSED", .text = imposed, .wide = true },
	{ "ENABLED", "spec.enabled", .wide = true },
	{ "HEALTHY WHEN", "spec.healthy_when", .wide = true },
	{ "REVISION", "revision", .wide = true, .right = true },
	{ .title = NULL },
};
static const struct kinds_column domain_columns[] = {
	{ "NAME", .text = domain_host },
	{ "TYPE", .text = domain_type },
	{ "ENABLED", "spec.enabled", .wide = false },
	{ "STATE", "status.state", .wide = false },
	{ "STRATEGY", "spec.strategy", .wide = false },
	{ "TTL", "spec.ttl", .right = true },
	{ "POOLS", .text = domain_pools },
	{ "IMPOSED", .text = imposed, .wide = true },
	{ "AVAILABLE", .text = available, .wide = true, .right = true },
	{ "FALLBACK", "spec.fallback", .wide = true },
	{ "REVISION", "revision", .wide = true, .right = true },
	{ .title = NULL },
};

/* "192.0.2.1, telecom 192.0.2.2 *3, unicom 192.0.2.3 (off)" */
static const char *
rrset_records(const json_t *o, struct arena *a)
{
	const json_t *list = kinds_at(o, "spec.records"), *r;
	const char *text = NULL;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)list, i, r)
	{
		const json_t *line = json_object_get(r, "line"),
			     *weight = json_object_get(r, "weight");
		const char *one = arena_printf(a, "%s%s%s%s%s%s",
		    line != NULL ? kinds_text(line, a) : "", line != NULL ? " " : "",
		    kinds_text(json_is_string(r) ? r : json_object_get(r, "data"), a),
		    weight != NULL ? " *" : "", weight != NULL ? kinds_text(weight, a) : "",
		    json_is_false(json_object_get(r, "enabled")) ? " (off)" : "");

		text = text == NULL ? one : arena_printf(a, "%s, %s", text, one);
	}
	return text != NULL ? text : "-";
}

static const struct kinds_column rrset_columns[] = {
	{ "NAME", "name", .wide = false },
	{ "ZONE", "spec.zone", .wide = true },
	{ "TTL", "spec.ttl", .right = true },
	{ "RECORDS", .text = rrset_records },
	{ "REVISION", "revision", .wide = true, .right = true },
	{ .title = NULL },
};

static const struct kinds_column override_columns[] = {
	{ "OBJECT", "name", .wide = false },
	{ "IMPOSED", "spec.state", .wide = false },
	{ "UNTIL", "spec.until", .wide = false },
	{ "BY", "spec.by", .wide = false },
	{ "REASON", "spec.reason", .wide = false },
	{ "SINCE", "updated", .wide = true },
	{ "REVISION", "revision", .wide = true, .right = true },
	{ .title = NULL },
};
static const struct kinds_column maintenance_columns[] = {
	{ "NAME", "name", .wide = false },
	{ "IMPOSES", "spec.state", .wide = false },
	{ "STARTS", "spec.starts", .wide = false },
	{ "ENDS", "spec.ends", .wide = false },
	{ "EVERY", "spec.every", .right = true },
	{ "OBJECTS", "spec.objects", .wide = false },
	{ "REASON", "spec.reason", .wide = true },
	{ "REVISION", "revision", .wide = true, .right = true },
	{ .title = NULL },
};

/* "12 ms" */
static const char *
milliseconds(const json_t *j, struct arena *a)
{
	return json_is_number(j) ? arena_printf(a, "%.0f ms", json_number_value(j)) : "-";
}

static const char *
node_skew(const json_t *o, struct arena *a)
{
	return milliseconds(kinds_at(o, "status.clock_skew_ms"), a);
}

static const char *
node_lag(const json_t *o, struct arena *a)
{
	return milliseconds(kinds_at(o, "status.lag_ms"), a);
}

static const struct kinds_column node_columns[] = {
	{ "NAME", "name", .wide = false },
	{ "CITY", "spec.city", .wide = false },
	{ "ISP", "spec.isp", .wide = false },
	{ "COUNTRY", "spec.country", .wide = true },
	{ "STATE", "status.state", .wide = false },
	{ "CHECKS", "status.checks", .right = true },
	{ "DOWN", "status.down", .right = true },
	{ "LAG", .text = node_lag, .right = true },
	{ "CLOCK", .text = node_skew, .right = true },
	{ "LAST SEEN", "status.last_seen", .wide = false },
	{ "VERSION", "status.version", .wide = false },
	{ "ADDRESS", "status.address", .wide = true },
	{ "REVISION", "revision", .wide = true, .right = true },
	{ .title = NULL },
};

const struct kinds_row kinds_table[] = {
	{ "domain", "domains", true, domain_columns },
	{ "pool", "pools", false, pool_columns },
	{ "address", "addresses", false, address_columns },
	{ "template", "templates", false, template_columns },
	{ "line", "lines", false, line_columns },
	{ "node", "nodes", false, node_columns },
	{ "zone", "zones", false, zone_columns },
	{ "rrset", "rrsets", true, rrset_columns },
	{ "tsig-key", "tsig-keys", false, tsig_key_columns },
	{ OVERRIDE, "overrides", false, override_columns },
	{ "maintenance", "maintenances", false, maintenance_columns },
	{ .name = NULL },
};

const struct kinds_row *
kinds_find(const char *word)
{
	for (const struct kinds_row *k = kinds_table; k->name != NULL; k++)
		if (strcmp(k->name, word) == 0 || strcmp(k->plural, word) == 0)
			return k;
	return NULL;
}

/* An override is found below its object: "pool/dc-a" is /pools/dc-a/override. */
static char *
override_path(const char *word)
{
	const char *slash = strchr(word, '/');
	char *noun = xstrndup(word, slash != NULL ? (size_t)(slash - word) : 0);
	const struct kinds_row *k = kinds_find(noun);
	const char *name = slash != NULL ? slash + 1 : NULL;
	char *path = NULL, *object;

	free(noun);
	if (k != NULL) {
		object = kinds_path(k, &name, 1);
		path = xasprintf("%s/override", object);
		free(object);
	}
	return path;
}

char *
kinds_path(const struct kinds_row *k, const char *const *words, size_t n_words)
{
	if (n_words == 0)
		return xasprintf("/api/v1/%s", k->plural);
	if (strcmp(k->name, OVERRIDE) == 0)
		return override_path(words[0]);

	const char *slash = k->typed && n_words == 1 ? strrchr(words[0], '/') : NULL;
	const char *type = n_words > 1 ? words[1] : slash != NULL ? slash + 1 : NULL;
	char *name =
	    slash != NULL ? xstrndup(words[0], (size_t)(slash - words[0])) : xstrdup(words[0]);
	char *one = client_escape(name), *two = type != NULL ? client_escape(type) : NULL;
	char *path = xasprintf(
	    "/api/v1/%s/%s%s%s", k->plural, one, two != NULL ? "/" : "", two != NULL ? two : "");

	free(name);
	free(one);
	free(two);
	return path;
}

static void
write_object(struct table *t, const struct kinds_row *k, const json_t *o, bool wide)
{
	struct arena a;

	arena_init(&a);
	for (const struct kinds_column *c = k->columns; c->title != NULL; c++) {
		if (c->wide && !wide)
			continue;
		const char *text =
		    c->text != NULL ? c->text(o, &a) : kinds_text(kinds_at(o, c->path), &a);

		table_cell(
		    t, strcmp(c->title, "STATE") == 0 ? term_state_style(text) : STYLE_PLAIN, text);
	}
	arena_fini(&a);
}

void
kinds_write(
    const struct kinds_row *k, const json_t *objects, bool wide, bool colour, struct buf *out)
{
	struct table t;
	size_t n = 0, i;
	const json_t *o;

	for (const struct kinds_column *c = k->columns; c->title != NULL; c++)
		n += !c->wide || wide;
	table_init(&t, n);
	for (const struct kinds_column *c = k->columns; c->title != NULL; c++) {
		if (c->wide && !wide)
			continue;
		t.right |= (unsigned)c->right << t.n_cells;
		table_head(&t, c->title);
	}
	json_array_foreach(objects, i, o) write_object(&t, k, o, wide);
	table_write(&t, out, colour, "");
	table_fini(&t);
}
