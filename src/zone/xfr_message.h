/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * xfr_message -- the messages a secondary writes and reads: SOA queries, transfers (RFC 1034 4.3.5,
 * 1995, 5936). Pure.
 *
 * What is read comes from a stranger: every length is checked, names in rdata are expanded.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "dns/name.h"

struct xfr_question {
	uint8_t apex[NAME_MAX_LEN]; /* lower */
	uint16_t type;              /* SOA, AXFR, IXFR */
	uint16_t id;
	uint32_t serial; /* IXFR: what we have */
};

#define XFR_QUESTION_SIZE (12 + 2 * NAME_MAX_LEN + 64)
/* One DNS message, no EDNS; its length. */
size_t xfr_message_ask(const struct xfr_question *q, uint8_t out[XFR_QUESTION_SIZE]);

struct xfr_record {
	uint8_t owner[NAME_MAX_LEN]; /* lower */
	uint16_t type, class;
	uint32_t ttl_s;
	const uint8_t *rdata; /* names expanded; valid until the next record */
	uint16_t len;
};

struct xfr_message {
	const uint8_t *data;
	size_t len, pos;
	unsigned left; /* records of the answer section not read yet */
	bool aa;
	uint16_t rcode;
	uint8_t rdata[2 * NAME_MAX_LEN + 65535];
};

/*
 * Is this an answer to `q`? NULL, or why not (static text). `first` messages must repeat the
 * question, later ones may (RFC 5936 2.2.1). An rcode is not judged.
 */
MUST_USE const char *xfr_message_open(struct xfr_message *m, const uint8_t *msg, size_t len,
    const struct xfr_question *q, bool first);
/* The next record of the answer section; only while m->left > 0. NULL, or why not. */
MUST_USE const char *xfr_message_next(struct xfr_message *m, struct xfr_record *r);
/* As xfr_message_next, of any class and section; rdata may be empty, and then is not looked at. */
MUST_USE const char *xfr_message_record(struct xfr_message *m, struct xfr_record *r);
/* "the primary answers REFUSED" for m->rcode; static. */
const char *xfr_message_refusal(const struct xfr_message *m);

/* The numbers of a SOA's rdata (checked). */
struct xfr_soa {
	uint32_t serial, refresh_s, retry_s, expire_s, minimum_s;
};
struct xfr_soa xfr_message_soa(const uint8_t *rdata, size_t len);
/* RFC 1982: is `a` after `b`? */
bool xfr_message_newer(uint32_t a, uint32_t b);
