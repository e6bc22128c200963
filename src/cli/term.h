/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * term -- what a terminal shows: colours, widths, bars.
 *
 * Colour only where a person looks: on a terminal, without NO_COLOR and not TERM=dumb.
 * Text that came from elsewhere is cleaned, so that no server can write escape sequences.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "base/attr.h"
#include "base/buf.h"

enum style { STYLE_PLAIN, STYLE_BOLD, STYLE_DIM, STYLE_GOOD, STYLE_WARN, STYLE_BAD };

bool term_colour(FILE *f);
/* Escape sequences around text; "" without colour. */
const char *term_on(bool colour, enum style s);
const char *term_off(bool colour, enum style s);

/* Columns a UTF-8 text takes: wide CJK counts two. */
size_t term_width(const char *text);
/* Append text with control characters shown as '?'. */
void term_clean(struct buf *b, const char *text);
/* Append a bar of `width` columns filled to `share` (0..1). */
void term_bar(struct buf *b, double share, unsigned width);
/* The style of a health or display state: "healthy", "down", ... */
enum style term_state_style(const char *state);
