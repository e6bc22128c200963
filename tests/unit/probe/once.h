/* SPDX-License-Identifier: GPL-3.0-or-later */
/* once -- run one probe of a template to its end, in this thread. */
#pragma once

#include "model/nouns.h"
#include "probe/runner.h"

/* Initialise first; forget after the last run. What a run left is in `runner.probe`. */
struct once {
	struct loop *loop;
	struct runner runner;
	enum probe_step step;
	const char *cause, *text; /* "" unless failed */
};

void once_init(struct once *o);
void once_fini(struct once *o);
enum probe_step once_run(
    struct once *o, const struct addr *target, const char *host, const struct template_spec *t);
/* once_run, and how it must end: cause "" = passes. text NULL = any. */
void once_assert(struct once *o, const struct addr *target, const char *host,
    const struct template_spec *t, const char *cause, const char *text);
