/* SPDX-License-Identifier: GPL-3.0-or-later */
/* EVP allocates a context per hash and costs more than the hash: this is what it calls. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "dns/nsec3.h"

#include <openssl/sha.h>
#include <string.h>

#include "dns/name.h"

#define SHA1_ALGORITHM 1
#define FIXED          5 /* algorithm, flags, iterations, salt length */

bool
nsec3_read(const uint8_t *rdata, uint16_t len, struct nsec3_params *p)
{
	if (len < FIXED || rdata[0] != SHA1_ALGORITHM || len - FIXED < rdata[4])
		return false;
	p->iterations = (uint16_t)(rdata[2] << 8 | rdata[3]);
	p->salt_len = rdata[4];
	p->salt = rdata + FIXED;
	return true;
}

bool
nsec3_same(const struct nsec3_params *a, const struct nsec3_params *b)
{
	return a->iterations == b->iterations && a->salt_len == b->salt_len &&
	       memcmp(a->salt, b->salt, a->salt_len) == 0;
}

static void
hash_salted(
    const struct nsec3_params *p, const uint8_t *data, size_t len, uint8_t out[NSEC3_HASH_LEN])
{
	SHA_CTX c;

	SHA1_Init(&c);
	SHA1_Update(&c, data, len);
	SHA1_Update(&c, p->salt, p->salt_len);
	SHA1_Final(out, &c);
}

void
nsec3_hash(const struct nsec3_params *p, const uint8_t *lower, uint8_t out[NSEC3_HASH_LEN])
{
	hash_salted(p, lower, name_len(lower), out);
	for (unsigned i = 0; i < p->iterations; i++)
		hash_salted(p, out, NSEC3_HASH_LEN, out);
}

/* Five bytes become eight digits. */
void
nsec3_label(const uint8_t hash[NSEC3_HASH_LEN], uint8_t out[NSEC3_LABEL_LEN])
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuv";

	*out++ = NSEC3_LABEL_LEN - 1;
	for (unsigned i = 0; i < NSEC3_HASH_LEN; i += 5) {
		uint64_t bits = 0;

		for (unsigned k = 0; k < 5; k++)
			bits = bits << 8 | hash[i + k];
		for (unsigned shift = 40; shift > 0;) {
			shift -= 5;
			*out++ = (uint8_t)digits[bits >> shift & 31];
		}
	}
}
