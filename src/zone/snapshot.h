/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * snapshot -- a zone as of one moment between change sets, while it goes on changing in place.
 *
 *	writer   snapshot_hold   zone_put, zone_del ...   snapshot_let_go
 *	reader   walk everything; did the generation move meanwhile? then walk again
 *
 * Nodes are immutable, so who has their pointers has the zone, for as long as the RCU read section
 * lasts. A walk visits 1,000,000 names in some 20 ms; a writer that is faster than that would make
 * the reader try for ever, so the last try holds the writer up. DNS workers have no part in this.
 */
#pragma once

#include "zone/zone.h"

/* Writer: around all that belongs together. Not nested. */
void snapshot_hold(struct zone *z);
void snapshot_let_go(struct zone *z);
bool snapshot_is_held(const struct zone *z); /* writer */

/*
 * Inside a read section, any thread: `begin` (forget what was visited), then `visit` for every
 * node; over again until nothing changed during it.
 */
void snapshot_take(const struct zone *z, void (*begin)(void *arg),
    void (*visit)(const struct zone_node *n, void *arg), void *arg);
