/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "probe/conn.h"

#include <errno.h>
#include <sys/socket.h>

enum probe_step
conn_open(struct probe *p)
{
	return probe_connect(p);
}

enum probe_step
conn_ready(struct probe *p)
{
	return p->connected ? PROBE_PASS : probe_connected(p);
}

size_t
conn_send(struct probe *p, const void *data, size_t len, enum probe_step *step)
{
	const ssize_t n = send(p->fd, data, len, MSG_NOSIGNAL);

	if (n > 0)
		return (size_t)n;
	*step = n == 0 || errno == EAGAIN ? PROBE_WRITE : probe_error(p, errno);
	return 0;
}

size_t
conn_receive(struct probe *p, void *data, size_t size, enum probe_step *step)
{
	const ssize_t n = recv(p->fd, data, size, 0);

	if (n > 0) {
		probe_first_byte(p);
		return (size_t)n;
	}
	if (n == 0)
		*step = PROBE_PASS;
	else
		*step = errno == EAGAIN ? PROBE_READ : probe_error(p, errno);
	return 0;
}

enum probe_step
conn_request(struct probe *p, const char *request, size_t len)
{
	enum probe_step step = PROBE_PASS;

	if (p->sent < len)
		p->sent += conn_send(p, request + p->sent, len - p->sent, &step);
	return step == PROBE_PASS && p->sent < len ? PROBE_WRITE : step;
}
