/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * echo -- the limit of a DNS server on kernel sockets: gives every message back with the QR bit
 * set. What this costs is the kernel's, so bench/queries.py says of each server how far from it it
 * is.
 *
 *	echo ADDRESS PORT        UDP by recvmmsg and sendmmsg; TCP in a thread of its own
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH   64
#define MESSAGE 1500
#define STREAM  65536
#define CLIENTS 1024

static struct sockaddr_in here;

static int
need(int n, const char *what)
{
	if (n >= 0)
		return n;
	perror(what);
	exit(1);
}

static int
bound(int type)
{
	const int fd = need(socket(AF_INET, type | SOCK_CLOEXEC, 0), "socket"), on = 1;
	const int size = 4 << 20;

	need(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)), "SO_RCVBUF");
	if (type == SOCK_STREAM)
		need(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), "SO_REUSEADDR");
	need(bind(fd, (const struct sockaddr *)&here, sizeof(here)), "bind");
	return fd;
}

/* -- UDP -- */

static uint8_t messages[BATCH][MESSAGE];
static struct sockaddr_in peers[BATCH];
static struct iovec parts[BATCH];
static struct mmsghdr batch[BATCH];

static void
give_back(int fd, int n)
{
	for (int i = 0; i < n; i++) {
		messages[i][2] |= 0x80;
		parts[i].iov_len = batch[i].msg_len;
	}
	for (int done = 0; done < n;) {
		const int sent = sendmmsg(fd, batch + done, (unsigned)(n - done), 0);

		done += sent > 0 ? sent : 1;
	}
}

static void
serve_udp(int fd)
{
	for (;;) {
		for (int i = 0; i < BATCH; i++) {
			parts[i] = (struct iovec){ messages[i], MESSAGE };
			batch[i].msg_hdr = (struct msghdr){ .msg_name = &peers[i],
				.msg_namelen = sizeof(peers[i]),
				.msg_iov = &parts[i],
				.msg_iovlen = 1 };
		}

		const int n = recvmmsg(fd, batch, BATCH, MSG_WAITFORONE, NULL);

		if (n > 0)
			give_back(fd, n);
	}
}

/* -- TCP -- */

struct client {
	size_t have;
	uint8_t in[STREAM];
};

static struct client *clients[CLIENTS];

/* Whole messages go back at once; the begun one stays. */
static int
give_stream(int fd, struct client *c)
{
	size_t at = 0;

	while (c->have - at >= 2) {
		const size_t len = 2 + (size_t)(c->in[at] << 8 | c->in[at + 1]);

		if (c->have - at < len)
			break;
		c->in[at + 4] |= 0x80;
		at += len;
	}
	if (at > 0 && send(fd, c->in, at, MSG_NOSIGNAL) != (ssize_t)at)
		return -1;
	memmove(c->in, c->in + at, c->have - at);
	c->have -= at;
	return 0;
}

static void
take(int epoll, int listener)
{
	const int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC), on = 1;

	if (fd < 0)
		return;
	if (fd >= CLIENTS) {
		close(fd);
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (clients[fd] == NULL)
		clients[fd] = malloc(sizeof(*clients[fd]));
	need(clients[fd] == NULL ? -1 : 0, "malloc");
	clients[fd]->have = 0;

	struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };

	need(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e), "epoll_ctl");
}

static void *
serve_tcp(void *arg)
{
	const int listener = *(const int *)arg;
	const int epoll = need(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
	struct epoll_event events[BATCH], e = { .events = EPOLLIN, .data.fd = listener };

	need(epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &e), "epoll_ctl");
	for (;;) {
		const int n = epoll_wait(epoll, events, BATCH, -1);

		for (int i = 0; i < n; i++) {
			const int fd = events[i].data.fd;

			if (fd == listener) {
				take(epoll, listener);
				continue;
			}

			struct client *c = clients[fd];
			const ssize_t got = recv(fd, c->in + c->have, STREAM - c->have, 0);

			c->have += got > 0 ? (size_t)got : 0;
			if (got <= 0 || give_stream(fd, c) < 0)
				close(fd);
		}
	}
	return NULL;
}

int
main(int argc, char **argv)
{
	pthread_t thread;

	if (argc != 3 || inet_pton(AF_INET, argv[1], &here.sin_addr) != 1) {
		fprintf(stderr, "usage: echo ADDRESS PORT\n");
		return 2;
	}
	here.sin_family = AF_INET;
	here.sin_port = htons((uint16_t)atoi(argv[2]));

	const int udp = bound(SOCK_DGRAM);
	int tcp = bound(SOCK_STREAM);

	need(listen(tcp, 128), "listen");
	need(-pthread_create(&thread, NULL, serve_tcp, &tcp), "thread");
	puts("ready");
	fflush(stdout);
	serve_udp(udp);
}
