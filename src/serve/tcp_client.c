/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "serve/tcp_client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "dns/query.h"

/* Make `data` the content of a client's buffer; it may be part of what is there. */
static void
keep(uint8_t **buf, size_t *buf_len, const uint8_t *data, size_t len)
{
	uint8_t *old = *buf;

	*buf = len > 0 ? xmemdup(data, len) : NULL;
	*buf_len = len;
	free(old);
}

/* As much as the kernel takes, 0 if nothing now; a negative errno when the connection is gone. */
static ssize_t
push(struct tcp_client *c, const uint8_t *data, size_t len)
{
	ssize_t n;

	do
		n = send(c->io.fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		c->shared->active(c->shared->arg, c);
	return n >= 0 ? n : errno == EAGAIN ? 0 : -errno;
}

/* Send `data`, keep the rest. false: the connection is gone. */
static bool
deliver(struct tcp_client *c, const uint8_t *data, size_t len)
{
	const ssize_t n = len > 0 ? push(c, data, len) : 0;

	if (n < 0)
		return false;
	keep(&c->out, &c->out_len, data + n, len - (size_t)n);
	return true;
}

/* 0: it is with others now. Else the length of what is said instead. */
static size_t
hand_over(struct tcp_client *c, const uint8_t *in, size_t len, uint8_t *out)
{
	struct tcp_shared *s = c->shared;
	struct handover *h = handover_new(in, len);

	h->tcp = true;
	h->peer = c->peer;
	h->client = c->id;
	if (s->handover.take(s->handover.arg, h)) {
		c->away++;
		return 0;
	}
	handover_free(&h);
	return respond_error(in, len, RCODE_SERVFAIL, out, RESPOND_MAX);
}

/*
 * Answer the whole queries at `in` as long as any answer would fit. Returns how far that got; a
 * length that no message can have ends the connection, as its framing is lost.
 */
static size_t
answer(struct tcp_client *c, const uint8_t *in, size_t len, size_t *out_len)
{
	struct tcp_shared *s = c->shared;
	const struct respond_client from = {
		.transport = RESPOND_TCP,
		.peer = &c->peer,
		.now_s = (uint32_t)(clock_real_ms() / 1000),
		.now_ms = (uint32_t)clock_mono_ms(),
	};
	size_t pos = 0;

	*out_len = 0;
	while (len - pos >= 2 && *out_len + TCP_MESSAGE_MAX <= sizeof(s->out)) {
		const size_t n = (size_t)(in[pos] << 8 | in[pos + 1]);

		if (n < DNS_HEADER_LEN) {
			c->finished = true;
			return len;
		}
		if (len - pos - 2 < n)
			break;

		uint8_t *out = s->out + *out_len;
		size_t m = respond(&s->respond, &from, in + pos + 2, n, out + 2, RESPOND_MAX);

		if (UNLIKELY(m == RESPOND_TRANSFER)) {
			c->wants_transfer = true;
			return pos;
		}
		if (UNLIKELY(m == RESPOND_HANDOVER))
			m = hand_over(c, in + pos + 2, n, out + 2);
		if (m > 0) {
			out[0] = (uint8_t)(m >> 8);
			out[1] = (uint8_t)m;
			*out_len += 2 + m;
		}
		pos += 2 + n;
	}
	return pos;
}

/*
 * Collect what was left and what has come in the shared buffer; returns its length. Reads only with
 * less than a message in hand: more than that can be answered first, so the buffer never overflows.
 */
static size_t
gather(struct tcp_client *c)
{
	struct tcp_shared *s = c->shared;
	const size_t len = c->in_len;

	if (len > 0)
		memcpy(s->in, c->in, len);
	if (c->finished || len >= TCP_MESSAGE_MAX)
		return len;

	const ssize_t n = recv(c->io.fd, s->in + len, TCP_CHUNK, MSG_DONTWAIT);

	if (n > 0)
		return len + (size_t)n;
	if (n == 0 || (errno != EAGAIN && errno != EINTR))
		c->finished = true; /* a broken connection will say so again when written to */
	return len;
}

/* false: the connection is over. */
static bool
serve(struct tcp_client *c)
{
	const uint8_t *in = c->shared->in;
	const size_t len = gather(c);
	size_t pos = 0, out_len;

	c->wants_transfer = false;
	do {
		pos += answer(c, in + pos, len - pos, &out_len);
		if (!deliver(c, c->shared->out, out_len))
			return false;
	} while (out_len > 0 && c->out_len == 0 && !c->wants_transfer);
	keep(&c->in, &c->in_len, in + pos, len - pos);
	return !c->finished || c->wants_transfer || c->out_len > 0 || c->away > 0;
}

/* What to wait for next; a client that has said all is only waited for by what is away. */
static void
settle(struct tcp_client *c, bool alive)
{
	const bool idle = c->out_len == 0 && c->away == 0;

	if (!alive || (c->finished && !c->wants_transfer && idle))
		c->shared->done(c->shared->arg, c);
	else if (c->wants_transfer && idle)
		c->shared->transfer(c->shared->arg, c);
	else
		loop_fd_mod(c->shared->loop, &c->io,
		    c->out_len > 0                     ? EPOLLOUT
		    : c->finished || c->wants_transfer ? 0
						       : EPOLLIN);
}

static void
ready(struct loop_fd *f, uint32_t events)
{
	struct tcp_client *c = container_of(f, struct tcp_client, io);

	OBJ_CHECK(c, TCP_CLIENT_MAGIC);

	/* Reset while we wait for what is away: nobody is left to hear it. */
	bool alive = !c->finished || (events & (EPOLLHUP | EPOLLERR)) == 0;

	if (alive && c->out_len > 0)
		alive = deliver(c, c->out, c->out_len);

	if (alive && c->out_len == 0)
		alive = serve(c);
	settle(c, alive);
}

/* Framed in the shared buffer, behind what the kernel did not take yet. */
static bool
append(struct tcp_client *c, const uint8_t *data, size_t len)
{
	uint8_t *all = c->shared->out;

	if (len == 0)
		return true;
	if (c->out_len + 2 + len > sizeof(c->shared->out))
		return false;
	if (c->out_len > 0)
		memcpy(all, c->out, c->out_len);
	all[c->out_len] = (uint8_t)(len >> 8);
	all[c->out_len + 1] = (uint8_t)len;
	memcpy(all + c->out_len + 2, data, len);
	return deliver(c, all, c->out_len + 2 + len);
}

void
tcp_client_reply(struct tcp_client *c, const uint8_t *data, size_t len)
{
	OBJ_CHECK(c, TCP_CLIENT_MAGIC);
	c->away--;
	settle(c, append(c, data, len));
}

struct tcp_client *
tcp_client_new(struct tcp_shared *shared, int fd)
{
	struct tcp_client *c = xcalloc(1, sizeof(*c));

	c->magic = TCP_CLIENT_MAGIC;
	c->shared = shared;
	list_init(&c->by_age);
	list_init(&c->by_source);
	if (loop_fd_add(shared->loop, &c->io, fd, EPOLLIN, ready) == 0)
		return c;
	close(fd);
	free(c);
	return NULL;
}

/* All but the descriptor. */
static void
forget(struct tcp_client *c)
{
	OBJ_CHECK(c, TCP_CLIENT_MAGIC);
	c->magic = 0;
	list_remove(&c->by_age);
	list_remove(&c->by_source);
	loop_fd_del(c->shared->loop, &c->io);
	free(c->in);
	free(c->out);
	free(c);
}

void
tcp_client_resume(struct tcp_client *c, uint8_t *in, size_t len)
{
	OBJ_CHECK(c, TCP_CLIENT_MAGIC);
	c->in = in;
	c->in_len = len;
	settle(c, serve(c));
}

struct detached *
tcp_client_detach(struct tcp_client **c)
{
	struct tcp_client *old = *c;
	struct detached *d = xcalloc(1, sizeof(*d));

	OBJ_CHECK(old, TCP_CLIENT_MAGIC);
	list_init(&d->item);
	d->fd = old->io.fd;
	d->peer = old->peer;
	d->in = old->in;
	d->in_len = old->in_len;
	old->in = NULL;
	forget(old);
	*c = NULL;
	return d;
}

void
tcp_client_free(struct tcp_client **c)
{
	const int fd = (*c)->io.fd;

	forget(*c);
	close(fd);
	*c = NULL;
}
