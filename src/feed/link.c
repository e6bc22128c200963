/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "feed/link.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/mem.h"

#define KEEP_MAX   (1u << 20)
#define READ_CHUNK 65536u
#define READ_TURNS 16 /* chunks, before others have their turn */

struct link {
	uint32_t magic;
#define LINK_MAGIC 0x6c696e6bu
	struct loop *loop;
	struct loop_fd watch;
	int fd;
	struct link_hooks hooks;
	struct buf in;
	size_t at, frame_len; /* of the message being told, in `in` */
	bool taken;           /* `in` went with it */
	struct buf out;
	size_t sent;               /* of out */
	const char *broken;        /* why; nothing more is sent or told */
	struct loop_later sending; /* what this turn has to say goes in one go */
	struct wheel_timer idling; /* or, of news, a little later */
	struct wheel_timer closing;
};

static void
tell_closed(struct wheel_timer *t)
{
	struct link *l = container_of(t, struct link, closing);
	OBJ_CHECK(l, LINK_MAGIC);
	l->hooks.closed(l->hooks.arg, l->broken);
}

/* The owner hears of it from the loop, never from inside its own call. */
static void
break_off(struct link *l, const char *why)
{
	if (l->broken != NULL)
		return;
	l->broken = why;
	loop_fd_del(l->loop, &l->watch);
	loop_timer_in(l->loop, &l->closing, 0);
}

/* An empty buffer, without the memory of one great message. */
static void
reuse(struct buf *b)
{
	if (b->cap > KEEP_MAX) {
		const size_t max = b->max;
		buf_fini(b);
		buf_init(b, max);
	}
	buf_clear(b);
}

static void
flush(struct link *l)
{
	while (l->sent < l->out.len) {
		const ssize_t n =
		    send(l->fd, l->out.data + l->sent, l->out.len - l->sent, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0) {
			break_off(l, strerror(errno));
			return;
		}
		l->sent += (size_t)n;
	}
	if (l->sent == l->out.len) {
		reuse(&l->out);
		l->sent = 0;
	}
	loop_fd_mod(l->loop, &l->watch, l->out.len > 0 ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

/* Hand out every whole frame; keep the rest. One memmove per read, whatever the number of frames.
 */
static void
deliver(struct link *l)
{
	size_t pos = 0;
	while (l->broken == NULL && l->in.len - pos >= LINK_HEADER) {
		struct buf_reader r = { .data = l->in.data + pos, .len = l->in.len - pos };
		const uint32_t len = buf_read_u32(&r);
		if (len == 0 || len > MESSAGE_MAX) {
			break_off(l, "a frame of impossible length");
			return;
		}
		if (r.len - 4 < len)
			break;
		const uint8_t type = buf_read_u8(&r);
		l->at = pos;
		l->frame_len = 4 + (size_t)len;
		l->hooks.message(l->hooks.arg, type, r.data + LINK_HEADER, len - 1);
		pos += 4 + (size_t)len;
		if (l->taken) {
			l->taken = false;
			pos = 0;
		}
	}
	buf_drop(&l->in, pos);
	if (l->in.len == 0)
		reuse(&l->in);
}

void
link_take(struct link *l, struct buf *frame)
{
	OBJ_CHECK(l, LINK_MAGIC);
	CHECK(!l->taken);
	const size_t end = l->at + l->frame_len;
	struct buf rest;
	buf_init(&rest, l->in.max);
	buf_put(&rest, l->in.data + end, l->in.len - end);
	*frame = l->in;
	frame->len = end;
	buf_drop(frame, l->at);
	l->in = rest;
	l->taken = true;
}

static void
receive(struct link *l)
{
	static _Thread_local uint8_t chunk[READ_CHUNK];
	for (int turn = 0; turn < READ_TURNS; turn++) {
		const ssize_t n = recv(l->fd, chunk, sizeof(chunk), 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n <= 0) {
			deliver(l);
			break_off(l, n == 0 ? "closed by the peer" : strerror(errno));
			return;
		}
		buf_put(&l->in, chunk, (size_t)n);
		if ((size_t)n < sizeof(chunk))
			break;
	}
	deliver(l);
}

static void
ready(struct loop_fd *f, uint32_t events)
{
	struct link *l = container_of(f, struct link, watch);
	OBJ_CHECK(l, LINK_MAGIC);
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		receive(l);
	if ((events & EPOLLOUT) && l->broken == NULL)
		flush(l);
}

static void
send_now(struct loop_later *later)
{
	struct link *l = container_of(later, struct link, sending);
	OBJ_CHECK(l, LINK_MAGIC);
	if (l->broken == NULL)
		flush(l);
}

static void
send_idling(struct wheel_timer *t)
{
	struct link *l = container_of(t, struct link, idling);
	OBJ_CHECK(l, LINK_MAGIC);
	if (l->broken == NULL)
		flush(l);
}

struct link *
link_new(struct loop *loop, int fd, const struct link_hooks *hooks)
{
	struct link *l = xcalloc(1, sizeof(*l));
	l->magic = LINK_MAGIC;
	l->loop = loop;
	l->fd = fd;
	l->hooks = *hooks;
	wheel_timer_init(&l->closing, tell_closed);
	loop_later_init(&l->sending, send_now);
	wheel_timer_init(&l->idling, send_idling);
	buf_init(&l->in, 2 * (size_t)MESSAGE_MAX);
	buf_init(&l->out, MESSAGE_MAX);
	if (loop_fd_add(loop, &l->watch, fd, EPOLLIN, ready) != 0)
		break_off(l, "cannot be watched");
	return l;
}

void
link_free(struct link **lp)
{
	struct link *l = *lp;
	if (l == NULL)
		return;
	OBJ_CHECK(l, LINK_MAGIC);
	if (l->broken == NULL && l->out.len > 0)
		flush(l);
	loop_later_cancel(&l->sending);
	loop_timer_cancel(l->loop, &l->idling);
	loop_timer_cancel(l->loop, &l->closing);
	loop_fd_del(l->loop, &l->watch);
	close(l->fd);
	buf_fini(&l->in);
	buf_fini(&l->out);
	l->magic = 0;
	free(l);
	*lp = NULL;
}

/* Is the socket waited for? Then what is added goes when it takes more. */
static bool
is_blocked(const struct link *l)
{
	return (l->watch.events & EPOLLOUT) != 0;
}

static void
append(struct link *l, enum message_type type, const void *head, size_t head_len, const void *body,
    size_t len)
{
	if (l->sent > READ_CHUNK && l->sent > l->out.len / 2) {
		buf_drop(&l->out, l->sent);
		l->sent = 0;
	}
	buf_put_u32(&l->out, (uint32_t)(1 + head_len + len));
	buf_put_u8(&l->out, (uint8_t)type);
	buf_put(&l->out, head, head_len);
	buf_put(&l->out, body, len);
	if (l->out.overflow)
		break_off(l, "the peer does not read");
	else if (l->out.len > READ_CHUNK && !is_blocked(l))
		flush(l);
}

static void
send_parts(struct link *l, enum message_type type, const void *head, size_t head_len,
    const void *body, size_t len)
{
	OBJ_CHECK(l, LINK_MAGIC);
	if (l->broken != NULL)
		return;
	append(l, type, head, head_len, body, len);
	if (l->out.len > 0 && !is_blocked(l))
		loop_later(l->loop, &l->sending);
}

void
link_send_news(struct link *l, enum message_type type, const void *body, size_t len)
{
	OBJ_CHECK(l, LINK_MAGIC);
	if (l->broken != NULL)
		return;
	append(l, type, "", 0, body, len);
	if (l->out.len > 0 && !is_blocked(l) && !wheel_pending(&l->idling))
		loop_timer_in(l->loop, &l->idling, LINK_IDLE_MS);
}

void
link_send(struct link *l, enum message_type type, const void *body, size_t len)
{
	send_parts(l, type, "", 0, body, len);
}

/* The header is written over the first bytes of the frame. */
static void
put_header(struct buf *frame, enum message_type type)
{
	const uint32_t len = (uint32_t)(frame->len - 4);
	const uint8_t head[LINK_HEADER] = { (uint8_t)(len >> 24), (uint8_t)(len >> 16),
		(uint8_t)(len >> 8), (uint8_t)len, (uint8_t)type };
	memcpy(frame->data, head, sizeof(head));
}

void
link_send_frame(struct link *l, enum message_type type, struct buf *frame)
{
	OBJ_CHECK(l, LINK_MAGIC);
	CHECK(frame->len > LINK_HEADER && !frame->overflow);
	if (l->broken == NULL && l->out.len == 0) {
		const size_t max = l->out.max;
		put_header(frame, type);
		buf_fini(&l->out);
		l->out = *frame;
		l->out.max = max;
		buf_init(frame, frame->max);
		flush(l);
	} else {
		send_parts(l, type, "", 0, frame->data + LINK_HEADER, frame->len - LINK_HEADER);
		buf_fini(frame);
	}
}

void
link_send_json(struct link *l, enum message_type type, const json_t *body)
{
	char *text = json_text(body);
	send_parts(l, type, "", 0, text, strlen(text));
	free(text);
}

void
link_send_id_bytes(
    struct link *l, enum message_type type, uint32_t id, const void *body, size_t len)
{
	const uint8_t head[4] = { (uint8_t)(id >> 24), (uint8_t)(id >> 16), (uint8_t)(id >> 8),
		(uint8_t)id };
	send_parts(l, type, head, sizeof(head), body, len);
}

void
link_send_id(struct link *l, enum message_type type, uint32_t id, const json_t *body)
{
	char *text = json_text(body);
	link_send_id_bytes(l, type, id, text, strlen(text));
	free(text);
}
