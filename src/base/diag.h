/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * diag -- what a person must fix, and where.
 *
 * A diag collects problems; each names its place (a path such as `pools[2].weight`, or
 * `file:line`), what is wrong, what was got and what is allowed. Functions that can refuse user
 * input take a `struct diag *` and return a negative errno after adding at least one problem.
 * The HTTP status of the whole is chosen by `code`.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/attr.h"

enum diag_code {
	DIAG_NONE,
	DIAG_INVALID,      /* 400 / 422: the input is wrong */
	DIAG_NOT_FOUND,    /* 404 */
	DIAG_CONFLICT,     /* 409: in use, exists already, ... */
	DIAG_PRECONDITION, /* 412: If-Match failed */
	DIAG_INTERNAL,     /* 500: ours */
	DIAG_UNAVAILABLE,  /* 503: disk full, read-only, ... */
};

struct diag_problem {
	struct diag_problem *next;
	const char *where;   /* "pools[0].weight", "zone.db:12", or "" for the whole */
	const char *detail;  /* one sentence, no final period: "must be 0..65535" */
	const char *got;     /* what was there, or NULL */
	const char *allowed; /* what may be there, or NULL */
};

struct diag {
	struct arena arena;
	enum diag_code code; /* of the first problem */
	struct diag_problem *first, **last;
	size_t count;
	char **referrers; /* with DIAG_CONFLICT: who uses it ("domain www.example.com/A") */
	size_t n_referrers;
};

void diag_init(struct diag *d);
void diag_fini(struct diag *d);
bool diag_failed(const struct diag *d);

/* Add a problem; returns -EINVAL so that callers can `return diag_add(...)`. */
int
diag_add(struct diag *d, enum diag_code code, const char *where, const char *fmt, ...) PRINTF(4, 5);
/* Qualify the newest problem; NULL leaves that part absent. Text is copied. */
void diag_detail(struct diag *d, const char *got, const char *allowed);
void diag_referrer(struct diag *d, const char *who);

/* All problems, a line each: "where: detail (got X; allowed Y)". The text lives in the diag. */
const char *diag_text(struct diag *d);

/* Field names the rest of a path is pushed on: "pools[2]" + "weight" -> "pools[2].weight". */
struct diag_path {
	const struct diag_path *parent;
	const char *name; /* field name, or NULL for an index */
	size_t index;
};
char *diag_path_text(const struct diag_path *p, char *out, size_t size);
