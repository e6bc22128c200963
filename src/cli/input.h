/* SPDX-License-Identifier: GPL-3.0-or-later */
/* input -- files the user names, read whole; "-" is stdin. */
#pragma once

#include <stddef.h>

#include "base/attr.h"
#include "base/diag.h"

/* NUL-terminated, the caller frees; `len` may be NULL. NULL with a problem in d. */
MUST_USE char *input_read(const char *file, size_t max, size_t *len, struct diag *d);
