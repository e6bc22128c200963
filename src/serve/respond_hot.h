/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * respond_hot -- the common query, straight through: read once, hashed once, answered by copying.
 *
 *   header, one question, OPT or none --> zone --> node --> RRset, plan or prepared SOA --> message
 *
 * What it answers, it answers octet for octet as respond_any would, which is held against it by
 * tests and fuzzing; whatever is not common it leaves to that one, before anything has been counted
 * or drawn. Common is:
 *   - opcode QUERY, class IN, no option but EDNS Client Subnet, nothing signed in sight (DO may be
 *     set, the zone is unsigned);
 *   - records that name nothing (A, AAAA, TXT) from the zone or from a plan that has no other, or
 *     that there are none: no such name, no such type;
 *   - everybody may ask, no rate limit, the answer fits.
 */
#pragma once

#include "serve/respond.h"

/* Length of the response; 0: not for here. As respond otherwise. */
size_t respond_hot(const struct respond *r, const struct respond_client *from, const uint8_t *in,
    size_t len, uint8_t *out, size_t cap);
