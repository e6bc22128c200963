/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "serve/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define CHUNK 65536

void
spool_init(struct spool *s, const char *dir)
{
	*s = (struct spool){ .dir = dir, .fd = -1 };
	buf_init(&s->tail, SIZE_MAX);
}

void
spool_fini(struct spool *s)
{
	if (s->fd >= 0)
		close(s->fd);
	buf_fini(&s->tail);
	s->fd = -1;
}

static int
spill(struct spool *s)
{
	size_t done = 0;

	if (s->fd < 0)
		s->fd = open(s->dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (s->fd < 0)
		return -errno;
	while (done < s->tail.len) {
		const ssize_t n = write(s->fd, s->tail.data + done, s->tail.len - done);

		if (n < 0 && errno != EINTR)
			return -errno;
		done += n > 0 ? (size_t)n : 0;
	}
	s->size += s->tail.len;
	buf_clear(&s->tail);
	return 0;
}

int
spool_put(struct spool *s, const uint8_t *msg, uint16_t len)
{
	buf_put_u16(&s->tail, len);
	buf_put(&s->tail, msg, len);
	s->bytes += len;
	s->count++;
	return s->tail.len >= SPOOL_MEMORY ? spill(s) : 0;
}

/* Have at least `need` bytes from s->pos on in the tail, as far as the file has them. */
static int
refill(struct spool *s, size_t need)
{
	uint8_t chunk[CHUNK];

	while (s->tail.len - s->pos < need && s->read < s->size) {
		const size_t left = s->tail.len - s->pos;
		const ssize_t n = pread(s->fd, chunk, sizeof(chunk), (off_t)s->read);

		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		memmove(s->tail.data, s->tail.data + s->pos, left);
		s->tail.len = left;
		s->pos = 0;
		buf_put(&s->tail, chunk, (size_t)n);
		s->read += (uint64_t)n;
	}
	return 0;
}

int
spool_get(struct spool *s, uint8_t *out)
{
	const uint8_t *p;
	unsigned len;
	int rc = 0;

	/* What is in memory still belongs behind what is in the file. */
	if (s->fd >= 0 && s->read == 0 && s->tail.len > 0)
		rc = spill(s);
	if (rc == 0)
		rc = refill(s, 2);
	if (rc < 0 || s->tail.len - s->pos < 2)
		return rc;
	p = s->tail.data + s->pos;
	len = (unsigned)(p[0] << 8 | p[1]);
	rc = refill(s, 2 + len);
	if (rc < 0 || s->tail.len - s->pos < 2 + len)
		return rc < 0 ? rc : -EIO;
	memcpy(out, s->tail.data + s->pos + 2, len);
	s->pos += 2 + len;
	return (int)len;
}
