/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * kinds -- how objects are named on the command line and which columns `get` shows of them.
 *
 * A column is a title and where its text comes from: a path into the object ("spec.ttl"), or a
 * function where a look at several members is needed. Pure.
 */
#pragma once

#include <jansson.h>

#include "base/arena.h"
#include "base/attr.h"
#include "cli/table.h"

struct kinds_column {
	const char *title;
	const char *path;
	const char *(*text)(const json_t *object, struct arena *a); /* instead of path */
	bool wide;                                                  /* only with -o wide */
	bool right;                                                 /* numbers */
};

struct kinds_row {
	const char *name;
	const char *plural;                 /* in the URL */
	bool typed;                         /* named by NAME and TYPE: "www.example.com/A" */
	const struct kinds_column *columns; /* ends with a column without a title */
};

extern const struct kinds_row kinds_table[]; /* ends with a row without a name */

/* Singular or plural; NULL if unknown. */
const struct kinds_row *kinds_find(const char *word);
/* The URL of an object or, without words, of the list. Words: NAME, or NAME TYPE, or NAME/TYPE; of
 * an override KIND/NAME, else NULL. */
MUST_USE char *kinds_path(const struct kinds_row *k, const char *const *words, size_t n_words);
/* The objects of an array as a table. */
void kinds_write(
    const struct kinds_row *k, const json_t *objects, bool wide, bool colour, struct buf *out);
/* What is at "spec.http.path"; NULL if absent. */
const json_t *kinds_at(const json_t *object, const char *path);
/* A scalar as text; lists joined by commas; "-" for nothing. */
const char *kinds_text(const json_t *j, struct arena *a);
