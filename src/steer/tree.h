/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tree -- domains over pools over addresses over checks: their health, and the plans that follow
 * from it.
 *
 *   change set ----> +------+ --want/drop--> probe            (checks that somebody needs, each
 * once) verdict word --> | tree | --overlay----> zone             (what the name answers now)
 *                    +------+ --status-----> feed             (health and availability of every
 * object)
 *                             --event------> feed             (edges worth telling a person)
 *                             --remember---> journal          (where sequences stay, last good
 * members, damping)
 *
 * Owns the engine's model. Single-threaded, no I/O, no clock: time is passed in, everything that
 * leaves goes through hooks, so the simulator runs this very code. A verdict edge costs O(objects
 * that use the address).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/json.h"
#include "model/model.h"
#include "model/nouns.h"
#include "verdict/word.h"

struct tree;

/* A probe that must run. `key` names it for life: "<template>/<ip>/<port>", plus "/<host>" where
 * the value matters. It and the template's name stay where they are until drop has been said. */
struct tree_check {
	const char *key;
	uint32_t slot;  /* in the word table */
	const char *ip; /* numeric */
	uint16_t port;
	const char *host; /* the answered value: default for HTTP's Host */
	const char *template_name;
	const struct template_spec *template; /* borrowed for the call */
};

struct tree_event {
	const char *kind; /* "address.down", "pool.degraded", "domain.fail_open", ... (5-api) */
	enum kind object_kind;
	const char *object;   /* NULL: of no object */
	const char *severity; /* "info", "warning", "critical" */
	const char *text;     /* one sentence */
	int64_t at_ms;        /* real time */
	const char *data;     /* JSON, may be NULL */
};

struct tree_hooks {
	void *arg;
	void (*want)(
	    void *arg, const struct tree_check *c); /* new, or its template changed (same slot) */
	void (*drop)(void *arg, const char *key, uint32_t slot); /* at once: no orphan probes */
	/* Publish at `host` (lower wire name); NULL gives the name back to the zone. Said again
	 * when there is another overlay, or, `shown`, when what transfers show of it (its fallback
	 * sets) has changed. */
	void (*overlay)(void *arg, const uint8_t *host, const void *overlay, bool shown);
	/* The status of an object changed. `status` is JSON. Status keys: health, availability,
	 * state (display word), plus per kind: address {checks:[{template, port, verdict, slot
	 * key}], damped?{until, held}}, pool {available, total}, domain {available, total,
	 * fallback}; where something is imposed override{state, reason, until, since, by} or
	 * maintenance{name, state, reason, until}. */
	void (*status)(void *arg, enum kind kind, const char *name, const char *status);
	void (*event)(void *arg, const struct tree_event *e);
	void (*remember)(void *arg, const char *key, const char *value); /* value NULL: forget */
};

struct tree *tree_new(struct word_table *words, unsigned workers, const struct tree_hooks *hooks);
void tree_free(struct tree **t); /* readers must be gone */

/* Before the first apply: what was remembered. */
void tree_recall(struct tree *t, const char *key, const char *value);

/* Apply the PUT and DELETE operations of a committed set (others are skipped), then compile each
 * touched domain once. */
void tree_apply(struct tree *t, const struct change_set *c, int64_t real_ms);
/* The word of `slot` has changed (a check's verdict edge). `cause`: why, e.g. "l4_refused"; may be
 * NULL. */
void tree_edge(struct tree *t, uint32_t slot, const char *cause, int64_t real_ms);
/* The certificate of the check at `slot` ends soon: an event for every address that has it. */
void tree_expiring(const struct tree *t, uint32_t slot, int64_t expires_ms, int64_t real_ms);

/*
 * What happens by itself: sequences that may go back (failback_delay), overrides that end,
 * maintenance windows, damping. The earliest real time at which tree_tick has something to do,
 * INT64_MAX if never: O(1). A tick costs O(log n) and a settlement for each object that is due.
 */
int64_t tree_due(const struct tree *t);
void tree_tick(struct tree *t, int64_t real_ms);

/*
 * New data of where addresses belong; takes `a`, NULL: none. Nothing is recompiled yet:
 * tree_refresh does so for up to `max` domains and tells how many are left, so that verdicts need
 * not wait for all of them. In between each domain answers by the old data or the new.
 */
struct atlas;
void tree_set_atlas(struct tree *t, struct atlas *a);
size_t tree_refresh(struct tree *t, size_t max, int64_t real_ms);
/* The charts, for whoever asks where an address belongs. */
const struct charts *tree_charts(const struct tree *t);

/*
 * What the workers have seen of who asks goes to the domains with balance traffic; whoever is found
 * to have much traffic is given a place. Nothing to do without such a domain. Call it every
 * TREE_LEARN_MS; `now_ms` of the workers' clock.
 */
#define TREE_LEARN_MS 100
void tree_learn(struct tree *t, uint32_t now_ms);
bool tree_learns(const struct tree *t); /* is there such a domain? */
/* What resolvers' addresses are hashed with from now on: a secret in the server, anything in a
 * simulation. */
void tree_seed(struct tree *t, uint64_t seed);

const struct model *tree_model(const struct tree *t);
/* New reference; NULL if there is no such object. */
MUST_USE json_t *tree_status(struct tree *t, enum kind kind, const char *name);
/* Tell every status again (a feed has connected), and each that changes from now on. */
void tree_tell_all(struct tree *t);
/* Nobody hears of statuses: none is told until tree_tell_all. */
void tree_hush(struct tree *t);
/* Visit the overlays at or below `apex` (a zone is about to be replaced and wants them). */
void tree_overlays(struct tree *t, const uint8_t *apex,
    void (*visit)(void *arg, const uint8_t *host, const void *overlay), void *arg);
