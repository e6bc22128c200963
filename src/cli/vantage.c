/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/vantage.h"

#include <stdlib.h>

#include "base/mem.h"
#include "cli/client.h"
#include "cli/kinds.h"
#include "cli/table.h"
#include "cli/term.h"

/* "down since 2026-11-26T01:40:25.087Z (l4_refused)" is two columns: when, and why. */
static void
write_edge(struct table *t, const json_t *vote, struct arena *a)
{
	const json_t *edge = json_array_get(json_object_get(vote, "edges"), 0);

	table_cell(t, STYLE_PLAIN, kinds_text(json_object_get(edge, "at"), a));
	table_cell(t, STYLE_PLAIN, kinds_text(json_object_get(edge, "cause"), a));
}

/* "0.4 ms connected", "l4_refused: connection refused" */
static const char *
last_seen(const json_t *seen, struct arena *a)
{
	const json_t *o = json_array_get(json_object_get(seen, "observations"), 0);
	const json_t *total = json_object_get(o, "total");
	const char *text = kinds_text(json_object_get(o, "text"), a);

	if (o == NULL)
		return "-";
	if (json_is_true(json_object_get(o, "passed")))
		return arena_printf(a, "%.1f ms, %s", json_number_value(total), text);
	return arena_printf(a, "%s: %s", kinds_text(json_object_get(o, "cause"), a), text);
}

static void
write_vote(struct table *t, const json_t *vote, struct arena *a)
{
	const char *verdict = kinds_text(json_object_get(vote, "verdict"), a);
	const bool fresh = json_is_true(json_object_get(vote, "fresh"));

	table_cell(t, STYLE_PLAIN, kinds_text(json_object_get(vote, "node"), a));
	table_cell(t, term_state_style(verdict), verdict);
	table_cell(t, STYLE_PLAIN, fresh ? "yes" : "no");
	write_edge(t, vote, a);
	table_cell(t, STYLE_PLAIN, last_seen(vote, a));
}

static void
write_check(struct cli *cli, struct buf *b, const json_t *check)
{
	static const char *const titles[] = { "NODE", "VERDICT", "FRESH", "SINCE", "CAUSE",
		"LAST PROBE" };
	const json_t *nodes = json_object_get(check, "nodes"), *vote;
	struct arena a;
	struct table t;
	size_t i;

	arena_init(&a);
	buf_printf(b, "\n%scheck %s:%s%s  %s, %s of %s fresh votes down%s\n",
	    term_on(cli->colour, STYLE_BOLD), kinds_text(json_object_get(check, "template"), &a),
	    kinds_text(json_object_get(check, "port"), &a), term_off(cli->colour, STYLE_BOLD),
	    kinds_text(json_object_get(check, "verdict"), &a),
	    kinds_text(kinds_at(check, "votes.down"), &a),
	    kinds_text(kinds_at(check, "votes.fresh"), &a),
	    json_is_true(json_object_get(check, "disagree")) ? ": they disagree" : "");
	table_init(&t, ARRAY_LEN(titles));
	for (i = 0; i < ARRAY_LEN(titles); i++)
		table_head(&t, titles[i]);
	json_array_foreach((json_t *)(uintptr_t)nodes, i, vote) write_vote(&t, vote, &a);
	table_write(&t, b, cli->colour, "  ");
	table_fini(&t);
	arena_fini(&a);
}

void
vantage_write(struct cli *cli, struct buf *b, const char *address)
{
	char *escaped = client_escape(address);
	char *path = xasprintf("/api/v1/addresses/%s/health", escaped);
	json_t *health = NULL;
	const json_t *check;
	size_t i;

	if (cli_ask(cli, "GET", path, NULL, NULL, &health) == EXIT_OK)
		json_array_foreach(json_object_get(health, "checks"), i, check)
		{
			if (json_array_size(json_object_get(check, "nodes")) > 0)
				write_check(cli, b, check);
		}
	json_decref(health);
	free(path);
	free(escaped);
}
