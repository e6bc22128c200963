/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/yaml_out.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/scalar.h"

static void
indent(struct buf *b, unsigned depth)
{
	for (unsigned i = 0; i < depth; i++)
		buf_puts(b, "  ");
}

/* As short as it can be and still the same number when read. */
static void
write_real(struct buf *b, const json_t *j)
{
	for (size_t precision = 15; precision <= 17; precision++) {
		char *text = json_dumps(j, JSON_ENCODE_ANY | JSON_REAL_PRECISION(precision));

		CHECK(text != NULL);
		if (precision == 17 || !(strtod(text, NULL) < json_real_value(j) ||
					   strtod(text, NULL) > json_real_value(j))) {
			buf_puts(b, text);
			free(text);
			return;
		}
		free(text);
	}
}

static void
write_scalar(struct buf *b, const json_t *j)
{
	if (json_is_string(j))
		scalar_write(b, json_string_value(j));
	else if (json_is_integer(j))
		buf_printf(b, "%" JSON_INTEGER_FORMAT, json_integer_value(j));
	else if (json_is_real(j))
		write_real(b, j);
	else if (json_is_boolean(j))
		buf_puts(b, json_is_true(j) ? "true" : "false");
	else if (json_is_object(j))
		buf_puts(b, "{}");
	else
		buf_puts(b, json_is_array(j) ? "[]" : "null");
}

static bool
is_block(const json_t *j)
{
	return json_object_size(j) > 0 || json_array_size(j) > 0;
}

static void write_block(struct buf *b, const json_t *j, unsigned depth, bool on_line);

/* After "key:" */
static void
write_member(struct buf *b, const json_t *j, unsigned depth)
{
	if (is_block(j)) {
		buf_puts(b, "\n");
		write_block(b, j, depth + 1, false);
		return;
	}
	buf_puts(b, " ");
	write_scalar(b, j);
	buf_puts(b, "\n");
}

/* `on_line`: the first line is begun already, after a "- ". */
static void
write_block(struct buf *b, const json_t *j, unsigned depth, bool on_line)
{
	const char *key;
	const json_t *value;
	size_t i;

	json_object_foreach((json_t *)(uintptr_t)j, key, value)
	{
		indent(b, on_line ? 0 : depth);
		on_line = false;
		scalar_write(b, key);
		buf_puts(b, ":");
		write_member(b, value, depth);
	}
	json_array_foreach(j, i, value)
	{
		indent(b, on_line ? 0 : depth);
		on_line = false;
		buf_puts(b, "- ");
		if (is_block(value)) {
			write_block(b, value, depth + 1, true);
		} else {
			write_scalar(b, value);
			buf_puts(b, "\n");
		}
	}
}

void
yaml_out_write(struct buf *b, const json_t *j)
{
	if (is_block(j)) {
		write_block(b, j, 0, false);
		return;
	}
	write_scalar(b, j);
	buf_puts(b, "\n");
}
