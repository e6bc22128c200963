/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "feed/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/log.h"
#include "base/mem.h"

#define HEADER_LEN 9

struct journal {
	uint32_t magic;
#define JOURNAL_MAGIC 0x6a6f7572u
	int fd;
	char *path;
	size_t size;
	int64_t touched_ms;
	int error; /* of the first append that failed */
};

static uint32_t
checksum(uint8_t type, const void *data, size_t len)
{
	return (uint32_t)XXH64(data, len, type);
}

/* Returns the length of the whole records at the start of `data`. */
static size_t
replay_records(const uint8_t *data, size_t len, journal_record_f *replay, void *arg)
{
	struct buf_reader r = { .data = data, .len = len };
	size_t whole = 0;
	while (r.pos < len) {
		const uint32_t size = buf_read_u32(&r);
		const uint32_t sum = buf_read_u32(&r);
		const uint8_t type = buf_read_u8(&r);
		const uint8_t *body = buf_read_bytes(&r, size);
		if (r.bad || checksum(type, body, size) != sum)
			break;
		replay(arg, type, body, size);
		whole = r.pos;
	}
	return whole;
}

static int
replay_file(struct journal *j, journal_record_f *replay, void *arg)
{
	struct stat st;
	if (fstat(j->fd, &st) != 0)
		return -errno;
	j->touched_ms = (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
	if (st.st_size == 0)
		return 0;

	const size_t len = (size_t)st.st_size;
	void *map = mmap(NULL, len, PROT_READ, MAP_PRIVATE, j->fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	j->size = replay_records(map, len, replay, arg);
	munmap(map, len);
	if (j->size == len)
		return 0;
	log_warn("feed", "journal '%s': %zu bytes of torn tail cut off", j->path, len - j->size);
	return ftruncate(j->fd, (off_t)j->size) == 0 ? 0 : -errno;
}

struct journal *
journal_open(const char *path, journal_record_f *replay, void *arg, struct diag *d)
{
	struct journal *j = xcalloc(1, sizeof(*j));
	*j = (struct journal){ .magic = JOURNAL_MAGIC, .path = xstrdup(path) };
	j->fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	const int err = j->fd < 0 ? -errno : replay_file(j, replay, arg);
	if (err == 0)
		return j;
	diag_add(d, DIAG_UNAVAILABLE, path, "cannot open the journal: %s", strerror(-err));
	journal_close(&j);
	return NULL;
}

void
journal_close(struct journal **jp)
{
	struct journal *j = *jp;
	if (j == NULL)
		return;
	OBJ_CHECK(j, JOURNAL_MAGIC);
	if (j->fd >= 0)
		close(j->fd);
	free(j->path);
	free(j);
	*jp = NULL;
}

int
journal_append(struct journal *j, uint8_t type, const void *data, size_t len)
{
	OBJ_CHECK(j, JOURNAL_MAGIC);
	struct buf head;
	buf_init(&head, HEADER_LEN);
	buf_put_u32(&head, (uint32_t)len);
	buf_put_u32(&head, checksum(type, data, len));
	buf_put_u8(&head, type);

	union {
		const void *in;
		void *out;
	} body = { .in = data };
	const struct iovec iov[2] = { { head.data, head.len }, { body.out, len } };
	const ssize_t wrote = writev(j->fd, iov, 2);
	const int err = wrote < 0 ? -errno : -ENOSPC;
	buf_fini(&head);
	if (wrote == (ssize_t)(HEADER_LEN + len)) {
		j->size += (size_t)wrote;
		return 0;
	}
	if (ftruncate(j->fd, (off_t)j->size) != 0)
		log_warn(
		    "feed", "journal '%s': cannot cut a torn record: %s", j->path, strerror(errno));
	if (j->error == 0)
		j->error = err;
	return err;
}

size_t
journal_size(const struct journal *j)
{
	return j->size;
}

int64_t
journal_touched_ms(const struct journal *j)
{
	return j->touched_ms;
}

void
journal_touch(struct journal *j)
{
	(void)futimens(j->fd, NULL);
}

int
journal_rewrite(struct journal *j, void (*fill)(struct journal *j, void *arg), void *arg)
{
	OBJ_CHECK(j, JOURNAL_MAGIC);
	char *path = xasprintf("%s.new", j->path);
	struct journal fresh = { .magic = JOURNAL_MAGIC, .path = path };
	fresh.fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	int err = fresh.fd < 0 ? -errno : 0;
	if (err == 0) {
		fill(&fresh, arg);
		err = fresh.error;
	}
	if (err == 0 && (fdatasync(fresh.fd) != 0 || rename(path, j->path) != 0))
		err = -errno;
	if (err == 0) {
		close(j->fd);
		j->fd = fresh.fd;
		j->size = fresh.size;
		j->error = 0;
	} else if (fresh.fd >= 0) {
		close(fresh.fd);
		(void)unlink(path);
	}
	free(path);
	return err;
}
