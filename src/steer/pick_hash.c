/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "steer/pick_hash.h"

#include <math.h>

#include "steer/mix.h"

uint64_t
pick_hash_key(const char *text)
{
	return mix_text(MIX_START, text);
}

uint64_t
pick_hash_client(const struct position *at)
{
	const unsigned bits = at->family == 6 ? PICK_HASH_V6_BITS : PICK_HASH_V4_BITS;

	if (at->family == 0)
		return 0;
	return mix((at->hi & ~(uint64_t)0 << (64 - bits)) | at->family);
}

/* -ln of a number in (0, 1) with 53 random bits, never 0 or 1. */
static double
score(const struct pick_rank *r, uint64_t client)
{
	return -log(((double)(mix(client ^ r->key) >> 11) + 0.5) * 0x1p-53) * r->burden;
}

/* For one winner: no list is kept. */
static uint32_t
find_best(const struct pick_rank *ranks, uint32_t n, uint64_t client)
{
	double least = score(&ranks[0], client);
	uint32_t best = 0;

	for (uint32_t i = 1; i < n; i++) {
		const double s = score(&ranks[i], client);

		if (s < least) {
			least = s;
			best = i;
		}
	}
	return best;
}

/* Insertion into the list of the best so far: O(n + take^2) for random scores. */
void
pick_hash_find(
    const struct pick_rank *ranks, uint32_t n, uint64_t client, uint32_t take, uint32_t *out)
{
	double scores[256];
	uint32_t have = 0;

	if (take == 1) {
		out[0] = find_best(ranks, n, client);
		return;
	}
	for (uint32_t i = 0; i < n; i++) {
		const double s = score(&ranks[i], client);
		uint32_t at = have;

		if (have == take && s >= scores[take - 1])
			continue;
		if (have < take)
			have++;
		else
			at--;
		for (; at > 0 && scores[at - 1] > s; at--) {
			scores[at] = scores[at - 1];
			out[at] = out[at - 1];
		}
		scores[at] = s;
		out[at] = i;
	}
}
