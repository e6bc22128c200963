/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * mix -- hashing that is the same in every process: for what nodes of a cluster, a simulation and a
 * restart must agree on. Not against strangers; that is base/hash. Pure.
 */
#pragma once

#include <stdint.h>

#define MIX_START 0xcbf29ce484222325u

/* The finaliser of splitmix64: every bit of x moves half the bits of the result. */
static inline uint64_t
mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

/* FNV-1a of `text` and its end, going on from `h`. Mix it: the high bits of similar texts are
 * alike. */
static inline uint64_t
mix_absorb(uint64_t h, const char *text)
{
	for (; *text != '\0'; text++)
		h = (h ^ (uint8_t)*text) * 0x100000001b3u;
	return (h ^ 0xff) * 0x100000001b3u;
}

static inline uint64_t
mix_text(uint64_t h, const char *text)
{
	return mix(mix_absorb(h, text));
}
