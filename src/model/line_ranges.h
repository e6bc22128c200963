/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * line_ranges -- which custom line has a network: canonical text -> whatever the caller knows it
 * by.
 *
 * Inside the room: a model and a change set each keep one, so that a line is held against all
 * others at the cost of its own networks.
 */
#pragma once

#include "base/strmap.h"
#include "model/nouns.h"

void line_ranges_add(struct strmap *ranges, const struct line_spec *s, void *owner);
/* Those that are still this owner's. */
void line_ranges_drop(struct strmap *ranges, const struct line_spec *s, const void *owner);
/* Of a spec as a change carries it; what does not parse is nobody's. */
void line_ranges_add_text(struct strmap *ranges, const char *spec, void *owner);
