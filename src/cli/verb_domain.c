/* SPDX-License-Identifier: GPL-3.0-or-later */
/* domain create, enable, disable. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "cli/kinds.h"
#include "cli/site.h"
#include "cli/verbs.h"

static json_t *
make_sites(const struct args *args, struct diag *d)
{
	json_t *sites = json_array();
	const char *text;

	for (size_t pos = 0; (text = args_next(args, "--site", &pos)) != NULL;) {
		json_t *site = site_parse(text, d);

		if (site == NULL) {
			json_decref(sites);
			return NULL;
		}
		json_array_append_new(sites, site);
	}
	if (json_array_size(sites) > 0)
		return sites;
	diag_add(
	    d, DIAG_INVALID, "--site", "at least one is needed, e.g. --site dc-a=203.0.113.10");
	json_decref(sites);
	return NULL;
}

/* Members the user did not give are left to the server's defaults. */
static int
make_check(const struct args *args, json_t *body, struct diag *d)
{
	static const struct {
		const char *option, *member;
		bool number;
	} table[] = {
		{ "--interval", "interval", false },
		{ "--timeout", "timeout", false },
		{ "--fall", "fall", true },
		{ "--rise", "rise", true },
	};
	const char *text = args_value(args, "--check");
	json_t *check = text != NULL ? site_check_parse(text, d) : NULL;

	if (text != NULL && check == NULL)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		const char *value = args_value(args, table[i].option);
		const long long n = value != NULL && table[i].number
					? site_number(table[i].option, value, 10, d)
					: 0;

		if (value == NULL)
			continue;
		if (check == NULL)
			diag_add(
			    d, DIAG_INVALID, table[i].option, "needs --check, e.g. --check tcp:80");
		if (check == NULL || n < 0) {
			json_decref(check);
			return -1;
		}
		json_object_set_new(
		    check, table[i].member, table[i].number ? json_integer(n) : json_string(value));
	}
	if (check != NULL)
		json_object_set_new(body, "check", check);
	return 0;
}

static json_t *
make_body(const struct args *args, struct diag *d)
{
	const char *scenario = args_value(args, "--scenario"), *ttl = args_value(args, "--ttl");

	if (scenario == NULL) {
		diag_add(
		    d, DIAG_INVALID, "--scenario", "is needed: multi_active or active_standby");
		return NULL;
	}
	json_t *body = json_pack("{s:s,s:s,s:s,s:b}", "scenario", scenario, "name", args->words[0],
	    "type", args->words[1], "enabled", (int)args_has(args, "--enable"));
	json_t *sites = make_sites(args, d);
	const long long ttl_s = ttl != NULL ? site_number("--ttl", ttl, 86400, d) : 0;

	if (body == NULL || sites == NULL || ttl_s < 0 || make_check(args, body, d) != 0) {
		if (body == NULL)
			diag_add(d, DIAG_INVALID, args->words[0], "not valid UTF-8");
		json_decref(body);
		json_decref(sites);
		return NULL;
	}
	if (ttl != NULL)
		json_object_set_new(body, "ttl", json_integer(ttl_s));
	json_object_set_new(body, "sites", sites);
	return body;
}

int
verb_domain_create(struct cli *cli)
{
	struct diag d;

	diag_init(&d);
	json_t *body = make_body(&cli->args, &d);
	const int code =
	    body == NULL ? cli_fail(cli, EXIT_USAGE, &d)
			 : cli_ask(cli, "POST", "/api/v1/domains:from-scenario", body, NULL, NULL);

	if (code == EXIT_OK)
		cli_say(cli, "%s %s created%s", cli->args.words[0], cli->args.words[1],
		    args_has(&cli->args, "--enable")
			? " and enabled"
			: "; gtmctl domain enable starts answering with it");
	json_decref(body);
	diag_fini(&d);
	return code;
}

static int
turn(struct cli *cli, const char *verb)
{
	const struct kinds_row *k = kinds_find("domain");
	const char *const *words = cli->args.words;

	if (cli->args.n_words == 1 && strchr(words[0], '/') == NULL)
		return cli_refuse(
		    cli, EXIT_USAGE, words[0], "needs the type too, e.g. %s A", words[0]);

	char *path = kinds_path(k, words, cli->args.n_words);
	char *url = xasprintf("%s:%s", path, verb);
	const int code = cli_ask(cli, "POST", url, NULL, NULL, NULL);

	if (code == EXIT_OK)
		cli_say(cli, "%s%s%s %sd", words[0], cli->args.n_words > 1 ? " " : "",
		    cli->args.n_words > 1 ? words[1] : "", verb);
	free(url);
	free(path);
	return code;
}

int
verb_domain_enable(struct cli *cli)
{
	return turn(cli, "enable");
}

int
verb_domain_disable(struct cli *cli)
{
	return turn(cli, "disable");
}
