/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * respond_signed -- a query with a TSIG (RFC 8945): verified, answered like any other, signed.
 *
 * Off the query path: it costs two digests, and a key that has to be looked up. Clients of UPDATE
 * find their zone this way (certbot, nsupdate).
 */
#pragma once

#include "dns/tsig.h"
#include "serve/respond.h"

#define RESPOND_SIGNED_MAX (RESPOND_MAX + TSIG_ROOM)

/*
 * As respond(). `key`: what the record `sig` of the message names, NULL if we have none. `out`
 * holds RESPOND_SIGNED_MAX bytes.
 */
size_t respond_signed(const struct respond *r, const struct respond_client *from, const uint8_t *in,
    const struct tsig_record *sig, const struct tsig_key *key, uint8_t *out);
