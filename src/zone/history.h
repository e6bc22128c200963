/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * history -- what a zone's changes were, from serial to serial: what IXFR (RFC 1995) is made of.
 *
 *	writer   history_touch (before each RRset changes) ... history_commit (after all have)
 *	reader   history_since(serial) -> steps, each referred to -> history_release
 *
 * In memory, bounded in bytes: the oldest steps go first, and a secondary that asks for more gets
 * the whole zone. Whatever breaks the chain of serials drops it all. Writer: the engine's thread.
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
void history_commit(struct history *h, const struct zone *z,
    bool (*hides)(const struct zone *z, const uint8_t *owner, uint16_t type));
/* Writer: secondaries see the zone otherwise than by RRsets; who is behind takes it whole. */
void history_drop(struct history *h);

/*
 * Steps that lead from `serial` to the newest, oldest first, to history_release; their number, 0 if
 * it is not known.
 */
size_t history_since(struct history *h, uint32_t serial, struct history_step ***steps);
void history_release(struct history_step **steps, size_t n);

/* Serial of an SOA RRset; RFC 1982: is `a` after `b`? */
uint32_t history_serial(const struct rrset *soa);
bool history_newer(uint32_t a, uint32_t b);
