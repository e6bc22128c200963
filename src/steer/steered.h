/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * steered -- the overlay at a zone node: the plans of that name, by RR type.
 *
 *	node --overlay--> A      plan of the enabled domain; while it has none, of the
 *	                  MX     record set with lines, which is the zone's own ("zone data")
 *	                  ...
 *
 * Each plan is swapped by RCU when what it was made of changes; a name with a plan of another type
 * than before gets a new block.
 */
#pragma once

#include <stdint.h>

#include "base/attr.h"
#include "steer/plan.h"
#include "zone/rrset.h"

/*
 * The plan that answers `qtype` at a name with this overlay; NULL: the zone's RRset does. A CNAME
 * answers every type but those that may stand beside a CNAME (RRSIG, NSEC, NSEC3, KEY types); one
 * that is zone data leaves those types, too, that a domain steers. `overlay` as found in
 * zone_node.overlay; NULL is allowed. Inside an RCU read section.
 */
const struct plan *steered_find(const void *overlay, uint16_t qtype);

/*
 * The fallback set of a steered type: all enabled addresses, whatever their health. It is what
 * transfers show, since a secondary cannot steer; it changes with the configuration only. A pool of
 * names makes it a CNAME, of the first of them. NULL: not steered, or zone data: then the zone has
 * it.
 */
const struct rrset *steered_fallback_set(const void *overlay, uint16_t type);

/* The types it may have something of, in ascending order. */
unsigned steered_types(const void *overlay);
uint16_t steered_type_at(const void *overlay, unsigned i);
