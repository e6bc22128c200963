/* SPDX-License-Identifier: GPL-3.0-or-later */
/* dns_reply -- what came back for a question of ours (RFC 1035). Pure; fuzzed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dns_reply {
	uint8_t rcode;
	bool truncated;
	uint16_t answers;
	size_t at; /* of the first */
};

/* Does `msg` reply to `query`: id, opcode, question? If not, somebody else sent it: keep waiting.
 */
bool dns_reply_read(
    struct dns_reply *r, const uint8_t *query, size_t query_len, const uint8_t *msg, size_t len);
/* 1: has an answer of this type and rdata (names in it regardless of case); 0: not; or -EINVAL. */
int dns_reply_holds(const struct dns_reply *r, const uint8_t *msg, size_t len, uint16_t type,
    const uint8_t *rdata, size_t rdata_len);
