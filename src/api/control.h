/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * control -- the state behind the API, and the one path for change.
 *
 *   request -> change set -> check against the model -> store (durable) -> model -> engine (served)
 *           -> reply
 *
 * Edits are serialised by one mutex; reads share a rwlock over the model. What the
 * engine tells (statuses, events) comes in by control_status / control_note from the feed's
 * thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/list.h"
#include "model/model.h"
#include "net/addr.h"
#include "store/store.h"

/* The engine as control sees it; implemented over the feed by room app. Calls are thread-safe. */
struct control_engine {
	void *arg;
	/* Hand over a committed set; true when the engine serves it, false after `timeout_ms` (the
	 * engine will get it later). */
	bool (*deliver)(void *arg, const struct change_set *c, unsigned timeout_ms);
	/* Ask: verb "explain", "simulate", "observe", "counters"; reply is a new reference or NULL
	 * with problems in d (DIAG_UNAVAILABLE if not there). */
	json_t *(*ask)(void *arg, const char *verb, const json_t *request, unsigned timeout_ms,
	    struct diag *d);
	bool (*ready)(void *arg); /* connected, and the engine serves DNS */
};

/*
 * Who keeps secondary zones, in the room above. `committed` is called after each commit by the
 * thread that made it, still under the editor's lock: it only takes notes.
 */
struct control_secondary {
	void *arg;
	void (*committed)(void *arg, const struct change_set *set);
	/* Ask the primaries now, `from` (may be NULL) first; `whole`: transfer all of it, whatever
	 * the serial. 0 or -EINVAL. */
	int (*refresh)(
	    void *arg, const char *zone, bool whole, const struct addr *from, struct diag *d);
};

/* Anybody else who takes notes of commits, likewise; in the order in which they came. */
struct control_watch {
	struct list item; /* control's */
	void *arg;
	void (*committed)(void *arg, const struct change_set *set);
};

/* A node that is to be enrolled. */
struct control_invitation {
	const char *name;
	uint64_t for_ms;
	const char *server; /* where the node is to connect; NULL: what the configuration says */
	const char *dir;    /* its data directory; NULL: as a gtmd has it by default */
};

/* Who enrols nodes that probe, in the room above. */
struct control_nodes {
	void *arg;
	/* {node, server, token, expires, dir, command, warnings?}, or NULL with a problem. Commits:
	 * not from under the editor's lock. */
	json_t *(*invite)(void *arg, const struct control_invitation *i, struct diag *d);
};

struct control;
struct hub;

/* Loads the model. `store` and `engine` must outlive it. NULL with problems in d. */
struct control *
control_new(struct store *store, const struct control_engine *engine, struct diag *d);
void control_free(struct control **c);

/* From the engine. `status` is JSON of an object, {"health":..} first where it has one. */
void control_status(struct control *c, enum kind kind, const char *name, const char *status);
/* Durable and told within moments: api/scribe.h. */
void control_note(struct control *c, const struct store_event *e);
/* The same from {kind, object{kind,name}, severity, text, at, data} */
void control_event(struct control *c, const json_t *event);
/* When it returns, all that has happened before is stored: for who reads events. */
void control_flush(struct control *c);
/* Statuses become unknown since now; readyz says so. */
void control_engine_lost(struct control *c);

/*
 * Commit `set` (checked by the caller under control_edit_begin) and wait for the engine at most
 * 1 s, longer for what is large. Fills set->revision. 0, or negative with problems in d and nothing
 * changed.
 */
struct control_receipt {
	uint64_t revision;
	bool applied;
};
void control_edit_begin(struct control *c); /* one editor at a time */
MUST_USE int control_edit_commit(
    struct control *c, struct change_set *set, struct control_receipt *r, struct diag *d);
void control_edit_end(struct control *c); /* after commit, or instead of it */

/* Before anybody edits; NULL: not any more, when nobody does. */
void control_set_secondary(struct control *c, const struct control_secondary *s);
/* `w` stays the caller's, and where it is until it is taken back. */
void control_watch(struct control *c, struct control_watch *w);
void control_unwatch(struct control *c, struct control_watch *w);
MUST_USE int control_refresh(
    struct control *c, const char *zone, bool whole, const struct addr *from, struct diag *d);

/* Before anybody asks; NULL: not any more, when nobody does. */
void control_set_nodes(struct control *c, const struct control_nodes *n);
MUST_USE json_t *
control_invite(struct control *c, const struct control_invitation *i, struct diag *d);

/* Reading. The editor may use the model without control_read_begin: only an editor changes it. */
const struct model *control_read_begin(struct control *c);
void control_read_end(struct control *c);
const struct model *control_model(struct control *c); /* for the editor */
/* What the engine last said; a new reference, or NULL if it said nothing. */
json_t *control_status_find(struct control *c, enum kind kind, const char *name);
/* A word among the first members of a status, before the first list or object: health, state.
 * Returns out; "" if there is none. */
#define CONTROL_WORD_SIZE 32
char *control_status_word(struct control *c, enum kind kind, const char *name, const char *member,
    char out[CONTROL_WORD_SIZE]);

json_t *control_ask(struct control *c, const char *verb, const json_t *request, struct diag *d);
/* The same for a question that takes the engine longer. */
json_t *control_ask_for(struct control *c, const char *verb, const json_t *request,
    unsigned timeout_ms, struct diag *d);
bool control_ready(struct control *c);
struct store *control_store(struct control *c);
struct hub *control_hub(struct control *c);

/* Append stored events of `topics` after `since` to `out` as stream frames; returns the last id. */
uint64_t
control_replay(struct control *c, unsigned topics, uint64_t since, size_t max, struct buf *out);
