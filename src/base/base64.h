/* SPDX-License-Identifier: GPL-3.0-or-later */
/* base64 -- RFC 4648 section 4, strict: padded, no white space, no stray bits. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

/* Number of bytes written to `out` (at most `cap`), or -EINVAL, or -ENOSPC. */
MUST_USE int base64_decode(const char *text, uint8_t *out, size_t cap);
