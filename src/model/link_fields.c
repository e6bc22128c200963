/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdint.h>

#include "base/strmap.h"
#include "model/shared_fields.h"

static const char *const line_words[] = { "default", NULL };

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
			    .words = line_words,                                                   \
			    .prose = "request sources this link serves" },                         \
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

static void
put_path(char *out, size_t size, const char *list, size_t i, const char *member)
{
	const struct diag_path whole = { .name = list };
	const struct diag_path item = { .parent = &whole, .index = i };
	const struct diag_path at = { .parent = &item, .name = member };

	diag_path_text(&at, out, size);
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
		const struct link_spec *other =
		    strmap_put(&seen, link[i].target, (void *)(uintptr_t)&link[i]);

		if (other == NULL)
			continue;
		put_path(where, sizeof(where), list, i, member);
		diag_add(d, DIAG_INVALID, where, "%s '%s' is linked twice, first by %s[%zu]",
		    member, link[i].target, list, (size_t)(other - link));
		diag_detail(d, link[i].target, NULL);
	}
	strmap_fini(&seen);
	return d->count == before ? 0 : -EINVAL;
}

void
link_refs(const struct field_list *links, enum kind to, const char *list, const char *member,
    kind_ref_f *visit, void *arg)
{
	const struct link_spec *link = links->items;
	char where[64];

	for (size_t i = 0; i < links->count; i++) {
		put_path(where, sizeof(where), list, i, member);
		visit(to, link[i].target, where, arg);
	}
}
