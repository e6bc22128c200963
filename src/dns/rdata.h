/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * rdata -- rdata between presentation and wire form, by libzscanner and libknot.
 *
 * Control side only; allocates. Names inside text are absolute or relative to `origin`.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"

#define RDATA_MAX_LEN 65535

/* "10 mail.example.com." -> wire. 0, or -EINVAL with a reason (static text) in *why. */
MUST_USE int
rdata_parse(uint16_t type, const char *text, const char *origin, struct buf *out, const char **why);
/*
 * Is this well-formed for its type: names complete, fields of the right size? Zone data must be,
 * since readers follow the names inside; unknown types always are.
 */
bool rdata_check(uint16_t type, const uint8_t *rdata, uint16_t len);
/* Wire -> text appended to `out`; unknown or odd data as \# (RFC 3597). */
void rdata_text(uint16_t type, const uint8_t *rdata, uint16_t len, struct buf *out);
