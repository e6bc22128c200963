/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/input.h"

#include <string.h>

#include "base/file.h"

char *
input_read(const char *file, size_t max, size_t *len, struct diag *d)
{
	struct buf b;

	buf_init(&b, max);
	const int rc = file_read(file, &b);

	if (rc != 0) {
		buf_fini(&b);
		diag_add(d, DIAG_INVALID, file, "cannot be read: %s", strerror(-rc));
		return NULL;
	}
	if (len != NULL)
		*len = b.len;
	b.max++; /* room for the NUL */
	buf_put_u8(&b, 0);
	return (char *)buf_take(&b, &(size_t){ 0 });
}
