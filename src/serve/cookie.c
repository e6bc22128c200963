/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "serve/cookie.h"

#include <string.h>

#define VERSION    1
#define TIME_AT    (COOKIE_CLIENT_LEN + 4)
#define HASH_AT    (COOKIE_CLIENT_LEN + 8)
#define VALID_S    3600 /* RFC 9018 4.3 */
#define FUTURE_S   300  /* between the clocks of one anycast set */
#define RENEWAL_S  1800
#define IP_MAX_LEN 16

/* The hash of a cookie complete up to there. */
static void
seal(const uint8_t key[SIPHASH_KEY_LEN], const uint8_t *cookie, const struct addr *peer,
    uint8_t out[SIPHASH_LEN])
{
	uint8_t input[HASH_AT + IP_MAX_LEN];
	size_t n;
	const uint8_t *ip = addr_ip(peer, &n);

	memcpy(input, cookie, HASH_AT);
	memcpy(input + HASH_AT, ip, n);
	siphash(key, input, HASH_AT + n, out);
}

/* Takes the same time wherever the difference is. */
static bool
differs(const uint8_t *a, const uint8_t *b)
{
	uint8_t diff = 0;

	for (unsigned i = 0; i < SIPHASH_LEN; i++)
		diff |= a[i] ^ b[i];
	return diff != 0;
}

static bool
is_sealed(const uint8_t key[SIPHASH_KEY_LEN], const uint8_t *cookie, const struct addr *peer)
{
	uint8_t hash[SIPHASH_LEN];

	seal(key, cookie, peer, hash);
	return !differs(hash, cookie + HASH_AT);
}

static uint32_t
time_of(const uint8_t *cookie)
{
	const uint8_t *t = cookie + TIME_AT;

	return (uint32_t)t[0] << 24 | (uint32_t)t[1] << 16 | (uint32_t)t[2] << 8 | t[3];
}

enum cookie_verdict
cookie_check(const struct cookie_secrets *s, const uint8_t *option, size_t len,
    const struct addr *peer, uint32_t now_s)
{
	if (len != COOKIE_LEN || option[COOKIE_CLIENT_LEN] != VERSION ||
	    addr_family(peer) == AF_UNSPEC)
		return COOKIE_UNKNOWN;

	const int32_t age_s = (int32_t)(now_s - time_of(option)); /* RFC 1982 */

	if (age_s > VALID_S || age_s < -FUTURE_S)
		return COOKIE_UNKNOWN;
	if (is_sealed(s->current, option, peer))
		return age_s > RENEWAL_S ? COOKIE_AGED : COOKIE_GOOD;
	return s->has_previous && is_sealed(s->previous, option, peer) ? COOKIE_AGED
								       : COOKIE_UNKNOWN;
}

void
cookie_make(const struct cookie_secrets *s, const uint8_t client[COOKIE_CLIENT_LEN],
    const struct addr *peer, uint32_t now_s, uint8_t out[COOKIE_LEN])
{
	memcpy(out, client, COOKIE_CLIENT_LEN);
	memset(out + COOKIE_CLIENT_LEN, 0, 4);
	out[COOKIE_CLIENT_LEN] = VERSION;
	for (unsigned i = 0; i < 4; i++)
		out[TIME_AT + i] = (uint8_t)(now_s >> (24 - 8 * i));
	seal(s->current, out, peer, out + HASH_AT);
}
