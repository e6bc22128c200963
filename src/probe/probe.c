/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "probe/probe.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/sock.h"
#include "probe/protocol.h"
#include "probe/tls.h"

/* What an errno says about the target, by layer; NULL = nothing, the want is our own. */
static const struct {
	int error;
	const char *cause;
} causes[] = {
	{ ECONNREFUSED, "l4_refused" }, { ETIMEDOUT, "l4_timeout" }, { ECONNRESET, "l4_reset" },
	{ EPIPE, "l4_reset" }, { ENETUNREACH, "l4_unreachable" },
	{ EHOSTUNREACH, "l4_unreachable" }, { ENETDOWN, "l4_unreachable" },
	{ EHOSTDOWN, "l4_unreachable" }, { EAFNOSUPPORT, "l4_unreachable" }, { EMFILE, NULL },
	{ ENFILE, NULL }, { ENOBUFS, NULL }, { ENOMEM, NULL },
	{ ENOSPC, NULL },                          /* epoll: fs.epoll.max_user_watches */
	{ EADDRNOTAVAIL, NULL }, { EAGAIN, NULL }, /* connect(2): no free local port */
};

#define REQUEST_SMALL 1200 /* one segment anywhere */

void
probe_init(struct probe *p)
{
	*p = (struct probe){ .fd = -1, .cause = "", .text = "" };
	buf_init(&p->in, PROBE_IN_MAX);
}

static uint64_t
since_start_us(const struct probe *p)
{
	const uint64_t us = clock_mono_us() - p->start_us;

	return us > 0 ? us : 1; /* 0 means "not got there" */
}

enum probe_step
probe_begin(struct probe *p, const struct recipe *r)
{
	const struct probe was = *p;

	probe_init(p);
	p->tls_memory = was.tls_memory;
	p->recipe = r;
	p->port = ntohs(r->target.in4.sin_port); /* where in6 has it, too */
	p->secure = r->protocol->secure;
	p->start_us = clock_mono_us();
	if (was.fd >= 0) {
		p->fd = was.fd;
		p->ssl = was.ssl;
		p->connected = true;
		p->secured = was.secured;
		p->reused = true;
		p->reuse = was.reuse + 1;
	}
	return r->protocol->start(p);
}

/*
 * A reset leaves no TIME_WAIT behind, on neither side: thousands of probes a second would use up
 * the ports.
 */
void
probe_hang_up(struct probe *p)
{
	const struct linger reset = { .l_onoff = 1, .l_linger = 0 };

	if (p->recipe != NULL && p->recipe->protocol->end != NULL)
		p->recipe->protocol->end(p);
	SSL_free(p->ssl);
	p->ssl = NULL;
	p->secured = false;
	if (p->fd < 0)
		return;
	setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(p->fd);
	p->fd = -1;
	p->connected = p->reused = false;
	p->sent = 0;
	p->reuse = 0;
}

void
probe_keep(struct probe *p)
{
	buf_fini(&p->in);
	free(p->redirected);
	p->redirected = NULL;
	p->recipe = NULL;
}

void
probe_close(struct probe *p)
{
	probe_hang_up(p);
	probe_keep(p);
}

void
probe_forget(struct probe *p)
{
	tls_forget(&p->tls_memory);
}

enum probe_step
probe_fail(struct probe *p, const char *cause, const char *text)
{
	p->cause = cause;
	p->text = text;
	return PROBE_FAIL;
}

enum probe_step
probe_error(struct probe *p, int error)
{
	const char *text = strerrordesc_np(error);

	p->text = text != NULL ? text : "unknown error";
	for (size_t i = 0; i < ARRAY_LEN(causes); i++) {
		if (causes[i].error == error)
			return causes[i].cause == NULL ? PROBE_STARVED
						       : probe_fail(p, causes[i].cause, p->text);
	}
	return probe_fail(p, "l4_error", p->text);
}

/* Nothing to say and nothing to hear. */
static bool
is_knock(const struct probe *p)
{
	const struct recipe *r = p->recipe;

	return !p->secure && r->protocol == &probe_tcp && r->request_len == 0 && r->pattern == NULL;
}

enum probe_step
probe_connect(struct probe *p)
{
	const struct recipe *r = p->recipe;
	struct addr target = recipe_target(r);

	addr_port_set(&target, p->port);

	const int fd =
	    is_knock(p) ? sock_tcp_knock(&target, r->source) : sock_tcp_begin(&target, r->source);

	if (fd < 0)
		return probe_error(p, -fd);
	/* One small request and then silence has no use for it. */
	if (p->secure || r->protocol->alpn != NULL || r->request_len > REQUEST_SMALL)
		sock_no_delay(fd);
	p->fd = fd;
	return PROBE_WRITE;
}

/*
 * A connection to a closed port of this machine can get that very port as its own and meet itself
 * (simultaneous open): nobody listens there.
 */
static bool
met_itself(const struct probe *p)
{
	const struct addr target = recipe_target(p->recipe);
	struct addr own;

	return p->port >= sock_first_local_port() && sock_name(p->fd, &own) == 0 &&
	       addr_port(&own) == p->port && addr_ip_equal(&own, &target);
}

enum probe_step
probe_connected(struct probe *p)
{
	const int error = sock_error(p->fd);

	if (error < 0)
		return probe_error(p, -error);
	if (met_itself(p))
		return probe_error(p, ECONNREFUSED);
	p->connected = true;
	if (p->connect_us == 0)
		p->connect_us = since_start_us(p);
	p->text = "connected";
	return PROBE_PASS;
}

/* The want of a moment leaves it to the next time. */
enum probe_step
probe_sent(struct probe *p, ssize_t n)
{
	if (n >= 0 || errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM)
		return PROBE_READ;
	return probe_error(p, errno);
}

void
probe_secured(struct probe *p)
{
	if (p->tls_us == 0)
		p->tls_us = since_start_us(p);
}

void
probe_first_byte(struct probe *p)
{
	if (p->first_byte_us == 0)
		p->first_byte_us = since_start_us(p);
}

enum probe_step
probe_late(struct probe *p)
{
	const struct protocol_row *protocol = p->recipe->protocol;

	if (!p->connected)
		return probe_fail(p, "l4_timeout", "no connection in time");
	if (p->secure && !p->secured)
		return probe_fail(p, "tls_timeout", "no complete handshake in time");
	if (protocol->on_late != NULL)
		return protocol->on_late(p);
	return probe_fail(p, protocol->late, protocol->late_text);
}
