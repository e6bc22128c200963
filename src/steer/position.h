/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * position -- where a client is, as far as DNS can tell: its EDNS Client Subnet if that counts,
 * else the resolver's address. Pure.
 *
 * IPv4 stands in the top 32 bits, so prefixes of both families are prefixes of the same words.
 */
#pragma once

#include <stdint.h>

struct position {
	uint64_t hi, lo; /* IPv6 big end first; IPv4: hi = address << 32, lo = 0 */
	uint8_t family;  /* 4 or 6; 0: not known */
	uint8_t bits;    /* how many of them are known; the others are 0 */
};
