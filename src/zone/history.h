/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * history -- what a zone's changes were, from serial to serial: what IXFR (RFC 1995) is made of.
 *
 *	writer   history_touch (before each RRset changes) ... history_commit (after all have)
 *	reader   history_since(serial) -> steps, each referred to -> history_release
 *
 * Bounded in bytes: the oldest steps go first, and a secondary that asks for more gets the whole
 * zone. Whatever breaks the chain of serials drops it all. Writer: the engine's thread.
 * Readers: transfer threads, by a lock that no DNS worker takes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "zone/zone.h"

struct history;

struct history_item {
	const uint8_t *owner; /* lower wire */
	struct rrset *set;    /* only what went, or only what came */
};

/* One change set: immutable, counted. SOA apart. */
struct history_step {
	unsigned refs;
	uint32_t from, to; /* serials */
	size_t bytes;
	struct rrset *old_soa, *new_soa;
	struct history_item *gone, *come;
	size_t n_gone, n_come;
};

struct history *history_new(size_t limit);
void history_free(struct history **h);

/* Writer: the RRset is about to change. */
void history_touch(struct history *h, const struct zone *z, const uint8_t *owner, uint16_t type);
/*
 * Writer: the set is applied. What `hides` (may be NULL) says is not part of what secondaries see
 * is left out. Without a newer serial the chain is broken.
 */
enum history_outcome { HISTORY_SAME, HISTORY_STEP, HISTORY_BROKEN };
enum history_outcome history_commit(struct history *h, const struct zone *z,
    bool (*hides)(const struct zone *z, const uint8_t *owner, uint16_t type));
/* Writer: what HISTORY_STEP has added, borrowed until the next change. */
const struct history_step *history_latest(const struct history *h);
/* Writer: secondaries see the zone otherwise than by RRsets; who is behind takes it whole. */
void history_drop(struct history *h);

/*
 * Writer: steps of an earlier life, oldest first; `s` is taken. One that starts where an older one
 * ended replaces what came after that. At the end only what leads to `serial` stays.
 */
void history_recall(struct history *h, struct history_step *s);
void history_settle(struct history *h, uint32_t serial);

/*
 * Steps that lead from `serial` to the newest, oldest first, to history_release; their number, 0 if
 * it is not known.
 */
size_t history_since(struct history *h, uint32_t serial, struct history_step ***steps);
void history_release(struct history_step **steps, size_t n);
void history_step_unref(struct history_step **s);
/* For who makes one: adds what goes or comes, of which it takes `set`. */
void history_step_gone(struct history_step *s, const uint8_t *owner, struct rrset *set);
void history_step_come(struct history_step *s, const uint8_t *owner, struct rrset *set);

/* Serial of an SOA RRset; RFC 1982: is `a` after `b`? */
uint32_t history_serial(const struct rrset *soa);
bool history_newer(uint32_t a, uint32_t b);
