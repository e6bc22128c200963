/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/cli.h"
#include "cli/simulate.h"
#include "cli/verbs.h"

int
verb_simulate(struct cli *cli)
{
	json_t *requests, *request, *reports = json_array();
	int code = EXIT_OK;
	struct diag d;
	size_t i;

	diag_init(&d);
	requests = simulate_requests(&cli->args, cli->args.words[0], cli->args.words[1], &d);
	if (requests == NULL)
		code = cli_fail(cli, EXIT_USAGE, &d);
	json_array_foreach(requests, i, request)
	{
		json_t *reply = NULL;

		code = cli_ask(cli, "POST", "/api/v1/simulate", request, NULL, &reply);
		if (code != EXIT_OK)
			break;
		json_array_append_new(reports, reply);
	}
	if (code == EXIT_OK)
		simulate_show(cli, requests, reports);
	json_decref(requests);
	json_decref(reports);
	diag_fini(&d);
	return code;
}
