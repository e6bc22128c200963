/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * peer_fields -- the lists of a zone that say who may do what: primaries, notify, transfer, update.
 *
 * Inside the room; zone_fields.c holds the zone's table.
 */
#pragma once

#include "model/kind.h"
#include "model/nouns.h"

extern const struct field peer_fields[], peer_transfer_fields[], peer_update_fields[];

/* Put addresses, ranges, names, types and keys into canonical text. `zone`: the zone's name. */
void peer_settle(const char *zone, struct zone_spec *z, struct arena *a);
/* What settle could not read, and what contradicts the zone's role. */
void peer_check(const char *zone, const struct zone_spec *z, struct diag *d);
void peer_refs(const struct zone_spec *z, kind_ref_f *visit, void *arg);
