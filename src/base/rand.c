/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/rand.h"

#include <errno.h>
#include <sys/random.h>

#include "base/check.h"

void
rand_bytes(void *out, size_t len)
{
	unsigned char *to = out;

	while (len > 0) {
		const ssize_t n = getrandom(to, len, 0);

		CHECK(n > 0 || (n < 0 && errno == EINTR));
		if (n > 0) {
			to += n;
			len -= (size_t)n;
		}
	}
}

uint64_t
rand_u64(void)
{
	uint64_t v;

	rand_bytes(&v, sizeof(v));
	return v;
}

void
rand_hex(char *out, size_t bytes)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char b;

	for (size_t i = 0; i < bytes; i++) {
		rand_bytes(&b, 1);
		out[2 * i] = digits[b >> 4];
		out[2 * i + 1] = digits[b & 15];
	}
	out[2 * bytes] = '\0';
}

/* splitmix64, as the authors of xoshiro advise for seeding: never all zeros. */
void
rand_seed(struct rand_state *r, uint64_t seed)
{
	for (size_t i = 0; i < ARRAY_LEN(r->s); i++) {
		uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);

		z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
		z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
		r->s[i] = z ^ z >> 31;
	}
}

static uint64_t
rotl(uint64_t x, int k)
{
	return x << k | x >> (64 - k);
}

uint64_t
rand_next(struct rand_state *r)
{
	const uint64_t result = rotl(r->s[1] * 5, 7) * 9;
	const uint64_t t = r->s[1] << 17;

	r->s[2] ^= r->s[0];
	r->s[3] ^= r->s[1];
	r->s[1] ^= r->s[2];
	r->s[0] ^= r->s[3];
	r->s[2] ^= t;
	r->s[3] = rotl(r->s[3], 45);
	return result;
}

/* Lemire: the high word of a product is uniform once the short low words are refused. */
uint64_t
rand_below(struct rand_state *r, uint64_t bound)
{
	CHECK(bound > 0);

	const uint64_t refuse = -bound % bound;
	unsigned __int128 product;

	do
		product = (unsigned __int128)rand_next(r) * bound;
	while ((uint64_t)product < refuse);
	return (uint64_t)(product >> 64);
}
