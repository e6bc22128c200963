/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

static int
read_all(int fd, struct buf *b)
{
	uint8_t chunk[65536];
	for (;;) {
		const ssize_t n = read(fd, chunk, sizeof(chunk));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return b->overflow ? -EFBIG : 0;
		buf_put(b, chunk, (size_t)n);
	}
}

int
file_read(const char *path, struct buf *b)
{
	if (strcmp(path, "-") == 0)
		return read_all(STDIN_FILENO, b);
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	const int err = read_all(fd, b);
	close(fd);
	return err;
}

static int
write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		const ssize_t n = write(fd, data, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		len -= (size_t)n;
	}
	return fsync(fd) == 0 ? 0 : -errno;
}

int
file_replace(const char *path, mode_t mode, const void *data, size_t len)
{
	char *fresh = xasprintf("%s.new", path);
	const int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	int err = fd < 0 ? -errno : write_all(fd, data, len);
	if (fd >= 0)
		close(fd);
	if (err == 0 && rename(fresh, path) != 0)
		err = -errno;
	if (err != 0)
		(void)unlink(fresh);
	free(fresh);
	return err;
}
