/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/mapped.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"

static int
map(struct mapped *m, int fd, size_t max)
{
	if (fstat(fd, &m->st) < 0)
		return -errno;
	if (!S_ISREG(m->st.st_mode))
		return S_ISDIR(m->st.st_mode) ? -EISDIR : -ENOTSUP;
	if ((size_t)m->st.st_size > max)
		return -EFBIG;
	if (m->st.st_size == 0)
		return 0;

	void *at = mmap(NULL, (size_t)m->st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);

	if (at == MAP_FAILED)
		return -errno;
	m->text = m->map = at;
	m->len = (size_t)m->st.st_size;
	return 0;
}

static int
read_stream(struct mapped *m, const char *path, size_t max)
{
	struct buf b;

	buf_init(&b, max);
	const int rc = file_read(path, &b);

	m->heap = buf_take(&b, &m->len);
	if (m->heap != NULL)
		m->text = (const char *)m->heap;
	return rc;
}

int
mapped_open(struct mapped *m, const char *path, size_t max, bool stream)
{
	*m = (struct mapped){ .text = "" };
	if (stream && strcmp(path, "-") == 0)
		return read_stream(m, path, max);

	/* NONBLOCK: opening a pipe that nobody writes to must not hang. */
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int rc = fd < 0 ? -errno : map(m, fd, max);

	if (fd >= 0)
		close(fd);
	if (rc == -ENOTSUP && stream)
		rc = read_stream(m, path, max);
	return rc;
}

void
mapped_close(struct mapped *m)
{
	if (m->map != NULL)
		munmap(m->map, m->len);
	free(m->heap);
	*m = (struct mapped){ .text = "" };
}
