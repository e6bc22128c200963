/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/demo_sites.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/thread.h"
#include "net/sock.h"

#define PORT_ATTEMPTS 50

const char *const demo_sites_names[DEMO_SITES] = { "dc-a", "dc-b" };
const char *const demo_sites_ips[DEMO_SITES][DEMO_SERVERS] = {
	{ "127.0.10.1", "127.0.10.2" },
	{ "127.0.20.1", "127.0.20.2" },
};

int
demo_sites_of(const char *ip)
{
	for (int i = 0; i < DEMO_SITES; i++)
		for (int j = 0; j < DEMO_SERVERS; j++)
			if (strcmp(demo_sites_ips[i][j], ip) == 0)
				return i;
	return -1;
}

static void
close_site(struct demo_sites *s, unsigned site)
{
	for (int j = 0; j < DEMO_SERVERS; j++) {
		if (s->fds[site][j] >= 0)
			close(s->fds[site][j]);
		s->fds[site][j] = -1;
	}
	atomic_store(&s->up[site], false);
}

/* Port 0 becomes a free one with the first socket. */
static int
open_site(struct demo_sites *s, unsigned site, struct diag *d)
{
	for (int j = 0; j < DEMO_SERVERS; j++) {
		struct addr a;

		CHECK(addr_parse(&a, demo_sites_ips[site][j], s->port) == 0);
		addr_port_set(&a, s->port);
		s->fds[site][j] = sock_tcp_listen(&a, d);
		if (s->fds[site][j] < 0 || sock_name(s->fds[site][j], &a) != 0) {
			close_site(s, site);
			return -EINVAL;
		}
		s->port = addr_port(&a);
	}
	atomic_store(&s->up[site], true);
	return 0;
}

/* The request does not matter; who answers does. */
static void
serve(int fd, const char *site)
{
	const struct timeval patience = { .tv_usec = 200000 };
	char request[1024], reply[256], body[64];

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (recv(fd, request, sizeof(request), 0) > 0) {
		const int len = snprintf(body, sizeof(body), "hello from %s\n", site);
		const int total = snprintf(reply, sizeof(reply),
		    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n"
		    "Connection: close\r\n\r\n%s",
		    len, body);

		(void)!send(fd, reply, (size_t)total, MSG_NOSIGNAL);
	}
	close(fd);
}

static void
follow_wishes(struct demo_sites *s)
{
	for (unsigned i = 0; i < DEMO_SITES; i++) {
		struct diag d;

		if (atomic_load(&s->wanted[i]) == atomic_load(&s->up[i]))
			continue;
		diag_init(&d);
		if (atomic_load(&s->wanted[i]))
			(void)open_site(s, i, &d); /* tried again at the next wake-up */
		else
			close_site(s, i);
		diag_fini(&d);
	}
}

static void *
run(void *arg)
{
	struct demo_sites *s = arg;
	uint64_t n;

	while (!atomic_load(&s->stop)) {
		struct pollfd fds[1 + DEMO_SITES * DEMO_SERVERS];

		follow_wishes(s);
		fds[0] = (struct pollfd){ .fd = s->wake, .events = POLLIN };
		for (int i = 0; i < DEMO_SITES * DEMO_SERVERS; i++)
			fds[1 + i] = (struct pollfd){
				.fd = s->fds[i / DEMO_SERVERS][i % DEMO_SERVERS],
				.events = POLLIN,
			};
		if (poll(fds, ARRAY_LEN(fds), 100) <= 0)
			continue;
		if (fds[0].revents != 0)
			(void)!read(s->wake, &n, sizeof(n));
		for (int i = 0; i < DEMO_SITES * DEMO_SERVERS; i++) {
			const int fd = fds[1 + i].revents != 0
					   ? accept4(fds[1 + i].fd, NULL, NULL, SOCK_CLOEXEC)
					   : -1;

			if (fd >= 0)
				serve(fd, demo_sites_names[i / DEMO_SERVERS]);
		}
	}
	return NULL;
}

/* One port that is free on all the addresses. */
static int
open_all(struct demo_sites *s, struct diag *d)
{
	for (int attempt = 0; attempt < PORT_ATTEMPTS; attempt++) {
		struct diag ignored;
		unsigned n = 0;

		s->port = 0;
		diag_init(&ignored);
		while (n < DEMO_SITES && open_site(s, n, &ignored) == 0)
			n++;
		diag_fini(&ignored);
		if (n == DEMO_SITES)
			return 0;
		while (n-- > 0)
			close_site(s, n);
	}
	return diag_add(
	    d, DIAG_INTERNAL, "127.0.10.1 and others", "no free port for the demo's web servers");
}

int
demo_sites_start(struct demo_sites *s, struct diag *d)
{
	memset(s->fds, -1, sizeof(s->fds));
	s->wake = -1;
	if (open_all(s, d) != 0)
		return -EINVAL;
	for (int i = 0; i < DEMO_SITES; i++)
		atomic_store(&s->wanted[i], true);
	s->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	CHECK(s->wake >= 0);
	thread_start(&s->thread, "sites", run, s);
	s->running = true;
	return 0;
}

static void
wake(struct demo_sites *s)
{
	const uint64_t one = 1;

	(void)!write(s->wake, &one, sizeof(one));
}

void
demo_sites_stop(struct demo_sites *s)
{
	if (!s->running)
		return;
	atomic_store(&s->stop, true);
	wake(s);
	thread_join(s->thread);
	for (unsigned i = 0; i < DEMO_SITES; i++)
		close_site(s, i);
	close(s->wake);
	s->running = false;
}

bool
demo_sites_set(struct demo_sites *s, unsigned site, bool up)
{
	const uint64_t deadline = clock_mono_ms() + 2000;

	atomic_store(&s->wanted[site], up);
	wake(s);
	while (atomic_load(&s->up[site]) != up) {
		if (clock_mono_ms() > deadline)
			return false;
		usleep(200);
	}
	return true;
}
