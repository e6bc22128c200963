/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * buf -- a growable byte buffer with a bound.
 *
 * Appending beyond `max` sets `overflow` and changes nothing more, so that a writer can append
 * blindly and test once at the end. Numbers are written in network order.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct buf {
	uint8_t *data;
	size_t len;
	size_t cap;
	size_t max;
	bool overflow;
};

void buf_init(struct buf *b, size_t max);
void buf_fini(struct buf *b);
void buf_clear(struct buf *b); /* keeps the storage */

void buf_put(struct buf *b, const void *data, size_t len);
void buf_put_u8(struct buf *b, uint8_t v);
void buf_put_u16(struct buf *b, uint16_t v);
void buf_put_u32(struct buf *b, uint32_t v);
void buf_put_u64(struct buf *b, uint64_t v);
void buf_puts(struct buf *b, const char *s);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);
void buf_drop(struct buf *b, size_t len); /* remove from the front */
const char *buf_str(struct buf *b);       /* NUL-terminated view; valid until the next append */
uint8_t *buf_take(struct buf *b, size_t *len); /* the caller owns the storage; b is empty again */

/* A reader over borrowed bytes; reading past the end sets `bad` and yields zeros. */
struct buf_reader {
	const uint8_t *data;
	size_t len;
	size_t pos;
	bool bad;
};

uint8_t buf_read_u8(struct buf_reader *r);
uint16_t buf_read_u16(struct buf_reader *r);
uint32_t buf_read_u32(struct buf_reader *r);
uint64_t buf_read_u64(struct buf_reader *r);
const uint8_t *buf_read_bytes(struct buf_reader *r, size_t len); /* NULL when too short */
