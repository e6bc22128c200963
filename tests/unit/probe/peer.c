/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "peer.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/thread.h"
#include "net/sock.h"

#define PATIENCE_S 20

const char peer_hang[] = "hang", peer_reset[] = "reset";

static void
count(struct peer *p, size_t *counter)
{
	pthread_mutex_lock(&p->lock);
	++*counter;
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
}

/* Until there is something to read; false when told to stop. */
static bool
readable(const struct peer *p, int fd)
{
	struct pollfd fds[] = { { .fd = fd, .events = POLLIN },
		{ .fd = p->stop[0], .events = POLLIN } };

	return poll(fds, 2, -1) > 0 && fds[1].revents == 0;
}

static void
reset(int fd)
{
	const struct linger now = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

static void
behave(struct peer *p, int fd, const char *reply)
{
	char request[4096];

	if (reply == NULL || !readable(p, fd) || recv(fd, request, sizeof(request), 0) <= 0)
		return;
	if (reply == peer_hang) {
		while (readable(p, fd) && recv(fd, request, sizeof(request), 0) > 0)
			continue;
	} else if (reply == peer_reset) {
		reset(fd);
	} else {
		send(fd, reply, strlen(reply), MSG_NOSIGNAL);
	}
}

static void *
serve(void *arg)
{
	struct peer *p = arg;

	while (readable(p, p->listener)) {
		const int fd = sock_accept(p->listener, NULL);
		const char *reply;

		if (fd < 0)
			continue; /* they were gone before we came */
		pthread_mutex_lock(&p->lock);
		reply = p->reply;
		pthread_mutex_unlock(&p->lock);
		count(p, &p->accepted);
		behave(p, fd, reply);
		close(fd);
		count(p, &p->closed);
	}
	return NULL;
}

bool
peer_start(struct peer *p, const char *ip, const char *reply)
{
	struct addr any_port;
	struct diag d;

	memset(p, 0, sizeof(*p));
	assert_int_equal(addr_parse(&any_port, ip, 0), 0);
	diag_init(&d);
	p->listener = sock_tcp_listen(&any_port, &d);
	diag_fini(&d);
	if (p->listener < 0)
		return false;
	assert_int_equal(sock_name(p->listener, &p->addr), 0);
	assert_int_equal(pipe2(p->stop, O_CLOEXEC), 0);
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->changed, NULL);
	p->reply = reply;
	thread_start(&p->thread, "peer", serve, p);
	return true;
}

void
peer_stop(struct peer *p)
{
	assert_int_equal(write(p->stop[1], "", 1), 1);
	thread_join(p->thread);
	close(p->listener);
	close(p->stop[0]);
	close(p->stop[1]);
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->changed);
}

void
peer_reply(struct peer *p, const char *reply)
{
	pthread_mutex_lock(&p->lock);
	p->reply = reply;
	pthread_mutex_unlock(&p->lock);
}

static void
await(struct peer *p, const size_t *counter, size_t n)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_S;
	pthread_mutex_lock(&p->lock);
	while (*counter < n)
		assert_int_equal(pthread_cond_timedwait(&p->changed, &p->lock, &until), 0);
	pthread_mutex_unlock(&p->lock);
}

void
peer_await_accepted(struct peer *p, size_t n)
{
	await(p, &p->accepted, n);
}

void
peer_await_closed(struct peer *p, size_t n)
{
	await(p, &p->closed, n);
}

struct addr
peer_refusing(void)
{
	struct addr any_port, a;

	assert_int_equal(addr_parse(&any_port, "127.0.0.1:0", 0), 0);
	const int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, &any_port.sa, any_port.len), 0);
	assert_int_equal(sock_name(fd, &a), 0);
	close(fd);
	return a;
}

/* Linux drops a SYN when the queue of accepted connections is full. */
void
peer_deaf_open(struct peer_deaf *d)
{
	struct addr any_port;

	assert_int_equal(addr_parse(&any_port, "127.0.0.1:0", 0), 0);
	d->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(d->listener, &any_port.sa, any_port.len), 0);
	assert_int_equal(listen(d->listener, 0), 0);
	assert_int_equal(sock_name(d->listener, &d->addr), 0);
	for (size_t i = 0; i < PEER_CROWD; i++) {
		d->crowd[i] = sock_tcp_connect(&d->addr, NULL);
		assert_true(d->crowd[i] >= 0);
	}
}

void
peer_deaf_close(struct peer_deaf *d)
{
	for (size_t i = 0; i < PEER_CROWD; i++)
		close(d->crowd[i]);
	close(d->listener);
}
