/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * probe_http -- connects, sends one request, passes when status and, if wanted, body are expected.
 *
 *	head --> a redirect to follow --> ANEW
 *	    `--> status unexpected: FAIL
 *	    `--> no body wanted: PASS
 *	    `--> body, 64 KiB at most --> the pattern decides
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/pattern.h"
#include "probe/conn.h"
#include "probe/http_request.h"
#include "probe/protocol.h"
#include "probe/tls.h"

#define CHUNK 4096

static void
prepare(struct recipe *r, const char *host, const struct template_spec *template)
{
	const struct http_spec *http = &template->http;
	const struct addr target = recipe_target(r);

	r->request = http_request_text(http, &target, host, r->protocol->secure, &r->request_len);
	r->expect = http_request_expect(http, &r->n_expect);
	r->follow = http->follow_redirect;
	r->reuse = http->reuse;
	r->bodiless = http->method != NULL && strcmp(http->method, "HEAD") == 0;
	r->full_every = template->tls.full_handshake_every;
	if (r->follow || r->protocol->secure)
		r->host = http_request_host(http, &target, host);
	if (http->expect_body != NULL && http->expect_body[0] != '\0')
		r->pattern = pattern_get(http->expect_body);
	/* A redirect may lead from http to https. */
	if (r->host != NULL)
		tls_prepare(r, r->host, &template->tls);
}

/* Nobody has closed it, nothing is in it that nobody asked for. */
static bool
is_usable(const struct probe *p)
{
	char octet;
	const ssize_t n = recv(p->fd, &octet, 1, MSG_PEEK | MSG_DONTWAIT);

	return n < 0 ? errno == EAGAIN : n > 0 && p->secure; /* TLS: may be a ticket */
}

static enum probe_step
start(struct probe *p)
{
	http_reply_init(&p->reply);
	p->in_body = false;
	buf_clear(&p->in);
	if (p->recipe->follow || p->recipe->pattern != NULL || p->recipe->reuse)
		http_reply_note(&p->reply, &p->in);
	if (p->reused)
		return is_usable(p) ? PROBE_WRITE : PROBE_ANEW;
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

static bool
is_redirect(const struct probe *p)
{
	const uint16_t status = p->reply.status;

	return p->recipe->follow && p->in.len > 0 &&
	       (status == 301 || status == 302 || status == 303 || status == 307 || status == 308);
}

/* The path of the request line, into `out`. */
static void
own_path(const char *request, char out[HTTP_REDIRECT_MAX])
{
	const char *path = strchr(request, ' ') + 1;
	const size_t len = strcspn(path, " ");

	memcpy(out, path, len < HTTP_REDIRECT_MAX ? len : HTTP_REDIRECT_MAX - 1);
	out[len < HTTP_REDIRECT_MAX ? len : HTTP_REDIRECT_MAX - 1] = '\0';
}

static enum probe_step
follow(struct probe *p)
{
	const struct recipe *r = p->recipe;
	char ip[ADDR_TEXT_SIZE], path[HTTP_REDIRECT_MAX], room[2 * HTTP_REDIRECT_MAX];
	char location[HTTP_REDIRECT_MAX];
	const struct addr target = recipe_target(r);
	struct http_place to;

	if (p->in.len >= sizeof(location))
		return probe_fail(p, "http_redirect", "Location longer than 2 KiB");
	if (++p->hops > HTTP_REDIRECT_HOPS)
		return probe_fail(p, "http_redirect", "more than 5 redirects");
	memcpy(location, p->in.data, p->in.len);
	location[p->in.len] = '\0';
	own_path(p->redirected != NULL ? p->redirected : r->request, path);

	const char *why = http_redirect(&(struct http_place){ p->secure, p->port, path }, r->host,
	    addr_ip_text(&target, ip), location, room, &to);

	if (why != NULL)
		return probe_fail(p, "http_redirect", why);
	free(p->redirected);
	p->redirected =
	    http_request_redirect(r->request, r->request_len, r->host, &to, &p->redirected_len);
	p->port = to.port;
	p->secure = to.secure;
	return PROBE_ANEW;
}

/* Could the connection serve the next probe, once the body is read? */
static bool
may_keep(const struct probe *p)
{
	const struct recipe *r = p->recipe;
	const bool framed = p->reply.length >= 0 || p->reply.chunked || r->bodiless ||
			    p->status == 204 || p->status == 304;

	return r->reuse && framed && !p->reply.closes && p->redirected == NULL &&
	       p->reuse + 1 < r->full_every;
}

static enum probe_step
judge_head(struct probe *p)
{
	p->status = p->reply.status;
	p->text = ""; /* the status tells */
	if (is_redirect(p))
		return follow(p);
	if (!is_expected(p->recipe, p->status))
		return probe_fail(p, "http_status", "");
	if (p->recipe->pattern == NULL && !may_keep(p))
		return PROBE_PASS;
	if (p->recipe->pattern == NULL && p->recipe->bodiless) {
		p->keep = true;
		return PROBE_PASS;
	}
	p->in_body = true;
	buf_clear(&p->in);
	http_body_init(&p->body, &p->reply);
	return PROBE_READ;
}

static enum probe_step
judge_body(struct probe *p)
{
	if (p->recipe->pattern == NULL || pattern_match(p->recipe->pattern, p->in.data, p->in.len))
		return PROBE_PASS;
	return probe_fail(p, "http_body", "the body does not match");
}

static enum probe_step
take_body(struct probe *p, const char *data, size_t len)
{
	switch (http_body_feed(&p->body, data, len, &p->in)) {
	case HTTP_REPLY_DONE:
		p->keep = may_keep(p) && p->in.len < HTTP_BODY_MAX;
		return judge_body(p);
	case HTTP_REPLY_BAD:
		if (p->recipe->pattern == NULL)
			return PROBE_PASS; /* it was read for the connection's sake only */
		return probe_fail(p, "http_bad", p->body.why);
	case HTTP_REPLY_MORE:
		break;
	}
	return PROBE_READ;
}

static enum probe_step
take_head(struct probe *p, const char *data, size_t len)
{
	const size_t before = p->reply.seen;
	enum probe_step step;

	switch (http_reply_feed(&p->reply, data, len)) {
	case HTTP_REPLY_DONE:
		step = judge_head(p);
		if (!p->in_body)
			return step;
		return take_body(
		    p, data + (p->reply.seen - before), len - (p->reply.seen - before));
	case HTTP_REPLY_BAD:
		return probe_fail(p, "http_bad", p->reply.why);
	case HTTP_REPLY_MORE:
		break;
	}
	return PROBE_READ;
}

static enum probe_step
closed(struct probe *p)
{
	if (!p->in_body)
		return probe_fail(p, "http_closed", "closed before the head was complete");
	if (p->recipe->pattern == NULL || http_body_end(&p->body) == HTTP_REPLY_DONE)
		return judge_body(p);
	return probe_fail(p, "http_closed", "closed before the body was complete");
}

static enum probe_step
receive(struct probe *p)
{
	enum probe_step step = PROBE_READ;

	while (step == PROBE_READ) {
		char chunk[CHUNK];
		const size_t n = conn_receive(p, chunk, sizeof(chunk), &step);

		if (n == 0)
			return step == PROBE_PASS ? closed(p) : step;
		step = p->in_body ? take_body(p, chunk, n) : take_head(p, chunk, n);
	}
	return step;
}

static enum probe_step
converse(struct probe *p)
{
	const struct recipe *r = p->recipe;
	const bool hop = p->redirected != NULL;
	const size_t len = hop ? p->redirected_len : r->request_len;
	enum probe_step step = conn_ready(p);

	if (step != PROBE_PASS)
		return step;
	if (p->sent == len)
		return receive(p);
	step = conn_request(p, hop ? p->redirected : r->request, len);
	return step == PROBE_PASS ? PROBE_READ : step;
}

/* Servers close kept connections whenever they like, even while we speak: that is no failure. */
static enum probe_step
on_io(struct probe *p)
{
	const bool reused = p->reused;
	const enum probe_step step = converse(p);

	if (step != PROBE_FAIL || !reused || p->first_byte_us != 0)
		return step;
	p->cause = p->text = "";
	return PROBE_ANEW;
}

/* A body that is read for the connection's sake need not come in time. */
static enum probe_step
late(struct probe *p)
{
	if (p->in_body && p->recipe->pattern == NULL)
		return PROBE_PASS;
	return probe_fail(p, "http_timeout", "no complete reply in time");
}

const struct protocol_row probe_http = {
	.name = "http",
	.prepare = prepare,
	.start = start,
	.on_io = on_io,
	.on_late = late,
};

const struct protocol_row probe_https = {
	.name = "https",
	.secure = true,
	.alpn = "\x08http/1.1",
	.prepare = prepare,
	.start = start,
	.on_io = on_io,
	.on_late = late,
};
