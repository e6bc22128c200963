/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/input.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"

static int
slurp(FILE *f, struct buf *b)
{
	char piece[16384];
	size_t n;

	while ((n = fread(piece, 1, sizeof(piece), f)) > 0) {
		buf_put(b, piece, n);
		if (b->overflow)
			return -EFBIG;
	}
	return ferror(f) ? -errno : 0;
}

char *
input_read(const char *file, size_t max, size_t *len, struct diag *d)
{
	const bool is_stdin = strcmp(file, "-") == 0;
	FILE *f = is_stdin ? stdin : fopen(file, "re");
	struct buf b;

	if (f == NULL) {
		diag_add(d, DIAG_INVALID, file, "cannot open: %s", strerror(errno));
		return NULL;
	}
	buf_init(&b, max);

	const int rc = slurp(f, &b);

	if (!is_stdin)
		fclose(f);
	if (rc != 0) {
		buf_fini(&b);
		diag_add(d, DIAG_INVALID, file, "cannot read: %s", strerror(-rc));
		return NULL;
	}
	if (len != NULL)
		*len = b.len;
	b.max++; /* room for the NUL */
	buf_put_u8(&b, 0);
	return (char *)buf_take(&b, &(size_t){ 0 });
}
