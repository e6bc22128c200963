/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "steer/locate.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/line_tree.h"
#include "model/nouns.h"
#include "net/addr.h"
#include "net/cidr.h"

#define DEEP_MAX 64

struct hit { /* a network of a custom line that holds the address */
	const char *line, *cidr;
	unsigned bits;
};

struct hits {
	struct hit *items;
	size_t count, cap;
};

/* -- custom lines -- */

static void
find_in_line(const struct model_object *o, const struct addr *ip, struct hits *out)
{
	const struct line_spec *s = o->spec;
	const char *const *text = s->cidrs.items;
	struct cidr c;

	for (size_t i = 0; i < s->cidrs.count; i++) {
		if (line_cidr(&c, text[i]) != NULL || !cidr_holds(&c, ip))
			continue;
		MEM_GROW(&out->items, &out->cap, out->count + 1);
		out->items[out->count++] = (struct hit){ o->name, text[i], c.bits };
	}
}

static int
compare(const void *a, const void *b)
{
	const struct hit *x = a, *y = b;

	return x->bits != y->bits ? (x->bits > y->bits ? -1 : 1) : strcmp(y->line, x->line);
}

static bool
is_listed(const json_t *list, const char *line)
{
	const json_t *j;
	size_t i;

	json_array_foreach(list, i, j)
	{
		const char *other = json_string_value(json_object_get(j, "line"));

		if (strcmp(other, line) == 0)
			return true;
	}
	return false;
}

/* Takes `because`. */
static void
list_line(json_t *list, const char *line, json_t *because)
{
	const struct line_info *l = line_tree_find(line);
	json_t *j;

	if (is_listed(list, line)) {
		json_decref(because);
		return;
	}
	j = json_pack(
	    "{s:s, s:s}", "line", line, "kind", l != NULL ? line_tree_kinds[l->kind] : "custom");
	if (l != NULL) {
		json_object_set_new(j, "en", json_string(l->en));
		json_object_set_new(j, "zh", json_string(l->zh));
	}
	json_object_set_new(j, "because", because);
	json_array_append_new(list, j);
}

static json_t *
because_of(const struct hit *h)
{
	return json_pack("{s:s, s:s}", "line", h->line, "cidr", h->cidr);
}

/* The line, and what is above it. */
static void
list_hit(json_t *list, const struct model *m, const struct hit *h)
{
	const char *at = h->line;

	for (unsigned deep = 0; deep < DEEP_MAX && line_tree_find(at) == NULL; deep++) {
		const struct model_object *o = model_find(m, KIND_LINE, at);

		if (o == NULL)
			return;
		list_line(list, at, because_of(h));
		at = ((const struct line_spec *)o->spec)->parent;
	}
	for (const struct line_info *l = line_tree_find(at); l != NULL; l = l->parent)
		if (l->kind != LINE_DEFAULT)
			list_line(list, l->code, because_of(h));
}

static void
list_custom(json_t *list, const struct model *m, const struct addr *ip)
{
	struct hits hits = { 0 };

	STRMAP_EACH (&m->objects[KIND_LINE], e)
		find_in_line(e->value, ip, &hits);
	if (hits.count > 0)
		qsort(hits.items, hits.count, sizeof(*hits.items), compare);
	for (size_t i = 0; i < hits.count; i++)
		list_hit(list, m, &hits.items[i]);
	free(hits.items);
}

/* -- data -- */

static const char *
point_text(struct atlas_point p, enum atlas_family f, char out[ADDR_TEXT_SIZE])
{
	uint8_t bytes[16];
	struct addr a;

	for (int i = 0; i < 16; i++)
		bytes[i] = (uint8_t)((i < 8 ? p.hi : p.lo) >> (56 - 8 * (i % 8)));
	addr_ip_set(&a, f == ATLAS_V4 ? AF_INET : AF_INET6, bytes, 0);
	return addr_ip_text(&a, out);
}

static struct atlas_point
point_of(const struct addr *ip, enum atlas_family *f)
{
	struct atlas_point p = { 0, 0 };
	size_t len;
	const uint8_t *bytes = addr_ip(ip, &len);

	for (size_t i = 0; i < len; i++)
		*(i < 8 ? &p.hi : &p.lo) |= (uint64_t)bytes[i] << (56 - 8 * (i % 8));
	*f = len == 4 ? ATLAS_V4 : ATLAS_V6;
	return p;
}

/* Which file says so: a network's lines are those of the kinds that networks have. */
static const char *
file_of(const struct atlas_set *set, const struct line_info *l, const char *const *files, size_t n)
{
	const unsigned from = l->kind <= LINE_ISP ? set->network_from : set->place_from;
	const unsigned known = from != 0 ? from : set->network_from; /* a place by its network */

	return known >= 1 && known <= n ? files[known - 1] : NULL;
}

static json_t *
list_data(
    json_t *list, const struct atlas *a, const struct addr *ip, const char *const *files, size_t n)
{
	char first[ADDR_TEXT_SIZE], last[ADDR_TEXT_SIZE];
	enum atlas_family f;
	const struct atlas_point at = point_of(ip, &f);
	const size_t i = atlas_find(a, f, at);
	const struct atlas_set set = atlas_set(a, atlas_set_at(a, f, i));
	json_t *range = json_pack("[s, s]", point_text(atlas_start(a, f, i), f, first),
	    point_text(atlas_end(a, f, i), f, last));

	for (size_t k = 0; k < set.count; k++) {
		const struct line_info *l = line_tree_at(set.lines[k]);

		list_line(list, l->code,
		    json_pack("{s:s?, s:O}", "file", file_of(&set, l, files, n), "range", range));
	}
	return json_pack("{s:o}", "range", range);
}

json_t *
locate(const struct model *m, const struct atlas *a, const char *const *files, size_t n_files,
    const json_t *request, struct diag *d)
{
	const char *text = json_string_value(json_object_get(request, "ip"));
	char canon[ADDR_TEXT_SIZE];
	struct addr ip;

	if (text == NULL || addr_ip_parse(&ip, text, AF_UNSPEC) < 0) {
		diag_add(d, DIAG_INVALID, "ip", "must be an IP address");
		diag_detail(d, text, "an IPv4 or IPv6 address such as 192.0.2.1");
		return NULL;
	}

	json_t *lines = json_array(), *data;

	list_custom(lines, m, &ip);
	data = a != NULL ? list_data(lines, a, &ip, files, n_files) : json_null();
	list_line(lines, "default", json_null());
	return json_pack(
	    "{s:s, s:o, s:o}", "ip", addr_ip_text(&ip, canon), "lines", lines, "data", data);
}
