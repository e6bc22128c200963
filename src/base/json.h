/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * json -- strict JSON in and compact JSON out, on jansson.
 *
 * Strict: duplicate keys, trailing text, bad UTF-8, NaN and the like are refused with
 * line and column. jansson's reference rules hold: `json_t *` returned here is the caller's.
 */
#pragma once

#include <jansson.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/diag.h"

/* Parse `len` bytes; NULL with a problem at "line L, column C" in `d`. Nesting at most 64. */
MUST_USE json_t *json_parse(const char *text, size_t len, struct diag *d);
/* Compact, keys in insertion order; the caller frees with free(). */
MUST_USE char *json_text(const json_t *j);
/* Two spaces of indentation, for people. */
MUST_USE char *json_pretty(const json_t *j);
