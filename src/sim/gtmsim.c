/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gtmsim -- the simulator without a server: `gtmctl simulate` on a YAML file. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/input.h"
#include "cli/simulate.h"
#include "cli/term.h"
#include "geo/atlas.h"
#include "geo/atlas_file.h"
#include "sim/extract.h"
#include "sim/load.h"
#include "sim/sim.h"

#define FILE_MAX ((size_t)64 << 20)
#define WORK_MAX (SIM_WORK_MAX * 100) /* one's own machine, one's own time */

static const struct option options[] = {
	{ "--atlas", 0, "FILE",
	    "where clients are: DIR/geo.atlas of a server that has read data sets" },
	{ "--output", 'o', "FORMAT", "table, json or yaml" },
	{ "--help", 'h', NULL, "show this" },
	OPTION_END,
};

/* gtmctl's and ours, as one table. */
static struct option all[64];

static void
join_options(void)
{
	size_t n = 0;

	for (const struct option *o = simulate_options; o->name != NULL; o++)
		all[n++] = *o;
	all[n++] = options[0];
	CHECK(n < ARRAY_LEN(all));
}

static const struct verb verb[] = {
	{ "simulate", "FILE NAME TYPE", "Play resolvers, clients and failing sites", "", all, 3, 3,
	    NULL },
	{ .name = NULL },
};

static void
write_options(const struct option *o)
{
	for (; o->name != NULL; o++)
		printf("  %-14s %-16s %s\n", o->name, o->value != NULL ? o->value : "", o->prose);
}

static void
help(void)
{
	printf("gtmsim plays resolvers, their clients and failing sites against an access domain "
	       "of a YAML file "
	       "(as gtmctl\nexport writes it), on a virtual clock.\n\nExamples\n%s\nUsage\n"
	       "  gtmsim FILE NAME TYPE [OPTIONS]\n\nOptions\n",
	    SIMULATE_EXAMPLES("gtmsim gtm.yaml "));
	write_options(simulate_options);
	write_options(options);
}

static json_t *
simulate(const struct model *m, struct atlas *atlas, const json_t *request, struct diag *d)
{
	struct sim_spec spec;
	struct change_set set;
	struct arena arena;
	json_t *report = NULL;

	arena_init(&arena);
	change_init(&set);
	if (sim_spec_read(&spec, request, &arena, d) == 0 &&
	    extract_domain(m, &spec, &set, d) == 0) {
		if (spec.starts_ms == TIME_NEVER)
			spec.starts_ms = clock_real_ms();
		report = sim_run(&set, &spec, atlas, WORK_MAX, d);
	}
	change_fini(&set);
	arena_fini(&arena);
	return report;
}

static int
run_all(struct cli *cli, const struct model *m, struct atlas *atlas, const json_t *requests,
    struct diag *d)
{
	json_t *reports = json_array(), *request, *report;
	int code = EXIT_OK;
	size_t i;

	json_array_foreach(requests, i, request)
	{
		report = simulate(m, atlas, request, d);
		if (report == NULL) {
			code = cli_fail(cli, EXIT_ERROR, d);
			break;
		}
		json_array_append_new(reports, report);
	}
	if (code == EXIT_OK)
		simulate_show(cli, requests, reports);
	json_decref(reports);
	return code;
}

static int
run(struct cli *cli, struct diag *d)
{
	const char *const *words = cli->args.words;
	const char *file = args_value(&cli->args, "--atlas");
	json_t *requests = simulate_requests(&cli->args, words[1], words[2], d);
	struct atlas *atlas = NULL;
	struct model m;
	size_t len;
	int code;

	if (requests == NULL)
		return cli_fail(cli, EXIT_USAGE, d);

	char *note = NULL, *text = input_read(words[0], FILE_MAX, &len, d);

	model_init(&m);
	if (text != NULL && file != NULL)
		atlas = atlas_file_read(file, &note, d);
	if (text == NULL || (file != NULL && atlas == NULL) ||
	    load_model(&m, words[0], text, len, d) < 0)
		code = cli_fail(cli, EXIT_ERROR, d);
	else
		code = run_all(cli, &m, atlas, requests, d);
	model_fini(&m);
	if (atlas != NULL)
		atlas_unref(&atlas);
	free(note);
	free(text);
	json_decref(requests);
	return code;
}

static bool
choose_output(struct cli *cli)
{
	const char *word = args_value(&cli->args, "--output");

	cli->output = word == NULL || strcmp(word, "table") == 0 ? OUTPUT_TABLE
		      : strcmp(word, "json") == 0                ? OUTPUT_JSON
								 : OUTPUT_YAML;
	return cli->output != OUTPUT_YAML || strcmp(word, "yaml") == 0;
}

int
main(int argc, char **argv)
{
	struct cli cli = {
		.program = "gtmsim", .out = stdout, .err = stderr, .colour = term_colour(stdout)
	};
	const char **line = xcalloc((size_t)argc + 2, sizeof(*line));
	struct diag d;
	int code = EXIT_OK;

	/* The command line of gtmctl, less its verb. */
	signal(SIGPIPE, SIG_DFL);
	line[0] = argv[0];
	line[1] = verb[0].name;
	for (int i = 1; i < argc; i++)
		line[i + 1] = argv[i];
	join_options();
	diag_init(&d);
	if (args_parse(&cli.args, verb, argc + 1, line, &d) < 0) {
		code = cli_fail(&cli, EXIT_USAGE, &d);
		cli_say(&cli, "See gtmsim --help");
	} else if (args_has(&cli.args, "--help")) {
		help();
	} else if (!choose_output(&cli)) {
		code = cli_refuse(&cli, EXIT_USAGE, "--output", "must be table, json or yaml");
	} else {
		code = run(&cli, &d);
	}
	diag_fini(&d);
	free(line);
	return code;
}
