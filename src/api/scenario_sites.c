/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The sites' addresses as one list: what is said twice or nowhere is told here. */
#include <string.h>

#include "api/scenario_types.h"
#include "base/mem.h"
#include "model/line_tree.h"
#include "net/addr.h"

#define DEFAULT_LINE "default"

const struct scenario_site *
scenario_site_at(const struct scenario *s, size_t i)
{
	return (const struct scenario_site *)s->spec.sites.items + i;
}

/* The code of a line; NULL with a problem. */
static const char *
line_code(struct scenario *s, const char *name, const char *where)
{
	const struct line_info *l = line_tree_find(name);

	if (l != NULL)
		return l->code;
	if (model_find(s->e->model, KIND_LINE, name) != NULL)
		return name;
	scenario_refuse(s, where, "there is no such line", name,
	    "a built-in line by code or alias, or a custom line");
	return NULL;
}

/* `seen` has lines behind a "=", which no address begins with. */
static void
note_line(struct scenario *s, const char *code, struct strmap *seen)
{
	const char *key = scenario_print(s, "=%s", code);

	if (strcmp(code, DEFAULT_LINE) == 0 || strmap_find(seen, key) != NULL)
		return;
	strmap_put(seen, key, s);
	s->lines[s->n_lines++] = code;
}

/* Is the line new to its site? An alias is the line it stands for. */
static bool
is_new_line(struct scenario *s, size_t site, const char *name, const char *code, const char *where,
    struct strmap *seen)
{
	const char *first =
	    strmap_put(seen, scenario_print(s, "=%zu %s", site, code), (void *)(uintptr_t)name);

	if (first == NULL)
		return true;
	scenario_refuse(s, where, scenario_print(s, "is the same line as '%s'", first), name, NULL);
	return false;
}

/* Among the types asked for, the one that this value answers; what fits none is told later. */
static size_t
type_of(const struct scenario *s, const char *value)
{
	struct addr ip;

	if (s->spec.n_types == 1 || addr_ip_parse(&ip, value, AF_UNSPEC) < 0)
		return 0;
	return strcmp(s->spec.types[0], addr_family(&ip) == AF_INET ? "A" : "AAAA") == 0 ? 0 : 1;
}

/* The value as it will be stored; NULL with a problem. */
static const char *
canonical(struct scenario *s, const struct scenario_address *a, size_t type, const char *where)
{
	struct addr ip;
	struct diag d;
	json_t *spec;
	const struct address_spec *settled;

	if (s->spec.n_types > 1 && addr_ip_parse(&ip, a->value, AF_UNSPEC) < 0) {
		scenario_refuse(s, where, "is neither an IPv4 nor an IPv6 address", a->value,
		    "192.0.2.1, 2001:db8::1");
		return NULL;
	}
	spec = json_pack(
	    "{s:s, s:s}", "type", scenario_address_type(s->spec.types[type]), "value", a->value);
	diag_init(&d);
	settled = kind_decode(KIND_ADDRESS, "value", spec, &s->r->arena, &d);
	for (const struct diag_problem *p = d.first; p != NULL; p = p->next)
		scenario_refuse(s, where, p->detail, p->got, p->allowed);
	diag_fini(&d);
	json_decref(spec);
	return settled != NULL ? settled->value : NULL;
}

/* An address belongs to one site; within it, it may serve several lines, each once. */
static bool
is_new(struct scenario *s, const struct scenario_value *v, struct strmap *seen)
{
	const struct scenario_value *first = strmap_find(seen, v->text);
	const char *key = scenario_print(s, "%s %s", v->text, v->line != NULL ? v->line : "");
	const struct scenario_value *twin = strmap_find(seen, key);

	if (twin == NULL && first != NULL && first->site != v->site)
		twin = first;
	if (twin != NULL) {
		scenario_refuse(s, v->where,
		    scenario_print(s, "is given twice, first at %s", twin->where), v->text, NULL);
		return false;
	}
	if (first == NULL)
		strmap_put(seen, v->text, (void *)(uintptr_t)v);
	strmap_put(seen, key, (void *)(uintptr_t)v);
	return true;
}

static void
read_list(struct scenario *s, size_t site, const char *line, const struct field_list *list,
    const char *where, struct strmap *seen)
{
	const struct scenario_address *a = list->items;
	size_t numbers[SCENARIO_TYPES] = { 0 };

	for (size_t i = 0; i < list->count; i++) {
		struct scenario_value *v = arena_alloc(&s->r->arena, sizeof(*v));

		*v = (struct scenario_value){ .target = a[i].target, .site = site, .line = line };
		v->where = scenario_print(s, "%s[%zu]", where, i);
		v->type = type_of(s, a[i].value);
		v->text = canonical(s, &a[i], v->type, v->where);
		if (v->text == NULL || !is_new(s, v, seen))
			continue;
		v->number = ++numbers[v->type];
		MEM_GROW(&s->values, &s->cap, s->n_values + 1);
		s->values[s->n_values++] = *v;
	}
}

static void
read_lines(struct scenario *s, size_t i, struct strmap *seen)
{
	const struct field_list *list = &scenario_site_at(s, i)->lines;
	const struct scenario_line *line = list->items;

	for (size_t k = 0; k < list->count; k++) {
		const char *where = scenario_print(s, "sites[%zu].lines.%s", i, line[k].name);
		const char *code = line_code(s, line[k].name, where);

		if (code == NULL || !is_new_line(s, i, line[k].name, code, where, seen))
			continue;
		note_line(s, code, seen);
		read_list(s, i, code, &line[k].addresses, where, seen);
	}
}

static void
read_site(struct scenario *s, size_t i, struct strmap *seen)
{
	const struct scenario_site *site = scenario_site_at(s, i);
	const struct field_list *wanted = s->row->by_line ? &site->lines : &site->addresses;
	const struct field_list *other = s->row->by_line ? &site->addresses : &site->lines;
	const char *const names[] = { "addresses", "lines" };

	for (size_t k = 0; k < i; k++) {
		if (strcmp(scenario_site_at(s, k)->name, site->name) == 0)
			scenario_refuse(s, scenario_print(s, "sites[%zu].name", i),
			    scenario_print(s, "is the name of sites[%zu], too", k), site->name,
			    NULL);
	}
	if (other->count > 0)
		scenario_refuse(s, scenario_print(s, "sites[%zu].%s", i, names[!s->row->by_line]),
		    s->row->by_line ? "goes by line in this scenario"
				    : "is for the multi_isp scenarios",
		    NULL, names[s->row->by_line]);
	else if (wanted->count == 0)
		scenario_refuse(s, scenario_print(s, "sites[%zu].%s", i, names[s->row->by_line]),
		    "must be given", NULL,
		    s->row->by_line ? "{\"telecom\": [\"192.0.2.1\"], ...}" : "[\"192.0.2.1\"]");
	else if (s->row->by_line)
		read_lines(s, i, seen);
	else
		read_list(s, i, NULL, wanted, scenario_print(s, "sites[%zu].addresses", i), seen);
}

void
scenario_sites_read(struct scenario *s)
{
	size_t n_lines = 0;
	struct strmap seen;

	for (size_t i = 0; i < s->spec.sites.count; i++)
		n_lines += scenario_site_at(s, i)->lines.count;
	s->lines = arena_alloc(&s->r->arena, (n_lines + 1) * sizeof(*s->lines));
	strmap_init(&seen);
	for (size_t i = 0; i < s->spec.sites.count; i++)
		read_site(s, i, &seen);
	strmap_fini(&seen);
	if (s->row->by_line && s->n_lines == 0 && !diag_failed(&s->r->diag))
		scenario_refuse(s, "sites[0].lines", "names no line but default", NULL,
		    "a carrier such as telecom, unicom, mobile, or any other line");
}

size_t
scenario_sites_count(const struct scenario *s, size_t type)
{
	size_t n = 0, last = SIZE_MAX;

	for (size_t i = 0; i < s->n_values; i++) {
		if (s->values[i].type != type || s->values[i].site == last)
			continue;
		last = s->values[i].site;
		n++;
	}
	return n;
}
