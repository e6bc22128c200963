/* SPDX-License-Identifier: GPL-3.0-or-later */
/* node add, node token: places that probe for the server. */
#include <stdlib.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/yaml_out.h"
#include "cli/cli.h"
#include "cli/kinds.h"
#include "cli/verbs.h"

static char *
node_path(const char *name, const char *action)
{
	char *escaped = client_escape(name), *path;

	path = xasprintf("/api/v1/nodes/%s%s", escaped, action);
	free(escaped);
	return path;
}

static const char *
text_of(const json_t *reply, const char *member)
{
	const char *text = json_string_value(json_object_get(reply, member));

	return text != NULL ? text : "?";
}

/* The token has all that the machine needs; the directory is the one thing that may differ. */
static void
say_how(struct cli *cli, const char *name, const json_t *reply)
{
	cli_say(cli,
	    "run this once on node %s, as root or as a user who may write to %s (another "
	    "directory: --dir)",
	    name, text_of(reply, "dir"));
	cli_say(cli,
	    "it needs no other file: the token says where the server is (%s) and how it is known; "
	    "it is good for one use, until %s",
	    text_of(reply, "server"), text_of(reply, "expires"));
	cli_say(cli, "afterwards the same without --join starts the node");
}

/* The command alone on stdout, to be carried over; all about it on stderr. */
static int
invite(struct cli *cli, const char *name)
{
	const char *span = args_value(&cli->args, "--for");
	const char *server = args_value(&cli->args, "--server-address");
	char *path = node_path(name, ":token");
	const char *dir = args_value(&cli->args, "--dir");
	json_t *body = json_pack("{s:s*, s:s*, s:s*}", "for", span, "server", server, "dir", dir);
	json_t *reply = NULL;
	const int code = cli_ask(cli, "POST", path, body, NULL, &reply);
	struct buf b;

	json_decref(body);
	free(path);
	if (code != EXIT_OK)
		return code;
	buf_init(&b, 1 << 16);
	if (cli->output == OUTPUT_JSON) {
		char *text = json_pretty(reply);

		buf_printf(&b, "%s\n", text);
		free(text);
	} else if (cli->output == OUTPUT_YAML) {
		yaml_out_write(&b, reply);
	} else {
		buf_printf(&b, "%s\n", text_of(reply, "command"));
		say_how(cli, name, reply);
	}
	cli_write(cli, &b);
	json_decref(reply);
	return EXIT_OK;
}

int
verb_node_token(struct cli *cli)
{
	return invite(cli, cli->args.words[0]);
}

int
verb_node_add(struct cli *cli)
{
	const struct args *a = &cli->args;
	const char *name = a->words[0];
	char *path = node_path(name, "");
	json_t *body = json_pack("{s:{s:s*, s:s*, s:s*, s:s*}}", "spec", "city",
	    args_value(a, "--city"), "isp", args_value(a, "--isp"), "country",
	    args_value(a, "--country"), "remark", args_value(a, "--remark"));
	json_t *reply = NULL;
	const int code = cli_ask(cli, "PUT", path, body, NULL, &reply);

	json_decref(body);
	json_decref(reply);
	free(path);
	if (code != EXIT_OK)
		return code;
	return invite(cli, name);
}
