/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/yaml_out.h"
#include "cli/cli.h"
#include "cli/kinds.h"
#include "cli/verbs.h"

/* True: it was asked for as data. */
static bool
write_data(struct cli *cli, struct buf *b, const json_t *reply)
{
	if (cli->output == OUTPUT_JSON) {
		char *text = json_pretty(reply);

		buf_printf(b, "%s\n", text);
		free(text);
	} else if (cli->output == OUTPUT_YAML) {
		yaml_out_write(b, reply);
	} else {
		return false;
	}
	return true;
}

static void
cell(struct table *t, const json_t *j, const char *path, struct arena *a)
{
	table_cell(t, STYLE_PLAIN, kinds_text(kinds_at(j, path), a));
}

/* -- line list -- */

static void
write_tree(struct cli *cli, struct buf *b, const json_t *reply, struct arena *a)
{
	static const char *const paths[] = { "code", "parent", "kind", "en", "zh", "aliases",
		"data" };
	static const char *const titles[] = { "CODE", "PARENT", "KIND", "NAME", "名称", "ALIASES",
		"DATA" };
	struct table t;
	const json_t *line;
	size_t i;

	table_init(&t, ARRAY_LEN(paths));
	for (size_t k = 0; k < ARRAY_LEN(titles); k++)
		table_head(&t, titles[k]);
	json_array_foreach(json_object_get(reply, "items"), i,
	    line) for (size_t k = 0; k < ARRAY_LEN(paths); k++) cell(&t, line, paths[k], a);
	table_write(&t, b, cli->colour, "");
	table_fini(&t);
}

static char *
list_path(const struct args *args)
{
	static const char *const options[] = { "--kind", "--parent" };
	char *path = xstrdup("/api/v1/line-tree");
	const char *joint = "?";

	for (size_t i = 0; i <= ARRAY_LEN(options); i++) {
		const char *value = i < ARRAY_LEN(options) ? args_value(args, options[i])
				    : args->n_words > 0    ? args->words[0]
							   : NULL;
		char *word = value != NULL ? client_escape(value) : NULL, *longer;

		if (word == NULL)
			continue;
		longer = xasprintf(
		    "%s%s%s=%s", path, joint, i < ARRAY_LEN(options) ? options[i] + 2 : "q", word);
		free(path);
		free(word);
		path = longer;
		joint = "&";
	}
	return path;
}

int
verb_line_list(struct cli *cli)
{
	char *path = list_path(&cli->args);
	json_t *reply = NULL;
	struct arena a;
	struct buf b;
	const int code = cli_ask(cli, "GET", path, NULL, NULL, &reply);

	free(path);
	if (code != EXIT_OK)
		return code;
	arena_init(&a);
	buf_init(&b, 1 << 26);
	if (!write_data(cli, &b, reply))
		write_tree(cli, &b, reply, &a);
	cli_write(cli, &b);
	arena_fini(&a);
	json_decref(reply);
	return EXIT_OK;
}

/* -- line locate -- */

/* "10.0.0.0/8 of office", "1.0.1.0 - 1.0.3.255 of country.mmdb" */
static const char *
reason(const json_t *because, struct arena *a)
{
	const char *cidr = json_string_value(json_object_get(because, "cidr"));
	const json_t *range = json_object_get(because, "range");

	if (cidr != NULL)
		return arena_printf(
		    a, "%s of %s", cidr, kinds_text(json_object_get(because, "line"), a));
	if (range == NULL)
		return "everybody";
	return arena_printf(a, "%s - %s of %s", json_string_value(json_array_get(range, 0)),
	    json_string_value(json_array_get(range, 1)),
	    kinds_text(json_object_get(because, "file"), a));
}

static void
write_lines(struct cli *cli, struct buf *b, const json_t *reply, struct arena *a)
{
	struct table t;
	const json_t *line;
	size_t i;

	table_init(&t, 4);
	table_head(&t, "LINE");
	table_head(&t, "KIND");
	table_head(&t, "NAME");
	table_head(&t, "BECAUSE");
	json_array_foreach(json_object_get(reply, "lines"), i, line)
	{
		cell(&t, line, "line", a);
		cell(&t, line, "kind", a);
		cell(&t, line, "en", a);
		table_cell(&t, STYLE_PLAIN, reason(json_object_get(line, "because"), a));
	}
	table_write(&t, b, cli->colour, "");
	table_fini(&t);
	if (json_is_null(json_object_get(reply, "data")))
		cli_say(cli, "no data sets are loaded: only custom lines are known");
}

int
verb_line_locate(struct cli *cli)
{
	json_t *body = json_pack("{s:s}", "ip", cli->args.words[0]), *reply = NULL;
	struct arena a;
	struct buf b;
	const int code = cli_ask(cli, "POST", "/api/v1/lines:locate", body, NULL, &reply);

	json_decref(body);
	if (code != EXIT_OK)
		return code;
	arena_init(&a);
	buf_init(&b, 1 << 20);
	if (!write_data(cli, &b, reply))
		write_lines(cli, &b, reply, &a);
	cli_write(cli, &b);
	arena_fini(&a);
	json_decref(reply);
	return EXIT_OK;
}
