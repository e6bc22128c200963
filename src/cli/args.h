/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * args -- the command line taken apart by the tables of verbs and options.
 *
 *	gtmctl -o json get domains          options stand before or after the verb,
 *	gtmctl get domains --output=json    with "=" or as the next word; "--" ends them
 *
 * Words are what is left: verb first (one or two words), then its arguments. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/diag.h"

struct option {
	const char *name;  /* "--site" */
	char letter;       /* 'f' for -f; 0 = none */
	const char *value; /* what it takes, as help shows it: "FILE"; NULL = nothing */
	const char *prose;
};
#define OPTION_END                                                                                 \
	{                                                                                          \
		.name = NULL                                                                       \
	}

struct cli;
struct verb {
	const char *name;             /* "get", "domain create" */
	const char *usage;            /* its arguments: "KIND [NAME]" */
	const char *prose;            /* one line for the list, sentence case, no period */
	const char *examples;         /* lines */
	const struct option *options; /* may be NULL */
	unsigned min_args, max_args;
	int (*run)(struct cli *cli);
};

#define ARGS_MAX 64
struct args {
	const struct verb *verb;     /* NULL: none given */
	const char *words[ARGS_MAX]; /* arguments of the verb */
	size_t n_words;
	struct {
		const struct option *option;
		const char *value;
	} given[ARGS_MAX]; /* in the order of the line */
	size_t n_given;
};

extern const struct option args_common[]; /* options every verb takes */

/*
 * Take apart argv[1..]. `verbs` ends with a row without a name. Unknown verbs and options are
 * refused with the nearest one as a hint. With --help in the line, missing words are no problem.
 */
MUST_USE int args_parse(
    struct args *a, const struct verb *verbs, int argc, const char *const *argv, struct diag *d);

bool args_has(const struct args *a, const char *name);
const char *args_value(const struct args *a, const char *name); /* the last; NULL = not given */
/* The values of a repeatable option, one per call; start with *pos = 0; NULL at the end. */
const char *args_next(const struct args *a, const char *name, size_t *pos);

/* The row of `names` nearest to `word`, or NULL when none is near. `count` rows of `stride` bytes.
 */
const char *args_nearest(const char *word, const void *names, size_t stride);
