/* SPDX-License-Identifier: GPL-3.0-or-later */
/* demo_dns -- one question over UDP, as `dig +short` asks it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

#define DEMO_DNS_RDATA 8

struct demo_dns_answer {
	uint8_t rcode;
	bool aa;
	uint32_t ttl;                   /* of the first record */
	unsigned n;                     /* records of the type asked for */
	char rdata[DEMO_DNS_RDATA][64]; /* addresses, or the first string of a TXT */
	int scope;                      /* of a client's network, if one was told; else -1 */
};

/* A connected socket; the caller closes it. Negative errno on failure. */
MUST_USE int demo_dns_open(uint16_t port);
/* 0, -ETIMEDOUT after `timeout_ms`, -EINTR, or another negative errno (-EBADMSG: not a DNS answer).
 */
MUST_USE int demo_dns_ask(
    int fd, const char *name, uint16_t type, unsigned timeout_ms, struct demo_dns_answer *a);
/* The same, telling that the client is in `network`, an IPv4 /24 (EDNS Client Subnet). */
MUST_USE int demo_dns_ask_from(int fd, const char *name, uint16_t type, const char *network,
    unsigned timeout_ms, struct demo_dns_answer *a);
