/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/scenario.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/problem.h"
#include "base/mem.h"

#define OBJNAME_BYTES 64
#define TRIES         100

/* One row per scenario: what differs between the domains they make. */
static const struct row {
	const char *name;
	const char *strategy;
	size_t sites; /* at least */
	bool mode;    /* sequence_mode may be given */
} rows[] = {
	{ "multi_active", "weight", 1, false },
	{ "active_standby", "sequence", 2, true },
};
#define ALLOWED "multi_active, active_standby"

static const char *const members[] = { "scenario", "name", "type", "ttl", "enabled", "check",
	"sites", "sequence_mode", "remark", NULL };
static const char *const check_members[] = { "protocol", "port", "interval", "timeout", "fall",
	"rise", "recheck", "failure_rate", "talk", "http", "tls", "ping", "dns", "grpc", NULL };
static const char *const site_members[] = { "name", "weight", "addresses", NULL };

struct scenario {
	struct edit *e;
	struct request *r;
	const json_t *body;
	const struct row *row;
	const char *name;         /* of the domain's host */
	const char *type;         /* "A" */
	const char *address_type; /* "ipv4" */
	const char *template;     /* NULL: no check */
	json_t *made, *reused;
	json_t *links; /* of the domain to its pools */
};

static const char *
text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static const char *print(struct scenario *s, const char *fmt, ...) PRINTF(2, 3);
static const char *
print(struct scenario *s, const char *fmt, ...)
{
	const char *text;
	va_list ap;

	va_start(ap, fmt);
	text = arena_vprintf(&s->r->arena, fmt, ap);
	va_end(ap);
	return text;
}

static int
invalid(
    struct scenario *s, const char *where, const char *detail, const char *got, const char *allowed)
{
	diag_add(&s->r->diag, DIAG_INVALID, where, "%s", detail);
	diag_detail(&s->r->diag, got, allowed);
	return -EINVAL;
}

/* -- names -- */

enum taken { FREE, EQUAL, OTHER };

static json_t *
spec_at(struct scenario *s, enum kind kind, const char *name)
{
	const struct change_op *op = edit_pending(s->e, kind, name);

	return op != NULL ? json_loads(op->spec, 0, NULL) : edit_spec(s->e, kind, name);
}

/* Would a put of `spec` under this name change another object? Problems of the spec go to d. */
static enum taken
look(struct scenario *s, enum kind kind, const char *name, const json_t *spec, struct diag *d)
{
	json_t *there = spec_at(s, kind, name), *full = NULL;
	enum taken taken = OTHER;

	if (there == NULL)
		return FREE;

	const void *decoded = kind_decode(kind, name, spec, &s->r->arena, d);

	if (decoded != NULL)
		full = field_encode(kind_table[kind].fields, decoded, true);
	if (full != NULL && json_equal(there, full))
		taken = EQUAL;
	json_decref(full);
	json_decref(there);
	return taken;
}

static void
note(json_t *list, enum kind kind, const char *name)
{
	json_array_append_new(
	    list, json_pack("{s:s, s:s}", "kind", kind_table[kind].name, "name", name));
}

/*
 * Put `spec` under `base`, or use the equal object that is there. `generated`: a name of ours
 * gives way ("base-2"); a person's does not. Returns the name, or NULL with problems at `where`.
 */
static const char *
place(struct scenario *s, enum kind kind, const char *base, json_t *spec, bool generated,
    const char *where, bool whole)
{
	const char *name = base;
	enum taken taken;
	struct diag d;
	int rc = 0;

	diag_init(&d);
	taken = look(s, kind, name, spec, &d);
	for (int i = 2; taken == OTHER && generated && i < TRIES && !diag_failed(&d); i++) {
		name = print(s, "%s-%d", base, i);
		taken = look(s, kind, name, spec, &d);
	}
	if (diag_failed(&d))
		rc = -EINVAL;
	else if (taken == FREE)
		rc = edit_put(s->e, kind, name, spec, &d);
	else if (taken == OTHER)
		rc = diag_add(&d, DIAG_CONFLICT, "name", "there is a different %s '%s' already",
		    kind_table[kind].name, base);
	if (rc == 0)
		note(taken == FREE ? s->made : s->reused, kind, name);
	else
		problem_adopt(&s->r->diag, &d, where, whole);
	diag_fini(&d);
	json_decref(spec);
	return rc == 0 ? name : NULL;
}

/* -- the parts -- */

/*
 * The certificate of a site holds the domain's name rather than its IP: ask for that, unless told
 * otherwise.
 */
static void
name_host(struct scenario *s, json_t *spec, const char *protocol)
{
	const bool https = strcmp(protocol, "https") == 0;
	const char *group = https ? "http" : "tls", *member = https ? "host" : "sni";
	json_t *now = json_object_get(spec, group), *named;

	if ((!https && strcmp(protocol, "tls") != 0) || s->name[0] == '*' ||
	    (now != NULL && !json_is_object(now)) || json_object_get(now, member) != NULL)
		return;
	named = now != NULL ? json_copy(now) : json_object();
	json_object_set_new(named, member, json_string(s->name));
	json_object_set_new(spec, group, named);
}

static void
make_template(struct scenario *s)
{
	const json_t *check = json_object_get(s->body, "check");
	const char *protocol = text_of(check, "protocol");
	const json_t *port;
	char tail[40];

	if (check == NULL) {
		edit_warn(s->e, "no check: the addresses are not monitored");
		return;
	}
	if (!json_is_object(check)) {
		invalid(s, "check", "must be an object", NULL, NULL);
		return;
	}
	if (request_members(s->r, check, "check", check_members) < 0)
		return;
	/* The port lives in each address; said here, it is wrong once. */
	port = json_object_get(check, "port");
	if (!json_is_integer(port) || json_integer_value(port) < 1 ||
	    json_integer_value(port) > 65535) {
		invalid(s, "check.port", "must be a port", NULL, "1..65535");
		return;
	}
	snprintf(tail, sizeof(tail), "-%.16s-%d", protocol != NULL ? protocol : "check",
	    (int)json_integer_value(port));

	json_t *spec = json_copy((json_t *)(uintptr_t)check);

	json_object_del(spec, "port");
	if (protocol != NULL)
		name_host(s, spec, protocol);
	/* Room for "-99" stays; a long host name loses its end, not its kind. */
	s->template = place(s, KIND_TEMPLATE,
	    print(s, "%.*s%s", (int)(OBJNAME_BYTES - 3 - strlen(tail)), s->name, tail), spec, true,
	    "check", false);
}

static json_t *
address_spec(struct scenario *s, const char *value)
{
	json_t *spec = json_pack("{s:s, s:s}", "type", s->address_type, "value", value);
	json_t *port = json_object_get(json_object_get(s->body, "check"), "port");

	if (s->template != NULL)
		json_object_set_new(spec, "checks",
		    json_pack("[{s:s, s:O*}]", "template", s->template, "port", port));
	return spec;
}

static const char *
make_address(struct scenario *s, const char *site, size_t i, size_t n, const json_t *value)
{
	const char *where = print(s, "sites[%zu].addresses[%zu]", i, n),
		   *text = json_string_value(value);

	if (text == NULL) {
		invalid(s, where, "must be a string", NULL, NULL);
		return NULL;
	}
	return place(s, KIND_ADDRESS, print(s, "%.*s-%zu", OBJNAME_BYTES - 8, site, n + 1),
	    address_spec(s, text), true, where, true);
}

static void
make_site(struct scenario *s, size_t i, const json_t *site)
{
	const json_t *list = json_object_get(site, "addresses"), *value;
	const char *where = print(s, "sites[%zu]", i), *name = text_of(site, "name");
	json_t *links, *weight = json_object_get(site, "weight");
	size_t n;

	if (!json_is_object(site) || name == NULL || !json_is_array(list) ||
	    json_array_size(list) == 0) {
		invalid(s, where, "must be {name, weight?, addresses: [at least one]}", NULL, NULL);
		return;
	}
	if (request_members(s->r, site, where, site_members) < 0)
		return;
	links = json_array();
	json_array_foreach((json_t *)(uintptr_t)list, n, value)
	{
		const char *address = make_address(s, name, i, n, value);

		if (address != NULL)
			json_array_append_new(links, json_pack("{s:s}", "address", address));
	}
	if (diag_failed(&s->r->diag)) {
		json_decref(links);
		return;
	}
	name = place(s, KIND_POOL, name,
	    json_pack("{s:s, s:o}", "type", s->address_type, "addresses", links), false, where,
	    false);
	if (name != NULL)
		json_array_append_new(s->links, json_pack("{s:s, s:O*, s:i}", "pool", name,
						    "weight", weight, "order", (int)i + 1));
}

/* The domain's "pools[1].weight" is the request's "sites[1].weight". */
static void
adopt_domain(struct scenario *s, const struct diag *from)
{
	for (const struct diag_problem *p = from->first; p != NULL; p = p->next) {
		const char *where = strncmp(p->where, "pools", 5) == 0
					? print(s, "sites%s", p->where + 5)
					: p->where;

		diag_add(&s->r->diag, from->code, where, "%s", p->detail);
		diag_detail(&s->r->diag, p->got, p->allowed);
	}
}

static void
make_domain(struct scenario *s, const char *name)
{
	json_t *ttl = json_object_get(s->body, "ttl"),
	       *enabled = json_object_get(s->body, "enabled");
	json_t *mode = json_object_get(s->body, "sequence_mode");
	json_t *remark = json_object_get(s->body, "remark");
	json_t *spec = json_pack("{s:s, s:s, s:O, s:O*, s:O*, s:O*, s:O*}", "type", s->type,
	    "strategy", s->row->strategy, "pools", s->links, "ttl", ttl, "enabled", enabled,
	    "sequence_mode", mode, "remark", remark);
	struct diag d;

	diag_init(&d);
	switch (look(s, KIND_DOMAIN, name, spec, &d)) {
	case FREE:
		if (!diag_failed(&d) && edit_put(s->e, KIND_DOMAIN, name, spec, &d) == 0)
			note(s->made, KIND_DOMAIN, name);
		break;
	case EQUAL:
		note(s->reused, KIND_DOMAIN, name);
		break;
	case OTHER:
		if (!diag_failed(&d))
			diag_add(&d, DIAG_CONFLICT, "name",
			    "there is a different domain '%s' already", name);
		break;
	}
	adopt_domain(s, &d);
	diag_fini(&d);
	json_decref(spec);
}

/* -- the request -- */

static int
read_head(struct scenario *s, char name[KIND_NAME_SIZE])
{
	static const char *const types[][2] = { { "A", "ipv4" }, { "AAAA", "ipv6" },
		{ "CNAME", "domain" } };
	const char *scenario = text_of(s->body, "scenario");

	if (request_members(s->r, s->body, "", members) < 0)
		return -EINVAL;
	for (size_t i = 0; scenario != NULL && i < ARRAY_LEN(rows); i++)
		if (strcmp(rows[i].name, scenario) == 0)
			s->row = &rows[i];
	if (s->row == NULL)
		return invalid(
		    s, "scenario", "is not a scenario that can be made", scenario, ALLOWED);
	s->name = text_of(s->body, "name");
	if (s->name == NULL)
		return invalid(s, "name", "must be a domain name", NULL, NULL);
	s->type = json_object_get(s->body, "type") == NULL ? "A" : text_of(s->body, "type");
	for (size_t i = 0; s->type != NULL && i < ARRAY_LEN(types); i++)
		if (strcasecmp(types[i][0], s->type) == 0) {
			s->type = types[i][0];
			s->address_type = types[i][1];
		}
	if (s->address_type == NULL)
		return invalid(s, "type", "cannot be steered", s->type, "A, AAAA, CNAME");
	if (!s->row->mode && json_object_get(s->body, "sequence_mode") != NULL)
		return invalid(s, "sequence_mode", "is for active_standby only", NULL, NULL);
	if (kind_name(KIND_DOMAIN, print(s, "%s/%s", s->name, s->type), name, &s->r->diag) < 0)
		return -EINVAL;
	s->name = print(s, "%.*s", (int)strcspn(name, "/"), name);
	return 0;
}

static void
make(struct scenario *s)
{
	const json_t *sites = json_object_get(s->body, "sites"), *site;
	char name[KIND_NAME_SIZE];
	size_t i;

	if (read_head(s, name) < 0)
		return;
	if (!json_is_array(sites) || json_array_size(sites) < s->row->sites) {
		invalid(s, "sites", "is too short", NULL,
		    s->row->sites == 1 ? "a list of at least 1" : "a list of at least 2");
		return;
	}
	make_template(s);
	json_array_foreach((json_t *)(uintptr_t)sites, i, site) if (!diag_failed(&s->r->diag))
	    make_site(s, i, site);
	if (diag_failed(&s->r->diag))
		return;
	make_domain(s, name);
	s->e->set.summary = print(s, "make domain '%s' as %s", name, s->row->name);
	edit_commit(s->e);
	edit_reply(s->e, KIND_DOMAIN, name);
}

void
scenario_make(struct edit *e, const json_t *body)
{
	struct scenario s = {
		.e = e,
		.r = e->r,
		.body = body,
		.made = json_array(),
		.reused = json_array(),
		.links = json_array(),
	};

	make(&s);
	if (e->r->reply != NULL) {
		json_object_set(e->r->reply, "made", s.made);
		json_object_set(e->r->reply, "reused", s.reused);
	}
	json_decref(s.made);
	json_decref(s.reused);
	json_decref(s.links);
}
