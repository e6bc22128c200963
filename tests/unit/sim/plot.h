/* SPDX-License-Identifier: GPL-3.0-or-later */
/* plot -- a model of one domain over some sites, and a simulation of it. JSON with ' for ". */
#pragma once

#include <stdbool.h>

#include "base/json.h"

/* A site each weight: pool "p<i>" with address "a<i>", 192.0.2.<i>, from 1. Checks every second,
 * fall 2. */
#define PLOT_SITES_MAX 32
struct plot {
	unsigned n_sites;
	unsigned weights[PLOT_SITES_MAX];
	const char *domain;   /* more members of its spec, "'ttl': 60" */
	const char *strategy; /* NULL: weight */
	bool unchecked;
	const char *imposed[3][2]; /* overrides: on whom, their spec */
	const char *window;        /* the spec of a maintenance window */
	const char *template;      /* its spec; NULL: tcp every second, fall 2 */
};

/* The report; `request` without name and type is a format. */
json_t *plot_run(const struct plot *p, const char *request, ...);
/* The number at "members[1].clients" or "load.stddev". */
double plot_number(const json_t *report, const char *path);
/* What is wrong with a request, as text; static. */
const char *plot_refusal(const struct plot *p, const char *request);
