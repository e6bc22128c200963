/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pool|address|domain drain|ready|force-up|force-down: what operators impose, and lift again. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/yaml_out.h"
#include "cli/cli.h"
#include "cli/kinds.h"
#include "cli/verbs.h"

/* The verb's second word, and the state it stands for; NULL: lift. */
static const struct {
	const char *word, *state, *done;
} actions[] = {
	{ "drain", "drain", "is drained" },
	{ "force-up", "up", "is forced up" },
	{ "force-down", "down", "is forced down" },
	{ "ready", NULL, "is as its health says again" },
};

static size_t
find_action(const struct cli *cli)
{
	const char *word = strchr(cli->args.verb->name, ' ') + 1;
	size_t i = 0;

	while (strcmp(actions[i].word, word) != 0)
		i++;
	return i;
}

/* ".../override" of the object that the words name; NULL after saying what is wrong. */
static char *
override_path(struct cli *cli, const struct kinds_row *k)
{
	const char *const *words = cli->args.words;
	const size_t n = cli->args.n_words;

	if (n > 1 && !k->typed) {
		cli_refuse(
		    cli, EXIT_USAGE, words[1], "one word too many: %s %s", k->name, words[0]);
		return NULL;
	}
	if (n == 1 && k->typed && strchr(words[0], '/') == NULL) {
		cli_refuse(cli, EXIT_USAGE, words[0], "needs the type too, e.g. %s A", words[0]);
		return NULL;
	}

	char *path = kinds_path(k, words, n), *url = xasprintf("%s/override", path);

	free(path);
	return url;
}

/* {state, reason, for, until}; NULL after saying what is wrong. */
static json_t *
make_body(struct cli *cli, const char *state)
{
	const char *reason = args_value(&cli->args, "--reason");
	const char *length = args_value(&cli->args, "--for");
	const char *until = args_value(&cli->args, "--until");
	json_t *body;

	if (reason == NULL) {
		cli_refuse(cli, EXIT_USAGE, "--reason",
		    "is needed: whoever comes across it will want to know why");
		return NULL;
	}
	if (length != NULL && until != NULL) {
		cli_refuse(cli, EXIT_USAGE, "--for", "cannot be given together with --until");
		return NULL;
	}
	body = json_pack("{s:s, s:s, s:s*, s:s*}", "state", state, "reason", reason, "for", length,
	    "until", until);
	if (body == NULL)
		cli_refuse(cli, EXIT_USAGE, "--reason", "is not valid UTF-8");
	return body;
}

static void
show(struct cli *cli, const json_t *reply)
{
	struct buf b;
	char *text;

	buf_init(&b, 1 << 20);
	if (cli->output == OUTPUT_JSON) {
		text = json_pretty(reply);
		buf_printf(&b, "%s\n", text);
		free(text);
	} else if (cli->output == OUTPUT_YAML) {
		yaml_out_write(&b, reply);
	}
	cli_write(cli, &b);
}

static void
conclude(struct cli *cli, size_t action, const json_t *reply)
{
	const char *until = json_string_value(kinds_at(reply, "spec.until"));
	const char *const *words = cli->args.words;
	const bool typed = cli->args.n_words > 1;

	cli_say(cli, "%s%s%s %s%s%s", words[0], typed ? " " : "", typed ? words[1] : "",
	    actions[action].done, until != NULL ? " until " : "", until != NULL ? until : "");
}

int
verb_override(struct cli *cli)
{
	const size_t action = find_action(cli);
	const char *name = cli->args.verb->name, *state = actions[action].state;
	char *kind = xstrndup(name, strcspn(name, " "));
	char *url = override_path(cli, kinds_find(kind));
	json_t *body = url == NULL || state == NULL ? NULL : make_body(cli, state), *reply = NULL;
	int code = EXIT_USAGE;

	if (url != NULL && state == NULL)
		code = cli_ask(cli, "DELETE", url, NULL, NULL, NULL);
	else if (body != NULL)
		code = cli_ask(cli, "PUT", url, body, NULL, &reply);
	if (reply != NULL)
		show(cli, reply);
	if (code == EXIT_OK)
		conclude(cli, action, reply);
	json_decref(reply);
	json_decref(body);
	free(url);
	free(kind);
	return code;
}
