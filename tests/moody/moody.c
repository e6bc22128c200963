/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * moody -- thousands of servers in one process, each with a mood of its own, for tests.
 *
 *	moody FILE PORT PORT2 CERTS    on every address of the loopback device, until stdin ends
 *
 * FILE is mapped: octet n is the mood of 127.x.a.b with n = a * 256 + b, changed at any time by
 * whoever has mapped it, too. HTTP at PORT and PORT2, the latter only while the last octet is not
 * zero; HTTPS at PORT + 2, the health service of gRPC at PORT + 3. Datagrams to PORT + 4 come back,
 * to clients of DNS as a reply; they know no moods. CERTS is a directory with
 * good.pem, expired.pem, self.pem and wrong.pem, each a certificate and its key.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdbool.h>
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
#define FLAP_MS 3000 /* longer than a recheck takes, shorter than an interval */
#define TURN_MS 20

enum mood { GOOD, SLOW, FLAP, WRONG, HANG, RESET, CLOSE, GARBAGE, EXPIRED, SELF_SIGNED, MISNAMED };
enum port { HTTP, HTTP2, HTTPS, GRPC, PORTS };

static const char good[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
static const char wrong[] = "HTTP/1.1 503 Sick\r\nContent-Length: 0\r\n\r\n";
static const char garbage[] = "\0\1\2 this is no HTTP at all \xff\r\n\r\n";

/* SETTINGS, their acknowledgement; :status 200 and a content type; the message; grpc-status 0. */
#define GRPC_REPLY(health)                                                                         \
	"\0\0\0\4\0\0\0\0\0\0\0\0\4\1\0\0\0\0"                                                     \
	"\0\0\x20\1\4\0\0\0\1\x88\0\x0c"                                                           \
	"content-type\x10"                                                                         \
	"application/grpc"                                                                         \
	"\0\0\7\0\0\0\0\0\1\0\0\0\0\2\x08" health "\0\0\x0f\1\5\0\0\0\1\0\x0b"                     \
	"grpc-status\1"                                                                            \
	"0"
static const char serving[] = GRPC_REPLY("\1"), not_serving[] = GRPC_REPLY("\2");

static volatile uint8_t *moods;
/* Of those that flap: was the last answer wrong, and when was one? */
static bool was_sick[MOODS];
static uint64_t sick_ms[MOODS];
static SSL_CTX *contexts[4];
static int listeners[PORTS] = { -1, -1, -1, -1 }, datagrams;
static int epoll;
static struct {
	uint32_t index;
	enum port port;
	SSL *ssl;        /* NULL: in the clear */
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
	SSL *ssl = conns[fd].ssl;

	if (text != NULL && ssl != NULL && SSL_is_init_finished(ssl))
		SSL_write(ssl, text, (int)len);
	else if (text != NULL && send(fd, text, len, MSG_NOSIGNAL) < 0 && errno == EBADF)
		abort();
	SSL_free(ssl);
	conns[fd].ssl = NULL;
	conns[fd].due_ms = 0;
	close(fd);
}

static void
reply(int fd, bool well)
{
	if (conns[fd].port == GRPC)
		finish(fd, well ? serving : not_serving, sizeof(serving) - 1);
	else if (well)
		finish(fd, good, sizeof(good) - 1);
	else
		finish(fd, wrong, sizeof(wrong) - 1);
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
	const uint64_t now = now_ms();

	switch ((enum mood)moods[n]) {
	case SLOW:
		if (conns[fd].due_ms == 0) {
			conns[fd].due_ms = now + SLOW_MS;
			slow[slow_last++ % FDS] = fd;
		}
		break;
	case FLAP: /* never twice in a row, even when somebody asks twice at a time */
		was_sick[n] = !was_sick[n] && now - sick_ms[n] >= FLAP_MS;
		if (was_sick[n])
			sick_ms[n] = now;
		reply(fd, !was_sick[n]);
		break;
	case WRONG:
		reply(fd, false);
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
	default: /* GOOD, and those whose certificate is what is wrong with them */
		reply(fd, true);
	}
}

/* Before there is TLS. */
static bool
is_rude(int fd)
{
	const enum mood mood = (enum mood)moods[conns[fd].index];

	return mood == HANG || mood == RESET || mood == CLOSE || mood == GARBAGE;
}

/* Of a call, the last frame must have come: who closes in the middle of it resets. */
static bool
is_complete(int fd, const char *in, size_t len)
{
	static const char data[] = "\0\0\5\0\1\0\0\0\1\0\0\0\0";

	return conns[fd].port != GRPC ||
	       (len >= sizeof(data) && memcmp(in + len - sizeof(data), data, sizeof(data)) == 0);
}

static void
readable(int fd)
{
	SSL *ssl = conns[fd].ssl;
	char request[4096];
	int n;

	if (ssl == NULL || (is_rude(fd) && !SSL_is_init_finished(ssl)))
		n = (int)recv(fd, request, sizeof(request), 0);
	else
		n = SSL_read(ssl, request, sizeof(request));
	if (n > 0 && !is_complete(fd, request, (size_t)n))
		return;
	if (n > 0)
		answer(fd);
	else if (ssl == NULL || SSL_get_error(ssl, n) != SSL_ERROR_WANT_READ)
		finish(fd, NULL, 0);
}

static SSL *
greet(int fd)
{
	const unsigned mood = moods[conns[fd].index];
	SSL *ssl = SSL_new(contexts[mood >= EXPIRED ? mood - EXPIRED + 1 : 0]);

	if (ssl == NULL || SSL_set_fd(ssl, fd) != 1)
		abort();
	SSL_set_accept_state(ssl);
	return ssl;
}

static void
read_certificates(const char *directory)
{
	static const char *const names[] = { "good", "expired", "self", "wrong" };

	for (int i = 0; i < 4; i++) {
		char path[4096];

		snprintf(path, sizeof(path), "%s/%s.pem", directory, names[i]);
		contexts[i] = SSL_CTX_new(TLS_server_method());
		if (SSL_CTX_use_certificate_chain_file(contexts[i], path) != 1 ||
		    SSL_CTX_use_PrivateKey_file(contexts[i], path, SSL_FILETYPE_PEM) != 1) {
			fprintf(stderr, "%s cannot be used\n", path);
			exit(1);
		}
		SSL_CTX_set_session_id_context(contexts[i], (const unsigned char *)names[i], 4);
	}
}

static void
take(enum port port)
{
	for (;;) {
		const int fd = accept4(listeners[port], NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
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
		conns[fd].port = port;
		conns[fd].ssl = port == HTTPS ? greet(fd) : NULL;
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
			reply(fd, true);
	}
}

/* -- datagrams -- */

static int
echo_at(uint16_t port)
{
	const struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(port) };
	const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;

	need(fd, "socket");
	need(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3), "SO_BINDTODEVICE");
	need(setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)), "IP_PKTINFO");
	need(bind(fd, (const struct sockaddr *)&any, sizeof(any)), "bind");
	watch(fd);
	return fd;
}

/* From the address that was asked. */
static void
echo(int fd)
{
	struct sockaddr_in from;
	char data[2048], control[CMSG_SPACE(sizeof(struct in_pktinfo))];
	struct iovec v = { data, sizeof(data) };
	struct msghdr m = { .msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control) };
	const ssize_t n = recvmsg(fd, &m, 0);
	struct cmsghdr *c = n > 2 ? CMSG_FIRSTHDR(&m) : NULL;

	if (c == NULL || c->cmsg_type != IP_PKTINFO)
		return;

	struct in_pktinfo *to = (struct in_pktinfo *)(void *)CMSG_DATA(c);

	to->ipi_spec_dst = to->ipi_addr;
	to->ipi_ifindex = 0;
	data[2] = (char)(data[2] | 0x80);
	v.iov_len = (size_t)n;
	if (sendmsg(fd, &m, 0) < 0)
		perror("sendmsg");
}

/* -- all of it -- */

/* The second port listens as the last mood says. */
static void
open_or_close(uint16_t port)
{
	if (moods[MOODS - 1] != 0 && listeners[HTTP2] < 0) {
		listeners[HTTP2] = listen_at(port);
	} else if (moods[MOODS - 1] == 0 && listeners[HTTP2] >= 0) {
		close(listeners[HTTP2]);
		listeners[HTTP2] = -1;
	}
}

static void
handle(int fd)
{
	for (enum port p = 0; p < PORTS; p++) {
		if (fd == listeners[p]) {
			take(p);
			return;
		}
	}
	if (fd == STDIN_FILENO)
		exit(0);
	if (fd == datagrams)
		echo(fd);
	else
		readable(fd);
}

int
main(int argc, char **argv)
{
	struct epoll_event batch[BATCH];

	if (argc != 5) {
		fprintf(stderr, "usage: moody FILE PORT PORT2 CERTS\n");
		return 2;
	}

	const int file = open(argv[1], O_RDWR | O_CLOEXEC);
	const uint16_t port = (uint16_t)atoi(argv[2]);

	need(file, argv[1]);
	moods = mmap(NULL, MOODS, PROT_READ, MAP_SHARED, file, 0);
	epoll = epoll_create1(EPOLL_CLOEXEC);
	signal(SIGPIPE, SIG_IGN);
	read_certificates(argv[4]);
	listeners[HTTP] = listen_at(port);
	listeners[HTTPS] = listen_at((uint16_t)(port + 2));
	listeners[GRPC] = listen_at((uint16_t)(port + 3));
	datagrams = echo_at((uint16_t)(port + 4));
	watch(STDIN_FILENO);
	puts("ready");
	fflush(stdout);
	for (;;) {
		const int n = epoll_wait(epoll, batch, BATCH, TURN_MS);

		open_or_close((uint16_t)atoi(argv[3]));
		answer_slow();
		for (int i = 0; i < n; i++)
			handle(batch[i].data.fd);
	}
}
