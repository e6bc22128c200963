/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * steered -- the overlay at a zone node: the plans of the enabled domains of that name, by type.
 *
 * A stable block; each slot's plan pointer is swapped by RCU when the domain is compiled anew.
 */
#pragma once

#include <stdint.h>

#include "base/attr.h"
#include "steer/plan.h"
#include "zone/rrset.h"

/*
 * The plan that answers `qtype` at a name with this overlay; NULL: the Public Zone answers.
 * A steered CNAME answers every type but those that may stand beside a CNAME (RRSIG, NSEC, NSEC3,
 * KEY types). `overlay` as found in zone_node.overlay; NULL is allowed. Inside an RCU read section.
 */
const struct plan *steered_find(const void *overlay, uint16_t qtype);

/*
 * The fallback set of a steered type: all enabled addresses, whatever their health. It is what
 * transfers show, since a secondary cannot steer; it changes with the configuration only. A pool of
 * names makes it a CNAME, of the first of them. NULL: not steered.
 */
const struct rrset *steered_fallback_set(const void *overlay, uint16_t type);
