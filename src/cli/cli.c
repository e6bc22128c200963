/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/cli.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "cli/help.h"
#include "cli/problem.h"
#include "cli/target.h"
#include "cli/term.h"
#include "cli/verbs.h"

int
cli_fail(struct cli *cli, int code, struct diag *d)
{
	const char *text = diag_text(d);
	const size_t len = strlen(text);

	fprintf(cli->err, "error: %s%s", text, len > 0 && text[len - 1] == '\n' ? "" : "\n");
	return code;
}

int
cli_refuse(struct cli *cli, int code, const char *where, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *what = xvasprintf(fmt, ap);

	va_end(ap);
	fprintf(cli->err, "error: %s%s%s\n", where, *where != '\0' ? ": " : "", what);
	free(what);
	return code;
}

void
cli_say(struct cli *cli, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(cli->err, fmt, ap);
	va_end(ap);
	fputc('\n', cli->err);
}

void
cli_write(struct cli *cli, struct buf *b)
{
	if (b->len > 0)
		fwrite(b->data, 1, b->len, cli->out);
	fflush(cli->out);
	buf_fini(b);
}

struct client *
cli_client(struct cli *cli)
{
	struct client_target target;
	struct arena arena;
	struct diag d;

	if (cli->client != NULL)
		return cli->client;
	arena_init(&arena);
	diag_init(&d);
	if (target_choose(&target, &cli->args, &arena, &d) == 0)
		cli->client = client_new(&target, &d);
	if (cli->client == NULL)
		cli_fail(cli, EXIT_USAGE, &d);
	diag_fini(&d);
	arena_fini(&arena);
	return cli->client;
}

/* The server knows a text's lines, we know its files: "line 7" becomes "FILE:7". */
static void
name_lines(const struct client_request *q, const json_t *problem)
{
	json_t *e;
	size_t i;

	json_array_foreach(json_object_get(problem, "errors"), i, e)
	{
		const char *pointer = json_string_value(json_object_get(e, "pointer"));

		if (pointer == NULL || strncmp(pointer, "line ", 5) != 0)
			continue;

		char *place = q->place(q->place_arg, strtoull(pointer + 5, NULL, 10));

		json_object_set_new(e, "pointer", json_string(place));
		free(place);
	}
}

static int
refused(struct cli *cli, const struct client_request *q, const struct client_reply *r,
    const struct yaml_in *places)
{
	json_t *j = json_loadb((const char *)r->body.data, r->body.len, 0, NULL);
	struct buf b;

	if (q->place != NULL)
		name_lines(q, j);
	buf_init(&b, 1 << 20);
	problem_write(&b, r->status, j, places);
	fputs(buf_str(&b), cli->err);
	buf_fini(&b);
	json_decref(j);
	return problem_exit(r->status);
}

int
cli_call(struct cli *cli, const struct client_request *q, const struct yaml_in *places,
    struct client_reply *r)
{
	struct client *client = cli_client(cli);
	struct diag d;

	if (client == NULL)
		return EXIT_USAGE;
	diag_init(&d);
	if (client_call(client, q, r, &d) != 0) {
		cli_fail(cli, EXIT_UNREACHABLE, &d);
		diag_fini(&d);
		return EXIT_UNREACHABLE;
	}
	diag_fini(&d);
	if (r->status >= 300) {
		const int code = refused(cli, q, r, places);

		client_reply_fini(r);
		return code;
	}
	if (r->not_applied && !cli->quiet)
		cli_say(
		    cli, "note: saved, but DNS does not serve it yet; it will as soon as it can");
	return EXIT_OK;
}

/* What the server did, but finds odd. */
static void
warn(struct cli *cli, const json_t *reply)
{
	const json_t *item;
	size_t i;

	json_array_foreach(json_object_get(reply, "warnings"), i, item)
	{
		struct buf b;

		buf_init(&b, 1 << 16);
		term_clean(&b, json_is_string(item) ? json_string_value(item) : "?");
		cli_say(cli, "warning: %s", buf_str(&b));
		buf_fini(&b);
	}
}

int
cli_ask(struct cli *cli, const char *method, const char *path, const json_t *body,
    const struct yaml_in *places, json_t **reply)
{
	char *text = body != NULL ? json_text(body) : NULL;
	const struct client_request q = {
		.method = method,
		.path = path,
		.body = text,
		.body_len = text != NULL ? strlen(text) : 0,
	};
	struct client_reply r;
	const int code = cli_call(cli, &q, places, &r);
	json_error_t error;

	free(text);
	if (code != EXIT_OK)
		return code;
	json_t *j = json_loadb((const char *)r.body.data, r.body.len, JSON_DECODE_ANY, &error);
	const bool bad = j == NULL && r.body.len > 0;

	client_reply_fini(&r);
	if (bad)
		return cli_refuse(cli, EXIT_ERROR, path, "the server's reply is not JSON");
	if (strcmp(method, "GET") != 0 && !cli->quiet)
		warn(cli, j);
	if (reply != NULL)
		*reply = j;
	else
		json_decref(j);
	return EXIT_OK;
}

static int
choose_output(struct cli *cli)
{
	static const char *const words[] = { "table", "wide", "json", "yaml", "name", NULL };
	const char *word = args_value(&cli->args, "--output");

	cli->output = OUTPUT_TABLE;
	for (unsigned i = 0; word != NULL; i++) {
		if (words[i] == NULL)
			return cli_refuse(cli, EXIT_USAGE, "--output",
			    "must be table, wide, json, yaml or name (got %s)", word);
		if (strcmp(words[i], word) == 0) {
			cli->output = (enum output)i;
			break;
		}
	}
	return EXIT_OK;
}

static int
run(struct cli *cli)
{
	if (args_has(&cli->args, "--help")) {
		help_write(cli->out, cli->args.verb);
		return EXIT_OK;
	}
	if (cli->args.verb == NULL) {
		help_write(cli->err, NULL);
		return EXIT_USAGE;
	}
	const int code = choose_output(cli);

	return code != EXIT_OK ? code : cli->args.verb->run(cli);
}

int
cli_main(int argc, char *const *argv)
{
	struct cli cli = {
		.program = argc > 0 ? argv[0] : "gtmctl",
		.out = stdout,
		.err = stderr,
		.colour = term_colour(stdout),
	};
	struct diag d;
	int code;

	signal(SIGPIPE, SIG_DFL); /* `gtmctl events | head` ends quietly */
	diag_init(&d);
	if (args_parse(&cli.args, verbs_table, argc, (const char *const *)argv, &d) == 0) {
		code = run(&cli);
	} else {
		code = cli_fail(&cli, EXIT_USAGE, &d);
		cli_say(&cli, "See gtmctl help%s%s", cli.args.verb != NULL ? " " : "",
		    cli.args.verb != NULL ? cli.args.verb->name : "");
	}
	diag_fini(&d);
	client_free(&cli.client);
	if (fflush(stdout) != 0 && code == EXIT_OK)
		code = EXIT_ERROR;
	return code;
}
