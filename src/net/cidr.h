/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cidr -- a range of addresses: "192.0.2.0/24", "2001:db8::/32", one address, or "any".
 *
 * Pure; a value to copy freely.
 */
#pragma once

#include "net/addr.h"

struct cidr {
	uint8_t bits;   /* prefix length */
	uint8_t family; /* AF_INET, AF_INET6; AF_UNSPEC: any address of either */
	uint8_t ip[16]; /* the bits after the prefix are zero */
};

#define CIDR_TEXT_SIZE (ADDR_TEXT_SIZE + 4)

/* 0, or -EINVAL; bits set after the prefix are an error, as they hint at a slip. */
MUST_USE int cidr_parse(struct cidr *c, const char *text);
/* The same, but bits after the prefix are cleared. */
MUST_USE int cidr_parse_trim(struct cidr *c, const char *text);
/* A total order: family, address, shorter before longer; so what holds another comes before it. */
int cidr_compare(const struct cidr *a, const struct cidr *b);
/* Is all of `c` in `outer`? Between ranges of one family. */
bool cidr_within(const struct cidr *c, const struct cidr *outer);
/* Canonical; a single address is written without its length. */
char *cidr_text(const struct cidr *c, char out[CIDR_TEXT_SIZE]);
/* IPv4 mapped into IPv6 (RFC 4291) counts as IPv4. */
bool cidr_holds(const struct cidr *c, const struct addr *a);
