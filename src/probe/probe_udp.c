/* SPDX-License-Identifier: GPL-3.0-or-later */
/* probe_udp -- sends one datagram, passes when one comes back that matches. */
#include <errno.h>
#include <sys/socket.h>

#include "base/pattern.h"
#include "net/sock.h"
#include "probe/protocol.h"
#include "probe/talk.h"

static enum probe_step
start(struct probe *p)
{
	const struct recipe *r = p->recipe;
	const struct addr target = recipe_target(r);
	const int fd = sock_udp_connect(&target, r->source);

	if (fd < 0)
		return probe_error(p, -fd);
	p->fd = fd;
	p->connected = true; /* there is no connection to wait for */
	if (send(fd, r->request, r->request_len, MSG_NOSIGNAL) < 0)
		return probe_error(p, errno);
	return PROBE_READ;
}

/* On the same socket: whichever is answered. */
static enum probe_step
again(struct probe *p)
{
	const struct recipe *r = p->recipe;

	return probe_sent(p, send(p->fd, r->request, r->request_len, MSG_NOSIGNAL));
}

/* Each datagram for itself; one that does not match ends it, as the answer has come. */
static enum probe_step
on_io(struct probe *p)
{
	char data[TALK_MAX];
	const ssize_t n = recv(p->fd, data, sizeof(data), 0);

	if (n < 0)
		return errno == EAGAIN ? PROBE_READ : probe_error(p, errno);
	probe_first_byte(p);
	if (p->recipe->pattern != NULL && !pattern_match(p->recipe->pattern, data, (size_t)n))
		return probe_fail(p, "udp_expect", "the answer does not match");
	p->text = "answered";
	return PROBE_PASS;
}

const struct protocol_row probe_udp = {
	.name = "udp",
	.late = "udp_timeout",
	.late_text = "no answer in time",
	.prepare = talk_prepare,
	.start = start,
	.on_io = on_io,
	.again = again,
};
