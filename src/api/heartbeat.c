/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/heartbeat.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

static char *
sign(const char *key, const char *const *parts, char out[HEARTBEAT_HEX_SIZE])
{
	crypto_auth_hmacsha256_state s;
	unsigned char mac[crypto_auth_hmacsha256_BYTES];

	crypto_auth_hmacsha256_init(&s, (const unsigned char *)key, strlen(key));
	for (; *parts != NULL; parts++)
		crypto_auth_hmacsha256_update(&s, (const unsigned char *)*parts, strlen(*parts));
	crypto_auth_hmacsha256_final(&s, mac);
	return sodium_bin2hex(out, HEARTBEAT_HEX_SIZE, mac, sizeof(mac));
}

char *
heartbeat_key(
    const char *secret, const char *template, const char *address, char out[HEARTBEAT_HEX_SIZE])
{
	const char *const parts[] = { template, "\n", address, NULL };

	return sign(secret, parts, out);
}

char *
heartbeat_signature(
    const char *key, int64_t at_ms, const char *duration, char out[HEARTBEAT_HEX_SIZE])
{
	char at[24];
	const char *const parts[] = { at, "\n", duration, NULL };

	snprintf(at, sizeof(at), "%" PRId64, at_ms);
	return sign(key, parts, out);
}

bool
heartbeat_check(const char *secret, const char *template, const char *address, int64_t at_ms,
    const char *duration, const char *signature)
{
	char key[HEARTBEAT_HEX_SIZE], expected[HEARTBEAT_HEX_SIZE];

	heartbeat_key(secret, template, address, key);
	heartbeat_signature(key, at_ms, duration, expected);
	return strlen(signature) == sizeof(expected) - 1 &&
	       sodium_memcmp(signature, expected, sizeof(expected) - 1) == 0;
}
