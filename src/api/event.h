/* SPDX-License-Identifier: GPL-3.0-or-later */
/* event -- events as they travel: from the engine, over REST, down a stream. Pure. */
#pragma once

#include "base/json.h"
#include "store/store.h"

/*
 * {kind, object?{kind, name}, severity?, text?, at?, data?} as the store takes it; what is absent
 * gets a default. Text is borrowed from `j`, but for `data`, which the caller frees.
 */
void event_decode(const json_t *j, struct store_event *e);
/* {id, at, kind, object?, severity, text, data?}. New reference. */
json_t *event_encode(const struct store_event *e);
/* As one stream frame, to free(). */
char *event_frame(const struct store_event *e);
unsigned event_topic(const char *kind); /* HUB_CONFIG or HUB_EVENTS */
