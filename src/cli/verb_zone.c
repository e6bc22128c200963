/* SPDX-License-Identifier: GPL-3.0-or-later */
/* zone import, export, check: zone files; zone refresh. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "cli/progress.h"
#include "cli/verbs.h"
#include "cli/zone_source.h"
#include "zone/zonefile.h"

static char *
zone_file_path(const char *zone)
{
	char *escaped = client_escape(zone);
	char *path = xasprintf("/api/v1/zones/%s/file", escaped);

	free(escaped);
	return path;
}

static struct zone_source *
open_source(struct cli *cli, const char *file, const char *origin)
{
	struct zone_source *s;
	struct diag d;

	diag_init(&d);
	s = zone_source_open(file, origin, &d);
	if (s == NULL)
		cli_fail(cli, EXIT_ERROR, &d);
	diag_fini(&d);
	return s;
}

struct task {
	struct progress progress;
	size_t total;
};

static void
show_sending(void *arg, size_t sent)
{
	struct task *t = arg;

	if (sent < t->total)
		progress_show(&t->progress, "sending", sent, t->total);
	else
		progress_show(&t->progress, "waiting for the server", 0, 0);
}

static char *
place(const void *arg, uint64_t line)
{
	return zone_source_place(arg, line);
}

static int
put_file(struct cli *cli, const char *zone, const struct zone_source *s)
{
	struct task t = { .total = 0 };
	struct client_request q = {
		.method = "PUT",
		.path = zone_file_path(zone),
		.type = "text/dns",
		.place = place,
		.place_arg = s,
		.progress = show_sending,
		.progress_arg = &t,
	};
	struct client_reply r;

	q.body = zone_source_text(s, &q.body_len);
	t.total = q.body_len;
	progress_start(&t.progress, cli->err, cli->quiet);

	const int code = cli_call(cli, &q, NULL, &r);

	progress_end(&t.progress);
	if (code == EXIT_OK) {
		cli_say(cli, "zone %s imported", zone);
		client_reply_fini(&r);
	}
	free((char *)(uintptr_t)q.path);
	return code;
}

int
verb_zone_import(struct cli *cli)
{
	const char *zone = cli->args.words[0];
	struct zone_source *s = open_source(cli, cli->args.words[1], zone);
	const int code = s != NULL ? put_file(cli, zone, s) : EXIT_ERROR;

	zone_source_free(&s);
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

int
verb_zone_refresh(struct cli *cli)
{
	const char *zone = cli->args.words[0];
	char *escaped = client_escape(zone);
	char *path = xasprintf("/api/v1/zones/%s:%s", escaped,
	    args_has(&cli->args, "--whole") ? "retransfer" : "refresh");
	const int code = cli_ask(cli, "POST", path, NULL, NULL, NULL);

	if (code == EXIT_OK)
		cli_say(cli,
		    "zone %s asks its primaries; gtmctl describe zone %s tells how it went", zone,
		    zone);
	free(path);
	free(escaped);
	return code;
}

/* -- check: without a server -- */

static void
show_reading(void *arg, size_t bytes)
{
	struct task *t = arg;

	progress_show(&t->progress, "reading", bytes, t->total);
}

/* The parser says ":12"; the person wants to know which file. */
static void
name_places(struct diag *to, const struct diag *from, const struct zone_source *s)
{
	for (const struct diag_problem *p = from->first; p != NULL; p = p->next) {
		const char *line = strrchr(p->where, ':');
		char *where = zone_source_place(s, line != NULL ? strtoull(line + 1, NULL, 10) : 1);

		diag_add(to, DIAG_INVALID, where, "%s", p->detail);
		diag_detail(to, p->got, p->allowed);
		free(where);
	}
}

static int
check(struct cli *cli, const struct zone_source *s, struct zonefile *z, struct diag *d)
{
	struct task t = { .total = 0 };
	const struct zonefile_hooks hooks = { .arg = &t, .progress = show_reading };
	const char *text = zone_source_text(s, &t.total);
	struct diag raw;

	diag_init(&raw);
	progress_start(&t.progress, cli->err, cli->quiet);

	const int rc =
	    zonefile_parse_told(text, t.total, zone_source_origin(s), "", &hooks, z, &raw);

	progress_end(&t.progress);
	name_places(d, &raw, s);
	diag_fini(&raw);
	return rc;
}

int
verb_zone_check(struct cli *cli)
{
	const char *file = cli->args.words[0];
	struct zone_source *s = open_source(cli, file, args_value(&cli->args, "--origin"));
	struct zonefile z;
	struct diag d;
	int code = EXIT_OK;

	if (s == NULL)
		return EXIT_ERROR;
	diag_init(&d);
	if (check(cli, s, &z, &d) < 0)
		code = cli_fail(cli, EXIT_ERROR, &d);
	else
		cli_say(cli, "%s: zone %s is good: %zu records in %zu sets",
		    strcmp(file, "-") == 0 ? "stdin" : file, zone_source_origin(s), z.records,
		    z.sets.sets);
	zonefile_fini(&z);
	diag_fini(&d);
	zone_source_free(&s);
	return code;
}
