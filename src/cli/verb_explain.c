/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>

#include "base/json.h"
#include "base/yaml_out.h"
#include "cli/cli.h"
#include "cli/explain.h"
#include "cli/site.h"
#include "cli/verbs.h"

static json_t *
make_request(struct cli *cli)
{
	const struct args *args = &cli->args;
	const char *client = args_value(args, "--client"), *ecs = args_value(args, "--ecs"),
		   *draws = args_value(args, "--draws"), *address;
	json_t *body = json_pack("{s:s,s:s}", "name", args->words[0], "type", args->words[1]);
	json_t *overrides = json_object();

	for (size_t pos = 0; (address = args_next(args, "--down", &pos)) != NULL;)
		json_object_set_new(overrides, address, json_string("down"));
	for (size_t pos = 0; (address = args_next(args, "--up", &pos)) != NULL;)
		json_object_set_new(overrides, address, json_string("up"));
	if (json_object_size(overrides) > 0)
		json_object_set(body, "overrides", overrides);
	json_decref(overrides);
	if (client != NULL)
		json_object_set_new(body, "client", json_string(client));
	if (ecs != NULL)
		json_object_set_new(body, "ecs", json_string(ecs));
	if (draws != NULL) {
		struct diag d;

		diag_init(&d);
		const long long n = site_number("--draws", draws, 1000000, &d);

		if (n < 0) {
			cli_fail(cli, EXIT_USAGE, &d);
			json_decref(body);
			body = NULL;
		} else {
			json_object_set_new(body, "draws", json_integer(n));
		}
		diag_fini(&d);
	}
	return body;
}

int
verb_explain(struct cli *cli)
{
	json_t *body = make_request(cli), *reply = NULL;
	struct buf b;

	if (body == NULL)
		return EXIT_USAGE;
	const int code = cli_ask(cli, "POST", "/api/v1/explain", body, NULL, &reply);

	json_decref(body);
	if (code != EXIT_OK)
		return code;
	buf_init(&b, 1 << 24);
	if (cli->output == OUTPUT_JSON) {
		char *text = json_pretty(reply);

		buf_printf(&b, "%s\n", text);
		free(text);
	} else if (cli->output == OUTPUT_YAML) {
		yaml_out_write(&b, reply);
	} else {
		explain_write(&b, reply, cli->colour);
	}
	cli_write(cli, &b);
	json_decref(reply);
	return EXIT_OK;
}
