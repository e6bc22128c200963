/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "serve/rrl.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "dns/name.h"

#define WAYS  4 /* buckets of a hash; together a cache line */
#define LINES 16384

/*
 * A bucket is one word, so that compare-and-swap is all the locking there is (the generic cell rate
 * algorithm): `due` is when the bucket will be full again, in microseconds. An answer moves it on
 * by 1/rate, and may not move it further than a second ahead of now.
 *
 *	| tag: 28 bits of the hash, odd | due: 36 bits |        0: never used
 */
#define DUE_BITS 36
#define DUE_MASK ((UINT64_C(1) << DUE_BITS) - 1)
#define SECOND   1000000

struct bucket {
	uint64_t word;
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

/* How far `due` is ahead of now; far off either way is long ago. */
static int64_t
ahead(uint64_t word, uint64_t now)
{
	const uint64_t d = (word - now) & DUE_MASK;

	return d <= 2 * SECOND ? (int64_t)d : -(int64_t)((now - word) & DUE_MASK);
}

static uint64_t
load(const struct bucket *b)
{
	return __atomic_load_n(&b->word, __ATOMIC_RELAXED);
}

static bool
swap(struct bucket *b, uint64_t old, uint64_t word)
{
	return __atomic_compare_exchange_n(
	    &b->word, &old, word, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

/* Its bucket, full if it is a new one; NULL if another thread was quicker to take the place. */
static struct bucket *
find(struct bucket line[WAYS], uint64_t tag, uint64_t now)
{
	struct bucket *oldest = line;

	for (unsigned i = 0; i < WAYS; i++) {
		const uint64_t word = load(&line[i]);

		if (word >> DUE_BITS == tag)
			return &line[i];
		if (word == 0 || ahead(word, now) < ahead(load(oldest), now))
			oldest = &line[i];
		if (word == 0)
			break;
	}

	const uint64_t old = load(oldest);

	if (old >> DUE_BITS == tag)
		return oldest;
	if (!swap(oldest, old, tag << DUE_BITS | now))
		return NULL;
	__atomic_store_n(&oldest->over, 0, __ATOMIC_RELAXED);
	return oldest;
}

/* False: above the limit. */
static bool
take(struct bucket *b, uint64_t tag, uint32_t rate, uint64_t now)
{
	const int64_t step = SECOND / rate > 0 ? SECOND / rate : 1, full = step * rate;

	for (;;) {
		const uint64_t word = load(b);
		int64_t due = ahead(word, now);

		if (word >> DUE_BITS != tag) /* it has just given way to another */
			return true;
		due = due < 0 ? 0 : due;
		if (due + step > full)
			return false;
		if (swap(b, word, tag << DUE_BITS | ((now + (uint64_t)(due + step)) & DUE_MASK)))
			return true;
	}
}

enum rrl_verdict
rrl_check(struct rrl *r, const struct rrl_options *o, const struct addr *peer, enum rrl_kind kind,
    const uint8_t *source, uint32_t now_ms)
{
	if (addr_family(peer) == AF_UNSPEC || o->rate == 0)
		return RRL_PASS;

	const uint64_t h = hash(o, peer, kind, source), tag = h >> DUE_BITS | 1;
	const uint64_t now = (uint64_t)now_ms * 1000 & DUE_MASK;
	struct bucket *b;

	while ((b = find(r->lines[h % LINES], tag, now)) == NULL)
		;
	if (take(b, tag, o->rate, now))
		return RRL_PASS;
	if (o->slip == 0)
		return RRL_DROP;
	return __atomic_fetch_add(&b->over, 1, __ATOMIC_RELAXED) % o->slip == 0 ? RRL_SLIP
										: RRL_DROP;
}
