/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * flap_target -- where the checks of steered names go, in bench/queries.py and under_change.py.
 *
 *	flap_target TCP_PORT HTTP_PORT          on every address of the loopback device
 *
 * TCP: takes the connection. HTTP: 200 to whatever is asked; once 'f' has come on standard input
 * every address says 503 and 200 in turns, until 's'. One process, one epoll; ends with its
 * standard input.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH 256

static const char reply[] = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n";
static const char sorry[] = "HTTP/1.1 503 No\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno\n";
static int flaps;
static uint8_t failed_last[65536]; /* by the low half of the address */

static void
need(int ok, const char *what)
{
	if (ok >= 0)
		return;
	perror(what);
	exit(1);
}

/* A request is there when the connection is (TCP_DEFER_ACCEPT): no turn through epoll for it. */
static int
listen_at(uint16_t port, int defer)
{
	const struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(port) };
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;

	need(fd, "socket");
	need(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), "SO_REUSEADDR");
	need(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3), "SO_BINDTODEVICE");
	if (defer)
		need(setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &on, sizeof(on)), "defer");
	need(bind(fd, (const struct sockaddr *)&any, sizeof(any)), "bind");
	need(listen(fd, SOMAXCONN), "listen");
	return fd;
}

static void
answer(int fd, const char *text, size_t len)
{
	char request[4096];

	if (recv(fd, request, sizeof(request), 0) > 0)
		(void)!send(fd, text, len, MSG_NOSIGNAL);
	close(fd);
}

static int
fails_now(int fd)
{
	struct sockaddr_in here;
	socklen_t len = sizeof(here);

	if (!flaps || getsockname(fd, (struct sockaddr *)&here, &len) < 0)
		return 0;

	uint8_t *last = &failed_last[ntohl(here.sin_addr.s_addr) & 0xffff];

	return *last = !*last;
}

enum kind { TCP, HTTP, INPUT, KINDS };

static void
take(int listener, enum kind kind)
{
	for (;;) {
		const int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			return;
		if (kind == TCP)
			close(fd);
		else if (fails_now(fd))
			answer(fd, sorry, sizeof(sorry) - 1);
		else
			answer(fd, reply, sizeof(reply) - 1);
	}
}

/* Whether there will be more. */
static int
hear(void)
{
	char word;

	if (read(STDIN_FILENO, &word, 1) <= 0)
		return 0;
	flaps = word == 'f' ? 1 : word == 's' ? 0 : flaps;
	return 1;
}

int
main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "usage: flap_target TCP_PORT HTTP_PORT\n");
		return 2;
	}

	const int epoll = epoll_create1(EPOLL_CLOEXEC);
	const int fds[KINDS] = { [TCP] = listen_at((uint16_t)atoi(argv[1]), 0),
		[HTTP] = listen_at((uint16_t)atoi(argv[2]), 1),
		[INPUT] = STDIN_FILENO };
	struct epoll_event batch[BATCH];

	for (uint32_t i = 0; i < KINDS; i++) {
		struct epoll_event e = { .events = EPOLLIN, .data.u32 = i };

		need(epoll_ctl(epoll, EPOLL_CTL_ADD, fds[i], &e), "epoll_ctl");
	}
	puts("ready");
	fflush(stdout);
	for (;;) {
		const int n = epoll_wait(epoll, batch, BATCH, -1);

		for (int i = 0; i < n; i++) {
			const enum kind kind = batch[i].data.u32;

			if (kind != INPUT)
				take(fds[kind], kind);
			else if (!hear())
				return 0;
		}
	}
}
