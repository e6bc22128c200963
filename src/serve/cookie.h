/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cookie -- DNS cookies (RFC 7873) in the form that all servers of an anycast set can check (RFC
 * 9018):
 *
 *   | client cookie, 8 | version 1 | reserved, 3 | seconds, 4 | SipHash-2-4, 8 |
 *
 * The hash is over all before it and the client's address. To roll a secret over, first give the
 * new one to all servers as `previous`, then swap, then drop the old one. Pure; no allocation.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/siphash.h"
#include "net/addr.h"

#define COOKIE_CLIENT_LEN 8
#define COOKIE_LEN        24

struct cookie_secrets {
	uint8_t current[SIPHASH_KEY_LEN];
	uint8_t previous[SIPHASH_KEY_LEN]; /* still, or already, accepted */
	bool has_previous;
};

enum cookie_verdict {
	COOKIE_UNKNOWN, /* no server cookie, or none of ours for this address, or one too old */
	COOKIE_AGED,    /* ours; time for a new one */
	COOKIE_GOOD,
};

/* `option` as query_parse found it: 8, or 16 to 40 bytes. `now_s` in seconds since 1970, as 32
 * bits. */
enum cookie_verdict cookie_check(const struct cookie_secrets *s, const uint8_t *option, size_t len,
    const struct addr *peer, uint32_t now_s);
/* The client cookie at `client`, and a new server cookie behind it. */
void cookie_make(const struct cookie_secrets *s, const uint8_t client[COOKIE_CLIENT_LEN],
    const struct addr *peer, uint32_t now_s, uint8_t out[COOKIE_LEN]);
