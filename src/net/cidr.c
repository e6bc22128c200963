/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/cidr.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned
width(int family)
{
	return family == AF_INET ? 32 : 128;
}

static bool
same_prefix(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	const unsigned whole = bits / 8, rest = bits % 8;

	return memcmp(a, b, whole) == 0 && (rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0);
}

/* 1..3 digits up to `max`. */
static int
parse_bits(const char *text, unsigned max)
{
	const size_t len = strspn(text, "0123456789");

	if (len == 0 || len > 3 || text[len] != '\0' || (unsigned)atoi(text) > max)
		return -EINVAL;
	return atoi(text);
}

/* Are all bits after the prefix zero? */
static bool
is_clean(const struct cidr *c)
{
	for (unsigned bit = c->bits; bit < width(c->family); bit++)
		if ((c->ip[bit / 8] & 0x80u >> bit % 8) != 0)
			return false;
	return true;
}

static int
parse(struct cidr *c, const char *text)
{
	const size_t ip_len = strcspn(text, "/");
	char ip[ADDR_TEXT_SIZE];
	struct addr a;
	size_t n;

	*c = (struct cidr){ .family = AF_UNSPEC };
	if (strcmp(text, "any") == 0)
		return 0;
	if (ip_len >= sizeof(ip))
		return -EINVAL;
	memcpy(ip, text, ip_len);
	ip[ip_len] = '\0';
	if (addr_ip_parse(&a, ip, AF_UNSPEC) < 0)
		return -EINVAL;

	const int family = addr_family(&a);
	const int bits =
	    text[ip_len] == '/' ? parse_bits(text + ip_len + 1, width(family)) : (int)width(family);
	const uint8_t *bytes = addr_ip(&a, &n);

	if (bits < 0)
		return -EINVAL;
	*c = (struct cidr){ .family = (uint8_t)family, .bits = (uint8_t)bits };
	memcpy(c->ip, bytes, n);
	return 0;
}

int
cidr_parse(struct cidr *c, const char *text)
{
	return parse(c, text) == 0 && is_clean(c) ? 0 : -EINVAL;
}

int
cidr_parse_trim(struct cidr *c, const char *text)
{
	if (parse(c, text) < 0)
		return -EINVAL;
	for (unsigned bit = c->bits; c->family != AF_UNSPEC && bit < width(c->family); bit++)
		c->ip[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
	return 0;
}

int
cidr_compare(const struct cidr *a, const struct cidr *b)
{
	const int ip = memcmp(a->ip, b->ip, sizeof(a->ip));

	if (a->family != b->family)
		return a->family == AF_UNSPEC   ? -1
		       : b->family == AF_UNSPEC ? 1
		       : a->family == AF_INET   ? -1
						: 1;
	return ip != 0 ? ip : (a->bits > b->bits) - (a->bits < b->bits);
}

bool
cidr_within(const struct cidr *c, const struct cidr *outer)
{
	return c->family == outer->family && c->bits >= outer->bits &&
	       same_prefix(c->ip, outer->ip, outer->bits);
}

char *
cidr_text(const struct cidr *c, char out[CIDR_TEXT_SIZE])
{
	char ip[ADDR_TEXT_SIZE];
	struct addr a;

	if (c->family == AF_UNSPEC) {
		strcpy(out, "any");
		return out;
	}
	addr_ip_set(&a, c->family, c->ip, 0);
	addr_ip_text(&a, ip);
	if (c->bits == width(c->family))
		snprintf(out, CIDR_TEXT_SIZE, "%s", ip);
	else
		snprintf(out, CIDR_TEXT_SIZE, "%s/%u", ip, c->bits);
	return out;
}

bool
cidr_holds(const struct cidr *c, const struct addr *a)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	int family = addr_family(a);
	size_t n;
	const uint8_t *ip = addr_ip(a, &n);

	if (ip == NULL)
		return false;
	if (family == AF_INET6 && memcmp(ip, mapped, sizeof(mapped)) == 0) {
		ip += sizeof(mapped);
		family = AF_INET;
	}
	return c->family == AF_UNSPEC || (c->family == family && same_prefix(c->ip, ip, c->bits));
}
