/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * spool -- messages written once and read once, in order: in memory while few, else in a file.
 *
 * A slow reader of a large zone must hold neither the zone's old nodes nor its size in memory. The
 * file has no name: it goes with the process.
 */
#pragma once

#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"

#define SPOOL_MEMORY (256 * 1024)

struct spool {
	struct buf tail;     /* written, not in the file yet; with a file: read from it */
	const char *dir;     /* for the file */
	int fd;              /* -1: none yet */
	uint64_t size, read; /* of the file */
	size_t pos;          /* in tail */
	uint64_t bytes;      /* of all messages */
	unsigned count;
};

void spool_init(struct spool *s, const char *dir);
void spool_fini(struct spool *s);
/* 0 or a negative errno (the file cannot be made or written). */
MUST_USE int spool_put(struct spool *s, const uint8_t *msg, uint16_t len);
/* After the last put. Length of the next message in `out` (65535 bytes); 0: no more; or errno. */
MUST_USE int spool_get(struct spool *s, uint8_t *out);
