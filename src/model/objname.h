/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * objname -- what an object may be called: 1..64 characters of [A-Za-z0-9._:*-] and UTF-8 letters.
 *
 * No '/', since names are path segments of URLs, and nothing invisible or blank: two names that
 * look the same should be the same. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define OBJNAME_MAX     64 /* characters, not bytes */
#define OBJNAME_ALLOWED "1..64 characters of A-Z a-z 0-9 . _ : * - and letters"

/* NULL if fine, else what is wrong ("is longer than 64 characters"). Bad UTF-8 is wrong too. */
const char *objname_fault(const char *text);
/* No control characters (C0, DEL, C1) in valid UTF-8 text. */
bool objname_is_printable(const char *text, size_t len);
