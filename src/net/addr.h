/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * addr -- an IPv4 or IPv6 address with its port, ready for the kernel.
 *
 *	text            "192.0.2.1:53"          "[2001:db8::1]:53"
 *	without port    "192.0.2.1"             "2001:db8::1"
 *
 * Only numbers, never names: nothing here asks a resolver. Text is canonical (RFC 5952), so equal
 * addresses have equal text. Pure; a value to copy freely.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/attr.h"

struct addr {
	union {
		struct sockaddr sa;
		struct sockaddr_in in4;
		struct sockaddr_in6 in6;
		struct sockaddr_storage storage; /* room for what recvmsg() stores */
	};
	socklen_t len; /* of the sockaddr in use; 0 = no address */
};

#define ADDR_TEXT_SIZE 56 /* "[", an IP of at most 45, "]:65535" */

/* With or without port, IPv6 in brackets when with one. 0, or -EINVAL; then `a` is no address. */
MUST_USE int addr_parse(struct addr *a, const char *text, uint16_t default_port);
/* A bare IP of `family` (AF_UNSPEC: either), port 0. 0, or -EINVAL. */
MUST_USE int addr_ip_parse(struct addr *a, const char *text, int family);
/* From 4 or 16 bytes in network order, as A and AAAA carry them. */
void addr_ip_set(struct addr *a, int family, const void *bytes, uint16_t port);
/* From what the kernel filled in; other families become "no address". */
void addr_set(struct addr *a, const struct sockaddr *sa, socklen_t len);

char *addr_text(const struct addr *a, char out[ADDR_TEXT_SIZE]);    /* always with port */
char *addr_ip_text(const struct addr *a, char out[ADDR_TEXT_SIZE]); /* never */

int addr_family(const struct addr *a); /* AF_INET, AF_INET6, or AF_UNSPEC for no address */
const uint8_t *addr_ip(const struct addr *a, size_t *len); /* the 4 or 16 bytes; NULL, 0 if none */
uint16_t addr_port(const struct addr *a);
void addr_port_set(struct addr *a, uint16_t port);
bool addr_is_any(const struct addr *a); /* 0.0.0.0 or :: */

/* A total order: family, IP, scope, port. */
int addr_compare(const struct addr *a, const struct addr *b);
int addr_ip_compare(const struct addr *a, const struct addr *b); /* the port aside */
bool addr_equal(const struct addr *a, const struct addr *b);
bool addr_ip_equal(const struct addr *a, const struct addr *b);
uint64_t addr_hash(const struct addr *a);    /* agrees with addr_equal */
uint64_t addr_ip_hash(const struct addr *a); /* agrees with addr_ip_equal */
