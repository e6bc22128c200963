/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * scalar -- what an unquoted YAML scalar means (YAML 1.2 core schema), and which text needs quotes.
 *
 *	null ~ (empty)   true false   -12 0x1f 0o17   1.5 1e3   and everything else is a string
 *
 * Pure.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/attr.h"
#include "base/buf.h"

/* A new reference; NULL with `*why` for what JSON cannot say (.inf, .nan, integers over 64 bit). */
MUST_USE json_t *scalar_resolve(const char *text, const char **why);
/* May it stand without quotes and still be read as this string, by YAML 1.1 readers too? */
bool scalar_is_plain(const char *text);
/* Append as a plain or double-quoted YAML scalar. */
void scalar_write(struct buf *b, const char *text);
