/* SPDX-License-Identifier: GPL-3.0-or-later */
/* get, describe, delete, export: objects as they are. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/yaml_out.h"
#include "cli/cli.h"
#include "cli/kinds.h"
#include "cli/vantage.h"
#include "cli/verbs.h"

#define TEXT_MAX ((size_t)1 << 30)

static const struct kinds_row *
find_kind(struct cli *cli)
{
	const char *word = cli->args.words[0];
	const struct kinds_row *k = kinds_find(word);

	if (k != NULL)
		return k;
	const char *near = args_nearest(word, &kinds_table->plural, sizeof(struct kinds_row));

	if (near == NULL)
		near = args_nearest(word, kinds_table, sizeof(struct kinds_row));

	if (near != NULL)
		cli_refuse(cli, EXIT_USAGE, word, "unknown kind; did you mean %s?", near);
	else
		cli_refuse(cli, EXIT_USAGE, word,
		    "unknown kind; there are domain, pool, address, template, line, node, zone, "
		    "rrset, "
		    "tsig-key, override, maintenance");
	return NULL;
}

/* NULL after printing that the words do not name one object of this kind. */
static char *
object_path(struct cli *cli, const struct kinds_row *k)
{
	const char *const *words = cli->args.words + 1;
	const size_t n = cli->args.n_words - 1;

	if (n == 2 && !k->typed) {
		cli_refuse(
		    cli, EXIT_USAGE, words[1], "one word too many: %s %s", k->name, words[0]);
		return NULL;
	}
	if (n == 1 && k->typed && strchr(words[0], '/') == NULL) {
		cli_refuse(
		    cli, EXIT_USAGE, words[0], "needs the type too: %s %s A", k->name, words[0]);
		return NULL;
	}

	char *path = kinds_path(k, words, n);

	if (path == NULL)
		cli_refuse(cli, EXIT_USAGE, words[0],
		    "must say whose it is: address/NAME, pool/NAME or domain/NAME/TYPE");
	return path;
}

/* All pages of a list. */
static int
fetch_list(struct cli *cli, const char *path, json_t *objects)
{
	char *cursor = NULL;
	int code;

	do {
		char *url =
		    cursor != NULL ? xasprintf("%s?cursor=%s", path, cursor) : xstrdup(path);
		json_t *reply = NULL;

		code = cli_ask(cli, "GET", url, NULL, NULL, &reply);
		free(url);
		free(cursor);
		cursor = NULL;
		if (code != EXIT_OK)
			break;
		json_array_extend(
		    objects, json_is_array(reply) ? reply : json_object_get(reply, "items"));

		const char *next = json_string_value(json_object_get(reply, "next"));

		if (next != NULL && *next != '\0')
			cursor = client_escape(next);
		json_decref(reply);
	} while (cursor != NULL);
	return code;
}

static void
write_yaml(struct buf *b, const json_t *objects)
{
	const json_t *o;
	size_t i;

	json_array_foreach(objects, i, o)
	{
		if (i > 0)
			buf_puts(b, "---\n");
		yaml_out_write(b, o);
	}
}

static void
write_names(struct buf *b, const json_t *objects)
{
	const json_t *o;
	size_t i;

	json_array_foreach(objects, i, o)
	    buf_printf(b, "%s/%s\n", json_string_value(json_object_get(o, "kind")),
		json_string_value(json_object_get(o, "name")));
}

/* One object is written as itself, a list as a list. */
static void
write_objects(struct cli *cli, const struct kinds_row *k, const json_t *objects, bool one)
{
	struct buf b;
	char *text;

	buf_init(&b, TEXT_MAX);
	switch (cli->output) {
	case OUTPUT_JSON:
		text = json_pretty(one ? json_array_get(objects, 0) : objects);
		buf_printf(&b, "%s\n", text);
		free(text);
		break;
	case OUTPUT_YAML:
		write_yaml(&b, objects);
		break;
	case OUTPUT_NAME:
		write_names(&b, objects);
		break;
	default:
		if (json_array_size(objects) == 0)
			cli_say(cli, "no %s", k->plural);
		else
			kinds_write(k, objects, cli->output == OUTPUT_WIDE, cli->colour, &b);
	}
	cli_write(cli, &b);
}

int
verb_get(struct cli *cli)
{
	const struct kinds_row *k = find_kind(cli);
	const bool one = cli->args.n_words > 1;
	char *path = k == NULL ? NULL : one ? object_path(cli, k) : kinds_path(k, NULL, 0);
	json_t *objects = json_array(), *object = NULL;
	int code = EXIT_USAGE;

	if (path != NULL)
		code = one ? cli_ask(cli, "GET", path, NULL, NULL, &object)
			   : fetch_list(cli, path, objects);
	if (object != NULL)
		json_array_append_new(objects, object);
	if (code == EXIT_OK)
		write_objects(cli, k, objects, one);
	json_decref(objects);
	free(path);
	return code;
}

static void
write_section(struct buf *b, const char *title, const json_t *j, bool colour)
{
	if (json_object_size(j) == 0)
		return;
	buf_printf(
	    b, "\n%s%s%s\n", term_on(colour, STYLE_BOLD), title, term_off(colour, STYLE_BOLD));

	struct buf text;

	buf_init(&text, TEXT_MAX);
	yaml_out_write(&text, j);
	for (const char *line = buf_str(&text); *line != '\0';) {
		const size_t len = strcspn(line, "\n");

		buf_printf(b, "  %.*s\n", (int)len, line);
		line += len + (line[len] == '\n');
	}
	buf_fini(&text);
}

static void
write_events(struct cli *cli, struct buf *b, const struct kinds_row *k, const json_t *object)
{
	const char *name = json_string_value(json_object_get(object, "name"));
	char *escaped = client_escape(name != NULL ? name : "");
	char *path = xasprintf("/api/v1/events?object=%s/%s&limit=10", k->name, escaped);
	json_t *reply = NULL;
	const json_t *event;
	size_t i;

	if (cli_ask(cli, "GET", path, NULL, NULL, &reply) == EXIT_OK) {
		json_array_foreach(json_object_get(reply, "items"), i, event)
		{
			struct arena a;

			arena_init(&a);
			if (i == 0)
				buf_printf(b, "\n%sevents%s\n", term_on(cli->colour, STYLE_BOLD),
				    term_off(cli->colour, STYLE_BOLD));
			buf_printf(b, "  %s  ", kinds_text(json_object_get(event, "at"), &a));
			term_clean(b, kinds_text(json_object_get(event, "text"), &a));
			buf_puts(b, "\n");
			arena_fini(&a);
		}
	}
	json_decref(reply);
	free(escaped);
	free(path);
}

static void
describe(struct cli *cli, const struct kinds_row *k, const json_t *object)
{
	json_t *objects = json_pack("[O]", object);
	struct buf b;

	buf_init(&b, TEXT_MAX);
	kinds_write(k, objects, true, cli->colour, &b);
	write_section(&b, "spec", json_object_get(object, "spec"), cli->colour);
	write_section(&b, "status", json_object_get(object, "status"), cli->colour);
	if (strcmp(k->name, "address") == 0)
		vantage_write(cli, &b, json_string_value(json_object_get(object, "name")));
	write_events(cli, &b, k, object);
	cli_write(cli, &b);
	json_decref(objects);
}

int
verb_describe(struct cli *cli)
{
	const struct kinds_row *k = find_kind(cli);
	char *path = k != NULL ? object_path(cli, k) : NULL;
	json_t *object = NULL;
	int code = EXIT_USAGE;

	if (path != NULL)
		code = cli_ask(cli, "GET", path, NULL, NULL, &object);
	if (code == EXIT_OK)
		describe(cli, k, object);
	json_decref(object);
	free(path);
	return code;
}

int
verb_delete(struct cli *cli)
{
	const struct kinds_row *k = find_kind(cli);
	char *path = k != NULL ? object_path(cli, k) : NULL;
	const int code = path != NULL ? cli_ask(cli, "DELETE", path, NULL, NULL, NULL) : EXIT_USAGE;

	if (code == EXIT_OK)
		cli_say(cli, "%s deleted", path + strlen("/api/v1/"));
	free(path);
	return code;
}

int
verb_export(struct cli *cli)
{
	json_t *reply = NULL;
	const int code = cli_ask(cli, "GET", "/api/v1/config", NULL, NULL, &reply);
	struct buf b;

	if (code != EXIT_OK)
		return code;
	buf_init(&b, TEXT_MAX);
	if (cli->output == OUTPUT_JSON) {
		char *text = json_pretty(reply);

		buf_printf(&b, "%s\n", text);
		free(text);
	} else {
		write_yaml(&b, json_object_get(reply, "objects"));
	}
	cli_write(cli, &b);
	json_decref(reply);
	return EXIT_OK;
}
