/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pick_hash -- weighted rendezvous: the same client gets the same member, whoever else there is.
 *
 * Every pair of client prefix and member has a number in (0, 1) by hashing; the member with the
 * smallest -ln(number) / weight wins. As each member's score is its own, a member that leaves moves
 * only its own clients, one that comes takes only those it wins, and shares follow the weights.
 *
 * Pure. Nothing here depends on the process: all nodes of a cluster choose alike.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "steer/position.h"

/* What a member is known by, and 1 / weight. */
struct pick_rank {
	uint64_t key;
	double burden;
};

#define PICK_HASH_V4_BITS 24 /* clients of one such prefix are one */
#define PICK_HASH_V6_BITS 56

uint64_t pick_hash_key(const char *text);
/* What a client is known by: its prefix, cut to the bits above. Unknown positions are one client.
 */
uint64_t pick_hash_client(const struct position *at);
/* The `take` best ones of n, best first, as indexes; take <= n. */
void pick_hash_find(
    const struct pick_rank *ranks, uint32_t n, uint64_t client, uint32_t take, uint32_t *out);
