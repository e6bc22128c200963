/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * probe_target -- answers tens of thousands of checks with little CPU, for bench/probe_scale.py.
 *
 *	probe_target HTTP_PORT TCP_PORT        on every address of the loopback device
 *
 * HTTP: "200 OK" to whatever is asked; TCP: takes the connection. One process, one epoll. Ends with
 * its standard input and then writes how many of each there were.
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
static uint64_t served[2];

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
answer(int fd)
{
	char request[4096];

	if (recv(fd, request, sizeof(request), 0) > 0)
		served[0] += send(fd, reply, sizeof(reply) - 1, MSG_NOSIGNAL) > 0;
	close(fd);
}

static void
take(int listener, int http)
{
	for (;;) {
		const int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			return;
		if (http) {
			answer(fd);
		} else {
			served[1]++;
			close(fd);
		}
	}
}

int
main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "usage: probe_target HTTP_PORT TCP_PORT\n");
		return 2;
	}

	const int epoll = epoll_create1(EPOLL_CLOEXEC);
	const int http = listen_at((uint16_t)atoi(argv[1]), 1);
	const int tcp = listen_at((uint16_t)atoi(argv[2]), 0);
	const int fds[] = { http, tcp, STDIN_FILENO };
	struct epoll_event batch[BATCH];

	for (int i = 0; i < 3; i++) {
		struct epoll_event e = { .events = EPOLLIN, .data.fd = fds[i] };

		need(epoll_ctl(epoll, EPOLL_CTL_ADD, fds[i], &e), "epoll_ctl");
	}
	puts("ready");
	fflush(stdout);
	for (;;) {
		const int n = epoll_wait(epoll, batch, BATCH, -1);

		for (int i = 0; i < n; i++) {
			if (batch[i].data.fd == STDIN_FILENO) {
				printf("%ju %ju\n", (uintmax_t)served[0], (uintmax_t)served[1]);
				return 0;
			}
			take(batch[i].data.fd, batch[i].data.fd == http);
		}
	}
}
