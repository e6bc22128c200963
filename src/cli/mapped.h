/* SPDX-License-Identifier: GPL-3.0-or-later */
/* mapped -- a file's bytes without a copy of them; what is no file (stdin, a pipe) is read. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/attr.h"

struct mapped {
	const char *text; /* never NULL */
	size_t len;
	void *map;
	uint8_t *heap;
	struct stat st; /* of a file */
};

/*
 * 0 or a negative errno; -EFBIG over `max`. -ENOTSUP for what is no file, unless `stream`: then it
 * is read to its end, and "-" is stdin. mapped_close in any case.
 */
MUST_USE int mapped_open(struct mapped *m, const char *path, size_t max, bool stream);
void mapped_close(struct mapped *m);
