/* SPDX-License-Identifier: GPL-3.0-or-later */
/* domain create, enable, disable. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/yaml_out.h"
#include "cli/cli.h"
#include "cli/kinds.h"
#include "cli/made.h"
#include "cli/site.h"
#include "cli/verbs.h"

#define POOL_FORM  "dc-a or dc-a:3"
#define NAME_FORM  "pool/dc-a=east"
#define WATCH_FORM "web:443"

/* The values of a repeatable option, parsed one by one; NULL with a problem. */
static json_t *
make_list(const struct args *args, const char *option,
    json_t *(*parse)(const char *text, struct diag *d), struct diag *d)
{
	json_t *list = json_array();
	const char *text;

	for (size_t pos = 0; (text = args_next(args, option, &pos)) != NULL;) {
		json_t *one = parse(text, d);

		if (one == NULL) {
			json_decref(list);
			return NULL;
		}
		json_array_append_new(list, one);
	}
	return list;
}

static int
add_sites(const struct args *args, json_t *body, struct diag *d)
{
	json_t *sites = make_list(args, "--site", site_parse, d);
	const char *scenario = args_value(args, "--scenario");

	if (sites == NULL)
		return -1;
	if (json_array_size(sites) > 0) {
		json_object_set_new(body, "sites", sites);
		return 0;
	}
	json_decref(sites);
	if (strcmp(scenario, "custom") == 0)
		return 0;
	diag_add(
	    d, DIAG_INVALID, "--site", "at least one is needed, e.g. --site dc-a=203.0.113.10");
	return -1;
}

/* Links with lines are for JSON; here a name, and a weight if there is one. */
static json_t *
parse_pool(const char *text, struct diag *d)
{
	const char *weight;
	const char *colon = strrchr(text, ':');

	if (colon == NULL)
		return json_string(text);

	json_t *pool = site_pair_parse("--pool", text, ':', POOL_FORM, &weight, d);
	const long long n = pool != NULL ? site_number("--pool weight", weight, 65535, d) : -1;

	if (n >= 0)
		return json_pack("{s:o, s:I}", "pool", pool, "weight", (json_int_t)n);
	json_decref(pool);
	return NULL;
}

static int
add_pools(const struct args *args, json_t *body, struct diag *d)
{
	json_t *pools = make_list(args, "--pool", parse_pool, d);

	if (pools == NULL)
		return -1;
	if (json_array_size(pools) > 0)
		json_object_set(body, "pools", pools);
	json_decref(pools);
	return 0;
}

static int
add_names(const struct args *args, json_t *body, struct diag *d)
{
	json_t *names = json_object();
	const char *text, *name;

	for (size_t pos = 0; (text = args_next(args, "--name", &pos)) != NULL;) {
		json_t *key = site_pair_parse("--name", text, '=', NAME_FORM, &name, d);

		if (key != NULL &&
		    json_object_set_new(names, json_string_value(key), json_string(name)) < 0)
			diag_add(d, DIAG_INVALID, "--name", "is not valid UTF-8");
		json_decref(key);
		if (diag_failed(d)) {
			json_decref(names);
			return -1;
		}
	}
	if (json_object_size(names) > 0)
		json_object_set(body, "names", names);
	json_decref(names);
	return 0;
}

/* --template web:443: one that is there, instead of --check. */
static json_t *
named_template(const char *text, struct diag *d)
{
	const char *port;
	json_t *name = site_pair_parse("--template", text, ':', WATCH_FORM, &port, d);
	const long long n = name != NULL ? site_number("--template port", port, 65535, d) : -1;

	if (n >= 0)
		return json_pack("{s:o, s:I}", "template", name, "port", (json_int_t)n);
	json_decref(name);
	return NULL;
}

/* Members the user did not give are left to the server's defaults. */
static int
add_check(const struct args *args, json_t *body, struct diag *d)
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
	const char *text = args_value(args, "--check"), *there = args_value(args, "--template");
	json_t *check = there != NULL  ? named_template(there, d)
			: text != NULL ? site_check_parse(text, d)
				       : NULL;

	if ((text != NULL || there != NULL) && check == NULL)
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

/* Options that are members of the request as they stand; what is wrong with them the server says.
 */
static int
add_plain(const struct args *args, json_t *body, struct diag *d)
{
	static const char *const table[][2] = {
		{ "--sequence-mode", "sequence_mode" },
		{ "--failback-delay", "failback_delay" },
		{ "--strategy", "strategy" },
		{ "--fallback", "fallback" },
		{ "--remark", "remark" },
	};
	const char *ttl = args_value(args, "--ttl");
	const long long ttl_s = ttl != NULL ? site_number("--ttl", ttl, 86400, d) : 0;

	if (ttl_s < 0)
		return -1;
	if (ttl != NULL)
		json_object_set_new(body, "ttl", json_integer(ttl_s));
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		const char *value = args_value(args, table[i][0]);

		if (value != NULL &&
		    json_object_set_new(body, table[i][1], json_string(value)) < 0) {
			diag_add(d, DIAG_INVALID, table[i][0], "is not valid UTF-8");
			return -1;
		}
	}
	return 0;
}

/* "A", or "A,AAAA" as a list. */
static json_t *
make_type(const char *word)
{
	const char *comma = strchr(word, ',');

	if (comma == NULL)
		return json_string(word);
	return json_pack("[s%, s]", word, (size_t)(comma - word), comma + 1);
}

static json_t *
make_body(const struct args *args, struct diag *d)
{
	const char *scenario = args_value(args, "--scenario");

	if (scenario == NULL) {
		diag_add(d, DIAG_INVALID, "--scenario",
		    "is needed, e.g. multi_active; gtmctl help domain create lists them");
		return NULL;
	}
	json_t *body = json_pack("{s:s,s:s,s:o,s:b}", "scenario", scenario, "name", args->words[0],
	    "type", make_type(args->words[1]), "enabled", (int)args_has(args, "--enable"));

	if (body == NULL)
		diag_add(d, DIAG_INVALID, args->words[0], "not valid UTF-8");
	if (body != NULL && add_check(args, body, d) == 0 && add_sites(args, body, d) == 0 &&
	    add_plain(args, body, d) == 0 && add_pools(args, body, d) == 0 &&
	    add_names(args, body, d) == 0)
		return body;
	json_decref(body);
	return NULL;
}

static void
show(struct cli *cli, json_t *reply)
{
	struct buf b;

	buf_init(&b, 1 << 24);
	if (cli->output == OUTPUT_JSON) {
		char *text = json_pretty(reply);

		buf_printf(&b, "%s\n", text);
		free(text);
	} else if (cli->output == OUTPUT_YAML) {
		yaml_out_write(&b, reply);
	} else if (cli->output == OUTPUT_NAME) {
		made_names(&b, reply);
	} else {
		made_write(&b, reply, cli->colour);
	}
	cli_write(cli, &b);
}

/* What happened, in a sentence. */
static void
conclude(struct cli *cli, const json_t *reply)
{
	const char *const *words = cli->args.words;

	if (args_has(&cli->args, "--dry-run"))
		cli_say(cli, "nothing was changed: this is what would be made");
	else if (json_object_get(reply, "made") != NULL &&
		 json_array_size(json_object_get(reply, "made")) == 0)
		cli_say(cli, "%s %s is there already, as asked", words[0], words[1]);
	else
		cli_say(cli, "%s %s created%s", words[0], words[1],
		    args_has(&cli->args, "--enable")
			? " and enabled"
			: "; gtmctl domain enable starts answering with it");
}

int
verb_domain_create(struct cli *cli)
{
	struct diag d;
	json_t *reply = NULL;

	diag_init(&d);
	json_t *body = make_body(&cli->args, &d);
	const char *url = args_has(&cli->args, "--dry-run")
			      ? "/api/v1/domains:from-scenario?dryRun=1"
			      : "/api/v1/domains:from-scenario";
	const int code = body == NULL ? cli_fail(cli, EXIT_USAGE, &d)
				      : cli_ask(cli, "POST", url, body, NULL, &reply);

	if (code == EXIT_OK) {
		show(cli, reply);
		conclude(cli, reply);
	}
	json_decref(reply);
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
