/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * recount -- events of changes that were killed before they were written: a change is answered when
 * it is durable, its event is written moments later (scribe). The audit log has them all.
 */
#pragma once

#include "api/scribe.h"

/* One config.applied for each revision behind the newest that has one; of the newest RECOUNT_MAX.
 */
#define RECOUNT_MAX 1000
void recount_changes(struct store *store, struct scribe *scribe);
/* What there is to say of a revision; the caller frees `data`. */
struct store_event recount_event(
    uint64_t revision, int64_t at_ms, const char *author, const char *summary, bool applied);
