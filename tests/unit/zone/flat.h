/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * flat -- what a zone should hold, as a flat list, and an oracle that answers from that list by
 * the words of the RFCs and knows neither nodes nor hashes nor counts of children.
 *
 * Every change is made to the list and to the zone; flat_compare then finds out whether the zone is
 * still what one built afresh would be, and whether it answers as the list says.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "dns/name.h"
#include "zone/zone.h"

#define FLAT_MAX     512
#define FLAT_OVERLAY 0 /* a type of fact: something steered is at the owner */

struct flat_fact {
	uint8_t owner[NAME_MAX_LEN];
	uint16_t type;
	uint32_t payload; /* of the only record, so that an old set is not taken for a new one */
};

struct flat {
	const uint8_t *apex;
	struct flat_fact facts[FLAT_MAX];
	unsigned n;
};

void
flat_put(struct flat *f, struct zone *z, const uint8_t *owner, uint16_t type, uint32_t payload);
void flat_del(struct flat *f, struct zone *z, const uint8_t *owner, uint16_t type);
const struct flat_fact *flat_find(const struct flat *f, const uint8_t *owner, uint16_t type);

/* One question; fails the test. */
void flat_compare_lookup(
    const struct flat *f, const struct zone *z, const uint8_t *qname, uint16_t qtype);
/* The order of the chain at `name`, and whether the zone is signed. */
void flat_compare_chain(const struct flat *f, const struct zone *z, const uint8_t *name);
/* Everything a zone keeps, against one built afresh in another order. */
void flat_compare_rebuilt(const struct flat *f, struct zone *z);
