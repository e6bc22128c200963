/* SPDX-License-Identifier: GPL-3.0-or-later */
/* file -- read and replace whole files. */
#pragma once

#include <sys/types.h>

#include "base/attr.h"
#include "base/buf.h"

/* Append the file to `b`. 0 or a negative errno; -EFBIG beyond the buffer's bound. "-" is standard
 * input. */
MUST_USE int file_read(const char *path, struct buf *b);
/* Atomically: a temporary file beside it, fsync, rename. 0 or a negative errno. */
MUST_USE int file_replace(const char *path, mode_t mode, const void *data, size_t len);
