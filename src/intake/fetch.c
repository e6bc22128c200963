/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "intake/fetch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/sock.h"

#define IN_SIZE (2 + 65535)

void
fetch_stop(struct fetch *f)
{
	if (!f->busy)
		return;
	f->busy = false;
	loop_timer_cancel(f->loop, &f->timer);
	if (f->watch.fd >= 0) {
		const int fd = f->watch.fd;

		loop_fd_del(f->loop, &f->watch);
		close(fd);
		f->watch.fd = -1;
	}
	tsig_end(&f->session);
	free(f->in);
	f->in = NULL;
}

static void
fail(struct fetch *f, const char *why)
{
	fetch_stop(f);
	f->hooks->failed(f, why);
}

static void
arm(struct fetch *f)
{
	const uint64_t now = clock_mono_ms();
	const uint64_t left = f->until_ms > now ? f->until_ms - now : 0;

	loop_timer_in(f->loop, &f->timer, left < f->silence_ms ? left : f->silence_ms);
}

static void
on_timer(struct wheel_timer *t)
{
	struct fetch *f = container_of(t, struct fetch, timer);

	fail(f, clock_mono_ms() >= f->until_ms ? "the transfer takes too long"
					       : "the primary does not answer");
}

/* -- signatures -- */

static const char *
signature_fault(uint16_t error)
{
	switch (error) {
	case TSIG_BADKEY:
		return "the primary does not know the key (BADKEY)";
	case TSIG_BADSIG:
		return "the primary finds another signature: is the secret the same? (BADSIG)";
	case TSIG_BADTIME:
		return "the primary's clock differs from ours (BADTIME)";
	default:
		return "the answer is not signed as it must be";
	}
}

/* -- messages; each returns whether the fetch goes on -- */

static bool
take(struct fetch *f, const uint8_t *msg, size_t len)
{
	uint16_t error = 0;
	int signature = 0;

	if (f->keyed)
		signature =
		    tsig_check(&f->session, msg, len, (uint64_t)clock_real_ms() / 1000, &error);
	if (signature < 0) {
		/* Over UDP anybody may have sent it: the right one may still come. */
		if (!f->tcp && error == 0)
			return true;
		fail(f, signature_fault(error));
		return false;
	}
	f->whole = signature == 0;
	if (f->hooks->message(f, msg, len) == FETCH_MORE)
		return f->busy;
	return false;
}

/* Whole messages at the front of f->in. */
static bool
take_framed(struct fetch *f)
{
	size_t at = 0;

	while (f->in_len - at >= 2) {
		const size_t len = (size_t)f->in[at] << 8 | f->in[at + 1];

		if (f->in_len - at - 2 < len)
			break;
		if (!take(f, f->in + at + 2, len))
			return false;
		at += 2 + len;
	}
	f->in_len -= at;
	memmove(f->in, f->in + at, f->in_len);
	return true;
}

static void
read_stream(struct fetch *f)
{
	for (;;) {
		const ssize_t n = recv(f->watch.fd, f->in + f->in_len, IN_SIZE - f->in_len, 0);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			fail(f, n == 0 ? "the primary closed the connection before the end"
				       : "the connection to the primary broke");
			return;
		}
		f->in_len += (size_t)n;
		if (!take_framed(f))
			return;
		arm(f);
	}
}

static void
read_datagrams(struct fetch *f)
{
	uint8_t in[4096];

	for (;;) {
		const ssize_t n = recv(f->watch.fd, in, sizeof(in), 0);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0) {
			fail(f, "no server listens at the primary's address");
			return;
		}
		if (n >= 2 && (in[0] << 8 | in[1]) == f->id && !take(f, in, (size_t)n))
			return;
	}
}

/* False when it failed. */
static bool
write_out(struct fetch *f)
{
	while (f->out_done < f->out_len) {
		const ssize_t n =
		    send(f->watch.fd, f->out + f->out_done, f->out_len - f->out_done, MSG_NOSIGNAL);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return true;
		if (n < 0) {
			fail(f, "the primary cannot be reached");
			return false;
		}
		f->out_done += (size_t)n;
	}
	loop_fd_mod(f->loop, &f->watch, EPOLLIN);
	return true;
}

static void
on_ready(struct loop_fd *w, uint32_t events)
{
	struct fetch *f = container_of(w, struct fetch, watch);

	if (f->out_done < f->out_len) {
		if (f->tcp && sock_error(w->fd) != 0) {
			fail(f, "the primary refuses the connection");
			return;
		}
		if (!write_out(f))
			return;
	}
	if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0)
		return;
	if (f->tcp)
		read_stream(f);
	else
		read_datagrams(f);
}

/* -- life -- */

/* Callers are called back from the loop only, never from fetch_start. */
static void
on_stillborn(struct wheel_timer *t)
{
	fail(container_of(t, struct fetch, timer), "the primary cannot be reached");
}

static void
write_question(struct fetch *f, const struct fetch_request *r)
{
	uint8_t *msg = f->out + 2;
	size_t len = xfr_message_ask(r->question, msg);

	if (f->keyed) {
		tsig_start(&f->session, r->key);
		len = tsig_sign(
		    &f->session, msg, len, sizeof(f->out) - 2, (uint64_t)clock_real_ms() / 1000);
	}
	f->out[0] = (uint8_t)(len >> 8);
	f->out[1] = (uint8_t)len;
	f->out_len = 2 + len;
	f->out_done = f->tcp ? 0 : 2;
}

void
fetch_start(
    struct fetch *f, struct loop *l, const struct fetch_hooks *hooks, const struct fetch_request *r)
{
	*f = (struct fetch){ .loop = l,
		.hooks = hooks,
		.silence_ms = r->silence_ms,
		.until_ms = clock_mono_ms() + r->whole_ms,
		.tcp = r->tcp,
		.keyed = r->key != NULL,
		.id = r->question->id,
		.busy = true };
	f->in = r->tcp ? xmalloc(IN_SIZE) : NULL;
	write_question(f, r);

	const int fd = r->tcp ? sock_tcp_connect(&r->to, NULL) : sock_udp_connect(&r->to, NULL);

	f->watch.fd = -1;
	if (fd < 0 || loop_fd_add(l, &f->watch, fd, EPOLLIN | EPOLLOUT, on_ready) != 0) {
		if (fd >= 0)
			close(fd);
		f->watch.fd = -1;
		wheel_timer_init(&f->timer, on_stillborn);
		loop_timer_in(l, &f->timer, 0);
		return;
	}
	wheel_timer_init(&f->timer, on_timer);
	arm(f);
}
