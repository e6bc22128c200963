/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * moody -- thousands of HTTP servers in one process, each with a mood of its own, for tests.
 *
 *	moody FILE PORT PORT2       on every address of the loopback device, until stdin ends
 *
 * FILE is mapped: octet n is the mood of 127.x.a.b with n = a * 256 + b, changed at any time by
 *whoever has mapped it, too. PORT2 listens only while the last octet is not zero.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MOODS   65536
#define FDS     32768
#define BATCH   256
#define SLOW_MS 200
#define TURN_MS 20

enum mood { GOOD, SLOW, FLAP, WRONG, HANG, RESET, CLOSE, GARBAGE };

static const char good[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
static const char wrong[] = "HTTP/1.1 503 Sick\r\nContent-Length: 0\r\n\r\n";
static const char garbage[] = "\0\1\2 this is no HTTP at all \xff\r\n\r\n";

static volatile uint8_t *moods;
static uint8_t flipped[MOODS];
static int epoll;
static struct {
	uint32_t index;
	uint64_t due_ms; /* slow: when to answer; 0 = not */
} conns[FDS];
/* Slow ones in the order of their time, which is that of their coming. */
static int slow[FDS];
static uint32_t slow_first, slow_last;

static uint64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void
need(int ok, const char *what)
{
	if (ok >= 0)
		return;
	perror(what);
	exit(1);
}

static void
watch(int fd)
{
	struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };

	need(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e), "epoll_ctl");
}

static int
listen_at(uint16_t port)
{
	const struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(port) };
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;

	need(fd, "socket");
	need(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), "SO_REUSEADDR");
	need(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3), "SO_BINDTODEVICE");
	need(bind(fd, (const struct sockaddr *)&any, sizeof(any)), "bind");
	need(listen(fd, 4096), "listen");
	watch(fd);
	return fd;
}

static void
finish(int fd, const char *text, size_t len)
{
	if (text != NULL && send(fd, text, len, MSG_NOSIGNAL) < 0 && errno == EBADF)
		abort();
	conns[fd].due_ms = 0;
	close(fd);
}

static void
reset(int fd)
{
	const struct linger now = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	finish(fd, NULL, 0);
}

static void
answer(int fd)
{
	const uint32_t n = conns[fd].index;

	switch ((enum mood)moods[n]) {
	case GOOD:
		finish(fd, good, sizeof(good) - 1);
		break;
	case SLOW:
		if (conns[fd].due_ms == 0) {
			conns[fd].due_ms = now_ms() + SLOW_MS;
			slow[slow_last++ % FDS] = fd;
		}
		break;
	case FLAP: /* never twice in a row */
		flipped[n] ^= 1;
		if (flipped[n] != 0)
			finish(fd, wrong, sizeof(wrong) - 1);
		else
			finish(fd, good, sizeof(good) - 1);
		break;
	case WRONG:
		finish(fd, wrong, sizeof(wrong) - 1);
		break;
	case HANG:
		break;
	case RESET:
		reset(fd);
		break;
	case CLOSE:
		finish(fd, NULL, 0);
		break;
	case GARBAGE:
		finish(fd, garbage, sizeof(garbage) - 1);
		break;
	}
}

static void
readable(int fd)
{
	char request[4096];

	if (recv(fd, request, sizeof(request), 0) > 0)
		answer(fd);
	else
		finish(fd, NULL, 0);
}

static void
take(int listener)
{
	for (;;) {
		const int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		struct sockaddr_in own;
		socklen_t len = sizeof(own);

		if (fd < 0)
			return;
		if (fd >= FDS || getsockname(fd, (struct sockaddr *)&own, &len) < 0) {
			close(fd);
			continue;
		}
		conns[fd].index = ntohl(own.sin_addr.s_addr) & (MOODS - 1);
		conns[fd].due_ms = 0;
		watch(fd);
	}
}

static void
answer_slow(void)
{
	const uint64_t now = now_ms();

	while (slow_first != slow_last) {
		const int fd = slow[slow_first % FDS];

		if (conns[fd].due_ms > now)
			return;
		slow_first++;
		if (conns[fd].due_ms != 0) /* else it has gone meanwhile */
			finish(fd, good, sizeof(good) - 1);
	}
}

int
main(int argc, char **argv)
{
	struct epoll_event batch[BATCH];
	int second = -1;

	if (argc != 4) {
		fprintf(stderr, "usage: moody FILE PORT PORT2\n");
		return 2;
	}

	const int file = open(argv[1], O_RDWR | O_CLOEXEC);

	need(file, argv[1]);
	moods = mmap(NULL, MOODS, PROT_READ, MAP_SHARED, file, 0);
	epoll = epoll_create1(EPOLL_CLOEXEC);

	const int first = listen_at((uint16_t)atoi(argv[2]));

	watch(STDIN_FILENO);
	puts("ready");
	fflush(stdout);
	for (;;) {
		const int n = epoll_wait(epoll, batch, BATCH, TURN_MS);

		if (moods[MOODS - 1] != 0 && second < 0) {
			second = listen_at((uint16_t)atoi(argv[3]));
		} else if (moods[MOODS - 1] == 0 && second >= 0) {
			close(second);
			second = -1;
		}
		answer_slow();
		for (int i = 0; i < n; i++) {
			const int fd = batch[i].data.fd;

			if (fd == STDIN_FILENO)
				return 0;
			if (fd == first || fd == second)
				take(fd);
			else
				readable(fd);
		}
	}
}
