/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * icmp -- echo requests and replies (RFC 792, RFC 4443 section 4). Pure; fuzzed.
 *
 *	type, code, checksum, id | sequence, cookie (8 octets)
 *
 * The cookie tells our replies from all others: a raw socket hears everybody's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ICMP_ECHO_SIZE 16

/* The checksum is right for IPv4; of IPv6 the kernel writes it. */
void icmp_request(
    bool ip6, uint16_t id, uint16_t sequence, uint64_t cookie, uint8_t out[ICMP_ECHO_SIZE]);
/* The sequence of a reply with this cookie, or -1. `header`: an IPv4 header comes first (raw). */
int icmp_reply(bool ip6, bool header, uint64_t cookie, const uint8_t *data, size_t len);
