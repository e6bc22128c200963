/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * query -- one parsed request.
 *
 * query_parse reads a message once, front to back, and never trusts a length. A message that can
 * be answered with an error still yields a query (with `rcode` set), so that the answer writer can
 * echo what RFC 1035 and 6891 want echoed. It points into the message. Pure; no allocation.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "dns/ecs.h"
#include "dns/name.h"

enum rcode {
	RCODE_NOERROR = 0,
	RCODE_FORMERR = 1,
	RCODE_SERVFAIL = 2,
	RCODE_NXDOMAIN = 3,
	RCODE_NOTIMP = 4,
	RCODE_REFUSED = 5,
	RCODE_YXDOMAIN = 6,
	RCODE_YXRRSET = 7,
	RCODE_NXRRSET = 8,
	RCODE_NOTAUTH = 9,
	RCODE_NOTZONE = 10,
	RCODE_BADVERS = 16,
	RCODE_BADCOOKIE = 23,
};

enum opcode { OPCODE_QUERY = 0, OPCODE_NOTIFY = 4, OPCODE_UPDATE = 5 };

#define DNS_CLASS_IN   1
#define DNS_CLASS_CH   3
#define DNS_HEADER_LEN 12

struct query {
	uint16_t id;
	uint8_t opcode;
	bool rd, cd;
	uint16_t rcode; /* what the answer must say already: NOERROR, FORMERR, NOTIMP, BADVERS */

	/* Without a question but NOERROR it asks for a server cookie (RFC 7873 5.4). */
	bool has_question; /* qname .. qclass are valid and can be echoed */
	uint16_t qtype, qclass;
	const uint8_t *qname_wire; /* as sent, in the message: the answer echoes the case */

	bool has_edns;
	uint8_t edns_version;
	bool dnssec_ok;
	uint16_t udp_size; /* as advertised, at least 512 */

	bool has_ecs; /* it has a valid one */
	struct ecs ecs;
	const uint8_t *cookie; /* COOKIE option within the message, or NULL */
	uint8_t cookie_len;
	bool wants_nsid;
	uint8_t keepalive; /* enum query_keepalive */
	bool has_tsig;     /* signed (RFC 8945); nothing of it has been looked at */

	size_t body_off; /* where the answer section starts (NOTIFY, UPDATE, IXFR) */

	struct name_path path;       /* of qname */
	uint8_t qname[NAME_MAX_LEN]; /* lower */
};

/* edns-tcp-keepalive, RFC 7828: a client sends it empty. */
enum query_keepalive { QUERY_NO_KEEPALIVE, QUERY_KEEPALIVE, QUERY_KEEPALIVE_BAD };

enum query_verdict {
	QUERY_OK,   /* `q` is filled; look at q->rcode */
	QUERY_DROP, /* no answer at all: shorter than a header, or QR=1 */
};

MUST_USE enum query_verdict query_parse(const uint8_t *msg, size_t len, struct query *q);
