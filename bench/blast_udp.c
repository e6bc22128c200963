/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Many connected sockets, each with a window of its own, or with its share of a rate. Questions of
 * one length leave in one call as segments (UDP GSO), others by sendmmsg.
 *
 * At a rate the time of a reply is the kernel's (SO_TIMESTAMPNS), so that what the sender is late
 * itself does not count.
 */
#include <errno.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "blaster.h"

#define REPLY_MAX   1500
#define CATCH_UP_NS 10000000 /* what is due longer is left out */
#define EXPIRE_NS   10000000
#define NAP_NS      50000

static struct blast *b;
static int *fds;
static struct flights *flights;

/* -- sending -- */

static uint8_t questions[BURST * QUESTION_MAX];
static struct iovec parts[BURST];
static struct mmsghdr separate[BURST];

static bool
send_segments(int fd, size_t len, unsigned n)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(uint16_t))];
	} control = { .head = { CMSG_LEN(sizeof(uint16_t)), SOL_UDP, UDP_SEGMENT } };
	struct iovec whole = { questions, len * n };
	const struct msghdr m = { .msg_iov = &whole,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control) };
	const uint16_t size = (uint16_t)len;

	memcpy(CMSG_DATA(&control.head), &size, sizeof(size));
	return sendmsg(fd, &m, 0) >= 0;
}

static void
send_burst(unsigned s, unsigned n, uint64_t now)
{
	uint8_t *p = questions;
	bool equal = true;

	for (unsigned i = 0; i < n; i++) {
		const size_t len = questions_next(b->questions, p);
		const uint16_t id = flights_add(&flights[s], b, now);

		p[0] = (uint8_t)(id >> 8);
		p[1] = (uint8_t)id;
		parts[i] = (struct iovec){ p, len };
		separate[i].msg_hdr = (struct msghdr){ .msg_iov = &parts[i], .msg_iovlen = 1 };
		equal = equal && len == parts[0].iov_len;
		p += len;
	}
	b->sent += n;
	b->total_sent += n;
	if (!equal || n == 1 || !send_segments(fds[s], parts[0].iov_len, n))
		sendmmsg(fds[s], separate, n, 0); /* what does not leave is lost, and counted so */
}

/* -- receiving -- */

static uint8_t replies[BURST][REPLY_MAX];
static uint8_t stamps[BURST][64];
static struct iovec reply_parts[BURST];
static struct mmsghdr batch[BURST];

static uint64_t
arrived(struct msghdr *m, uint64_t now)
{
	const struct cmsghdr *c = CMSG_FIRSTHDR(m);
	struct timespec at;

	if (c == NULL || c->cmsg_type != SO_TIMESTAMPNS)
		return now;
	memcpy(&at, CMSG_DATA(c), sizeof(at));
	return (uint64_t)at.tv_sec * 1000000000 + (uint64_t)at.tv_nsec;
}

static unsigned
receive(unsigned s)
{
	for (unsigned i = 0; i < BURST; i++) {
		reply_parts[i] = (struct iovec){ replies[i], REPLY_MAX };
		batch[i].msg_hdr = (struct msghdr){ .msg_iov = &reply_parts[i],
			.msg_iovlen = 1,
			.msg_control = b->rate ? stamps[i] : NULL,
			.msg_controllen = b->rate ? sizeof(stamps[i]) : 0 };
	}

	const int n = recvmmsg(fds[s], batch, BURST, MSG_DONTWAIT, NULL);
	const uint64_t now = n > 0 ? blaster_now() : 0;

	for (int i = 0; i < n; i++) {
		const uint16_t id = (uint16_t)(replies[i][0] << 8 | replies[i][1]);
		const uint64_t sent = batch[i].msg_len >= 12 ? flights_take(&flights[s], id) : 0;

		if (sent == 0)
			b->late++;
		else
			blaster_judge(
			    b, replies[i], batch[i].msg_len, sent, arrived(&batch[i].msg_hdr, now));
	}
	return n > 0 ? (unsigned)n : 0;
}

static unsigned
receive_all(uint64_t now)
{
	static uint64_t expired;
	unsigned n = 0;

	for (unsigned s = 0; s < b->sockets; s++)
		n += receive(s);
	b->turns++;
	b->empty += n == 0;
	if (now - expired > EXPIRE_NS) {
		for (unsigned s = 0; s < b->sockets; s++)
			flights_expire(&flights[s], b, now);
		expired = now;
	}
	return n;
}

/* -- the two ways -- */

static uint64_t
allowed(uint64_t n)
{
	const uint64_t left = b->count > 0 ? b->count - b->total_sent : UINT64_MAX;

	n = n < BURST ? n : BURST;
	return n < left ? n : left;
}

static void
fill_windows(uint64_t now)
{
	for (unsigned s = 0; s < b->sockets; s++) {
		const unsigned room = b->window - flights[s].waiting;
		const uint64_t n = allowed(room);

		if (n > 0)
			send_burst(s, (unsigned)n, now);
	}
}

static void
keep_rate(uint64_t now, uint64_t begin, uint64_t *done)
{
	static unsigned s;
	uint64_t due = (now - begin) * b->rate / 1000000000 - *done;
	const uint64_t most = b->rate * CATCH_UP_NS / 1000000000 + 1;

	if (due > most) {
		b->unsent += due - most;
		*done += due - most;
		due = most;
	}
	while (due > 0) {
		const uint64_t n = allowed(due < 8 ? due : 8);

		if (n == 0)
			return;
		send_burst(s, (unsigned)n, blaster_now());
		s = (s + 1) % b->sockets;
		due -= n;
		*done += n;
	}
}

static void
wait_reply(struct pollfd *p)
{
	const struct timespec t = { .tv_nsec = EXPIRE_NS };

	ppoll(p, b->sockets, &t, NULL);
}

/* However many replies come meanwhile: they carry their time. */
static void
nap(void)
{
	const struct timespec t = { .tv_nsec = NAP_NS };

	clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
}

static void
open_sockets(struct pollfd *p)
{
	const int size = 4 << 20, on = 1;

	for (unsigned s = 0; s < b->sockets; s++) {
		fds[s] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		if (fds[s] < 0 ||
		    connect(fds[s], (const struct sockaddr *)&b->to, sizeof(b->to)) < 0) {
			perror("blaster: connect");
			exit(1);
		}
		setsockopt(fds[s], SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
		if (b->rate > 0)
			setsockopt(fds[s], SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
		p[s] = (struct pollfd){ .fd = fds[s], .events = POLLIN };
	}
}

static bool
waiting(void)
{
	for (unsigned s = 0; s < b->sockets; s++)
		if (flights[s].waiting > 0)
			return true;
	return false;
}

void
blast_udp(struct blast *blast)
{
	struct pollfd *polled;
	uint64_t done = 0;

	b = blast;
	fds = calloc(b->sockets, sizeof(*fds));
	flights = calloc(b->sockets, sizeof(*flights));
	polled = calloc(b->sockets, sizeof(*polled));
	open_sockets(polled);

	const uint64_t begin = blaster_now();

	for (uint64_t now = begin; blaster_goes_on(b, now); now = blaster_now()) {
		if (b->rate > 0)
			keep_rate(now, begin, &done);
		else
			fill_windows(now);
		receive_all(now);
		if (b->sleeps)
			nap();
	}
	while (waiting()) {
		if (receive_all(blaster_now()) == 0)
			wait_reply(polled);
	}
	for (unsigned s = 0; s < b->sockets; s++)
		close(fds[s]);
	free(polled);
	free(flights);
	free(fds);
}
