/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tsig -- transaction signatures (RFC 8945): who sent this message, and is it whole?
 *
 *	server   tsig_find(request) -> key -> tsig_accept -> tsig_sign(response) ...
 *	client   tsig_start(key) -> tsig_sign(request) -> tsig_check(response) ...
 *
 * A session is one request and its responses, of which a transfer over TCP has many: the first
 * response is bound to the request's MAC, each further one to the MAC before it. Pure but for the
 * digest's memory: the time is passed in.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "dns/name.h"

enum tsig_hash { TSIG_SHA256, TSIG_SHA384, TSIG_SHA512, TSIG_HASHES };

#define TSIG_MAC_MAX    64
#define TSIG_SECRET_LEN 191
#define TSIG_FUDGE_S    300
/* What tsig_sign appends at most: two names, the fixed parts, a MAC and the time of BADTIME. */
#define TSIG_ROOM (2 * NAME_MAX_LEN + 26 + TSIG_MAC_MAX + 6)

/* Extended RCODEs in the TSIG record; the message itself then says NOTAUTH. */
enum tsig_error {
	TSIG_OK = 0,
	TSIG_BADSIG = 16,
	TSIG_BADKEY = 17,
	TSIG_BADTIME = 18,
	TSIG_BADTRUNC = 22
};

struct tsig_key {
	uint8_t name[NAME_MAX_LEN]; /* lower */
	enum tsig_hash hash;
	uint8_t mac_min; /* shortest MAC accepted; 0: as short as RFC 8945 5.2.2.1 allows */
	uint8_t secret_len;
	uint8_t secret[TSIG_SECRET_LEN];
};

/* The TSIG record of a message, parsed. */
struct tsig_record {
	uint8_t key[NAME_MAX_LEN], algorithm[NAME_MAX_LEN]; /* lower */
	uint64_t time_s;
	uint16_t fudge_s, original_id, error, mac_len, other_len;
	const uint8_t *mac, *other; /* in the message */
	size_t off;                 /* of the record: where the signed part ends */
};

/* 1: found; 0: there is none; -EINVAL: malformed, not the last record, or twice (FORMERR). */
MUST_USE int tsig_find(const uint8_t *msg, size_t len, struct tsig_record *r);

struct tsig_session {
	struct tsig_key key; /* of BADKEY: what the request named, without a secret */
	uint8_t algorithm[NAME_MAX_LEN];
	enum tsig_error error;  /* of the request: what the response must say */
	bool answering;         /* the next message is a response; */
	bool going_on;          /* and not the first */
	uint16_t unsigned_run;  /* checked: messages since the last signature */
	uint16_t request_fudge; /* BADTIME echoes it, and the time */
	uint64_t request_time, server_time;
	uint8_t prior_len;
	uint8_t prior[TSIG_MAC_MAX]; /* the MAC the next one is bound to */
	void *digest;                /* over a run of unsigned messages, or NULL */
};

/*
 * Server: check a request. `key`: what the keyring has for r->key, NULL if nothing. Fills `s` to
 * sign responses with (tsig_end when done), whatever the outcome: s->error. -EINVAL: the MAC has a
 * length that none may have (FORMERR); `s` is not filled then.
 */
MUST_USE int tsig_accept(struct tsig_session *s, const struct tsig_key *key, const uint8_t *msg,
    const struct tsig_record *r, uint64_t now_s);

/* Client: before the request is signed. */
void tsig_start(struct tsig_session *s, const struct tsig_key *key);
/*
 * Client: check the next response. 0: signed and good; 1: not signed, which up to 99 in a row may
 * be, but neither the first nor the last (RFC 8945 5.3.1); -EINVAL: wrong, and
 * *error (may be NULL) has the peer's TSIG error, if it sent one.
 */
MUST_USE int
tsig_check(struct tsig_session *s, const uint8_t *msg, size_t len, uint64_t now_s, uint16_t *error);

/* Append the TSIG record to a finished message. The new length; 0: no room in `cap`. */
size_t tsig_sign(struct tsig_session *s, uint8_t *msg, size_t len, size_t cap, uint64_t now_s);
void tsig_end(struct tsig_session *s);

/* "hmac-sha256" and its like, lower wire name. -EINVAL if unknown. */
MUST_USE int tsig_hash_parse(const uint8_t *algorithm, enum tsig_hash *hash);
