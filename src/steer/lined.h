/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * lined -- a record set with lines, ready to be compiled: the input of compile. Private to the
 * room. Pure.
 *
 *	class of clients --lines, best first--> the first that has an enabled record
 *	    none: the default line; has that none, either: nothing (NODATA)
 *	line --> all its enabled records, or, if any of its records has a weight, one by weight
 *
 * Lines that come to the same records share a variant, so that the scope tells them apart only
 * where the answers differ.
 */
#pragma once

#include "base/arena.h"
#include "steer/compile.h"
#include "steer/live.h"

/* What one class of clients (of the set's chart; without one there is one class) gets. */
struct lined_class {
	const char *line; /* canonical; NULL: no record is for them */
	uint32_t variant;
};

struct lined {
	struct arena arena;
	struct compile_input input;       /* n_variants 0: no record is enabled */
	struct compile_variant *variants; /* those of `input`; tags are places in the spec's list */
	struct lined_class *classes;
	uint32_t n_classes;
};

/* The chart of `l` must be up to date. */
void lined_init(struct lined *s, struct charts *charts, const struct live_lined *l);
void lined_fini(struct lined *s);
