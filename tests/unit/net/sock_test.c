/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct addr
loopback(uint16_t port)
{
	static const uint8_t ip[] = { 127, 0, 0, 1 };
	struct addr a;

	addr_ip_set(&a, AF_INET, ip, port);
	return a;
}

static void
assert_flags(int fd)
{
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

static int
option(int fd, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	assert_int_equal(getsockopt(fd, level, name, &value, &len), 0);
	return value;
}

static void
close_all(int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		close(fds[i]);
}

/* The group shares one port; a second group, a stranger with or without reuseport, gets none. */
static void
test_groups_are_exclusive(void **state)
{
	const struct addr any_port = loopback(0);
	struct addr bound;
	struct diag d;
	int fds[4], others[4];

	(void)state;
	for (int tcp = 0; tcp < 2; tcp++) {
		char expected[128], text[ADDR_TEXT_SIZE];

		diag_init(&d);
		assert_int_equal(
		    (tcp ? sock_tcp_listen_group : sock_udp_bind_group)(&any_port, fds, 4, &d), 0);
		assert_int_equal(sock_name(fds[0], &bound), 0);
		for (size_t i = 0; i < 4; i++) {
			struct addr own;

			assert_flags(fds[i]);
			assert_int_equal(sock_name(fds[i], &own), 0);
			assert_true(addr_equal(&own, &bound));
		}

		assert_int_equal(
		    (tcp ? sock_tcp_listen_group : sock_udp_bind_group)(&bound, others, 4, &d),
		    -EADDRINUSE);
		assert_int_equal((tcp ? sock_tcp_listen : sock_udp_bind)(&bound, &d), -EADDRINUSE);
		snprintf(expected, sizeof(expected),
		    "%s: %s address already in use by another process", addr_text(&bound, text),
		    tcp ? "tcp" : "udp");
		assert_memory_equal(diag_text(&d), expected, strlen(expected));
		assert_int_equal(d.code, DIAG_CONFLICT);
		diag_fini(&d);
		close_all(fds, 4);
	}
}

/* The socket that was bound alone must have joined its siblings, not starve them or be starved. */
static void
test_the_kernel_spreads_over_the_group(void **state)
{
	const struct addr any_port = loopback(0);
	struct addr bound;
	struct diag d;
	int fds[2], got[2] = { 0, 0 };

	(void)state;
	diag_init(&d);
	assert_int_equal(sock_udp_bind_group(&any_port, fds, 2, &d), 0);
	assert_int_equal(sock_name(fds[0], &bound), 0);
	for (int i = 0; i < 64; i++) {
		const int client = sock_udp_connect(&bound, NULL);

		assert_true(client >= 0);
		assert_int_equal(send(client, "?", 1, 0), 1);
		close(client);
	}
	for (size_t i = 0; i < 2; i++) {
		char c;

		while (recv(fds[i], &c, 1, 0) == 1)
			got[i]++;
	}
	assert_int_equal(got[0] + got[1], 64);
	assert_true(got[0] > 0 && got[1] > 0);
	close_all(fds, 2);
	diag_fini(&d);
}

static void
test_udp_options(void **state)
{
	struct addr a;
	struct diag d;

	(void)state;
	diag_init(&d);
	a = loopback(0);
	int fd = sock_udp_bind(&a, &d);

	assert_true(fd >= 0);
	assert_int_equal(option(fd, IPPROTO_IP, IP_MTU_DISCOVER), IP_PMTUDISC_OMIT);
	assert_int_equal(option(fd, SOL_SOCKET, SO_REUSEPORT), 0);
	assert_int_equal(option(fd, IPPROTO_IP, IP_PKTINFO), 0);
	close(fd);

	assert_int_equal(addr_parse(&a, "0.0.0.0:0", 0), 0);
	fd = sock_udp_bind(&a, &d);
	assert_int_equal(option(fd, IPPROTO_IP, IP_PKTINFO), 1);
	close(fd);

	assert_int_equal(addr_parse(&a, "[::]:0", 0), 0);
	fd = sock_udp_bind(&a, &d);
	if (fd >= 0) { /* else a machine without IPv6 */
		assert_int_equal(option(fd, IPPROTO_IPV6, IPV6_V6ONLY), 1);
		assert_int_equal(option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO), 1);
		assert_int_equal(option(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER), IPV6_PMTUDISC_OMIT);
		close(fd);
	}
	diag_fini(&d);
}

static void
test_foreign_address_is_explained(void **state)
{
	struct addr a;
	struct diag d;

	(void)state;
	diag_init(&d);
	assert_int_equal(addr_parse(&a, "192.0.2.1:5353", 0), 0);
	assert_int_equal(sock_udp_bind(&a, &d), -EADDRNOTAVAIL);
	assert_string_equal(
	    diag_text(&d), "192.0.2.1:5353: udp no interface of this machine has this address");
	diag_fini(&d);
}

static void
test_tcp_connects(void **state)
{
	const struct addr any_port = loopback(0);
	struct addr bound, peer, own;
	struct diag d;

	(void)state;
	diag_init(&d);
	const int listener = sock_tcp_listen(&any_port, &d);

	assert_int_equal(sock_name(listener, &bound), 0);
	assert_int_equal(sock_accept(listener, NULL), -EAGAIN);

	const int client = sock_tcp_connect(&bound, &any_port);

	assert_true(client >= 0);
	assert_flags(client);
	assert_int_equal(poll(&(struct pollfd){ client, POLLOUT, 0 }, 1, 1000), 1);
	assert_int_equal(sock_error(client), 0);

	const int accepted = sock_accept(listener, &peer);

	assert_flags(accepted);
	assert_int_equal(sock_name(client, &own), 0);
	assert_true(addr_equal(&peer, &own));
	close(accepted);
	close(client);
	close(listener);

	const int refused = sock_tcp_connect(&bound, NULL);

	if (refused >= 0) {
		assert_int_equal(poll(&(struct pollfd){ refused, POLLOUT, 0 }, 1, 1000), 1);
		assert_int_equal(sock_error(refused), -ECONNREFUSED);
		close(refused);
	} else {
		assert_int_equal(refused, -ECONNREFUSED);
	}
	diag_fini(&d);
}

static void
test_unix(void **state)
{
	char dir[] = "/tmp/sock_test.XXXXXX", path[64], long_path[200];
	struct stat st;
	struct diag d;

	(void)state;
	diag_init(&d);
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/api.sock", dir);

	assert_int_equal(sock_unix_connect(path, &d), -ENOENT);
	assert_non_null(strstr(diag_text(&d), "is gtmd running?"));

	int listener = sock_unix_listen(path, 0600, &d);

	assert_true(listener >= 0);
	assert_flags(listener);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);

	const int client = sock_unix_connect(path, &d);

	assert_true(client >= 0);
	assert_int_equal(sock_unix_listen(path, 0600, &d), -EADDRINUSE);
	close(client);
	close(listener);

	/* What a killed process leaves behind is replaced. */
	listener = sock_unix_listen(path, 0660, &d);
	assert_true(listener >= 0);
	close(listener);
	assert_int_equal(unlink(path), 0);

	const int file = open(path, O_CREAT | O_WRONLY, 0600);

	assert_int_equal(sock_unix_listen(path, 0600, &d), -EEXIST);
	close(file);
	assert_int_equal(unlink(path), 0);

	memset(long_path, 'x', sizeof(long_path) - 1);
	long_path[sizeof(long_path) - 1] = '\0';
	assert_int_equal(sock_unix_listen(long_path, 0600, &d), -ENAMETOOLONG);
	assert_int_equal(sock_unix_connect(long_path, &d), -ENAMETOOLONG);
	assert_int_equal(rmdir(dir), 0); /* nothing else was left there */
	diag_fini(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_groups_are_exclusive),
		cmocka_unit_test(test_the_kernel_spreads_over_the_group),
		cmocka_unit_test(test_udp_options),
		cmocka_unit_test(test_foreign_address_is_explained),
		cmocka_unit_test(test_tcp_connects),
		cmocka_unit_test(test_unix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
