/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/http.h"
#include "base/attr.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/aside.h"
#include "api/problem.h"
#include "api/rest.h"
#include "api/route.h"
#include "api/stream.h"
#include "base/attr.h"
#include "base/check.h"
#include "base/log.h"
#include "base/mem.h"

#define HTTP_MAGIC     0x477401u
#define BODY_MAX       (1024 * 1024)
#define DRAIN_MAX      (16 * BODY_MAX)
#define ZONE_TEXT_MAX  (256 * 1024 * 1024)
#define IDLE_S         30
#define POOL_THREADS   4
#define CONNECTION_MAX 4096

struct http {
	uint32_t magic;
	struct control *control;
	struct stream *streams;
	struct aside *aside;
	struct MHD_Daemon *tcp;
	struct MHD_Daemon *local; /* the Unix socket */
};

/* libmicrohttpd tells of every client that hangs up; only a debugging person wants that. */
static void PRINTF(2, 0) say(void *arg, const char *fmt, va_list ap)
{
	char text[256];

	(void)arg;
	vsnprintf(text, sizeof(text), fmt, ap);
	text[strcspn(text, "\n")] = '\0';
	log_debug("api", "http: %s", text);
}

/* Called with the request line as it came: the only place where "%2F" is still not a '/'. */
static void *
begin(void *arg, const char *uri, struct MHD_Connection *connection)
{
	struct http *h = arg;
	struct request *r = request_new(uri);

	OBJ_CHECK(h, HTTP_MAGIC);
	r->connection = connection;
	r->control = h->control;
	r->streams = h->streams;
	return r;
}

static void
end(void *arg, struct MHD_Connection *connection, void **context,
    enum MHD_RequestTerminationCode why)
{
	struct request *r = *context;

	(void)arg, (void)connection, (void)why;
	request_free(&r);
	*context = NULL;
}

static struct MHD_Response *
borrowed(const void *data, size_t len)
{
	return MHD_create_response_from_buffer(len, (void *)(uintptr_t)data, MHD_RESPMEM_MUST_COPY);
}

/* A zone's text is large: no copy. */
static struct MHD_Response *
taken(struct buf *b)
{
	size_t len;
	uint8_t *data = buf_take(b, &len);

	return MHD_create_response_from_buffer(len, data, MHD_RESPMEM_MUST_FREE);
}

static struct MHD_Response *
json_response(json_t *j)
{
	char *text = json_text(j);

	return MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE);
}

static enum MHD_Result
send_reply(struct request *r)
{
	struct MHD_Response *response;
	const char *type = "application/json";
	unsigned status = r->status;

	if (diag_failed(&r->diag)) {
		if (status < 400)
			status = problem_status(&r->diag);
		type = PROBLEM_TYPE;

		json_t *j = problem_encode(&r->diag, status);

		if (r->current != NULL)
			json_object_set(j, "current", r->current);
		response = json_response(j);
		json_decref(j);
	} else if (r->stream != NULL) {
		response = r->stream;
		type = "text/event-stream";
	} else if (r->text_type != NULL) {
		response = taken(&r->text);
		type = r->text_type;
	} else if (r->reply != NULL) {
		response = json_response(r->reply);
	} else {
		response = borrowed("", 0);
		type = NULL;
	}
	CHECK(response != NULL);
	if (type != NULL)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	for (size_t i = 0; i < r->n_headers; i++)
		MHD_add_response_header(response, r->headers[i].key, r->headers[i].value);

	const enum MHD_Result rc =
	    MHD_queue_response(r->connection, status != 0 ? status : 200, response);

	MHD_destroy_response(response);
	return rc;
}

static void
login(struct request *r, bool local)
{
	struct auth_caller *who = &r->caller;
	const char *bearer = request_header(r, MHD_HTTP_HEADER_AUTHORIZATION);

	if (bearer != NULL) {
		if (auth_bearer(control_store(r->control), bearer, who))
			return;
	} else if (local) {
		const union MHD_ConnectionInfo *info =
		    MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CONNECTION_FD);

		if (info != NULL && auth_peer(info->connect_fd, who))
			return;
	}
	if (r->route->scope == AUTH_NONE)
		return;
	request_refuse(r, 401, DIAG_INVALID, "", "%s",
	    bearer != NULL ? "the token is not known" : "a bearer token is needed");
	request_set_header(r, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer realm=\"opengtm\"");
}

static void
check_right(struct request *r)
{
	if (r->caller.scope >= r->route->scope)
		return;
	request_refuse(r, 403, DIAG_INVALID, "", "%s may not do this", r->caller.name);
	diag_detail(&r->diag, auth_scope_words[r->caller.scope], auth_scope_words[r->route->scope]);
}

static bool
type_is(const char *header, const char *type)
{
	const size_t len = strlen(type);

	return strncasecmp(header, type, len) == 0 && strchr("; \t", header[len]) != NULL;
}

static void
check_type(struct request *r)
{
	const char *type = request_header(r, MHD_HTTP_HEADER_CONTENT_TYPE);
	const bool text = r->route->body == ROUTE_ZONE_TEXT;
	const char *allowed = text ? "text/dns, text/plain" : "application/json";

	if (r->route->body == ROUTE_NO_BODY)
		return;
	if (type != NULL && text && (type_is(type, "text/dns") || type_is(type, "text/plain")))
		return;
	if (type != NULL && !text &&
	    (type_is(type, "application/json") || type_is(type, "application/merge-patch+json")))
		return;
	request_refuse(r, 415, DIAG_INVALID, "Content-Type", "must say what the body is");
	diag_detail(&r->diag, type, allowed);
	request_set_header(r, "Accept", allowed);
}

static void
too_large(struct request *r)
{
	request_refuse(r, 413, DIAG_INVALID, "", "the body is larger than %zu bytes", r->body.max);
}

/* The headers are here, the body is not: everything that can be refused without it. */
static void
examine(struct request *r, const char *method, bool local)
{
	char allow[64];

	r->seen = true;
	r->body.max = BODY_MAX;
	r->method = strcmp(method, "HEAD") == 0 ? "GET" : arena_strdup(&r->arena, method);
	if (diag_failed(&r->diag))
		return;
	r->route = route_find(r, allow, sizeof(allow));
	if (r->route == NULL && allow[0] == '\0') {
		request_refuse(r, 404, DIAG_NOT_FOUND, "url", "there is nothing at this path");
		return;
	}
	if (r->route == NULL) {
		request_refuse(r, 405, DIAG_INVALID, "", "method %s is not for this path", method);
		diag_detail(&r->diag, method, allow);
		request_set_header(r, MHD_HTTP_HEADER_ALLOW, allow);
		return;
	}
	if (r->route->body == ROUTE_ZONE_TEXT)
		r->body.max = ZONE_TEXT_MAX;
	login(r, local);
	if (!diag_failed(&r->diag))
		check_right(r);
	if (!diag_failed(&r->diag))
		check_type(r);

	const char *length = request_header(r, MHD_HTTP_HEADER_CONTENT_LENGTH);

	if (!diag_failed(&r->diag) && length != NULL && strtoull(length, NULL, 10) > r->body.max)
		too_large(r);
}

/* Small bodies of refused requests are read to their end: a client still writing would see a
 * reset instead of the reason. */
static bool
worth_draining(const struct request *r)
{
	const char *length = request_header(r, MHD_HTTP_HEADER_CONTENT_LENGTH);

	return length != NULL && strtoull(length, NULL, 10) <= DRAIN_MAX &&
	       request_header(r, MHD_HTTP_HEADER_EXPECT) == NULL;
}

static enum MHD_Result
take_body(struct request *r, const char *data, size_t len)
{
	if (!r->refused) {
		buf_put(&r->body, data, len);
		if (!r->body.overflow)
			return MHD_YES;
		too_large(r);
		r->refused = true;
	}
	r->drained += len;
	return r->drained <= DRAIN_MAX ? MHD_YES : MHD_NO;
}

static bool
takes_long(const struct route *route)
{
	static void (*const long_ones[])(struct request *) = { rest_zonefile_put, rest_zonefile_get,
		rest_simulate, rest_template_try };

	for (size_t i = 0; i < ARRAY_LEN(long_ones); i++) {
		if (route->handle == long_ones[i])
			return true;
	}
	return false;
}

static enum MHD_Result
serve(struct http *h, struct request *r, const char *method, const char *data, size_t *len,
    bool local)
{
	if (r->handled)
		return send_reply(r);
	if (!r->seen) {
		examine(r, method, local);
		r->refused = diag_failed(&r->diag);
		return r->refused && !worth_draining(r) ? send_reply(r) : MHD_YES;
	}
	if (*len > 0) {
		const enum MHD_Result rc = take_body(r, data, *len);

		*len = 0;
		return rc;
	}
	if (!r->refused && takes_long(r->route) && aside_run(h->aside, r))
		return MHD_YES;
	if (!r->refused)
		r->route->handle(r);
	return send_reply(r);
}

static enum MHD_Result
on_tcp(void *arg, struct MHD_Connection *connection, const char *url, const char *method,
    const char *version, const char *data, size_t *len, void **context)
{
	(void)connection, (void)url, (void)version;
	return serve(arg, *context, method, data, len, false);
}

static enum MHD_Result
on_local(void *arg, struct MHD_Connection *connection, const char *url, const char *method,
    const char *version, const char *data, size_t *len, void **context)
{
	(void)connection, (void)url, (void)version;
	return serve(arg, *context, method, data, len, true);
}

static struct MHD_Daemon *
listen_on(struct http *h, int fd, MHD_AccessHandlerCallback on_request, unsigned threads)
{
	return MHD_start_daemon(
	    MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ERROR_LOG | MHD_ALLOW_SUSPEND_RESUME, 0, NULL,
	    NULL, on_request, h, MHD_OPTION_EXTERNAL_LOGGER, say,
	    NULL, /* first, or the others log to stderr */
	    MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_URI_LOG_CALLBACK, begin, h,
	    MHD_OPTION_NOTIFY_COMPLETED, end, h, MHD_OPTION_CONNECTION_TIMEOUT, IDLE_S,
	    MHD_OPTION_CONNECTION_LIMIT, CONNECTION_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
	    (size_t)(64 * 1024), MHD_OPTION_THREAD_POOL_SIZE, threads, MHD_OPTION_END);
}

struct http *
http_start(const struct http_config *c, struct control *control, struct diag *d)
{
	if (auth_start(control_store(control), c->data_dir, d) < 0)
		return NULL;

	struct http *h = xcalloc(1, sizeof(*h));

	h->magic = HTTP_MAGIC;
	h->control = control;
	h->streams = stream_new(control);
	h->aside = aside_new();
	if (c->tcp_fd >= 0)
		h->tcp = listen_on(h, c->tcp_fd, on_tcp, POOL_THREADS);
	if (c->unix_fd >= 0)
		h->local = listen_on(h, c->unix_fd, on_local, 2);
	if ((c->tcp_fd >= 0 && h->tcp == NULL) || (c->unix_fd >= 0 && h->local == NULL)) {
		diag_add(
		    d, DIAG_INTERNAL, "api", "the HTTP server does not start: %s", strerror(errno));
		http_stop(&h);
	}
	return h;
}

void
http_stop(struct http **hp)
{
	struct http *h = *hp;

	if (h == NULL)
		return;
	OBJ_CHECK(h, HTTP_MAGIC);
	stream_stop(h->streams);
	aside_stop(h->aside);
	if (h->tcp != NULL)
		MHD_stop_daemon(h->tcp);
	if (h->local != NULL)
		MHD_stop_daemon(h->local);
	stream_free(&h->streams);
	aside_free(&h->aside);
	h->magic = 0;
	free(h);
	*hp = NULL;
}
