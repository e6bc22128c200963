/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * transfer_policy -- who may transfer a zone, and what they see: the block behind zone_policy().
 *
 * Immutable, one block of memory; made by the engine from the zone's spec and swapped by RCU. Pure.
 */
#pragma once

#include <stdbool.h>

#include "dns/name.h"
#include "net/addr.h"
#include "net/cidr.h"

struct transfer_policy_peer {
	struct cidr from;
	bool keyed;
	uint8_t key[NAME_MAX_LEN]; /* lower; the request must be signed with it */
};

struct transfer_policy {
	bool fallback_view; /* steered names appear as their fallback sets, else as the zone has
			       them */
	unsigned n_transfer;
	struct transfer_policy_peer transfer[];
};

struct transfer_policy *transfer_policy_new(unsigned n_transfer); /* zeroed; to free() */
/* `key`: lower, of a signature that was good; NULL: unsigned. `p` may be NULL: nobody may. */
bool transfer_policy_allows(
    const struct transfer_policy *p, const struct addr *peer, const uint8_t *key);
/* Is `peer` one of those who may, given the right signature? */
bool transfer_policy_knows(const struct transfer_policy *p, const struct addr *peer);
