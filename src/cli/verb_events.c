/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/kinds.h"
#include "cli/sse.h"
#include "cli/verbs.h"

#define RECONNECT_MAX_S 10u

/* 2026-11-22T10:00:00.123Z  warning   address.down           address 'dc-a-1' (...) is down: ... */
static void
write_event(struct cli *cli, const json_t *e)
{
	struct arena a;
	struct buf b;

	if (cli->output == OUTPUT_JSON) {
		char *text = json_text(e);

		fprintf(cli->out, "%s\n", text);
		free(text);
		return;
	}
	arena_init(&a);
	buf_init(&b, 1 << 20);
	const char *severity = kinds_text(json_object_get(e, "severity"), &a);
	const enum style style = term_state_style(severity);
	char *head = xasprintf("%s  %s%-8s%s  %-21s  ", kinds_text(json_object_get(e, "at"), &a),
	    term_on(cli->colour, style), severity, term_off(cli->colour, style),
	    kinds_text(json_object_get(e, "kind"), &a));

	buf_puts(&b, head);
	term_clean(&b, kinds_text(json_object_get(e, "text"), &a));
	fprintf(cli->out, "%s\n", buf_str(&b));
	free(head);
	buf_fini(&b);
	arena_fini(&a);
}

struct watch {
	struct cli *cli;
	struct sse sse;
	unsigned wait_s;
};

static void
on_event(void *arg, const char *data)
{
	struct watch *w = arg;
	json_t *e = json_loads(data, 0, NULL);
	const char *only = args_value(&w->cli->args, "--kind");
	const char *kind = json_string_value(json_object_get(e, "kind"));

	if (kind != NULL && (only == NULL || strcmp(only, kind) == 0)) {
		write_event(w->cli, e);
		fflush(w->cli->out);
	}
	json_decref(e);
}

static bool
on_bytes(void *arg, const char *data, size_t len)
{
	struct watch *w = arg;

	w->wait_s = 1;
	sse_feed(&w->sse, data, len);
	return true;
}

/* For ever, unless the server refuses or never was there. */
static int
watch(struct cli *cli, const char *since)
{
	struct watch w = { .cli = cli, .wait_s = 1 };
	struct client *client = cli_client(cli);
	bool connected = false;

	if (client == NULL)
		return EXIT_USAGE;
	sse_init(&w.sse, on_event, &w);
	snprintf(w.sse.id, sizeof(w.sse.id), "%s", since != NULL ? since : "");
	for (;;) {
		struct client_reply r;
		struct diag d;

		diag_init(&d);
		buf_clear(&w.sse.line);
		buf_clear(&w.sse.data);
		const int rc = client_stream(client, "/api/v1/stream?topics=events",
		    w.sse.id[0] != '\0' ? w.sse.id : NULL, on_bytes, &w, &r, &d);
		const long status = r.status;

		client_reply_fini(&r);
		connected = connected || status == 200;
		if (!connected) {
			const int code = rc == -EPROTO ? cli_refuse(cli, EXIT_AUTH, "",
							     "the server answered %ld", status)
						       : cli_fail(cli, EXIT_UNREACHABLE, &d);

			diag_fini(&d);
			sse_fini(&w.sse);
			return code;
		}
		diag_fini(&d);
		cli_say(cli, "connection lost; trying again in %u s", w.wait_s);
		sleep(w.wait_s);
		w.wait_s = w.wait_s * 2 < RECONNECT_MAX_S ? w.wait_s * 2 : RECONNECT_MAX_S;
	}
}

static char *
list_path(const struct args *args)
{
	const char *since = args_value(args, "--since"), *kind = args_value(args, "--kind");
	char *since_text = client_escape(since != NULL ? since : "");
	char *kind_text = client_escape(kind != NULL ? kind : "");
	char *path = xasprintf("/api/v1/events%s%s%s%s%s", since != NULL || kind != NULL ? "?" : "",
	    since != NULL ? "since=" : "", since_text,
	    kind == NULL    ? ""
	    : since != NULL ? "&kind="
			    : "kind=",
	    kind_text);

	free(since_text);
	free(kind_text);
	return path;
}

static json_int_t
id_of(const json_t *items, size_t i)
{
	return json_integer_value(json_object_get(json_array_get(items, i), "id"));
}

/* Oldest first, whichever way they came. Returns the id of the last. */
static json_int_t
write_list(struct cli *cli, const json_t *items)
{
	const size_t n = json_array_size(items);
	const bool forward = n < 2 || id_of(items, 0) < id_of(items, n - 1);

	for (size_t i = 0; i < n; i++)
		write_event(cli, json_array_get(items, forward ? i : n - 1 - i));
	fflush(cli->out);
	return n == 0 ? 0 : id_of(items, forward ? n - 1 : 0);
}

int
verb_events(struct cli *cli)
{
	char *path = list_path(&cli->args), last[32] = "";
	json_t *reply = NULL;
	const int code = cli_ask(cli, "GET", path, NULL, NULL, &reply);

	if (code == EXIT_OK) {
		const json_int_t id = write_list(cli, json_object_get(reply, "items"));

		if (id > 0)
			snprintf(last, sizeof(last), "%" JSON_INTEGER_FORMAT, id);
	}
	json_decref(reply);
	free(path);
	return code == EXIT_OK && args_has(&cli->args, "--watch") ? watch(cli, last) : code;
}
