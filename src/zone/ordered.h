/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ordered -- nodes of a zone in canonical order (RFC 4034 6.1), for finding what covers a name;
 * inside of room zone.
 *
 *   head ----------------------------> m ------------------> (level 2)
 *   head --------> d ----------------> m --------> t ------> (level 1)
 *   head --> a --> d --> f ----> k --> m --> p --> t --> z   (level 0)
 *
 * A skip list: one writer, wait-free readers inside RCU. A link is complete before it is reachable,
 * is linked from the bottom up and unlinked from the top down, and is retired, not freed; so a
 * reader on any link finds its way to the end. Expected O(log n) for everything.
 */
#pragma once

#include <stdint.h>

#include "base/attr.h"
#include "zone/zone.h"

struct ordered;

MUST_USE struct ordered *ordered_new(unsigned apex_labels);
void ordered_free(struct ordered **o); /* no reader left; the nodes are the caller's */

/* Writer. Insert, or take the place of the node of that name. */
void ordered_put(struct ordered *o, const struct zone_node *n);
/* Writer: there must be one of that name. */
void ordered_remove(struct ordered *o, const uint8_t *name);

/* The last one at or before `name` (lower), strictly before it, of all; NULL if there is none. */
const struct zone_node *ordered_floor(const struct ordered *o, const uint8_t *name);
const struct zone_node *ordered_before(const struct ordered *o, const uint8_t *name);
const struct zone_node *ordered_last(const struct ordered *o);
