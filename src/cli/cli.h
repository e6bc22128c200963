/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cli -- one run of gtmctl: what was asked, where answers go, whom to ask.
 *
 * Data goes to `out`, everything else to `err`, so that pipes stay clean.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/yaml_in.h"
#include "cli/args.h"
#include "cli/client.h"
#include "cli/exit.h"

enum output { OUTPUT_TABLE, OUTPUT_WIDE, OUTPUT_JSON, OUTPUT_YAML, OUTPUT_NAME };

struct cli {
	const char *program; /* argv[0] */
	struct args args;
	enum output output;
	FILE *out, *err;
	bool colour;           /* on out */
	bool quiet;            /* no notes and warnings about what succeeded */
	struct client *client; /* made by the first request */
};

/* The whole program; returns the exit code. */
int cli_main(int argc, char *const *argv);

/* Print what is wrong on err and return the exit code given. */
int cli_fail(struct cli *cli, int code, struct diag *d);
/* The same for one sentence about one thing. */
int cli_refuse(struct cli *cli, int code, const char *where, const char *fmt, ...) PRINTF(4, 5);
/* A message to the person: "www.example.com/A enabled". */
void cli_say(struct cli *cli, const char *fmt, ...) PRINTF(2, 3);
/* Write a buffer to out and end it. */
void cli_write(struct cli *cli, struct buf *b);

/*
 * Ask the server and get JSON (`*reply` NULL for an empty body; `reply` may be NULL). Refusals are
 * printed. `places` (may be NULL) turns pointers of a refusal into lines of files.
 */
MUST_USE int cli_ask(struct cli *cli, const char *method, const char *path, const json_t *body,
    const struct yaml_in *places, json_t **reply);
/* The same with other bodies; on EXIT_OK the caller ends `r`. */
MUST_USE int cli_call(struct cli *cli, const struct client_request *q, const struct yaml_in *places,
    struct client_reply *r);
/* The client, made when first needed; NULL after printing why not. */
struct client *cli_client(struct cli *cli);
