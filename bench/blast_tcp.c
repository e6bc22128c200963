/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Connections that each keep a number of questions under way. */
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "blaster.h"

#define IN_MAX 65537

struct stream {
	int fd;
	size_t in_len, out_at, out_len;
	uint8_t *in, *out;
	struct flights flights;
};

static struct blast *b;

static void
open_stream(struct stream *s)
{
	const int on = 1;

	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s->fd < 0 || connect(s->fd, (const struct sockaddr *)&b->to, sizeof(b->to)) < 0) {
		perror("blaster: connect");
		exit(1);
	}
	setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	s->in = malloc(IN_MAX);
	s->out = malloc(b->window * (QUESTION_MAX + 2));
}

static void
push(struct stream *s)
{
	const ssize_t n =
	    send(s->fd, s->out + s->out_at, s->out_len - s->out_at, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n > 0)
		s->out_at += (size_t)n;
	if (s->out_at == s->out_len)
		s->out_at = s->out_len = 0;
}

/* Up to the window, once half of it is free. */
static void
fill(struct stream *s, uint64_t now)
{
	unsigned room = b->window - s->flights.waiting;

	if (s->out_len > 0 || room < (b->window + 1) / 2)
		return;
	if (b->count > 0 && room > b->count - b->total_sent)
		room = (unsigned)(b->count - b->total_sent);
	for (unsigned i = 0; i < room; i++) {
		uint8_t *p = s->out + s->out_len;
		const size_t len = questions_next(b->questions, p + 2);
		const uint16_t id = flights_add(&s->flights, b, now);

		p[0] = (uint8_t)(len >> 8);
		p[1] = (uint8_t)len;
		p[2] = (uint8_t)(id >> 8);
		p[3] = (uint8_t)id;
		s->out_len += len + 2;
	}
	b->sent += room;
	b->total_sent += room;
}

static void
take_replies(struct stream *s, uint64_t now)
{
	size_t at = 0;

	while (s->in_len - at >= 2) {
		const uint8_t *p = s->in + at;
		const size_t len = (size_t)(p[0] << 8 | p[1]);

		if (s->in_len - at < 2 + len)
			break;

		const uint64_t sent =
		    len >= 12 ? flights_take(&s->flights, (uint16_t)(p[2] << 8 | p[3])) : 0;

		if (sent == 0)
			b->late++;
		else
			blaster_judge(b, p + 2, len, sent, now);
		at += 2 + len;
	}
	memmove(s->in, s->in + at, s->in_len - at);
	s->in_len -= at;
}

/* Whether anything came. */
static bool
pull(struct stream *s)
{
	const ssize_t n = recv(s->fd, s->in + s->in_len, IN_MAX - s->in_len, MSG_DONTWAIT);

	if (n == 0 || (n < 0 && errno != EAGAIN)) {
		fprintf(stderr, "blaster: the server has closed a connection\n");
		exit(1);
	}
	if (n < 0)
		return false;
	s->in_len += (size_t)n;
	take_replies(s, blaster_now());
	return true;
}

static void
turn(struct stream *streams, bool sends, uint64_t now)
{
	bool any = false;

	for (unsigned i = 0; i < b->sockets; i++) {
		struct stream *s = &streams[i];

		if (sends)
			fill(s, now);
		if (s->out_len > 0)
			push(s);
		any = pull(s) || any;
		if (!sends)
			flights_expire(&s->flights, b, now);
	}
	b->turns++;
	b->empty += !any;
}

static bool
waiting(const struct stream *streams)
{
	for (unsigned i = 0; i < b->sockets; i++)
		if (streams[i].flights.waiting > 0)
			return true;
	return false;
}

void
blast_tcp(struct blast *blast)
{
	struct stream *streams = calloc(blast->sockets, sizeof(*streams));
	uint64_t now;

	b = blast;
	for (unsigned i = 0; i < b->sockets; i++)
		open_stream(&streams[i]);
	while (blaster_goes_on(b, now = blaster_now()))
		turn(streams, true, now);
	while (waiting(streams))
		turn(streams, false, blaster_now());
	for (unsigned i = 0; i < b->sockets; i++) {
		close(streams[i].fd);
		free(streams[i].in);
		free(streams[i].out);
	}
	free(streams);
}
