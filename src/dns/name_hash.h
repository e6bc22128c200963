/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * name_hash -- names to 64 bits, for the tables that every query probes.
 *
 *	length + sum of (a_i + k_2i) * (b_i + k_2i+1)    a_i, b_i: the octets, eight and eight
 *
 * NH of UMAC (Black, Halevi, Krawczyk, Krovetz, Rogaway, CRYPTO 1999) on 64-bit words: with secret
 * keys, drawn at first use, two names collide with a chance of 2^-64 before the sum is folded, so
 * strangers cannot fill a bucket of a table. The last 16 octets are taken as they lie. Values are
 * not stable across processes.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define NAME_HASH_KEYS 32 /* two for each 16 octets of 255 */

extern uint64_t name_hash_keys[NAME_HASH_KEYS];

/* Draw the keys; any thread, any number of times, before the first name is hashed. */
void name_hash_ready(void);

static inline uint64_t
name_hash_word(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* What is shorter than a word. */
static inline uint64_t
name_hash_short(const uint8_t *p, size_t len)
{
	uint32_t head, tail;

	if (len < sizeof(head))
		return len == 0 ? 0 : (uint64_t)p[0] << 16 | (uint64_t)p[len / 2] << 8 | p[len - 1];
	memcpy(&head, p, sizeof(head));
	memcpy(&tail, p + len - sizeof(tail), sizeof(tail));
	return (uint64_t)head << 32 | tail;
}

static inline uint64_t
name_hash(const uint8_t *name, size_t len)
{
	__extension__ typedef unsigned __int128 wide;
	const uint64_t *k = name_hash_keys;
	uint64_t a, b;
	wide sum = len;

	if (len >= 16) {
		size_t at = 0;

		for (; at + 16 < len; at += 16, k += 2)
			sum += (wide)(name_hash_word(name + at) + k[0]) *
			       (name_hash_word(name + at + 8) + k[1]);
		a = name_hash_word(name + len - 16);
		b = name_hash_word(name + len - 8);
	} else if (len >= 8) {
		a = name_hash_word(name);
		b = name_hash_word(name + len - 8);
	} else {
		a = name_hash_short(name, len);
		b = 0;
	}
	sum += (wide)(a + k[0]) * (b + k[1]);
	return (uint64_t)sum ^ (uint64_t)(sum >> 64);
}
