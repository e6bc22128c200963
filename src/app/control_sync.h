/* SPDX-License-Identifier: GPL-3.0-or-later */
/* control_sync -- bring an engine that has connected up to date: what it misses, or everything. */
#pragma once

#include "node/station.h"
#include "store/store.h"

/* The engine has applied `revision` of `lineage`. Ends with CURRENT. `out->pass` NULL: it gets all;
 * else objects only, those that pass. */
void control_sync(
    struct store *store, const struct station_out *out, const char *lineage, uint64_t revision);
