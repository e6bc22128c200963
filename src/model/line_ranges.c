/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/line_ranges.h"

#include <string.h>

static void
add(struct strmap *ranges, const char *text, void *owner)
{
	char canon[CIDR_TEXT_SIZE];
	struct cidr c;

	if (text != NULL && line_cidr(&c, text) == NULL)
		strmap_put(ranges, cidr_text(&c, canon), owner);
}

void
line_ranges_add(struct strmap *ranges, const struct line_spec *s, void *owner)
{
	const char *const *text = s->cidrs.items;

	for (size_t i = 0; i < s->cidrs.count; i++)
		add(ranges, text[i], owner);
}

void
line_ranges_drop(struct strmap *ranges, const struct line_spec *s, const void *owner)
{
	const char *const *text = s->cidrs.items;
	char canon[CIDR_TEXT_SIZE];
	struct cidr c;

	for (size_t i = 0; i < s->cidrs.count; i++)
		if (line_cidr(&c, text[i]) == NULL &&
		    strmap_find(ranges, cidr_text(&c, canon)) == owner)
			strmap_remove(ranges, canon);
}

void
line_ranges_add_text(struct strmap *ranges, const char *spec, void *owner)
{
	json_t *j = json_loads(spec, 0, NULL);
	const json_t *item;
	size_t i;

	json_array_foreach(json_object_get(j, "cidrs"), i, item)
	    add(ranges, json_string_value(item), owner);
	json_decref(j);
}
