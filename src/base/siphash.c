/* SPDX-License-Identifier: GPL-3.0-or-later */
/* After Aumasson and Bernstein, "SipHash: a fast short-input PRF". */
#include "base/siphash.h"

#include <endian.h>
#include <string.h>

struct state {
	uint64_t v0, v1, v2, v3;
};

static uint64_t
rotate(uint64_t x, unsigned by)
{
	return x << by | x >> (64 - by);
}

static uint64_t
read_le(const uint8_t *p)
{
	uint64_t x;

	memcpy(&x, p, sizeof(x));
	return le64toh(x);
}

static void
mix(struct state *s, unsigned rounds)
{
	while (rounds-- > 0) {
		s->v0 += s->v1;
		s->v1 = rotate(s->v1, 13) ^ s->v0;
		s->v0 = rotate(s->v0, 32);
		s->v2 += s->v3;
		s->v3 = rotate(s->v3, 16) ^ s->v2;
		s->v0 += s->v3;
		s->v3 = rotate(s->v3, 21) ^ s->v0;
		s->v2 += s->v1;
		s->v1 = rotate(s->v1, 17) ^ s->v2;
		s->v2 = rotate(s->v2, 32);
	}
}

static void
absorb(struct state *s, uint64_t word)
{
	s->v3 ^= word;
	mix(s, 2);
	s->v0 ^= word;
}

void
siphash(const uint8_t key[SIPHASH_KEY_LEN], const void *data, size_t len, uint8_t out[SIPHASH_LEN])
{
	const uint64_t k0 = read_le(key), k1 = read_le(key + 8);
	struct state s = {
		k0 ^ UINT64_C(0x736f6d6570736575),
		k1 ^ UINT64_C(0x646f72616e646f6d),
		k0 ^ UINT64_C(0x6c7967656e657261),
		k1 ^ UINT64_C(0x7465646279746573),
	};
	const uint8_t *p = data;
	uint8_t tail[8] = { 0 };

	tail[7] = (uint8_t)len;
	for (; len >= 8; p += 8, len -= 8)
		absorb(&s, read_le(p));
	memcpy(tail, p, len);
	absorb(&s, read_le(tail));
	s.v2 ^= 0xff;
	mix(&s, 4);

	const uint64_t hash = htole64(s.v0 ^ s.v1 ^ s.v2 ^ s.v3);

	memcpy(out, &hash, sizeof(hash));
}
