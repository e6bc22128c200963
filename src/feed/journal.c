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
	int error;   /* of the first append that failed */
	size_t mark; /* of one being filled: what the old one had when this was begun */
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
	if (j->fd < 0)
		return j->error;
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

struct journal *
journal_rewrite_begin(struct journal *j)
{
	OBJ_CHECK(j, JOURNAL_MAGIC);
	struct journal *fresh = xcalloc(1, sizeof(*fresh));
	*fresh = (struct journal){
		.magic = JOURNAL_MAGIC,
		.path = xasprintf("%s.new", j->path),
		.mark = j->size,
	};
	fresh->fd = open(fresh->path, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	if (fresh->fd < 0)
		fresh->error = -errno;
	return fresh;
}

void
journal_rewrite_sync(struct journal *fresh)
{
	OBJ_CHECK(fresh, JOURNAL_MAGIC);
	if (fresh->error == 0 && fdatasync(fresh->fd) != 0)
		fresh->error = -errno;
}

/* Bytes that the old one got since the mark; whole records, as they are. */
static void
carry_over(const struct journal *j, struct journal *fresh)
{
	uint8_t chunk[65536];
	for (size_t at = fresh->mark; fresh->error == 0 && at < j->size;) {
		const size_t want = j->size - at < sizeof(chunk) ? j->size - at : sizeof(chunk);
		const ssize_t n = pread(j->fd, chunk, want, (off_t)at);
		const ssize_t wrote = n > 0 ? write(fresh->fd, chunk, (size_t)n) : n;
		if (n <= 0 || wrote != n)
			fresh->error = n < 0 || wrote < 0 ? -errno : -EIO;
		else
			fresh->size += (size_t)n;
		at += n > 0 ? (size_t)n : 0;
	}
}

int
journal_rewrite_end(struct journal *j, struct journal **freshp)
{
	OBJ_CHECK(j, JOURNAL_MAGIC);
	struct journal *fresh = *freshp;
	carry_over(j, fresh);
	if (fresh->error == 0 && rename(fresh->path, j->path) != 0)
		fresh->error = -errno;
	const int err = fresh->error;
	if (err != 0) {
		journal_rewrite_cancel(freshp);
		return err;
	}
	const int old = j->fd;
	j->fd = fresh->fd;
	j->size = fresh->size;
	j->error = 0;
	fresh->fd = old;
	journal_close(freshp);
	return 0;
}

void
journal_rewrite_cancel(struct journal **fresh)
{
	if (*fresh != NULL && (*fresh)->fd >= 0)
		(void)unlink((*fresh)->path);
	journal_close(fresh);
}

int
journal_rewrite(struct journal *j, void (*fill)(struct journal *j, void *arg), void *arg)
{
	struct journal *fresh = journal_rewrite_begin(j);
	if (fresh->error == 0)
		fill(fresh, arg);
	journal_rewrite_sync(fresh);
	return journal_rewrite_end(j, &fresh);
}
