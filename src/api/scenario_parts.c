/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Template, addresses and pools. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "api/problem.h"
#include "api/scenario_types.h"

#define NAME_BYTES   64 /* of an object */
#define SUFFIX_BYTES 3  /* room for "-99" */
#define WEIGHT_MAX   65535
#define PARTS_MAX    1000000000 /* of a weight, see split */

/* A long head loses its end; what tells its parts apart stays. */
static const char *
join(struct scenario *s, const char *head, const char *tail)
{
	const size_t room = NAME_BYTES - SUFFIX_BYTES;
	size_t keep = strlen(head);

	if (keep + strlen(tail) > room)
		keep = strlen(tail) < room ? room - strlen(tail) : 0;
	while (keep > 0 && (head[keep] & 0xc0) == 0x80) /* not through a character */
		keep--;
	return scenario_print(s, "%.*s%s", (int)keep, head, tail);
}

/* -- template -- */

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

	if ((!https && strcmp(protocol, "tls") != 0) || s->host[0] == '*' ||
	    (now != NULL && !json_is_object(now)) || json_object_get(now, member) != NULL)
		return;
	named = now != NULL ? json_copy(now) : json_object();
	json_object_set_new(named, member, json_string(s->host));
	json_object_set_new(spec, group, named);
}

/* A template that does the same, under whatever name; the least of them. */
static const char *
find_template(struct scenario *s, const char *base, const json_t *spec)
{
	const struct model *m = s->e->model;
	const char *best = NULL;
	struct diag d;

	diag_init(&d);
	json_t *full = scenario_place_full(s, KIND_TEMPLATE, base, spec, &d);

	STRMAP_EACH (&m->objects[KIND_TEMPLATE], it) {
		const struct model_object *o = it->value;

		if (full != NULL && (best == NULL || strcmp(o->name, best) < 0) &&
		    scenario_place_alike(s, KIND_TEMPLATE, o, full))
			best = o->name;
	}
	json_decref(full);
	diag_fini(&d);
	return best;
}

static void
make_template(struct scenario *s, const json_t *check)
{
	const char *protocol = json_string_value(json_object_get(check, "protocol"));
	json_t *spec = json_copy((json_t *)(uintptr_t)check);
	char tail[40];

	snprintf(tail, sizeof(tail), "-%.16s-%d", protocol != NULL ? protocol : "check", s->port);
	json_object_del(spec, "port");
	if (protocol != NULL)
		name_host(s, spec, protocol);

	const char *base = join(s, s->host, tail);

	s->template = scenario_place(s, &(struct scenario_place){
					    .kind = KIND_TEMPLATE,
					    .base = base,
					    .spec = spec,
					    .twin = find_template(s, base, spec),
					    .ours = true,
					    .where = "check",
					});
}

/* check {template, port}: one that is there. */
static void
use_template(struct scenario *s, const json_t *check)
{
	static const char *const members[] = { "template", "port", NULL };
	const char *name = json_string_value(json_object_get(check, "template"));

	if (request_members(s->r, check, "check", members) < 0)
		return;
	if (name == NULL || model_find(s->e->model, KIND_TEMPLATE, name) == NULL)
		scenario_refuse(
		    s, "check.template", "there is no such template", name, "an existing one");
	else
		s->template = name;
}

void
scenario_parts_template(struct scenario *s)
{
	static const char *const members[] = { "protocol", "port", "interval", "timeout", "fall",
		"rise", "recheck", "failure_rate", "talk", "http", "tls", "ping", "dns", "grpc",
		NULL };
	const json_t *check = json_object_get(s->body, "check"), *port;

	if (check == NULL) {
		if (s->spec.sites.count > 0)
			edit_warn(s->e, "no check: the addresses are not monitored");
		return;
	}
	if (!json_is_object(check)) {
		scenario_refuse(s, "check", "must be an object", NULL, NULL);
		return;
	}
	/* The port lives in each address; said here, it is wrong once. */
	port = json_object_get(check, "port");
	s->port = (int)json_integer_value(port);
	if (!json_is_integer(port) || json_integer_value(port) < 1 ||
	    json_integer_value(port) > 65535)
		scenario_refuse(s, "check.port", "must be a port", NULL, "1..65535");
	else if (json_object_get(check, "template") != NULL)
		use_template(s, check);
	else if (request_members(s->r, check, "check", members) == 0)
		make_template(s, check);
}

/* -- addresses -- */

static json_t *
address_spec(const struct scenario *s, const struct scenario_value *v)
{
	json_t *spec = json_pack(
	    "{s:s, s:s}", "type", scenario_address_type(s->spec.types[v->type]), "value", v->text);

	if (s->template != NULL)
		json_object_set_new(spec, "checks",
		    json_pack("[{s:s, s:i, s:s*}]", "template", s->template, "port", s->port,
			"target", v->target));
	if (s->row->manual) {
		json_object_set_new(spec, "mode", json_string("manual"));
		json_object_set_new(spec, "manual_state", json_string("available"));
	}
	return spec;
}

/* Does the existing address do what v's would? */
static bool
will_do(struct scenario *s, const struct model_object *o, const struct scenario_value *v)
{
	json_t *spec = address_spec(s, v);
	struct diag d;
	bool equal;

	diag_init(&d);
	json_t *full = scenario_place_full(s, KIND_ADDRESS, o->name, spec, &d);

	equal = full != NULL && scenario_place_alike(s, KIND_ADDRESS, o, full);
	json_decref(full);
	json_decref(spec);
	diag_fini(&d);
	return equal;
}

/* One walk over all there are; of several that will do, the least name. */
static void
find_twins(struct scenario *s)
{
	const struct model *m = s->e->model;
	struct strmap wanted;

	strmap_init(&wanted);
	for (size_t i = 0; i < s->n_values; i++) {
		if (s->values[i].type == s->type)
			strmap_put(&wanted, s->values[i].text, &s->values[i]);
	}
	STRMAP_EACH (&m->objects[KIND_ADDRESS], it) {
		const struct model_object *o = it->value;
		const struct address_spec *spec = o->spec;
		const struct scenario_value *v = strmap_find(&wanted, spec->value);

		if (v == NULL || !will_do(s, o, v))
			continue;

		const char *best = strmap_find(&s->twins, v->text);

		if (best == NULL || strcmp(o->name, best) < 0)
			strmap_put(&s->twins, v->text, (void *)(uintptr_t)o->name);
	}
	strmap_fini(&wanted);
}

/* "dc-a-1", "dc-a-telecom-1", "dc-a-telecom-v6-1" */
static const char *
address_base(struct scenario *s, const struct scenario_value *v)
{
	const char *line = v->line != NULL ? v->line : "";

	return join(s, scenario_site_at(s, v->site)->name,
	    scenario_print(s, "%s%s%s-%zu", *line != '\0' ? "-" : "", line, s->tag, v->number));
}

static void
make_addresses(struct scenario *s)
{
	struct strmap placed;

	strmap_init(&placed);
	find_twins(s);
	for (size_t i = 0; i < s->n_values; i++) {
		struct scenario_value *v = &s->values[i];

		if (v->type != s->type)
			continue;
		v->name = strmap_find(&placed, v->text);
		if (v->name == NULL)
			v->name = scenario_place(s, &(struct scenario_place){
							.kind = KIND_ADDRESS,
							.base = address_base(s, v),
							.spec = address_spec(s, v),
							.twin = strmap_find(&s->twins, v->text),
							.ours = true,
							.where = v->where,
							.whole = true,
						    });
		if (v->name != NULL)
			strmap_put(&placed, v->text, (void *)(uintptr_t)v->name);
	}
	strmap_fini(&placed);
}

/* -- the members of a pool -- */

struct members {
	const struct scenario_value **list;
	size_t count;
};

/* Those under `line` (NULL: all) at `site` (SIZE_MAX: everywhere), each address once. */
static struct members
pick(struct scenario *s, size_t site, const char *line)
{
	struct members m = { arena_alloc(&s->r->arena, (s->n_values + 1) * sizeof(*m.list)), 0 };
	struct strmap seen;

	strmap_init(&seen);
	for (size_t i = 0; i < s->n_values; i++) {
		const struct scenario_value *v = &s->values[i];

		if (v->type != s->type || (site != SIZE_MAX && v->site != site) ||
		    (line != NULL && strcmp(v->line, line) != 0) ||
		    strmap_put(&seen, v->name, s) != NULL)
			continue;
		m.list[m.count++] = v;
	}
	strmap_fini(&seen);
	return m;
}

static uint64_t
divisor(uint64_t a, uint64_t b)
{
	while (b > 0) {
		const uint64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/*
 * Sites share by their weights, however many addresses each has here: 3:1 with two addresses at the
 * first is 3, 3 and 2. Exact, unless the numbers get too large for it.
 */
static void
split(struct scenario *s, const struct members *m, uint64_t *weights)
{
	uint64_t *counts = arena_alloc(&s->r->arena, s->spec.sites.count * sizeof(*counts));
	uint64_t multiple = 1, common = 0, most = 0;

	for (size_t i = 0; i < m->count; i++)
		counts[m->list[i]->site]++;
	for (size_t i = 0; i < s->spec.sites.count; i++) {
		if (counts[i] > 0 && multiple < PARTS_MAX)
			multiple *= counts[i] / divisor(multiple, counts[i]);
	}
	for (size_t i = 0; i < m->count; i++) {
		const size_t site = m->list[i]->site;

		weights[i] = scenario_site_at(s, site)->weight * multiple / counts[site];
		common = divisor(weights[i], common);
		most = weights[i] > most ? weights[i] : most;
	}
	if (common == 0)
		return;
	most /= common;
	for (size_t i = 0; i < m->count; i++) {
		const uint64_t w = weights[i] / common;

		weights[i] = most <= WEIGHT_MAX
				 ? w
				 : (uint64_t)((double)w * WEIGHT_MAX / (double)most + 0.5);
		if (weights[i] == 0 && w > 0) /* small, but no standby */
			weights[i] = 1;
	}
}

static json_t *
pool_spec(struct scenario *s, const struct members *m)
{
	json_t *links = json_array();
	uint64_t *weights = arena_alloc(&s->r->arena, (m->count + 1) * sizeof(*weights));
	const bool weighted = s->row->member_strategy == STRATEGY_WEIGHT;

	if (weighted)
		split(s, m, weights);
	for (size_t i = 0; i < m->count; i++) {
		json_t *link = json_pack("{s:s}", "address", m->list[i]->name);

		if (weighted)
			json_object_set_new(link, "weight", json_integer((json_int_t)weights[i]));
		json_array_append_new(links, link);
	}

	json_t *spec =
	    json_pack("{s:s, s:s, s:o}", "type", scenario_address_type(s->spec.types[s->type]),
		"strategy", strategy_words[s->row->member_strategy], "addresses", links);

	for (size_t i = 0; s->row->sequence == SCENARIO_OF_POOLS && scenario_fields_sequence[i];
	     i++)
		json_object_set(spec, scenario_fields_sequence[i],
		    json_object_get(s->body, scenario_fields_sequence[i]));
	return spec;
}

static void
link_pool(struct scenario *s, json_t *link, const char *origin)
{
	const size_t n = json_array_size(s->links);

	json_object_set_new(link, "order", json_integer((json_int_t)n + 1));
	s->origins[n] = origin;
	json_array_append_new(s->links, link);
}

/* -- pools -- */

static const char *
site_pool(struct scenario *s, size_t i)
{
	return join(s, scenario_site_at(s, i)->name, s->tag);
}

static const char *
line_pool(struct scenario *s, const char *line)
{
	return join(s, s->host, scenario_print(s, "-%s%s", line, s->tag));
}

static void
make_site_pool(struct scenario *s, size_t i)
{
	const struct members m = pick(s, i, NULL);
	const char *where = scenario_print(s, "sites[%zu]", i), *name;

	if (m.count == 0) {
		edit_warn(s->e, "site %s has no address for %s", scenario_site_at(s, i)->name,
		    s->spec.types[s->type]);
		return;
	}
	name = scenario_place(s, &(struct scenario_place){ .kind = KIND_POOL,
				     .base = site_pool(s, i),
				     .spec = pool_spec(s, &m),
				     .where = where });
	if (name != NULL)
		link_pool(s,
		    json_pack(
			"{s:s, s:i}", "pool", name, "weight", (int)scenario_site_at(s, i)->weight),
		    where);
}

/* What the request says of a pool of a line is said at its top. */
static void
make_line_pool(struct scenario *s, const char *line, const struct members *m)
{
	const char *name;

	if (m->count == 0 || diag_failed(&s->r->diag))
		return;
	name = scenario_place(s, &(struct scenario_place){ .kind = KIND_POOL,
				     .base = line_pool(s, line),
				     .spec = pool_spec(s, m),
				     .ours = true,
				     .where = "" });
	if (name != NULL)
		link_pool(s, json_pack("{s:s, s:[s]}", "pool", name, "lines", line), "sites");
}

static void
make_pools(struct scenario *s)
{
	struct members m;

	for (size_t i = 0; !s->row->by_line && i < s->spec.sites.count; i++)
		make_site_pool(s, i);
	for (size_t i = 0; s->row->by_line && i < s->n_lines; i++) {
		m = pick(s, SIZE_MAX, s->lines[i]);
		make_line_pool(s, s->lines[i], &m);
	}
	if (s->row->by_line) {
		m = pick(s, SIZE_MAX, NULL);
		make_line_pool(s, "default", &m);
	}
}

/* -- of one type -- */

static bool
is_of_another_type(struct scenario *s, const char *pool)
{
	const struct model_object *o = model_find(s->e->model, KIND_POOL, pool);
	const struct pool_spec *spec = o != NULL ? o->spec : NULL;

	return spec != NULL && strcmp(address_type_words[spec->type],
				   scenario_address_type(s->spec.types[s->type])) != 0;
}

/*
 * The second type's pools cannot be called like the first's; nor can those of a type that comes in
 * a call of its own.
 */
static const char *
choose_tag(struct scenario *s)
{
	const char *type = s->spec.types[s->type];
	bool needed = s->type > 0;

	s->tag = "";
	for (size_t i = 0; !s->row->by_line && i < s->spec.sites.count; i++)
		needed = needed || is_of_another_type(s, site_pool(s, i));
	for (size_t i = 0; s->row->by_line && i < s->n_lines; i++)
		needed = needed || is_of_another_type(s, line_pool(s, s->lines[i]));
	needed = needed || (s->row->by_line && is_of_another_type(s, line_pool(s, "default")));
	if (!needed)
		return "";
	return strcmp(type, "A") == 0 ? "-v4" : strcmp(type, "AAAA") == 0 ? "-v6" : "-names";
}

void
scenario_parts_make(struct scenario *s)
{
	s->tag = choose_tag(s);
	make_addresses(s);
	if (!diag_failed(&s->r->diag))
		make_pools(s);
}
