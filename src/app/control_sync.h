/* SPDX-License-Identifier: GPL-3.0-or-later */
/* control_sync -- bring an engine that has connected up to date: what it misses, or everything. */
#pragma once

#include "feed/link.h"
#include "store/store.h"

/* The engine has applied `revision` of `lineage`. Ends with CURRENT. */
void control_sync(struct store *store, struct link *link, const char *lineage, uint64_t revision);
