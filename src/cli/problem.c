/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/problem.h"

#include <string.h>

#include "cli/term.h"

enum exit_code
problem_exit(long status)
{
	switch (status) {
	case 401:
	case 403:
		return EXIT_AUTH;
	case 404:
		return EXIT_NOT_FOUND;
	case 409:
	case 412:
		return EXIT_CONFLICT;
	default:
		return EXIT_ERROR;
	}
}

static const char *
text_of(const json_t *j, const char *key)
{
	const char *text = json_string_value(json_object_get(j, key));

	return text != NULL ? text : "";
}

/* "got" and "allowed" may be any JSON; strings stand as they are. */
static void
write_value(struct buf *b, const json_t *j)
{
	if (json_is_string(j)) {
		term_clean(b, json_string_value(j));
		return;
	}
	char *text = json_dumps(j, JSON_COMPACT | JSON_ENCODE_ANY);

	term_clean(b, text != NULL ? text : "?");
	free(text);
}

/* objects[3].spec.pools[2].weight is pools[2].weight to whoever wrote the file. */
static const char *
inside_object(const char *pointer)
{
	if (strncmp(pointer, "objects[", 8) == 0) {
		const char *end = strchr(pointer, ']');

		pointer = end == NULL ? pointer : end[1] == '.' ? end + 2 : end + 1;
	}
	return strncmp(pointer, "spec.", 5) == 0 ? pointer + 5 : pointer;
}

static void
write_error(struct buf *b, const json_t *e, const struct yaml_in *places)
{
	const char *pointer = text_of(e, "pointer");
	const char *where = places != NULL ? yaml_in_place(places, pointer) : NULL;
	const char *shown = places != NULL ? inside_object(pointer) : pointer;
	const json_t *got = json_object_get(e, "got"), *allowed = json_object_get(e, "allowed");

	buf_puts(b, "  ");
	if (where != NULL)
		buf_printf(b, "%s: ", where);
	if (*shown != '\0') {
		term_clean(b, shown);
		buf_puts(b, ": ");
	}
	term_clean(b, text_of(e, "detail"));
	if (got != NULL && !json_is_null(got)) {
		buf_puts(b, " (got ");
		write_value(b, got);
	}
	if (allowed != NULL && !json_is_null(allowed)) {
		buf_puts(b, got != NULL && !json_is_null(got) ? "; allowed " : " (allowed ");
		write_value(b, allowed);
	}
	if ((got != NULL && !json_is_null(got)) || (allowed != NULL && !json_is_null(allowed)))
		buf_puts(b, ")");
	buf_puts(b, "\n");
}

static void
write_referrer(struct buf *b, const json_t *r)
{
	buf_puts(b, "  used by ");
	if (json_is_string(r)) {
		term_clean(b, json_string_value(r));
	} else {
		term_clean(b, text_of(r, "kind"));
		buf_puts(b, " ");
		term_clean(b, text_of(r, "name"));
	}
	buf_puts(b, "\n");
}

void
problem_write(struct buf *b, long status, const json_t *j, const struct yaml_in *places)
{
	const char *title = text_of(j, "title"), *detail = text_of(j, "detail");
	const json_t *errors = json_object_get(j, "errors"), *item;
	size_t i;

	buf_puts(b, "error: ");
	if (*title != '\0')
		term_clean(b, title);
	else
		buf_printf(b, "the server answered %ld", status);
	buf_puts(b, "\n");
	if (*detail != '\0' && strcmp(detail, title) != 0 && json_array_size(errors) == 0) {
		buf_puts(b, "  ");
		term_clean(b, detail);
		buf_puts(b, "\n");
	}
	json_array_foreach(errors, i, item) write_error(b, item, places);
	json_array_foreach(json_object_get(j, "referrers"), i, item) write_referrer(b, item);
	if (status == 401)
		buf_puts(b, "  give a token with --token-file, e.g. DATA_DIR/admin.token\n");
}
