/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "steer/position.h"

#include <arpa/inet.h>
#include <string.h>

#include "net/cidr.h"

#define MAPPED_PREFIX 0xffff00000000u

static uint64_t
read_u64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return __builtin_bswap64(v);
}

static uint64_t
read_u32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return __builtin_bswap32(v);
}

/* The first `bits` of a word, the others 0. */
static uint64_t
cut(uint64_t word, unsigned bits)
{
	return bits == 0 ? 0 : bits >= 64 ? word : word & ~(uint64_t)0 << (64 - bits);
}

struct position
position_of_prefix(uint8_t family, const uint8_t *bytes, uint8_t bits)
{
	struct position p = { .family = family, .bits = bits };

	if (family == 4) {
		p.hi = cut(read_u32(bytes) << 32, bits);
		return p;
	}
	p.hi = cut(read_u64(bytes), bits);
	p.lo = bits <= 64 ? 0 : cut(read_u64(bytes + 8), bits - 64u);
	if (bits >= 96 && p.hi == 0 && (p.lo & 0xffffffff00000000u) == MAPPED_PREFIX)
		return (
		    struct position){ .hi = p.lo << 32, .family = 4, .bits = (uint8_t)(bits - 96) };
	return p;
}

struct position
position_of_addr(const struct addr *a)
{
	switch (addr_family(a)) {
	case AF_INET:
		return (struct position){
			.hi = (uint64_t)ntohl(a->in4.sin_addr.s_addr) << 32, .family = 4, .bits = 32
		};
	case AF_INET6:
		return position_of_prefix(6, a->in6.sin6_addr.s6_addr, 128);
	default:
		return (struct position){ 0 };
	}
}

bool
position_parse(struct position *p, const char *text)
{
	struct cidr c;

	if (cidr_parse(&c, text) < 0 || c.family == AF_UNSPEC)
		return false;
	*p = position_of_prefix(c.family == AF_INET ? 4 : 6, c.ip, c.bits);
	return true;
}

static void
write_u64(uint8_t *p, uint64_t v)
{
	v = __builtin_bswap64(v);
	memcpy(p, &v, sizeof(v));
}

char *
position_text(const struct position *p, char out[POSITION_TEXT_SIZE])
{
	struct cidr c = { .bits = p->bits, .family = p->family == 4 ? AF_INET : AF_INET6 };

	write_u64(c.ip, p->hi);
	write_u64(c.ip + 8, p->lo);
	_Static_assert(POSITION_TEXT_SIZE >= CIDR_TEXT_SIZE, "room for any prefix");
	return cidr_text(&c, out);
}
