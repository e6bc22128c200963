/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * http_body -- the first 64 KiB of a reply's body, however it is framed (RFC 9112 section 6).
 *
 *	none (1xx, 204, 304) | chunked | Content-Length | until they close
 *
 * Chunk extensions and trailers are read over. Pure; the caller owns the buffer. Fuzzed with the
 * head by tests/fuzz/fuzz_http_reply.c.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "probe/http_reply.h"

#define HTTP_BODY_MAX 65536

struct http_body {
	uint8_t state;    /* private */
	bool until_close; /* private */
	uint64_t left;    /* private: octets of the body or chunk */
	const char *why;  /* with BAD: static text */
};

/* `r` is DONE and was told to note the framing. */
void http_body_init(struct http_body *b, const struct http_reply *r);
/* Append to `out`, HTTP_BODY_MAX at most, which is DONE too. Further octets are ignored then. */
enum http_reply_progress
http_body_feed(struct http_body *b, const void *data, size_t len, struct buf *out);
/* They closed: DONE if that ends the body, else MORE: something is missing. */
enum http_reply_progress http_body_end(const struct http_body *b);
