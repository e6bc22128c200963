/* SPDX-License-Identifier: GPL-3.0-or-later */
/* escape -- octets written as text: \r \n \t \0 \\ \xHH. Pure. */
#pragma once

#include <stddef.h>

#include "base/attr.h"

/* Into `out` (room for strlen(text)). The length, or -EINVAL for any other escape. */
MUST_USE int escape_decode(const char *text, char *out);
/*
 * The same within a regular expression, where all other escapes stay what they are; \xHH means the
 * octet itself. Into `out` (room for 2 * strlen(text) + 1). 0, or -EINVAL.
 */
MUST_USE int escape_pattern(const char *text, char *out);
