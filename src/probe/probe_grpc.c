/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * probe_grpc -- calls grpc.health.v1.Health/Check over HTTP/2, in the clear or in TLS; passes when
 * the service says SERVING.
 *
 * HTTP/2 is libnghttp2's; here octets go in and out, and one stream is watched to its end.
 */
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "probe/conn.h"
#include "probe/grpc_reply.h"
#include "probe/protocol.h"
#include "probe/tls.h"

#define CHUNK     4096
#define BODY_MAX  1024 /* of the reply; a health takes 7 octets */
#define PATH      "/grpc.health.v1.Health/Check"
#define NO_STATUS -1

struct grpc_call {
	nghttp2_session *session;
	const uint8_t *out; /* the session's, until it is asked for more */
	size_t out_len;
	size_t asked;            /* octets of the request's body that were taken */
	int http_status, status; /* NO_STATUS: has not come */
	uint32_t error;          /* HTTP/2's, of the stream */
	bool over;
	bool nonsense; /* what came is not HTTP/2 */
};

static void
prepare(struct recipe *r, const char *host, const struct template_spec *template)
{
	const struct grpc_spec *grpc = &template->grpc;
	struct buf b;

	buf_init(&b, BODY_MAX);
	grpc_reply_ask(&b, grpc->service != NULL ? grpc->service : "");
	r->request = (char *)buf_take(&b, &r->request_len);
	r->secure = grpc->tls;
	/* The authority, in the clear too. */
	if (grpc->tls)
		tls_prepare(r, host, &template->tls);
	else
		r->tls_name = xstrdup(host);
}

/* -- what nghttp2 tells -- */

static int
number(const uint8_t *text, size_t len)
{
	int value = 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9' || i == 4)
			return NO_STATUS;
		value = value * 10 + (text[i] - '0');
	}
	return len > 0 ? value : NO_STATUS;
}

static int
on_header(nghttp2_session *session UNUSED, const nghttp2_frame *frame UNUSED, const uint8_t *name,
    size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags UNUSED, void *arg)
{
	struct grpc_call *call = ((struct probe *)arg)->grpc;

	if (name_len == 7 && memcmp(name, ":status", 7) == 0)
		call->http_status = number(value, value_len);
	else if (name_len == 11 && memcmp(name, "grpc-status", 11) == 0)
		call->status = number(value, value_len);
	return 0;
}

static int
on_data(nghttp2_session *session UNUSED, uint8_t flags UNUSED, int32_t stream UNUSED,
    const uint8_t *data, size_t len, void *arg)
{
	struct probe *p = arg;

	if (p->in.len + len <= BODY_MAX)
		buf_put(&p->in, data, len);
	return 0;
}

static int
on_close(nghttp2_session *session UNUSED, int32_t stream UNUSED, uint32_t error, void *arg)
{
	struct grpc_call *call = ((struct probe *)arg)->grpc;

	call->over = true;
	call->error = error;
	return 0;
}

/*
 * A probe never ends a session itself, so a GOAWAY (RFC 9113, 6.8) is libnghttp2's about what came.
 * Asked before it goes out: whether the server resets us for it, or closes, is a race.
 */
static int
before_send(nghttp2_session *session UNUSED, const nghttp2_frame *frame, void *arg)
{
	if (frame->hd.type == NGHTTP2_GOAWAY)
		((struct probe *)arg)->grpc->nonsense = true;
	return 0;
}

static ssize_t
give_body(nghttp2_session *session UNUSED, int32_t stream UNUSED, uint8_t *out, size_t size,
    uint32_t *flags, nghttp2_data_source *source UNUSED, void *arg)
{
	struct probe *p = arg;
	const size_t left = p->recipe->request_len - p->grpc->asked;
	const size_t n = left < size ? left : size;

	memcpy(out, p->recipe->request + p->grpc->asked, n);
	p->grpc->asked += n;
	if (n == left)
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	return (ssize_t)n;
}

/* -- the call -- */

static nghttp2_nv
header(const char *name, const char *value)
{
	return (nghttp2_nv){
		.name = (uint8_t *)(uintptr_t)name,
		.value = (uint8_t *)(uintptr_t)value,
		.namelen = strlen(name),
		.valuelen = strlen(value),
	};
}

static int
submit(struct probe *p)
{
	const struct recipe *r = p->recipe;
	char authority[300];
	const bool ip6 = strchr(r->tls_name, ':') != NULL;

	snprintf(
	    authority, sizeof(authority), ip6 ? "[%.255s]:%u" : "%.255s:%u", r->tls_name, p->port);

	const nghttp2_nv headers[] = {
		header(":method", "POST"),
		header(":scheme", p->secure ? "https" : "http"),
		header(":path", PATH),
		header(":authority", authority),
		header("content-type", "application/grpc"),
		header("te", "trailers"),
		header("user-agent", "OpenGTM/" GTM_VERSION),
	};
	const nghttp2_data_provider body = { .read_callback = give_body };

	if (nghttp2_submit_settings(p->grpc->session, NGHTTP2_FLAG_NONE, NULL, 0) != 0)
		return -1;
	return nghttp2_submit_request(
	    p->grpc->session, NULL, headers, ARRAY_LEN(headers), &body, NULL);
}

/* False: no memory. */
static bool
open_call(struct probe *p)
{
	nghttp2_session_callbacks *callbacks;

	p->grpc = xcalloc(1, sizeof(*p->grpc));
	p->grpc->http_status = p->grpc->status = NO_STATUS;
	if (nghttp2_session_callbacks_new(&callbacks) != 0)
		return false;
	nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
	nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
	nghttp2_session_callbacks_set_before_frame_send_callback(callbacks, before_send);

	const int error = nghttp2_session_client_new(&p->grpc->session, callbacks, p);

	nghttp2_session_callbacks_del(callbacks);
	return error == 0 && submit(p) >= 0;
}

static void
end(struct probe *p)
{
	if (p->grpc == NULL)
		return;
	nghttp2_session_del(p->grpc->session);
	free(p->grpc);
	p->grpc = NULL;
}

/* PASS: all that there is to say is said. */
static enum probe_step
send_frames(struct probe *p)
{
	struct grpc_call *call = p->grpc;

	for (;;) {
		enum probe_step step = PROBE_PASS;

		if (call->out_len == 0) {
			const ssize_t n = nghttp2_session_mem_send(call->session, &call->out);

			if (n < 0)
				return probe_fail(p, "grpc_bad", "HTTP/2 cannot go on");
			if (call->nonsense)
				return probe_fail(p, "grpc_bad", "not HTTP/2");
			if (n == 0)
				return PROBE_PASS;
			call->out_len = (size_t)n;
		}

		const size_t sent = conn_send(p, call->out, call->out_len, &step);

		if (sent == 0)
			return step;
		call->out += sent;
		call->out_len -= sent;
	}
}

static enum probe_step
judge(struct probe *p)
{
	const struct grpc_call *call = p->grpc;

	p->text = "";
	if (call->error != NGHTTP2_NO_ERROR)
		return probe_fail(p, "grpc_bad", "the stream was reset");
	if (call->http_status != 200) {
		p->status = call->http_status > 0 ? (uint16_t)call->http_status : 0;
		return probe_fail(p, "grpc_bad", "");
	}
	if (call->status == 5) /* NOT_FOUND, as the health protocol has it */
		return probe_fail(p, "grpc_status", "unknown service");
	if (call->status == 12)
		return probe_fail(p, "grpc_status", "the server has no health service");
	if (call->status != 0)
		return probe_fail(p, "grpc_status", "the call failed");
	switch (grpc_reply_read(p->in.data, p->in.len)) {
	case GRPC_SERVING:
		p->text = "serving";
		return PROBE_PASS;
	case GRPC_NOT_SERVING:
		return probe_fail(p, "grpc_health", "not serving");
	case GRPC_SERVICE_UNKNOWN:
		return probe_fail(p, "grpc_health", "unknown service");
	case GRPC_UNKNOWN:
		return probe_fail(p, "grpc_health", "unknown");
	default:
		return probe_fail(p, "grpc_bad", "malformed message");
	}
}

static enum probe_step
receive_frames(struct probe *p)
{
	for (;;) {
		uint8_t chunk[CHUNK];
		enum probe_step step = PROBE_READ;
		const size_t n = conn_receive(p, chunk, sizeof(chunk), &step);

		if (n == 0 && step == PROBE_PASS)
			return probe_fail(p, "grpc_bad", "closed before the reply was complete");
		if (n == 0)
			return step;
		if (nghttp2_session_mem_recv(p->grpc->session, chunk, n) < 0)
			return probe_fail(p, "grpc_bad", "not HTTP/2");
		if (p->grpc->over)
			return judge(p);
		step = send_frames(p);
		if (step != PROBE_PASS)
			return step;
	}
}

static enum probe_step
start(struct probe *p)
{
	p->secure = p->recipe->secure;
	buf_clear(&p->in);
	return probe_connect(p);
}

static enum probe_step
on_io(struct probe *p)
{
	enum probe_step step = conn_ready(p);

	if (step != PROBE_PASS)
		return step;
	if (p->grpc == NULL && !open_call(p)) {
		p->text = "no memory for HTTP/2";
		return PROBE_STARVED;
	}
	step = send_frames(p);
	return step == PROBE_PASS ? receive_frames(p) : step;
}

const struct protocol_row probe_grpc = {
	.name = "grpc",
	.late = "grpc_timeout",
	.late_text = "no complete reply in time",
	.alpn = "\x02h2",
	.prepare = prepare,
	.start = start,
	.on_io = on_io,
	.end = end,
};
