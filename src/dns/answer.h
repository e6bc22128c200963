/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * answer -- writes one response message into the caller's buffer.
 *
 *   answer_init -> answer_rr ... in section order -> answer_finish
 *
 * Echoes id, opcode, RD and the question; compresses owner names and the names inside rdata of the
 * RFC 1035 types against what was written before. Room for OPT is kept free from the start. An
 * RRset that does not fit is left out whole: in the answer or authority section TC is set and
 * writing stops, in the additional section it is just left out (glue of a referral excepted:
 * `answer_require`). Pure; does not allocate; cannot fail.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "dns/prepared.h"
#include "dns/query.h"

enum answer_section { ANSWER_ANSWER, ANSWER_AUTHORITY, ANSWER_ADDITIONAL };

#define ANSWER_MAX_TARGETS  32  /* compression targets remembered */
#define ANSWER_MIN_CAP      512 /* no transport offers less */
#define ANSWER_OPTIONS_SIZE 160

struct answer {
	uint8_t *buf;
	size_t len;
	size_t limit; /* without the space kept for OPT */
	size_t cap;
	const struct query *query;
	uint16_t rcode;
	bool aa;
	bool tc;
	uint16_t counts[3];
	enum answer_section section;
	uint16_t n_targets;
	uint16_t targets[ANSWER_MAX_TARGETS];      /* offsets of suffixes written so far */
	uint8_t target_labels[ANSWER_MAX_TARGETS]; /* how many labels each of them has */
	/* EDNS of the answer */
	uint8_t ecs_scope;
	bool echo_ecs;          /* on by default when the query had ECS */
	uint16_t edns_udp_size; /* what we advertise; 1232 */
	uint16_t ede;           /* extended error INFO-CODE + 1; 0 = none (RFC 8914); if it fits */
	const char *ede_text;   /* EXTRA-TEXT, left out if there is no room */
	uint16_t options_len;   /* see answer_option */
	uint8_t options[ANSWER_OPTIONS_SIZE];
};

/* `cap` (at least ANSWER_MIN_CAP) is the transport's limit: min(advertised, ours) for UDP (512
 * without EDNS), 65535 for TCP. */
void answer_init(struct answer *a, uint8_t *buf, size_t cap, const struct query *q);
/*
 * Add an EDNS option as it stands (COOKIE, NSID, keepalive ...). Call it before the first record:
 * the space is taken from theirs. False without EDNS in the query or when there is no room.
 */
bool answer_option(struct answer *a, uint16_t code, const void *data, uint16_t len);
/* Sections only go forward. */
void answer_section(struct answer *a, enum answer_section s);

/*
 * Write one RR. `owner` in wire form; the pointer 0xC00C is used when owner == query->qname.
 * Returns false if it did not fit (the RR is not there; see the banner for TC). For a set, mark
 * first.
 */
bool answer_rr(struct answer *a, const uint8_t *owner, uint16_t type, uint32_t ttl,
    const uint8_t *rdata, uint16_t rdlen);

/*
 * As answer_rr for a precompiled tail: type, class, ttl, rdlength, rdata as they stand on the wire
 * (no names inside that want compression).
 */
bool answer_rr_tail(struct answer *a, const uint8_t *owner, const uint8_t *tail, size_t len);

/*
 * The first record of all, of an apex at or above the question. It is not found for compression
 * afterwards: for who has nothing more to say.
 */
bool answer_prepared(struct answer *a, const struct prepared *p);

/* Take back everything since the mark (RRset that did not fit whole). */
struct answer_mark {
	size_t len;
	uint16_t n_targets, count;
};
struct answer_mark answer_mark(const struct answer *a);
void answer_rollback(struct answer *a, struct answer_mark m);
void answer_require(struct answer *a); /* the newest loss was not optional: set TC */

/* Take back all records, AA and TC. The options stay. */
void answer_clear(struct answer *a);

/* Write header and OPT; returns the message length. */
size_t answer_finish(struct answer *a);
