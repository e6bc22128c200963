/* SPDX-License-Identifier: GPL-3.0-or-later */
/* version, help. */
#include <stdbool.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/help.h"
#include "cli/verbs.h"

/* Its own version is told even when no server is there. */
int
verb_version(struct cli *cli)
{
	json_t *reply = NULL;

	fprintf(cli->out, "gtmctl %s\n", GTM_VERSION);
	const int code = cli_ask(cli, "GET", "/version", NULL, NULL, &reply);
	const char *version = json_string_value(json_object_get(reply, "version"));

	if (code == EXIT_OK && version != NULL)
		fprintf(cli->out, "gtmd   %s\n", version);
	json_decref(reply);
	return code;
}

/* All verbs of a word such as "domain". False if there are none. */
static bool
help_family(FILE *out, const char *word)
{
	const size_t len = strlen(word);
	bool any = false;

	for (const struct verb *v = verbs_table; v->name != NULL; v++) {
		if (strncmp(v->name, word, len) != 0 || v->name[len] != ' ')
			continue;
		fprintf(out, "%s%s: ", any ? "\n\n" : "", v->name);
		help_write(out, v);
		any = true;
	}
	return any;
}

int
verb_help(struct cli *cli)
{
	const struct args *a = &cli->args;
	char name[64];

	if (a->n_words == 0) {
		help_write(cli->out, NULL);
		return EXIT_OK;
	}
	snprintf(name, sizeof(name), "%s%s%s", a->words[0], a->n_words > 1 ? " " : "",
	    a->n_words > 1 ? a->words[1] : "");
	for (const struct verb *v = verbs_table; v->name != NULL; v++) {
		if (strcmp(v->name, name) != 0)
			continue;
		help_write(cli->out, v);
		return EXIT_OK;
	}
	if (a->n_words == 1 && help_family(cli->out, name))
		return EXIT_OK;

	const char *near = args_nearest(name, verbs_table, sizeof(struct verb));

	return cli_refuse(cli, EXIT_USAGE, name, "unknown verb%s%s",
	    near != NULL ? "; did you mean " : "", near != NULL ? near : "");
}
