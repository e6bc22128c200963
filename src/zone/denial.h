/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * denial -- which NSEC or NSEC3 records of a pre-signed zone prove that something is not there
 * (RFC 4035 3.1.3, RFC 5155 7.2).
 *
 * Gathers nodes, each once; their NSEC or NSEC3 RRset, signed, is the proof. Readers only, inside
 * an RCU section, no allocation. For zones of which zone_signed is not ZONE_UNSIGNED.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "zone/zone.h"

#define DENIAL_MAX 16

struct denial {
	unsigned n;
	bool too_costly; /* NSEC3 with more than NSEC3_ITERATIONS_MAX iterations: no proof */
	const struct zone_node *nodes[DENIAL_MAX];
};

/* The name of `n` lacks a type; also: the cut `n` has no DS. */
void denial_type(struct denial *d, const struct zone *z, const struct zone_node *n);
/* `qname` does not exist, `encloser` is its closest encloser; nor is there a wildcard. */
void denial_name(
    struct denial *d, const struct zone *z, const uint8_t *qname, const struct zone_node *encloser);
/* A wildcard below `encloser` stood in for `qname`, which does not exist. */
void denial_expansion(
    struct denial *d, const struct zone *z, const uint8_t *qname, const struct zone_node *encloser);
/* As above, and the wildcard lacks the type. */
void denial_wildcard_type(struct denial *d, const struct zone *z, const uint8_t *qname,
    const struct zone_node *encloser, const struct zone_node *wildcard);
