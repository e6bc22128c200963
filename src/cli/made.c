/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/made.h"

#include <string.h>

#include "cli/kinds.h"
#include "cli/table.h"

/* "sequence: dc-a-1, dc-b-1", with weights where they count. */
static const char *
members_text(const json_t *spec, struct arena *a)
{
	const char *strategy = kinds_text(json_object_get(spec, "strategy"), a);
	const char *text = arena_printf(a, "%s:", strategy);
	const bool weighted = strcmp(strategy, "weight") == 0;
	const json_t *link;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)json_object_get(spec, "addresses"), i, link)
	{
		text = arena_printf(a, "%s%s %s", text, i > 0 ? "," : "",
		    kinds_text(json_object_get(link, "address"), a));
		if (weighted)
			text = arena_printf(
			    a, "%s*%s", text, kinds_text(json_object_get(link, "weight"), a));
	}
	return text;
}

static const char *
what(const json_t *object, struct arena *a)
{
	const char *kind = kinds_text(json_object_get(object, "kind"), a);
	const json_t *spec = json_object_get(object, "spec");

	if (strcmp(kind, "template") == 0)
		return arena_printf(a, "%s every %s",
		    kinds_text(json_object_get(spec, "protocol"), a),
		    kinds_text(json_object_get(spec, "interval"), a));
	if (strcmp(kind, "address") == 0)
		return arena_printf(a, "%s%s", kinds_text(json_object_get(spec, "value"), a),
		    strcmp(kinds_text(json_object_get(spec, "mode"), a), "manual") == 0
			? ", stays available whatever its health"
			: "");
	if (strcmp(kind, "pool") == 0)
		return members_text(spec, a);
	return arena_printf(a, "%s, ttl %s, %s", kinds_text(json_object_get(spec, "strategy"), a),
	    kinds_text(json_object_get(spec, "ttl"), a),
	    json_is_true(json_object_get(spec, "enabled")) ? "enabled" : "disabled");
}

/* A domain's pools, a row each: whom it serves and how much. */
static void
add_pools(struct table *t, const json_t *spec, struct arena *a)
{
	const bool weighted =
	    strcmp(kinds_text(json_object_get(spec, "strategy"), a), "weight") == 0;
	const json_t *link;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)json_object_get(spec, "pools"), i, link)
	{
		const char *lines = kinds_text(json_object_get(link, "lines"), a);

		table_cell(t, STYLE_PLAIN, "");
		table_cell(t, STYLE_PLAIN,
		    arena_printf(a, "  pool/%s", kinds_text(json_object_get(link, "pool"), a)));
		table_cell(t, STYLE_PLAIN,
		    weighted ? arena_printf(
				   a, "weight %s", kinds_text(json_object_get(link, "weight"), a))
			     : arena_printf(a, "line %s", lines));
	}
}

static const char *
name_of(const json_t *object, struct arena *a)
{
	return arena_printf(a, "%s/%s", kinds_text(json_object_get(object, "kind"), a),
	    kinds_text(json_object_get(object, "name"), a));
}

static void
add_rows(struct table *t, const json_t *list, const char *word, enum style style, struct arena *a)
{
	const json_t *object;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)list, i, object)
	{
		const json_t *generated = json_object_get(object, "generated");

		table_cell(t, style, word);
		table_cell(t, STYLE_PLAIN, name_of(object, a));
		table_cell(t, STYLE_PLAIN,
		    generated == NULL ? what(object, a)
				      : arena_printf(a, "%s (for %s)", what(object, a),
					    kinds_text(generated, a)));
		add_pools(t, json_object_get(object, "spec"), a);
	}
}

void
made_write(struct buf *b, const json_t *reply, bool colour)
{
	const bool dry = json_is_true(json_object_get(reply, "dryRun"));
	const json_t *made = json_object_get(reply, "made"),
		     *used = json_object_get(reply, "reused");
	struct table t;
	struct arena a;

	if (json_array_size(made) + json_array_size(used) == 0)
		return;
	arena_init(&a);
	table_init(&t, 3);
	table_head(&t, "");
	table_head(&t, "OBJECT");
	table_head(&t, "WHAT");
	add_rows(&t, used, "there", STYLE_DIM, &a);
	add_rows(&t, made, dry ? "new" : "made", STYLE_GOOD, &a);
	table_write(&t, b, colour, "");
	table_fini(&t);
	arena_fini(&a);
}

void
made_names(struct buf *b, const json_t *reply)
{
	const json_t *object;
	struct arena a;
	size_t i;

	arena_init(&a);
	json_array_foreach((json_t *)(uintptr_t)json_object_get(reply, "made"), i, object)
	{
		term_clean(b, name_of(object, &a));
		buf_puts(b, "\n");
	}
	arena_fini(&a);
}
