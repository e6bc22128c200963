/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/sock.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define RCVBUF_SIZE (4 * 1024 * 1024)
#define FLAGS       (SOCK_NONBLOCK | SOCK_CLOEXEC)

static int
set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) < 0 ? -errno : 0;
}

/* What to do about `error`, in words; for the rest the C library's. */
static const char *
advice(int error, char *out, size_t size)
{
	switch (error) {
	case EADDRINUSE:
		return "address already in use by another process";
	case EACCES:
	case EPERM:
		return "no permission (ports below 1024 need root or CAP_NET_BIND_SERVICE)";
	case EADDRNOTAVAIL:
		return "no interface of this machine has this address";
	case EAFNOSUPPORT:
		return "this machine does not speak this address family";
	default:
		return strerror_r(error, out, size);
	}
}

static int
refuse(const struct addr *a, int type, int error, struct diag *d)
{
	char where[ADDR_TEXT_SIZE], text[128];

	diag_add(d, error == EADDRINUSE ? DIAG_CONFLICT : DIAG_UNAVAILABLE, addr_text(a, where),
	    "%s %s", type == SOCK_DGRAM ? "udp" : "tcp", advice(error, text, sizeof(text)));
	return -error;
}

static void
tune_udp(int fd, const struct addr *a)
{
	const bool v6 = addr_family(a) == AF_INET6;

	/* What fails here is not worth refusing to serve. FORCE needs CAP_NET_ADMIN. */
	if (set(fd, SOL_SOCKET, SO_RCVBUFFORCE, RCVBUF_SIZE) < 0)
		set(fd, SOL_SOCKET, SO_RCVBUF, RCVBUF_SIZE);
	if (v6)
		set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_OMIT);
	else
		set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT);
	if (addr_is_any(a) && v6)
		set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
	else if (addr_is_any(a))
		set(fd, IPPROTO_IP, IP_PKTINFO, 1);
}

/* SO_REUSEADDR is for TCP alone, where it forgives TIME_WAIT; for UDP it would share the port. */
static int
prepare(int fd, const struct addr *a, int type)
{
	int error = 0;

	if (addr_family(a) == AF_INET6)
		error = set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	if (type == SOCK_DGRAM) {
		tune_udp(fd, a);
	} else {
		set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
		set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	}
	return error;
}

static int
open_bound(const struct addr *a, int type, bool sibling)
{
	const int fd = socket(addr_family(a), type | FLAGS, 0);
	int error;

	if (fd < 0)
		return -errno;
	error = prepare(fd, a, type);
	if (error == 0 && sibling)
		error = set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	if (error == 0 && bind(fd, &a->sa, a->len) < 0)
		error = -errno;
	if (error < 0)
		close(fd);
	return error < 0 ? error : fd;
}

/* Bound alone, then open for siblings: see the header. All are bound before any listens. */
static int
open_group(const struct addr *a, int type, int *fds, size_t n)
{
	struct addr bound = *a;
	size_t opened = 0;
	int error = 0;

	while (opened < n && error == 0) {
		const int fd = open_bound(&bound, type, opened > 0);

		if (fd < 0) {
			error = fd;
			break;
		}
		fds[opened++] = fd;
		if (opened == 1 && n > 1)
			error = set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
		if (opened == 1 && error == 0)
			error = sock_name(fd, &bound);
	}
	for (size_t i = 0; error == 0 && type == SOCK_STREAM && i < n; i++) {
		if (listen(fds[i], SOMAXCONN) < 0)
			error = -errno;
	}
	while (error < 0 && opened > 0)
		close(fds[--opened]);
	return error;
}

int
sock_udp_bind_group(const struct addr *a, int *fds, size_t n, struct diag *d)
{
	const int error = open_group(a, SOCK_DGRAM, fds, n);

	return error < 0 ? refuse(a, SOCK_DGRAM, -error, d) : 0;
}

int
sock_udp_bind(const struct addr *a, struct diag *d)
{
	int fd;
	const int error = sock_udp_bind_group(a, &fd, 1, d);

	return error < 0 ? error : fd;
}

int
sock_tcp_listen_group(const struct addr *a, int *fds, size_t n, struct diag *d)
{
	const int error = open_group(a, SOCK_STREAM, fds, n);

	return error < 0 ? refuse(a, SOCK_STREAM, -error, d) : 0;
}

int
sock_tcp_listen(const struct addr *a, struct diag *d)
{
	int fd;
	const int error = sock_tcp_listen_group(a, &fd, 1, d);

	return error < 0 ? error : fd;
}

static int
refuse_path(const char *path, int error, const char *what, struct diag *d)
{
	diag_add(d, error == EADDRINUSE ? DIAG_CONFLICT : DIAG_UNAVAILABLE, path, "%s", what);
	return -error;
}

static int
unix_name(struct sockaddr_un *un, const char *path, const char *suffix, struct diag *d)
{
	*un = (struct sockaddr_un){ .sun_family = AF_UNIX };

	const int len = snprintf(un->sun_path, sizeof(un->sun_path), "%s%s", path, suffix);

	if (len < (int)sizeof(un->sun_path))
		return 0;
	return refuse_path(path, ENAMETOOLONG, "path too long for a socket (100 bytes at most)", d);
}

/* A descriptor, or a negative errno. */
static int
try_connect(const struct sockaddr_un *un)
{
	const int fd = socket(AF_UNIX, SOCK_STREAM | FLAGS, 0);

	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)un, sizeof(*un)) == 0)
		return fd;

	const int error = -errno;

	close(fd);
	return error;
}

int
sock_unix_connect(const char *path, struct diag *d)
{
	struct sockaddr_un un;
	char text[128];

	if (unix_name(&un, path, "", d) < 0)
		return -ENAMETOOLONG;

	const int fd = try_connect(&un);

	if (fd >= 0)
		return fd;
	switch (-fd) {
	case ENOENT:
	case ECONNREFUSED:
		return refuse_path(path, -fd, "nobody listens here (is gtmd running?)", d);
	case EACCES:
		return refuse_path(path, -fd, "no permission to connect", d);
	default:
		return refuse_path(path, -fd, strerror_r(-fd, text, sizeof(text)), d);
	}
}

/* Refuse to take `path` from a living listener or from something that is no socket. */
static int
check_vacant(const char *path, struct diag *d)
{
	struct sockaddr_un un;
	struct stat st;

	if (lstat(path, &st) < 0)
		return 0; /* what else is wrong, bind will tell */
	if (!S_ISSOCK(st.st_mode))
		return refuse_path(path, EEXIST, "exists and is not a socket", d);
	if (unix_name(&un, path, "", d) < 0)
		return -ENAMETOOLONG;

	const int fd = try_connect(&un);

	if (fd >= 0)
		close(fd);
	if (fd >= 0 || fd == -EAGAIN) /* EAGAIN: it lives, but its backlog is full */
		return refuse_path(path, EADDRINUSE, "another process listens here already", d);
	return 0;
}

/*
 * Made under another name and renamed when it is complete: at `path` there is always either the
 * old socket or the new one with its permissions.
 */
int
sock_unix_listen(const char *path, mode_t mode, struct diag *d)
{
	struct sockaddr_un un;
	char text[128];
	int error;

	error = unix_name(&un, path, ".new", d);
	if (error == 0)
		error = check_vacant(path, d);
	if (error < 0)
		return error;

	const int fd = socket(AF_UNIX, SOCK_STREAM | FLAGS, 0);

	unlink(un.sun_path);
	if (fd >= 0 && bind(fd, (struct sockaddr *)&un, sizeof(un)) == 0 &&
	    chmod(un.sun_path, mode) == 0 && listen(fd, SOMAXCONN) == 0 &&
	    rename(un.sun_path, path) == 0)
		return fd;

	error = errno;
	if (fd >= 0)
		close(fd);
	unlink(un.sun_path);
	return refuse_path(path, error, strerror_r(error, text, sizeof(text)), d);
}

enum manner { PLAIN, NO_DELAY, KNOCK };

static int
connect_from(const struct addr *to, const struct addr *from, int type, enum manner manner)
{
	const int fd = socket(addr_family(to), type | FLAGS, 0);
	int error = 0;

	if (fd < 0)
		return -errno;
	if (manner == NO_DELAY)
		sock_no_delay(fd);
	if (manner == KNOCK)
		set(fd, IPPROTO_TCP, TCP_QUICKACK, 0);
	if (from != NULL && type == SOCK_STREAM)
		set(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
	if (from != NULL && bind(fd, &from->sa, from->len) < 0)
		error = -errno;
	if (error == 0 && connect(fd, &to->sa, to->len) < 0 && errno != EINPROGRESS)
		error = -errno;
	if (error < 0)
		close(fd);
	return error < 0 ? error : fd;
}

int
sock_udp_connect(const struct addr *to, const struct addr *from)
{
	return connect_from(to, from, SOCK_DGRAM, PLAIN);
}

int
sock_tcp_connect(const struct addr *to, const struct addr *from)
{
	return connect_from(to, from, SOCK_STREAM, NO_DELAY);
}

int
sock_tcp_begin(const struct addr *to, const struct addr *from)
{
	return connect_from(to, from, SOCK_STREAM, PLAIN);
}

int
sock_tcp_knock(const struct addr *to, const struct addr *from)
{
	return connect_from(to, from, SOCK_STREAM, KNOCK);
}

void
sock_no_delay(int fd)
{
	set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

static uint16_t first_local_port;

static void
read_local_ports(void)
{
	unsigned first = 1;
	FILE *f = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");

	if (f == NULL || fscanf(f, "%u", &first) != 1 || first > UINT16_MAX)
		first = 1;
	if (f != NULL)
		fclose(f);
	first_local_port = (uint16_t)first;
}

uint16_t
sock_first_local_port(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, read_local_ports);
	return first_local_port;
}

int
sock_error(int fd)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		return -errno;
	return -error;
}

int
sock_accept(int listener, struct addr *peer)
{
	struct sockaddr_storage from = { 0 };
	socklen_t len = sizeof(from);
	const int fd = accept4(listener, (struct sockaddr *)&from, &len, FLAGS);

	if (fd < 0)
		return -errno;
	if (peer != NULL)
		addr_set(peer, (struct sockaddr *)&from, len);
	return fd;
}

int
sock_name(int fd, struct addr *a)
{
	struct sockaddr_storage own = { 0 };
	socklen_t len = sizeof(own);

	if (getsockname(fd, (struct sockaddr *)&own, &len) < 0)
		return -errno;
	addr_set(a, (struct sockaddr *)&own, len);
	return 0;
}
