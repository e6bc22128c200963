/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * zonefile_generate -- $GENERATE lines as BIND reads them; inside of room zone. Pure.
 *
 *	$GENERATE start-stop[/step] owner [ttl] [class] type rdata
 *
 * In owner and rdata `$` is the number, ${offset,width,base} the number plus offset, padded with
 * zeros to width, in base d, o, x or X, or as nibbles (n, N: ip6.arpa); \$ and $$ are a dollar.
 * Rdata given as one quoted text loses its quotes.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"

struct zonefile_generate {
	uint32_t start, stop, step;
	const char *owner, *fields, *rdata; /* borrowed from the line; fields: ttl, class, type */
	size_t owner_len, fields_len, rdata_len;
};

/* `line` begins with the word $GENERATE; its end may be there or not. NULL, or what is wrong. */
MUST_USE const char *
zonefile_generate_read(struct zonefile_generate *g, const char *line, size_t len);
size_t zonefile_generate_count(const struct zonefile_generate *g);
/* The record of number `n` as a line of a zone file. NULL, or what is wrong. */
MUST_USE const char *
zonefile_generate_write(const struct zonefile_generate *g, uint32_t n, struct buf *out);
