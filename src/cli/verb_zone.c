/* SPDX-License-Identifier: GPL-3.0-or-later */
/* zone import, zone export: zone files, byte for byte. */
#include <stdlib.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "cli/input.h"
#include "cli/verbs.h"

#define ZONE_MAX ((size_t)256 << 20)

static char *
zone_file_path(const char *zone)
{
	char *escaped = client_escape(zone);
	char *path = xasprintf("/api/v1/zones/%s/file", escaped);

	free(escaped);
	return path;
}

int
verb_zone_import(struct cli *cli)
{
	struct client_reply r;
	struct diag d;
	size_t len = 0;

	diag_init(&d);
	char *text = input_read(cli->args.words[1], ZONE_MAX, &len, &d);
	int code = text != NULL ? EXIT_OK : cli_fail(cli, EXIT_ERROR, &d);

	diag_fini(&d);
	if (text == NULL)
		return code;
	char *path = zone_file_path(cli->args.words[0]);
	const struct client_request q = {
		.method = "PUT",
		.path = path,
		.type = "text/dns",
		.body = text,
		.body_len = len,
		.file = cli->args.words[1],
	};

	code = cli_call(cli, &q, NULL, &r);
	if (code == EXIT_OK) {
		cli_say(cli, "zone %s imported", cli->args.words[0]);
		client_reply_fini(&r);
	}
	free(path);
	free(text);
	return code;
}

int
verb_zone_export(struct cli *cli)
{
	char *path = zone_file_path(cli->args.words[0]);
	const struct client_request q = { .method = "GET", .path = path };
	struct client_reply r;
	const int code = cli_call(cli, &q, NULL, &r);

	if (code == EXIT_OK) {
		fwrite(r.body.data, 1, r.body.len, cli->out);
		client_reply_fini(&r);
	}
	free(path);
	return code;
}
