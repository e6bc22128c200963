/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"

void
addr_ip_set(struct addr *a, int family, const void *bytes, uint16_t port)
{
	*a = (struct addr){ 0 };
	if (family == AF_INET) {
		a->in4.sin_family = AF_INET;
		a->in4.sin_port = htons(port);
		memcpy(&a->in4.sin_addr, bytes, sizeof(a->in4.sin_addr));
		a->len = sizeof(a->in4);
	} else if (family == AF_INET6) {
		a->in6.sin6_family = AF_INET6;
		a->in6.sin6_port = htons(port);
		memcpy(&a->in6.sin6_addr, bytes, sizeof(a->in6.sin6_addr));
		a->len = sizeof(a->in6);
	}
}

void
addr_set(struct addr *a, const struct sockaddr *sa, socklen_t len)
{
	*a = (struct addr){ 0 };
	if (sa->sa_family == AF_INET && len >= sizeof(a->in4)) {
		memcpy(&a->in4, sa, sizeof(a->in4));
		a->len = sizeof(a->in4);
	} else if (sa->sa_family == AF_INET6 && len >= sizeof(a->in6)) {
		memcpy(&a->in6, sa, sizeof(a->in6));
		a->len = sizeof(a->in6);
	}
}

int
addr_ip_parse(struct addr *a, const char *text, int family)
{
	uint8_t bytes[16];

	*a = (struct addr){ 0 };
	if (family != AF_INET6 && inet_pton(AF_INET, text, bytes) == 1)
		addr_ip_set(a, AF_INET, bytes, 0);
	else if (family != AF_INET && inet_pton(AF_INET6, text, bytes) == 1)
		addr_ip_set(a, AF_INET6, bytes, 0);
	return a->len > 0 ? 0 : -EINVAL;
}

/* 1..5 digits up to 65535 and nothing else. */
static int
parse_port(const char *text, uint16_t *port)
{
	const size_t len = strspn(text, "0123456789");
	uint32_t value = 0;

	if (len == 0 || len > 5 || text[len] != '\0')
		return -EINVAL;
	for (size_t i = 0; i < len; i++)
		value = value * 10 + (uint32_t)(text[i] - '0');
	*port = (uint16_t)value;
	return value <= UINT16_MAX ? 0 : -EINVAL;
}

/*
 * Where the IP ends and the port begins:
 *	[ip] or [ip]:port	brackets mean IPv6
 *	ip:port			exactly one colon means IPv4
 *	ip			anything else
 */
int
addr_parse(struct addr *a, const char *text, uint16_t default_port)
{
	const bool bracketed = text[0] == '[';
	const char *ip = bracketed ? text + 1 : text;
	const char *end = strchr(ip, bracketed ? ']' : ':');
	const char *port_text = NULL;
	char host[INET6_ADDRSTRLEN];
	uint16_t port = default_port;
	int family = AF_UNSPEC;

	*a = (struct addr){ 0 };
	if (bracketed) {
		if (end == NULL || (end[1] != '\0' && end[1] != ':'))
			return -EINVAL;
		family = AF_INET6;
		port_text = end[1] == ':' ? end + 2 : NULL;
	} else if (end != NULL && strchr(end + 1, ':') == NULL) {
		family = AF_INET;
		port_text = end + 1;
	} else {
		end = ip + strlen(ip);
	}

	if ((size_t)(end - ip) >= sizeof(host))
		return -EINVAL;
	memcpy(host, ip, (size_t)(end - ip));
	host[end - ip] = '\0';
	if (port_text != NULL && parse_port(port_text, &port) < 0)
		return -EINVAL;
	if (addr_ip_parse(a, host, family) < 0)
		return -EINVAL;
	addr_port_set(a, port);
	return 0;
}

static char *
put_octet(char *out, unsigned n)
{
	if (n >= 100)
		*out++ = (char)('0' + n / 100);
	if (n >= 10)
		*out++ = (char)('0' + n / 10 % 10);
	*out++ = (char)('0' + n % 10);
	return out;
}

/* Every address of a model goes through here, more than once: inet_ntop prints it. */
static char *
ipv4_text(const uint8_t ip[4], char *out)
{
	char *p = out;

	for (int i = 0; i < 4; i++) {
		p = put_octet(p, ip[i]);
		*p++ = i < 3 ? '.' : '\0';
	}
	return out;
}

char *
addr_ip_text(const struct addr *a, char out[ADDR_TEXT_SIZE])
{
	size_t len;
	const uint8_t *ip = addr_ip(a, &len);

	if (ip == NULL)
		return strcpy(out, "none");
	if (len == 4)
		return ipv4_text(ip, out);
	inet_ntop(a->sa.sa_family, ip, out, ADDR_TEXT_SIZE);
	return out;
}

char *
addr_text(const struct addr *a, char out[ADDR_TEXT_SIZE])
{
	char ip[ADDR_TEXT_SIZE];

	addr_ip_text(a, ip);
	snprintf(out, ADDR_TEXT_SIZE, addr_family(a) == AF_INET6 ? "[%.45s]:%u" : "%.45s:%u", ip,
	    addr_port(a));
	return out;
}

int
addr_family(const struct addr *a)
{
	return a->len > 0 ? a->sa.sa_family : AF_UNSPEC;
}

const uint8_t *
addr_ip(const struct addr *a, size_t *len)
{
	switch (addr_family(a)) {
	case AF_INET:
		*len = sizeof(a->in4.sin_addr);
		return (const uint8_t *)&a->in4.sin_addr;
	case AF_INET6:
		*len = sizeof(a->in6.sin6_addr);
		return (const uint8_t *)&a->in6.sin6_addr;
	default:
		*len = 0;
		return NULL;
	}
}

uint16_t
addr_port(const struct addr *a)
{
	switch (addr_family(a)) {
	case AF_INET:
		return ntohs(a->in4.sin_port);
	case AF_INET6:
		return ntohs(a->in6.sin6_port);
	default:
		return 0;
	}
}

void
addr_port_set(struct addr *a, uint16_t port)
{
	if (addr_family(a) == AF_INET)
		a->in4.sin_port = htons(port);
	else if (addr_family(a) == AF_INET6)
		a->in6.sin6_port = htons(port);
}

bool
addr_is_any(const struct addr *a)
{
	static const uint8_t zeros[16];
	size_t len;
	const uint8_t *ip = addr_ip(a, &len);

	return ip != NULL && memcmp(ip, zeros, len) == 0;
}

static uint32_t
scope(const struct addr *a)
{
	return addr_family(a) == AF_INET6 ? a->in6.sin6_scope_id : 0;
}

int
addr_ip_compare(const struct addr *a, const struct addr *b)
{
	const int fa = addr_family(a), fb = addr_family(b);
	size_t len;

	if (fa != fb)
		return fa < fb ? -1 : 1;

	const uint8_t *ip = addr_ip(a, &len);

	if (ip == NULL)
		return 0;

	const int order = memcmp(ip, addr_ip(b, &len), len);

	if (order != 0)
		return order;
	return (scope(a) > scope(b)) - (scope(a) < scope(b));
}

int
addr_compare(const struct addr *a, const struct addr *b)
{
	const int order = addr_ip_compare(a, b);

	return order != 0 ? order : (int)addr_port(a) - (int)addr_port(b);
}

bool
addr_equal(const struct addr *a, const struct addr *b)
{
	return addr_compare(a, b) == 0;
}

bool
addr_ip_equal(const struct addr *a, const struct addr *b)
{
	return addr_ip_compare(a, b) == 0;
}

/* Over what compares, not over the struct: padding and flow labels are no part of an address. */
static uint64_t
hash_parts(const struct addr *a, uint16_t port)
{
	uint8_t parts[16 + sizeof(uint32_t) + sizeof(uint16_t)];
	const uint32_t scope_id = scope(a);
	size_t len;
	const uint8_t *ip = addr_ip(a, &len);

	if (ip == NULL)
		return 0;
	memcpy(parts, ip, len);
	memcpy(parts + len, &scope_id, sizeof(scope_id));
	memcpy(parts + len + sizeof(scope_id), &port, sizeof(port));
	return hash_bytes(parts, len + sizeof(scope_id) + sizeof(port));
}

uint64_t
addr_hash(const struct addr *a)
{
	return hash_parts(a, addr_port(a));
}

uint64_t
addr_ip_hash(const struct addr *a)
{
	return hash_parts(a, 0);
}
