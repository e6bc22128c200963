/* SPDX-License-Identifier: GPL-3.0-or-later */
/* probe_http -- connects, sends one request, passes when the status of the reply is expected. */
#include <errno.h>
#include <sys/socket.h>

#include "probe/http_request.h"
#include "probe/protocol.h"

#define CHUNK 4096

static void
prepare(struct recipe *r, const char *host, const struct template_spec *template)
{
	r->request = http_request_text(&template->http, &r->target, host, &r->request_len);
	r->expect = http_request_expect(&template->http, &r->n_expect);
}

static enum probe_step
start(struct probe *p)
{
	http_reply_init(&p->reply);
	return probe_connect(p);
}

static bool
is_expected(const struct recipe *r, uint16_t status)
{
	for (size_t i = 0; i < r->n_expect; i++) {
		if (status >= r->expect[i].from && status <= r->expect[i].to)
			return true;
	}
	return false;
}

static enum probe_step
judge(struct probe *p)
{
	p->status = p->reply.status;
	return is_expected(p->recipe, p->status) ? PROBE_PASS : probe_fail(p, "http_status", "");
}

static enum probe_step
send_request(struct probe *p)
{
	const struct recipe *r = p->recipe;
	const ssize_t n = send(p->fd, r->request + p->sent, r->request_len - p->sent, MSG_NOSIGNAL);

	if (n < 0 && errno != EAGAIN)
		return probe_error(p, errno);
	p->sent += n > 0 ? (size_t)n : 0;
	return p->sent < r->request_len ? PROBE_WRITE : PROBE_READ;
}

static enum probe_step
receive_head(struct probe *p)
{
	char chunk[CHUNK];
	const ssize_t n = recv(p->fd, chunk, sizeof(chunk), 0);

	if (n < 0)
		return errno == EAGAIN ? PROBE_READ : probe_error(p, errno);
	if (n == 0)
		return probe_fail(p, "http_closed", "closed before the head was complete");
	probe_first_byte(p);
	switch (http_reply_feed(&p->reply, chunk, (size_t)n)) {
	case HTTP_REPLY_DONE:
		return judge(p);
	case HTTP_REPLY_BAD:
		return probe_fail(p, "http_bad", p->reply.why);
	case HTTP_REPLY_MORE:
		break;
	}
	return PROBE_READ;
}

static enum probe_step
on_io(struct probe *p)
{
	if (p->connect_us == 0) {
		const enum probe_step step = probe_connected(p);

		if (step != PROBE_PASS)
			return step;
	}
	return p->sent < p->recipe->request_len ? send_request(p) : receive_head(p);
}

const struct protocol_row probe_http = {
	.name = "http",
	.late = "http_timeout",
	.late_text = "no complete head in time",
	.prepare = prepare,
	.start = start,
	.on_io = on_io,
};
