/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any file is read or refused; what is read lies inside its family, apart. */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/check.h"
#include "geo/mmdb.h"
#include "target.h"

/* The library forgets what it has read of a damaged file's metadata. */
const char *__lsan_default_suppressions(void);
const char *
__lsan_default_suppressions(void)
{
	return "leak:libmaxminddb\n";
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct mmdb_keys usual;
	const int fd = memfd_create("fuzz", 0);
	char path[32];
	struct layer l;
	int64_t made;
	struct diag d;

	CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	layer_init(&l);
	diag_init(&d);
	if (mmdb_read(path, &usual, &l, &made, &d) < 0)
		CHECK(diag_failed(&d));
	layer_finish(&l);
	for (int f = 0; f < ATLAS_FAMILIES; f++) {
		for (size_t i = 0; i < l.count[f]; i++) {
			const struct layer_range *r = &l.items[f][i];

			CHECK(atlas_point_compare(r->first, r->last) <= 0);
			CHECK(
			    f == ATLAS_V6 || (r->first.lo == 0 && (r->last.hi & UINT32_MAX) == 0));
		}
	}
	layer_fini(&l);
	diag_fini(&d);
	close(fd);
	return 0;
}
