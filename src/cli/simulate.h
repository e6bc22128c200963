/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * simulate -- options of `gtmctl simulate` and gtmsim as requests, and the reports for people.
 * Pure.
 *
 * Options that may be given several times (--ttl, --balance, --skew) make a request for each
 * combination; several reports are shown as a table with a line each.
 */
#pragma once

#include <jansson.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/diag.h"
#include "cli/args.h"

extern const struct option simulate_options[];
#define SIMULATE_EXAMPLES(program)                                                                 \
	"  " program "www.example.com A\n"                                                         \
	"  " program "www.example.com A --resolvers 5000 --skew 1.2 --ttl-stretch 5m=20\n"         \
	"  " program "www.example.com A --fail dc-a-1@20m:30m --ttl 30 --ttl 300\n"                \
	"  " program "www.example.com A --balance answers --balance traffic --for 2h\n"

/* A list of requests, each complete; NULL with problems that name the option. New reference. */
MUST_USE json_t *
simulate_requests(const struct args *a, const char *name, const char *type, struct diag *d);
/* One report in full; of several a table. `reports` in the order of `requests`. */
void simulate_show(struct cli *cli, const json_t *requests, const json_t *reports);
