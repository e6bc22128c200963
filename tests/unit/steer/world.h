/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * world -- a tree with zones around it, and everything that left through its hooks. Specs are JSON
 * with ' for ".
 */
#pragma once

#include "base/strmap.h"
#include "steer/plan.h"
#include "steer/tree.h"
#include "zone/zones.h"

struct world {
	struct tree *tree;
	struct word_table *words;
	struct zones *zones;
	struct change_set set;
	struct position at;       /* who asks in world_answer */
	int64_t now_ms;           /* what the tree is told */
	struct strmap wanted;     /* key -> slot + 1 */
	struct strmap remembered; /* key -> char * */
	struct strmap told;       /* "kind name" -> WORLD_TOLD */
	uint32_t wants, drops;
	char log[8192]; /* a line per event: "kind object" */
};

void world_init(struct world *w, unsigned workers);
void world_fini(struct world *w);

/* Add to the set in hand; world_apply applies and empties it. `name` is a format. */
void world_put(struct world *w, enum kind kind, const char *name, const char *spec, ...);
void world_delete(struct world *w, enum kind kind, const char *name);
void world_apply(struct world *w);

/* Time goes by, and what was due by then is done. */
void world_pass(struct world *w, int64_t ms);
/* A new tree that has been told what the old one wanted remembered, and nothing else. */
void world_restart(struct world *w);

/* The check's verdict changes: 'U', 'D' or '?'. */
void world_verdict(struct world *w, const char *key, char verdict);

const struct plan *world_plan(const struct world *w, const char *host, uint16_t type);
/* Last bytes of the records of one answer, e.g. "1 2"; "zone" when the zone answers. */
const char *world_answer(const struct world *w, const char *host, uint16_t type);
/* A member of the object's status, as text. */
const char *
world_status(const struct world *w, enum kind kind, const char *name, const char *member);
/* What the status hook was last told of an object; 0: nothing. */
#define WORLD_TOLD(health, available) (((uintptr_t)(health) + 1) << 1 | (available))
uintptr_t world_told(const struct world *w, enum kind kind, const char *name);
