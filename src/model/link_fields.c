/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/strmap.h"
#include "model/line_tree.h"
#include "model/shared_fields.h"

#define LINK_FIELDS(member, what)                                                                  \
	{                                                                                          \
		{ .name = member,                                                                  \
			.offset = offsetof(struct link_spec, target),                              \
			.type = FIELD_NAME,                                                        \
			.flags = FIELD_REQUIRED,                                                   \
			.prose = what },                                                           \
		    { .name = "weight",                                                            \
			    .offset = offsetof(struct link_spec, weight),                          \
			    .type = FIELD_U32,                                                     \
			    .max = 65535,                                                          \
			    .def = 1,                                                              \
			    .prose = "share of the answers; 0 = standby" },                        \
		    { .name = "order",                                                             \
			    .offset = offsetof(struct link_spec, order),                           \
			    .type = FIELD_U32,                                                     \
			    .min = 1,                                                              \
			    .max = 65535,                                                          \
			    .prose =                                                               \
				"rank under sequence, least first; default: place in the list" },  \
		    { .name = "lines",                                                             \
			    .offset = offsetof(struct link_spec, lines),                           \
			    .type = FIELD_STRS,                                                    \
			    .min = 1,                                                              \
			    .max = 64,                                                             \
			    .def_str = "default",                                                  \
			    .prose = "request sources this link serves: built-in lines by code "   \
				     "or alias, custom lines" },                                   \
		    FIELD_END,                                                                     \
	}

const struct field link_address_fields[] = LINK_FIELDS("address", "an address");
const struct field link_pool_fields[] = LINK_FIELDS("pool", "an address pool");

void
link_settle(struct field_list *links)
{
	struct link_spec *link = links->items;

	for (size_t i = 0; i < links->count; i++) {
		if (link[i].order == 0)
			link[i].order = (uint32_t)i + 1;
	}
}

static const char *
canonical(const char *line)
{
	const struct line_info *l = line_tree_find(line);

	return l != NULL ? l->code : line;
}

/* No line twice, an alias included. */
static void
check_lines(const struct link_spec *link, const char *list, size_t i, struct diag *d)
{
	const char *const *lines = link->lines.items;
	char where[64];

	for (size_t k = 1; k < link->lines.count; k++) {
		size_t first = 0;

		while (first < k && strcmp(canonical(lines[first]), canonical(lines[k])) != 0)
			first++;
		if (first == k)
			continue;
		snprintf(where, sizeof(where), "%s[%zu].lines[%zu]", list, i, k);
		diag_add(d, DIAG_INVALID, where, "is the same line as lines[%zu], '%s'", first,
		    lines[first]);
		diag_detail(d, lines[k], NULL);
	}
}

int
link_check(const struct field_list *links, const char *list, const char *member, struct diag *d)
{
	const struct link_spec *link = links->items;
	const size_t before = d->count;
	struct strmap seen;
	char where[64];

	strmap_init(&seen);
	for (size_t i = 0; i < links->count; i++) {
		check_lines(&link[i], list, i, d);

		const struct link_spec *other =
		    strmap_put(&seen, link[i].target, (void *)(uintptr_t)&link[i]);

		if (other == NULL)
			continue;
		snprintf(where, sizeof(where), "%s[%zu].%s", list, i, member);
		diag_add(d, DIAG_INVALID, where, "%s '%s' is linked twice, first by %s[%zu]",
		    member, link[i].target, list, (size_t)(other - link));
		diag_detail(d, link[i].target, NULL);
	}
	strmap_fini(&seen);
	return d->count == before ? 0 : -EINVAL;
}

/* The custom ones; the built-in ones are always there. */
static void
visit_lines(
    const struct link_spec *link, const struct diag_path *path, kind_ref_f *visit, void *arg)
{
	const char *const *lines = link->lines.items;
	const struct diag_path all = { .parent = path, .name = "lines" };

	for (size_t k = 0; k < link->lines.count; k++) {
		const struct diag_path here = { .parent = &all, .index = k };

		if (line_tree_find(lines[k]) == NULL)
			visit(KIND_LINE, lines[k], &here, arg);
	}
}

void
link_refs(const struct field_list *links, enum kind to, const char *list, const char *member,
    kind_ref_f *visit, void *arg)
{
	const struct link_spec *link = links->items;
	const struct diag_path all = { .name = list };

	for (size_t i = 0; i < links->count; i++) {
		const struct diag_path item = { .parent = &all, .index = i };
		const struct diag_path target = { .parent = &item, .name = member };

		visit(to, link[i].target, &target, arg);
		visit_lines(&link[i], &item, visit, arg);
	}
}
