/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * notifier -- tells secondaries that a zone has changed (NOTIFY, RFC 1996), until they have heard.
 *
 *	notifier_tell(zone, peer) -> now, then after 1 s, 2 s, 4 s ... -> answered, or given up
 *
 * One notice per zone and peer is under way; what is told meanwhile takes its place, but leaves at
 * most every 100 ms. The SOA in it is the zone's at that moment. Thread: the loop's. QSBR: online.
 */
#pragma once

#include "dns/tsig.h"
#include "net/addr.h"
#include "net/loop.h"
#include "zone/zones.h"

struct notifier;

/*
 * `from`: addresses that are listened on; a notice leaves from the first of its peer's family that
 * is no wildcard, since secondaries know their primary by it. Copied.
 */
MUST_USE struct notifier *
notifier_new(struct loop *l, const struct zones *zs, const struct addr *from, size_t n_from);
void notifier_free(struct notifier **n);
/* `key` NULL: not signed. Copied. */
void notifier_tell(
    struct notifier *n, const uint8_t *apex, const struct addr *peer, const struct tsig_key *key);
/* The zone is gone: no more about it. */
void notifier_forget(struct notifier *n, const uint8_t *apex);
