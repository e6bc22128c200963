/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * nsec3 -- hashed names of RFC 5155: parameters, the hash, its label.
 *
 * Pure; no allocation. The cost of a hash is iterations + 1 times SHA-1, hence the bound: above it
 * nothing is hashed (RFC 9276 3.2 lets validators take such a zone as insecure).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

#define NSEC3_HASH_LEN       20
#define NSEC3_LABEL_LEN      33 /* the length byte included */
#define NSEC3_ITERATIONS_MAX 150

struct nsec3_params {
	uint16_t iterations;
	uint8_t salt_len;
	const uint8_t *salt;
};

/* From the rdata of NSEC3PARAM, or the head of that of NSEC3; borrows the salt. False: malformed,
 * or another algorithm than SHA-1. */
bool nsec3_read(const uint8_t *rdata, uint16_t len, struct nsec3_params *p);
bool nsec3_same(const struct nsec3_params *a, const struct nsec3_params *b);
/* `lower` as wire (RFC 5155 5). */
void nsec3_hash(const struct nsec3_params *p, const uint8_t *lower, uint8_t out[NSEC3_HASH_LEN]);
/* As a label in lower case base32hex: its order is that of the hashes. */
void nsec3_label(const uint8_t hash[NSEC3_HASH_LEN], uint8_t out[NSEC3_LABEL_LEN]);
