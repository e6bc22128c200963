/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * table -- aligned columns of text.
 *
 *	NAME   STATE    TTL
 *	www    healthy   60
 *
 * Two spaces between columns, none at the end of a line; numbers are flush right when asked.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "cli/term.h"

struct table_cell {
	char *text;
	enum style style;
};

struct table {
	size_t n_columns;
	struct table_cell *cells; /* row by row; the first row is the header */
	size_t n_cells, cap;
	unsigned right; /* bit per column: flush right */
};

void table_init(struct table *t, size_t n_columns);
void table_fini(struct table *t);
/* Add the next cell; text is copied and cleaned. */
void table_cell(struct table *t, enum style style, const char *text);
void table_head(struct table *t, const char *title);
void table_write(const struct table *t, struct buf *out, bool colour, const char *indent);
