/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * transfer_view -- what a secondary sees of a zone that steers.
 *
 * A secondary has one set for all clients. In the fallback view a steered type appears as its
 * fallback set, all enabled addresses, in place of the zone's own. A steered CNAME is alone at its
 * name (RFC 1034 3.6.2); where pools of names answer for A or AAAA and the name has other records,
 * no zone can say so, and the zone's own records stand. Inside an RCU read section.
 */
#pragma once

#include <stdbool.h>

#include "zone/zone.h"

typedef void transfer_view_visit_f(void *arg, const struct zone_node *n, const struct rrset *set);
void transfer_view_each(
    const struct zone_node *n, bool fallback_view, transfer_view_visit_f *visit, void *arg);

/* A change of the zone's own set at such a name: is it out of sight? */
bool transfer_view_hides(const struct zone *z, const uint8_t *owner, uint16_t type);
/* ... or does what is seen depend on more than this set? */
bool transfer_view_is_tangled(const struct zone *z, const uint8_t *owner);
