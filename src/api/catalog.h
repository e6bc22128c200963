/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * catalog -- catalog zones made here (RFC 9432): a hosted primary zone that lists the zones whose
 * `catalog` names it, under each zone's id:
 *
 *	version.catalog.example.                      TXT "2"
 *	1f0c5a6b7d8e9f00.zones.catalog.example.       PTR member.example.
 *	group.1f0c5a6b7d8e9f00.zones.catalog.example. TXT "red"              label `group`
 *	coo.1f0c5a6b7d8e9f00.zones.catalog.example.   PTR other.example.     label `coo`
 *
 * A zone with label `coo` that moves to the catalog named there stays on the old list until the
 * label goes: consumers must have seen it on both to keep what they have of the zone.
 */
#pragma once

#include "api/edit.h"

/*
 * Bring the catalogs in step with the zones put and deleted in this edit, in the same revision.
 * Edits by hand of what is kept so are problems; a zone file that lacks it gets it back.
 */
void catalog_follow(struct edit *e);
