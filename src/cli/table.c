/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/table.h"

#include <stdlib.h>

#include "base/mem.h"

#define GAP 2

void
table_init(struct table *t, size_t n_columns)
{
	*t = (struct table){ .n_columns = n_columns };
}

void
table_fini(struct table *t)
{
	for (size_t i = 0; i < t->n_cells; i++)
		free(t->cells[i].text);
	free(t->cells);
	*t = (struct table){ 0 };
}

void
table_cell(struct table *t, enum style style, const char *text)
{
	struct buf b;

	buf_init(&b, 1 << 16);
	term_clean(&b, text);
	MEM_GROW(&t->cells, &t->cap, t->n_cells + 1);
	t->cells[t->n_cells++] = (struct table_cell){ xstrdup(buf_str(&b)), style };
	buf_fini(&b);
}

void
table_head(struct table *t, const char *title)
{
	table_cell(t, STYLE_BOLD, title);
}

static void
pad(struct buf *out, size_t n)
{
	while (n-- > 0)
		buf_puts(out, " ");
}

static void
write_row(const struct table *t, const struct table_cell *row, const size_t *widths,
    struct buf *out, bool colour)
{
	size_t last = t->n_columns;

	while (last > 1 && row[last - 1].text[0] == '\0')
		last--;
	for (size_t c = 0; c < last; c++) {
		const size_t room = widths[c] - term_width(row[c].text);
		const bool right = t->right >> c & 1;

		if (right)
			pad(out, room);
		buf_puts(out, term_on(colour, row[c].style));
		buf_puts(out, row[c].text);
		buf_puts(out, term_off(colour, row[c].style));
		if (c + 1 < last)
			pad(out, (right ? 0 : room) + GAP);
	}
	buf_puts(out, "\n");
}

void
table_write(const struct table *t, struct buf *out, bool colour, const char *indent)
{
	size_t *widths = xcalloc(t->n_columns, sizeof(*widths));

	for (size_t i = 0; i < t->n_cells; i++) {
		const size_t w = term_width(t->cells[i].text);

		if (w > widths[i % t->n_columns])
			widths[i % t->n_columns] = w;
	}
	for (size_t i = 0; i + t->n_columns <= t->n_cells; i += t->n_columns) {
		buf_puts(out, indent);
		write_row(t, t->cells + i, widths, out, colour);
	}
	free(widths);
}
