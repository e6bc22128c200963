/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/scenario.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/problem.h"
#include "api/scenario_types.h"
#include "base/mem.h"

/* clang-format off */
static const struct scenario_row rows[SCENARIO_KINDS] = {
	[SCENARIO_HEALTH_CHECK_ONLY] = { STRATEGY_ROUND_ROBIN, STRATEGY_ROUND_ROBIN, false,
	    1, SIZE_MAX, SCENARIO_NO_SEQUENCE, true },
	[SCENARIO_ACTIVE_STANDBY] = { STRATEGY_SEQUENCE, STRATEGY_ROUND_ROBIN, false,
	    2, SIZE_MAX, SCENARIO_OF_DOMAIN, false },
	[SCENARIO_MULTI_ACTIVE] = { STRATEGY_WEIGHT, STRATEGY_ROUND_ROBIN, false,
	    1, SIZE_MAX, SCENARIO_NO_SEQUENCE, false },
	[SCENARIO_SINGLE_DC_MULTI_ISP] = { STRATEGY_SOURCE_NEAREST, STRATEGY_ROUND_ROBIN, true,
	    1, 1, SCENARIO_NO_SEQUENCE, false },
	[SCENARIO_ACTIVE_STANDBY_MULTI_ISP] = { STRATEGY_SOURCE_NEAREST, STRATEGY_SEQUENCE, true,
	    2, SIZE_MAX, SCENARIO_OF_POOLS, false },
	[SCENARIO_MULTI_ACTIVE_MULTI_ISP] = { STRATEGY_SOURCE_NEAREST, STRATEGY_WEIGHT, true,
	    1, SIZE_MAX, SCENARIO_NO_SEQUENCE, false },
	[SCENARIO_CUSTOM] = { STRATEGY_ROUND_ROBIN, STRATEGY_ROUND_ROBIN, false,
	    0, SIZE_MAX, SCENARIO_OF_DOMAIN, false },
};
/* clang-format on */

const char *
scenario_print(struct scenario *s, const char *fmt, ...)
{
	const char *text;
	va_list ap;

	va_start(ap, fmt);
	text = arena_vprintf(&s->r->arena, fmt, ap);
	va_end(ap);
	return text;
}

int
scenario_refuse(
    struct scenario *s, const char *where, const char *detail, const char *got, const char *allowed)
{
	diag_add(&s->r->diag, DIAG_INVALID, where, "%s", detail);
	diag_detail(&s->r->diag, got, allowed);
	return -EINVAL;
}

const char *
scenario_address_type(const char *type)
{
	return strcmp(type, "A") == 0 ? "ipv4" : strcmp(type, "AAAA") == 0 ? "ipv6" : "domain";
}

/* -- the head -- */

/* Members that mean nothing in this scenario are not let through in silence. */
static void
refuse_members(struct scenario *s)
{
	static const char *const custom[] = { "strategy", "pools" };

	for (size_t i = 0; scenario_fields_sequence[i] != NULL; i++) {
		if (s->row->sequence == SCENARIO_NO_SEQUENCE &&
		    json_object_get(s->body, scenario_fields_sequence[i]) != NULL)
			scenario_refuse(s, scenario_fields_sequence[i], "is not of this scenario",
			    NULL, "in active_standby, active_standby_multi_isp, custom");
	}
	for (size_t i = 0; i < ARRAY_LEN(custom); i++) {
		if (s->spec.kind != SCENARIO_CUSTOM && json_object_get(s->body, custom[i]) != NULL)
			scenario_refuse(s, custom[i], "is not of this scenario", NULL, "in custom");
	}
}

static void
refuse_sites(struct scenario *s)
{
	const size_t n = s->spec.sites.count, min = s->row->min, max = s->row->max;

	if (n < min)
		scenario_refuse(s, "sites", "is too short", NULL,
		    scenario_print(s, "a list of at least %zu", min));
	if (n > max)
		scenario_refuse(
		    s, "sites", "is too long", NULL, "one site; multi_active_multi_isp has more");
}

/* "www.example.com/A" of each type asked for. */
static const char *
domain_name(struct scenario *s, size_t type)
{
	char name[KIND_NAME_SIZE];

	if (kind_name(KIND_DOMAIN, scenario_print(s, "%s/%s", s->spec.name, s->spec.types[type]),
		name, &s->r->diag) < 0)
		return NULL;
	return scenario_print(s, "%s", name);
}

static int
read_head(struct scenario *s)
{
	const char *name;

	if (scenario_fields_read(&s->spec, s->body, s->r) < 0)
		return -EINVAL;
	s->row = &rows[s->spec.kind];
	name = domain_name(s, 0);
	if (name == NULL)
		return -EINVAL;
	s->host = scenario_print(s, "%.*s", (int)strcspn(name, "/"), name);
	refuse_members(s);
	refuse_sites(s);
	scenario_sites_read(s);
	return diag_failed(&s->r->diag) ? -EINVAL : 0;
}

/* -- the domain -- */

/* The domain's "pools[1].weight" is the request's "sites[1].weight". */
static const char *
place_of(struct scenario *s, const char *where)
{
	char *end;

	if (strncmp(where, "pools[", 6) != 0)
		return where;

	const size_t i = strtoull(where + 6, &end, 10);

	return i < json_array_size(s->links) && *end == ']'
		   ? scenario_print(s, "%s%s", s->origins[i], end + 1)
		   : "pools";
}

static void
adopt_domain(struct scenario *s, const struct diag *from)
{
	for (const struct diag_problem *p = from->first; p != NULL; p = p->next) {
		diag_add(&s->r->diag, from->code, place_of(s, p->where), "%s", p->detail);
		diag_detail(&s->r->diag, p->got, p->allowed);
	}
}

/* custom: pools that are there already, by name or as links. */
static void
link_given_pools(struct scenario *s)
{
	const json_t *given = json_object_get(s->body, "pools"), *item;
	size_t i;

	if (given != NULL && !json_is_array(given))
		scenario_refuse(s, "pools", "must be a list of pools", NULL,
		    "[\"dc-a\", {\"pool\": \"dc-b\", \"weight\": 3}]");
	json_array_foreach((json_t *)(uintptr_t)given, i, item)
	{
		json_t *link = json_is_string(item) ? json_pack("{s:O}", "pool", item)
						    : json_copy((json_t *)(uintptr_t)item);

		s->origins[json_array_size(s->links)] = scenario_print(s, "pools[%zu]", i);
		json_array_append_new(s->links, link);
	}
}

static json_t *
domain_spec(struct scenario *s)
{
	json_t *spec = json_pack("{s:s, s:s, s:O}", "type", s->spec.types[s->type], "strategy",
	    strategy_words[s->row->strategy], "pools", s->links);
	const char *const *lists[] = { scenario_fields_domain, scenario_fields_sequence };
	const size_t n = s->row->sequence == SCENARIO_OF_DOMAIN ? 2 : 1;

	for (size_t l = 0; l < n; l++) {
		for (size_t i = 0; lists[l][i] != NULL; i++)
			json_object_set(spec, lists[l][i], json_object_get(s->body, lists[l][i]));
	}
	if (json_object_get(s->body, "strategy") != NULL)
		json_object_set(spec, "strategy", json_object_get(s->body, "strategy"));
	return spec;
}

static void
make_domain(struct scenario *s, const char *name)
{
	struct diag d;

	link_given_pools(s);
	if (diag_failed(&s->r->diag))
		return;
	diag_init(&d);
	scenario_place_domain(s, name, domain_spec(s), &d);
	adopt_domain(s, &d);
	diag_fini(&d);
}

/* -- one type after the other -- */

static void
make_type(struct scenario *s, size_t type)
{
	const size_t n = scenario_sites_count(s, type);
	const size_t links = s->spec.sites.count + s->n_lines + 1 +
			     json_array_size(json_object_get(s->body, "pools"));

	s->type = type;
	json_array_clear(s->links);
	s->origins = arena_alloc(&s->r->arena, links * sizeof(*s->origins));
	if (n < s->row->min) {
		scenario_refuse(s, "sites",
		    scenario_print(s, "%zu of them %s an address for %s", n,
			n == 1 ? "has" : "have", s->spec.types[type]),
		    NULL, scenario_print(s, "at least %zu", s->row->min));
		return;
	}
	scenario_parts_make(s);
	if (!diag_failed(&s->r->diag))
		make_domain(s, domain_name(s, type));
}

static void
make(struct scenario *s)
{
	if (read_head(s) < 0 && s->host == NULL)
		return;
	scenario_parts_template(s); /* whose problems are told along with those of the head */
	for (size_t i = 0; i < s->spec.n_types && !diag_failed(&s->r->diag); i++)
		make_type(s, i);
	if (diag_failed(&s->r->diag))
		return;
	scenario_place_names(s);
	if (diag_failed(&s->r->diag))
		return;

	const char *name = domain_name(s, 0);

	s->e->set.summary = scenario_print(s, "make domain '%s' as %s", name,
	    json_string_value(json_object_get(s->body, "scenario")));
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

	strmap_init(&s.twins);
	strmap_init(&s.asked);
	make(&s);
	if (e->r->reply != NULL) {
		json_object_set(e->r->reply, "made", s.made);
		json_object_set(e->r->reply, "reused", s.reused);
	}
	strmap_fini(&s.twins);
	strmap_fini(&s.asked);
	free(s.values);
	json_decref(s.made);
	json_decref(s.reused);
	json_decref(s.links);
}
