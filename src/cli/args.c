/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/args.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define NEAR     3 /* edits */
#define WORD_MAX 40

const struct option args_common[] = {
	{ "--server", 0, "URL", "talk to this server, e.g. http://127.0.0.1:8080" },
	{ "--socket", 0, "PATH", "talk over this Unix socket" },
	{ "--data-dir", 0, "DIR", "short for --socket DIR/control.sock" },
	{ "--token-file", 0, "FILE", "the bearer token, for --server" },
	{ "--output", 'o', "FORMAT", "table, wide, json, yaml or name" },
	{ "--help", 'h', NULL, "show help" },
	OPTION_END,
};

static size_t
smallest(size_t a, size_t b, size_t c)
{
	return a < b ? (a < c ? a : c) : b < c ? b : c;
}

/* Levenshtein, one row at a time. */
static size_t
distance(const char *a, const char *b)
{
	const size_t la = strlen(a), lb = strlen(b);
	size_t row[WORD_MAX + 1];

	if (la > WORD_MAX || lb > WORD_MAX)
		return WORD_MAX;
	for (size_t j = 0; j <= lb; j++)
		row[j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			const size_t above = row[j];

			row[j] =
			    smallest(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[lb];
}

const char *
args_nearest(const char *word, const void *names, size_t stride)
{
	const char *best = NULL;
	size_t best_distance = NEAR;

	for (const char *row = names; *(const char *const *)(const void *)row != NULL;
	     row += stride) {
		const char *name = *(const char *const *)(const void *)row;
		const size_t n = distance(word, name);

		if (n < best_distance && n < strlen(name)) {
			best_distance = n;
			best = name;
		}
	}
	return best;
}

static const struct option *
find_option(const struct option *table, const char *name, size_t len, char letter)
{
	for (; table != NULL && table->name != NULL; table++)
		if (letter != 0
			? table->letter == letter
			: strlen(table->name) == len && strncmp(table->name, name, len) == 0)
			return table;
	return NULL;
}

static int
unknown_option(const struct args *a, const char *word, struct diag *d)
{
	const char *near = args_nearest(word, args_common, sizeof(struct option));

	if (a->verb != NULL && a->verb->options != NULL &&
	    args_nearest(word, a->verb->options, sizeof(struct option)) != NULL)
		near = args_nearest(word, a->verb->options, sizeof(struct option));
	if (near != NULL)
		return diag_add(d, DIAG_INVALID, word, "unknown option; did you mean %s?", near);
	return diag_add(d, DIAG_INVALID, word, "unknown option");
}

/* One option with its value; `*i` moves when the value is the next word. */
static int
take_option(struct args *a, int argc, const char *const *argv, int *i, struct diag *d)
{
	const char *word = argv[*i], *equals = NULL, *value = NULL;
	const char letter = word[1] != '-' ? word[1] : 0;

	if (letter == 0)
		equals = strchr(word, '=');
	const size_t len = equals != NULL ? (size_t)(equals - word) : strlen(word);
	const struct option *o = find_option(args_common, word, len, letter);

	if (o == NULL && a->verb != NULL)
		o = find_option(a->verb->options, word, len, letter);
	if (o == NULL)
		return unknown_option(a, word, d);
	if (equals != NULL)
		value = equals + 1;
	else if (letter != 0 && word[2] != '\0')
		value = word + 2;
	if (o->value == NULL && value != NULL)
		return diag_add(d, DIAG_INVALID, word, "%s takes no value", o->name);
	if (o->value != NULL && value == NULL) {
		if (*i + 1 >= argc)
			return diag_add(d, DIAG_INVALID, o->name, "needs a value: %s", o->value);
		value = argv[++*i];
	}
	if (a->n_given == ARGS_MAX)
		return diag_add(d, DIAG_INVALID, word, "too many options");
	a->given[a->n_given].option = o;
	a->given[a->n_given++].value = value;
	return 0;
}

/* Does `verb` begin with the two words, or with the first alone when second is NULL? */
static const struct verb *
find_verb(const struct verb *verbs, const char *first, const char *second)
{
	const size_t len = strlen(first);

	for (; verbs->name != NULL; verbs++) {
		const char *rest = verbs->name + len;

		if (strncmp(verbs->name, first, len) != 0)
			continue;
		if (second == NULL ? *rest == '\0' : *rest == ' ' && strcmp(rest + 1, second) == 0)
			return verbs;
	}
	return NULL;
}

static bool
is_group(const struct verb *verbs, const char *word)
{
	const size_t len = strlen(word);

	for (; verbs->name != NULL; verbs++)
		if (strncmp(verbs->name, word, len) == 0 && verbs->name[len] == ' ')
			return true;
	return false;
}

static int
unknown_verb(const struct verb *verbs, const char *group, const char *word, struct diag *d)
{
	char full[2 * WORD_MAX];

	snprintf(full, sizeof(full), "%s%s%s", group != NULL ? group : "", group != NULL ? " " : "",
	    word);

	const char *near = args_nearest(full, verbs, sizeof(struct verb));

	if (near != NULL)
		return diag_add(d, DIAG_INVALID, full, "unknown verb; did you mean \"%s\"?", near);
	return diag_add(d, DIAG_INVALID, full, "unknown verb");
}

static int
take_word(
    struct args *a, const struct verb *verbs, const char **group, const char *word, struct diag *d)
{
	if (a->verb == NULL) {
		a->verb =
		    *group == NULL ? find_verb(verbs, word, NULL) : find_verb(verbs, *group, word);
		if (a->verb != NULL)
			return 0;
		if (*group != NULL || !is_group(verbs, word))
			return unknown_verb(verbs, *group, word, d);
		*group = word;
		return 0;
	}
	if (a->n_words == a->verb->max_args)
		return diag_add(d, DIAG_INVALID, word, "one word too many for \"%s %s\"",
		    a->verb->name, a->verb->usage);
	a->words[a->n_words++] = word;
	return 0;
}

int
args_parse(
    struct args *a, const struct verb *verbs, int argc, const char *const *argv, struct diag *d)
{
	const char *group = NULL;
	bool options = true;

	*a = (struct args){ 0 };
	for (int i = 1; i < argc; i++) {
		const char *word = argv[i];

		if (options && strcmp(word, "--") == 0) {
			options = false;
			continue;
		}
		if (options && word[0] == '-' && word[1] != '\0'
			? take_option(a, argc, argv, &i, d) != 0
			: take_word(a, verbs, &group, word, d) != 0)
			return -EINVAL;
	}
	if (args_has(a, "--help"))
		return 0;
	if (a->verb == NULL && group != NULL)
		return diag_add(d, DIAG_INVALID, group, "what shall it do? See gtmctl help");
	if (a->verb != NULL && a->n_words < a->verb->min_args)
		return diag_add(d, DIAG_INVALID, a->verb->name, "needs %s", a->verb->usage);
	return 0;
}

const char *
args_next(const struct args *a, const char *name, size_t *pos)
{
	while (*pos < a->n_given) {
		const size_t i = (*pos)++;

		if (strcmp(a->given[i].option->name, name) == 0)
			return a->given[i].value;
	}
	return NULL;
}

const char *
args_value(const struct args *a, const char *name)
{
	const char *value = NULL, *v;

	for (size_t pos = 0; (v = args_next(a, name, &pos)) != NULL;)
		value = v;
	return value;
}

bool
args_has(const struct args *a, const char *name)
{
	for (size_t i = 0; i < a->n_given; i++)
		if (strcmp(a->given[i].option->name, name) == 0)
			return true;
	return false;
}
