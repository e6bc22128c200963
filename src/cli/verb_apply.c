/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apply: YAML files as one atomic change. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/input.h"
#include "cli/verbs.h"

#define FILE_MAX ((size_t)16 << 20)

static int
read_files(struct cli *cli, struct yaml_in *y)
{
	struct diag d;
	const char *file;
	int code = EXIT_OK;

	diag_init(&d);
	for (size_t pos = 0;
	     code == EXIT_OK && (file = args_next(&cli->args, "--file", &pos)) != NULL;) {
		size_t len = 0;
		char *text = input_read(file, FILE_MAX, &len, &d);
		const char *name = strcmp(file, "-") == 0 ? "stdin" : file;

		if (text == NULL || yaml_in_read(y, name, text, len, &d) != 0)
			code = cli_fail(cli, EXIT_ERROR, &d);
		free(text);
	}
	diag_fini(&d);
	return code;
}

/* What became of each object; those as they were are only counted. */
static void
report(struct cli *cli, const json_t *reply, bool dry)
{
	const json_t *items = json_object_get(reply, "objects"), *item;
	size_t changed = 0, i;

	json_array_foreach(items, i, item)
	{
		const char *action = json_string_value(json_object_get(item, "action"));
		const char *kind = json_string_value(json_object_get(item, "kind"));
		const char *name = json_string_value(json_object_get(item, "name"));

		if (action == NULL || kind == NULL || name == NULL ||
		    strcmp(action, "unchanged") == 0)
			continue;
		changed++;
		fprintf(cli->out, "%s %s %s\n", action, kind, name);
	}
	fflush(cli->out);
	cli_say(cli, "%zu changed, %zu as they were%s", changed, json_array_size(items) - changed,
	    dry ? " (dry run: nothing was done)" : "");
}

int
verb_apply(struct cli *cli)
{
	const bool dry = args_has(&cli->args, "--dry-run");
	struct yaml_in y;
	int code;

	if (!args_has(&cli->args, "--file"))
		return cli_refuse(cli, EXIT_USAGE, "apply", "needs -f FILE (- for stdin)");
	yaml_in_init(&y);
	code = read_files(cli, &y);
	if (code == EXIT_OK && json_array_size(y.objects) == 0)
		code = cli_refuse(
		    cli, EXIT_ERROR, args_value(&cli->args, "--file"), "holds no objects");
	if (code == EXIT_OK) {
		json_t *body = json_pack("{s:O}", "objects", y.objects), *reply = NULL;

		code = cli_ask(cli, "POST",
		    dry ? "/api/v1/config:apply?dryRun=1" : "/api/v1/config:apply", body, &y,
		    &reply);
		if (code == EXIT_OK)
			report(cli, reply, dry);
		json_decref(body);
		json_decref(reply);
	}
	yaml_in_fini(&y);
	return code;
}
