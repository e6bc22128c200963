/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * position -- where a client is, as far as DNS can tell: its EDNS Client Subnet if that counts,
 * else the resolver's address. Pure.
 *
 * IPv4 stands in the top 32 bits, so prefixes of both families are prefixes of the same words.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "net/addr.h"

struct position {
	uint64_t hi, lo; /* IPv6 big end first; IPv4: hi = address << 32, lo = 0 */
	uint8_t family;  /* 4 or 6; 0: not known */
	uint8_t bits;    /* how many of them are known; the others are 0 */
};

/* An IPv6 address that only wraps an IPv4 one (::ffff:0:0/96) is that IPv4 address. */
struct position position_of_addr(const struct addr *a);
/* The first `bits` of 16 bytes (IPv4: of the first 4); `family` 4 or 6. */
struct position position_of_prefix(uint8_t family, const uint8_t *bytes, uint8_t bits);
#define POSITION_TEXT_SIZE 64
char *position_text(const struct position *p, char out[POSITION_TEXT_SIZE]); /* canonical */
/* "203.0.113.7", "2001:db8::/32": a prefix, or an address as a whole. false: neither. */
bool position_parse(struct position *p, const char *text);
