/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * control -- the state behind the API, and the one path for change.
 *
 *   request -> change set -> check against the model -> store (durable) -> model -> engine (served) -> reply
 *
 * Edits are serialised by one mutex; reads share a rwlock over the model and the statuses. What the engine
 * tells (statuses, events) comes in by control_status / control_event from the feed's thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/diag.h"
#include "base/json.h"
#include "model/model.h"
#include "store/store.h"

/* The engine as control sees it; implemented over the feed by room app. All calls are thread-safe. */
struct control_engine {
	void *arg;
	/* Hand over a committed set; true when the engine serves it, false after `timeout_ms` (the engine will get it later). */
	bool (*deliver)(void *arg, const struct change_set *c, unsigned timeout_ms);
	/* Ask: verb "explain", "observe", "counters"; reply is a new reference or NULL with problems in d (DIAG_UNAVAILABLE if not there). */
	json_t *(*ask)(void *arg, const char *verb, const json_t *request, unsigned timeout_ms, struct diag *d);
	bool (*ready)(void *arg); /* connected, and the engine serves DNS */
};

struct control;

struct control *control_new(struct store *store, const struct control_engine *engine, struct diag *d); /* loads the model */
void control_free(struct control **c);

/* From the engine. `status` and `data` are borrowed. */
void control_status(struct control *c, enum kind kind, const char *name, const json_t *status);
void control_event(struct control *c, const json_t *event); /* {kind, object{kind,name}, severity, text, at, data} */
void control_engine_lost(struct control *c); /* statuses become unknown-since; readyz says so */

/* Commit `set` (checked by the caller under control_edit_begin) and wait for the engine at most 1 s. Fills set->revision. */
struct control_receipt {
	uint64_t revision;
	bool applied;
};
void control_edit_begin(struct control *c); /* one editor at a time */
MUST_USE int control_edit_commit(struct control *c, struct change_set *set, struct control_receipt *r, struct diag *d);
void control_edit_end(struct control *c);   /* after commit, or instead of it */
