/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * http_reply -- read the head of an HTTP/1.x reply, however it is cut into pieces.
 *
 *	bytes from anyone --> [ one state per octet ] --> MORE, DONE with a status, or BAD with why
 *
 * Strict about what tells a web server from something else (RFC 9112 sections 4 and 5), tolerant
 * of what real servers do: HTTP/1.0, no reason phrase, bare LF (2.2), folded headers (5.2), an
 * empty line before the status line. Interim replies (1xx, RFC 9110 15.2) are read over. Nothing
 * is stored but the status and, if asked for, how the body is framed and where it redirects to.
 * Nothing after the head is looked at.
 *
 * Pure, no allocation. Fuzzed by tests/fuzz/fuzz_http_reply.c.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define HTTP_REPLY_HEAD_MAX 16384 /* octets, interim replies included */

enum http_reply_progress { HTTP_REPLY_MORE, HTTP_REPLY_DONE, HTTP_REPLY_BAD };

struct http_reply {
	uint8_t state;   /* private */
	uint8_t matched; /* private: octets of "HTTP/1." or digits of the status seen */
	uint16_t status; /* 100..999 */
	uint32_t seen;   /* octets of the head so far */
	const char *why; /* with BAD: static text */

	/* With http_reply_note. */
	struct buf *location; /* appended to; NULL = nothing below is noted */
	int64_t length;       /* Content-Length; -1 = none */
	bool chunked;         /* the last coding of Transfer-Encoding */
	bool closes;          /* HTTP/1.0, or "Connection: close" */
	uint8_t field, at;    /* private: which header this may be, octets of its name */
};

void http_reply_init(struct http_reply *r);
/* After init: note the framing, and the Location in `location` (borrowed), cut at its max. */
void http_reply_note(struct http_reply *r, struct buf *location);
/* Further octets; those after the head are ignored. Once DONE or BAD, always so. */
enum http_reply_progress http_reply_feed(struct http_reply *r, const void *data, size_t len);
