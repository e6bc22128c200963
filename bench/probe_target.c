/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * probe_target -- answers tens of thousands of checks with little CPU, for bench/probe_scale.py.
 *
 *	probe_target HTTP_PORT TCP_PORT        on every address of the loopback device
 *
 * HTTP: "200 OK" to whatever is asked; TCP: takes the connection. One process, one epoll. Ends with
 * its standard input and then writes how many of each there were.
 *
 * A second thread does nothing but sleep, a millisecond at a time, and measure how late it wakes:
 * what this machine does to anybody. A line on the standard input has it told: "p50 p99 p999" in
 * us, since the last one.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH    256
#define STEP_NS  1000000
#define STEP_US  10 /* of the histogram */
#define LATE_MAX 100000

static const char reply[] = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n";
static uint64_t served[2];
static atomic_uint late[LATE_MAX];

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

static uint64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void *
sleep_only(void *arg)
{
	(void)arg;
	for (;;) {
		const uint64_t due = now_ns() + STEP_NS;
		const struct timespec t = { (time_t)(due / 1000000000), (long)(due % 1000000000) };

		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);

		const uint64_t steps = (now_ns() - due) / 1000 / STEP_US;

		atomic_fetch_add(&late[steps < LATE_MAX ? steps : LATE_MAX - 1], 1);
	}
	return NULL;
}

static void
tell_lateness(void)
{
	static const double quantiles[] = { 0.5, 0.99, 0.999 };
	static unsigned counts[LATE_MAX];
	uint64_t all = 0;

	for (unsigned i = 0; i < LATE_MAX; i++)
		all += counts[i] = atomic_exchange(&late[i], 0);
	for (unsigned q = 0; q < 3; q++) {
		uint64_t seen = 0;
		unsigned i = 0;

		while (i < LATE_MAX - 1 && (double)(seen += counts[i]) < quantiles[q] * (double)all)
			i++;
		printf("%u ", (i + 1) * STEP_US);
	}
	puts("");
	fflush(stdout);
}

/* False at the end of the standard input. */
static int
obey(void)
{
	char line[64];

	if (read(STDIN_FILENO, line, sizeof(line)) <= 0)
		return 0;
	tell_lateness();
	return 1;
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
	pthread_t sleeper;

	for (int i = 0; i < 3; i++) {
		struct epoll_event e = { .events = EPOLLIN, .data.fd = fds[i] };

		need(epoll_ctl(epoll, EPOLL_CTL_ADD, fds[i], &e), "epoll_ctl");
	}
	if (pthread_create(&sleeper, NULL, sleep_only, NULL) != 0)
		return 1;
	puts("ready");
	fflush(stdout);
	for (;;) {
		const int n = epoll_wait(epoll, batch, BATCH, -1);

		for (int i = 0; i < n; i++) {
			if (batch[i].data.fd == STDIN_FILENO) {
				if (obey())
					continue;
				printf("%ju %ju\n", (uintmax_t)served[0], (uintmax_t)served[1]);
				return 0;
			}
			take(batch[i].data.fd, batch[i].data.fd == http);
		}
	}
}
