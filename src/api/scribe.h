/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * scribe -- events become durable, then the hub tells them; by one thread, in the order they came.
 *
 *	scribe_note --> queue --> one transaction for all that wait --> hub
 *
 * An event after a while of quiet is written at once; those of a storm wait for up to
 * SCRIBE_PACE_MS, so that an fsync is shared by many. Nobody who notes waits for the disk, unless
 * the queue is full. Any thread may call anything.
 */
#pragma once

#include "api/hub.h"
#include "store/store.h"

#define SCRIBE_PACE_MS 50

struct scribe;

/* `store` and `hub` must outlive it. */
struct scribe *scribe_new(struct store *store, struct hub *hub);
void scribe_free(struct scribe **s); /* what was noted is written */

/* Takes a copy. Its id comes from the store; what cannot be stored (disk full) is told without one.
 */
void scribe_note(struct scribe *s, const struct store_event *e);
/* When it returns, all that was noted before is stored. */
void scribe_flush(struct scribe *s);
