/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ecs -- the EDNS Client Subnet of a query, RFC 7871. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define ECS_HEAD 4 /* family, source, scope */

struct ecs {
	uint8_t family;   /* 1 IPv4, 2 IPv6, 0 only with source 0 */
	uint8_t source;   /* prefix length */
	uint8_t addr[16]; /* zero padded */
};

static inline size_t
ecs_addr_len(const struct ecs *e)
{
	return (e->source + 7u) / 8;
}

/*
 * The option's data of a query. RFC 7871 section 6: exactly the octets that SOURCE PREFIX-LENGTH
 * needs, the bits after it zero, SCOPE zero in queries. Family 0 is what some stubs send to say /0
 * and nothing else. False: it is malformed.
 */
static inline bool
ecs_read(struct ecs *e, const uint8_t *data, size_t len)
{
	static const uint8_t max_source[] = { 0, 32, 128 };

	if (len < ECS_HEAD || data[0] != 0 || data[1] > 2)
		return false;
	e->family = data[1];
	e->source = data[2];

	const size_t octets = ecs_addr_len(e);

	if (e->source > max_source[e->family] || data[3] != 0 || len != ECS_HEAD + octets)
		return false;
	if (e->source % 8 != 0 && (data[3 + octets] & (0xff >> e->source % 8)) != 0)
		return false;
	memset(e->addr, 0, sizeof(e->addr));
	for (size_t i = 0; i < octets; i++)
		e->addr[i] = data[ECS_HEAD + i];
	return true;
}
