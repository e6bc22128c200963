/* SPDX-License-Identifier: GPL-3.0-or-later */
/* probe try: a template against a target, once, and what came of it in words. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/yaml_out.h"
#include "cli/cli.h"
#include "cli/kinds.h"
#include "cli/site.h"
#include "cli/term.h"
#include "cli/verbs.h"

/* "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]:80" */
static json_t *
read_target(struct cli *cli, const char *text)
{
	const char *end = text[0] == '[' ? strchr(text, ']') : NULL;
	const char *colon = end != NULL ? strchr(end, ':') : strchr(text, ':');
	const bool has_port =
	    end != NULL ? colon == end + 1 : colon != NULL && strchr(colon + 1, ':') == NULL;
	const size_t len = end != NULL ? (size_t)(end - text) - 1
			   : has_port  ? (size_t)(colon - text)
				       : strlen(text);
	char *ip = xstrndup(end != NULL ? text + 1 : text, len);
	json_t *body = json_pack("{s:s}", "target", ip);
	struct diag d;

	free(ip);
	diag_init(&d);
	if (has_port) {
		const long long port = site_number("port", colon + 1, 65535, &d);

		if (port < 0)
			cli_fail(cli, EXIT_USAGE, &d);
		else
			json_object_set_new(body, "port", json_integer(port));
	}
	if (diag_failed(&d)) {
		json_decref(body);
		body = NULL;
	}
	diag_fini(&d);
	return body;
}

static void
write_phase(struct buf *b, const json_t *result, const char *name)
{
	const json_t *ms = json_object_get(result, name);

	if (json_is_number(ms))
		buf_printf(b, "  %-12s %9.3f ms\n", name, json_number_value(ms));
	else
		buf_printf(b, "  %-12s %9s\n", name, "-");
}

static void
write_result(struct cli *cli, struct buf *b, const json_t *result)
{
	static const char *const phases[] = { "resolve", "connect", "tls", "first_byte", "total" };
	const json_t *passed = json_object_get(result, "passed");
	const char *cause = json_string_value(json_object_get(result, "cause"));
	const char *text = json_string_value(json_object_get(result, "text"));
	const char *output = json_string_value(json_object_get(result, "output"));
	const char *expires = json_string_value(kinds_at(result, "certificate.expires"));
	const char *word = json_is_null(passed)   ? "no outcome"
			   : json_is_true(passed) ? "passed"
						  : "failed";
	const enum style style = term_state_style(json_is_true(passed) ? "healthy" : "down");

	buf_printf(b, "%s%s%s", term_on(cli->colour, style), word, term_off(cli->colour, style));
	if (cause != NULL && *cause != '\0')
		buf_printf(b, ": %s", cause);
	if (text != NULL && *text != '\0') {
		buf_puts(b, cause != NULL && *cause != '\0' ? " (" : ": ");
		term_clean(b, text);
		buf_puts(b, cause != NULL && *cause != '\0' ? ")" : "");
	}
	buf_puts(b, "\n");
	for (size_t i = 0; i < ARRAY_LEN(phases); i++)
		write_phase(b, result, phases[i]);
	if (expires != NULL)
		buf_printf(b, "  certificate ends %s\n", expires);
	if (output != NULL) {
		buf_puts(b, "  output       ");
		term_clean(b, output);
		buf_puts(b, "\n");
	}
}

int
verb_probe_try(struct cli *cli)
{
	const char *host = args_value(&cli->args, "--host");
	json_t *body = read_target(cli, cli->args.words[1]), *reply = NULL;
	struct buf b;

	if (body == NULL)
		return EXIT_USAGE;
	if (host != NULL)
		json_object_set_new(body, "host", json_string(host));

	char *name = client_escape(cli->args.words[0]);
	char *path = xasprintf("/api/v1/templates/%s:try", name);
	const int code = cli_ask(cli, "POST", path, body, NULL, &reply);

	free(path);
	free(name);
	json_decref(body);
	if (code != EXIT_OK)
		return code;
	buf_init(&b, 1 << 20);
	if (cli->output == OUTPUT_JSON) {
		char *text = json_pretty(reply);

		buf_printf(&b, "%s\n", text);
		free(text);
	} else if (cli->output == OUTPUT_YAML) {
		yaml_out_write(&b, reply);
	} else {
		write_result(cli, &b, reply);
	}

	const bool passed = json_is_true(json_object_get(reply, "passed"));

	cli_write(cli, &b);
	json_decref(reply);
	return passed ? EXIT_OK : EXIT_ERROR;
}
