/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * zones -- the set of hosted zones. Writer: the engine's one thread. Readers: wait-free inside RCU
 * (QSBR).
 */
#pragma once

#include "base/attr.h"
#include "zone/zone.h"

struct zones;

struct zones *zones_new(void);
void zones_free(struct zones **zs); /* with all its zones; no reader may be left */

/* Longest match: the zone with the deepest apex at or above `name` (lower); NULL if none. */
struct zone *zones_find(const struct zones *zs, const uint8_t *name);
struct zone *zones_find_path(const struct zones *zs, const struct name_path *name);
/* As zones_find but strictly above `name`'s own apex: the parent side of a DS query. */
struct zone *zones_find_above(const struct zones *zs, const uint8_t *name);
struct zone *zones_exact(const struct zones *zs, const uint8_t *apex);
size_t zones_count(const struct zones *zs);

/* Writer. The set owns added zones; an equal apex is replaced (overlays are NOT carried over) and
 * the old zone freed after a grace period by the call_rcu thread: never a pause here or for a
 * reader. */
void zones_add(struct zones *zs, struct zone *z);
void zones_remove(struct zones *zs, const uint8_t *apex);
void zones_walk(const struct zones *zs, void (*visit)(struct zone *z, void *arg), void *arg);
