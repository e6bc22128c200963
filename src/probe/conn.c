/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "probe/conn.h"

#include <errno.h>
#include <sys/socket.h>

#include "probe/tls.h"

enum probe_step
conn_ready(struct probe *p)
{
	if (!p->connected) {
		const enum probe_step step = probe_connected(p);

		if (step != PROBE_PASS)
			return step;
	}
	return !p->secure || p->secured ? PROBE_PASS : tls_handshake(p);
}

size_t
conn_send(struct probe *p, const void *data, size_t len, enum probe_step *step)
{
	if (p->secure)
		return tls_send(p, data, len, step);

	const ssize_t n = send(p->fd, data, len, MSG_NOSIGNAL);

	if (n > 0)
		return (size_t)n;
	*step = n == 0 || errno == EAGAIN ? PROBE_WRITE : probe_error(p, errno);
	return 0;
}

static size_t
receive(struct probe *p, void *data, size_t size, enum probe_step *step)
{
	const ssize_t n = recv(p->fd, data, size, 0);

	if (n > 0)
		return (size_t)n;
	if (n == 0)
		*step = PROBE_PASS;
	else
		*step = errno == EAGAIN ? PROBE_READ : probe_error(p, errno);
	return 0;
}

size_t
conn_receive(struct probe *p, void *data, size_t size, enum probe_step *step)
{
	const size_t n =
	    p->secure ? tls_receive(p, data, size, step) : receive(p, data, size, step);

	if (n > 0)
		probe_first_byte(p);
	return n;
}

enum probe_step
conn_request(struct probe *p, const char *request, size_t len)
{
	enum probe_step step = PROBE_PASS;

	if (p->sent < len)
		p->sent += conn_send(p, request + p->sent, len - p->sent, &step);
	return step == PROBE_PASS && p->sent < len ? PROBE_WRITE : step;
}
