/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "serve/rrl.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "dns/name.h"

#define WAYS  4 /* buckets of a hash; together a cache line */
#define LINES 16384
#define TOKEN 1000 /* so that a millisecond at 1/s counts */

struct bucket {
	uint32_t tag; /* 0: never used */
	uint32_t seen_ms;
	uint32_t tokens;
	uint32_t over; /* answers above the limit, for slip */
};

struct rrl {
	struct bucket lines[LINES][WAYS];
};

/* Untouched pages cost nothing: no limit, no memory. */
struct rrl *
rrl_new(void)
{
	return xcalloc(1, sizeof(struct rrl));
}

void
rrl_free(struct rrl **r)
{
	free(*r);
	*r = NULL;
}

struct key {
	uint8_t kind;
	uint8_t family;
	uint8_t prefix[8];
};

static void
mask(uint8_t *prefix, unsigned bits)
{
	for (unsigned i = 0; i<8; i++, bits = bits> 8 ? bits - 8 : 0)
		if (bits < 8)
			prefix[i] &= (uint8_t)(0xff00 >> bits);
}

static uint64_t
hash(
    const struct rrl_options *o, const struct addr *peer, enum rrl_kind kind, const uint8_t *source)
{
	struct key k = { .kind = (uint8_t)kind };
	size_t n;
	const uint8_t *ip = addr_ip(peer, &n);

	k.family = (uint8_t)n;
	memcpy(k.prefix, ip, n < sizeof(k.prefix) ? n : sizeof(k.prefix));
	mask(k.prefix, n == 4 ? o->ipv4_bits : o->ipv6_bits);

	const uint64_t client = hash_bytes(&k, sizeof(k));

	return source != NULL ? client ^ hash_bytes(source, name_len(source)) : client;
}

/* Its bucket, full if it is a new one. */
static struct bucket *
find(struct bucket line[WAYS], uint32_t tag, uint32_t rate, uint32_t now_ms)
{
	struct bucket *oldest = line;

	for (unsigned i = 0; i < WAYS; i++) {
		if (line[i].tag == tag)
			return &line[i];
		if (line[i].tag == 0 || now_ms - line[i].seen_ms > now_ms - oldest->seen_ms)
			oldest = &line[i];
	}
	*oldest = (struct bucket){ .tag = tag, .seen_ms = now_ms, .tokens = rate * TOKEN };
	return oldest;
}

static void
refill(struct bucket *b, uint32_t rate, uint32_t now_ms)
{
	const uint64_t tokens = b->tokens + (uint64_t)(now_ms - b->seen_ms) * rate;
	const uint64_t full = (uint64_t)rate * TOKEN;

	b->tokens = (uint32_t)(tokens < full ? tokens : full);
	b->seen_ms = now_ms;
}

enum rrl_verdict
rrl_check(struct rrl *r, const struct rrl_options *o, const struct addr *peer, enum rrl_kind kind,
    const uint8_t *source, uint32_t now_ms)
{
	if (addr_family(peer) == AF_UNSPEC)
		return RRL_PASS;

	const uint64_t h = hash(o, peer, kind, source);
	struct bucket *b = find(r->lines[h % LINES], (uint32_t)(h >> 32) | 1, o->rate, now_ms);

	refill(b, o->rate, now_ms);
	if (b->tokens >= TOKEN) {
		b->tokens -= TOKEN;
		return RRL_PASS;
	}
	return o->slip > 0 && b->over++ % o->slip == 0 ? RRL_SLIP : RRL_DROP;
}
