/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "node/wire.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/mem.h"
#include "net/sock.h"
#include "node/parcel.h"

#define CHUNK      16384 /* a TLS record */
#define READ_TURNS 64    /* records, before others have their turn */
#define KEEP_MAX   (1u << 20)

struct wire {
	uint32_t magic;
#define WIRE_MAGIC 0x31e70ca2u
	struct loop *loop;
	struct loop_fd watch;
	int fd;
	SSL *ssl;
	struct wire_hooks hooks;
	struct wheel_timer closing, again;
	bool open, finishing;
	bool wants_out; /* the handshake does */
	size_t frame_max;
	struct buf in, out;
	size_t sent;     /* of out */
	char *broken;    /* why; nothing more is sent or told */
	const char *end; /* see wire_finish */
};

/* The owner hears of it from the loop. */
static void
tell_closed(struct wheel_timer *t)
{
	struct wire *w = container_of(t, struct wire, closing);

	OBJ_CHECK(w, WIRE_MAGIC);
	w->hooks.closed(w->hooks.arg, w->broken);
}

static void
break_off(struct wire *w, const char *why)
{
	if (w->broken != NULL)
		return;
	w->broken = xstrdup(why);
	loop_fd_del(w->loop, &w->watch);
	loop_timer_cancel(w->loop, &w->again);
	loop_timer_in(w->loop, &w->closing, 0);
}

/* What OpenSSL says went wrong, in words. */
static void
break_tls(struct wire *w, int error)
{
	const unsigned long code = ERR_peek_error();
	const int os = errno;
	const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;
	const long verify = SSL_get_verify_result(w->ssl);

	ERR_clear_error();
	if (verify != X509_V_OK)
		break_off(w, X509_verify_cert_error_string(verify));
	else if (reason != NULL)
		break_off(w, reason);
	else if (error == SSL_ERROR_SYSCALL && os != 0)
		break_off(w, strerror(os));
	else
		break_off(w, "closed by the peer");
}

static void
watch(struct wire *w)
{
	const bool out = w->wants_out || (w->open && w->out.len > w->sent);

	if (w->broken == NULL)
		loop_fd_mod(w->loop, &w->watch, out ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

/* True: go on. */
static bool
shake(struct wire *w)
{
	ERR_clear_error();

	const int rc = SSL_do_handshake(w->ssl), error = SSL_get_error(w->ssl, rc);

	w->wants_out = rc != 1 && error == SSL_ERROR_WANT_WRITE;
	if (rc == 1) {
		w->open = true;
		w->hooks.open(w->hooks.arg);
	} else if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
		break_tls(w, error);
	}
	return rc == 1 && w->broken == NULL;
}

static void
reuse(struct buf *b)
{
	if (b->cap > KEEP_MAX) {
		const size_t max = b->max;

		buf_fini(b);
		buf_init(b, max);
	}
	buf_clear(b);
}

static void
flush(struct wire *w)
{
	while (w->broken == NULL && w->sent < w->out.len) {
		const size_t left = w->out.len - w->sent;
		const int some = (int)(left < KEEP_MAX ? left : KEEP_MAX);

		ERR_clear_error();

		const int n = SSL_write(w->ssl, w->out.data + w->sent, some);

		if (n <= 0) {
			const int error = SSL_get_error(w->ssl, n);

			if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
				break_tls(w, error);
			return;
		}
		w->sent += (size_t)n;
	}
	reuse(&w->out);
	w->sent = 0;
	if (w->finishing)
		break_off(w, w->end);
}

static void
deliver(struct wire *w)
{
	size_t pos = 0;
	struct parcel f;
	int rc = 0;

	while (w->broken == NULL && !w->finishing &&
	       (rc = parcel_take(w->in.data + pos, w->in.len - pos, w->frame_max, &f)) == 1) {
		w->hooks.message(w->hooks.arg, f.type, f.body, f.len);
		pos += f.whole;
	}
	if (rc < 0)
		break_off(w, "a message of impossible length");
	buf_drop(&w->in, pos);
	if (w->in.len == 0)
		reuse(&w->in);
}

static void
receive(struct wire *w)
{
	uint8_t chunk[CHUNK];
	int turn = 0;

	for (; w->broken == NULL && turn < READ_TURNS; turn++) {
		ERR_clear_error();
		errno = 0;

		const int n = SSL_read(w->ssl, chunk, sizeof(chunk));

		if (n <= 0) {
			const int error = SSL_get_error(w->ssl, n);

			deliver(w);
			if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
				break_tls(w, error);
			return;
		}
		buf_put(&w->in, chunk, (size_t)n);
	}
	deliver(w);
	/* What OpenSSL holds already makes no descriptor readable. */
	if (w->broken == NULL)
		loop_timer_in(w->loop, &w->again, 0);
}

static void
go_on(struct wire *w)
{
	if (!w->open && !shake(w)) {
		watch(w);
		return;
	}
	receive(w);
	if (w->broken == NULL)
		flush(w);
	watch(w);
}

static void
ready(struct loop_fd *f, uint32_t events UNUSED)
{
	struct wire *w = container_of(f, struct wire, watch);

	OBJ_CHECK(w, WIRE_MAGIC);
	go_on(w);
}

static void
once_more(struct wheel_timer *t)
{
	struct wire *w = container_of(t, struct wire, again);

	OBJ_CHECK(w, WIRE_MAGIC);
	if (w->broken == NULL)
		go_on(w);
}

struct wire *
wire_new(struct loop *loop, int fd, SSL_CTX *ctx, bool server, size_t frame_max,
    const struct wire_hooks *hooks)
{
	struct wire *w = xcalloc(1, sizeof(*w));

	w->magic = WIRE_MAGIC;
	w->loop = loop;
	w->fd = fd;
	w->hooks = *hooks;
	w->frame_max = frame_max;
	w->wants_out = !server; /* until it is connected */
	wheel_timer_init(&w->closing, tell_closed);
	wheel_timer_init(&w->again, once_more);
	buf_init(&w->in, frame_max + READ_TURNS * CHUNK + PARCEL_HEADER);
	buf_init(&w->out, MESSAGE_MAX);
	sock_no_delay(fd);
	w->ssl = SSL_new(ctx);
	CHECK(w->ssl != NULL);
	SSL_set_mode(w->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	if (server)
		SSL_set_accept_state(w->ssl);
	else
		SSL_set_connect_state(w->ssl);
	if (SSL_set_fd(w->ssl, fd) != 1 ||
	    loop_fd_add(loop, &w->watch, fd, server ? EPOLLIN : EPOLLIN | EPOLLOUT, ready) != 0)
		break_off(w, "cannot be watched");
	return w;
}

void
wire_free(struct wire **wp)
{
	struct wire *w = *wp;

	if (w == NULL)
		return;
	OBJ_CHECK(w, WIRE_MAGIC);
	loop_timer_cancel(w->loop, &w->closing);
	loop_timer_cancel(w->loop, &w->again);
	loop_fd_del(w->loop, &w->watch);
	SSL_free(w->ssl);
	close(w->fd);
	buf_fini(&w->in);
	buf_fini(&w->out);
	free(w->broken);
	w->magic = 0;
	free(w);
	*wp = NULL;
}

void
wire_expect(struct wire *w, size_t frame_max)
{
	OBJ_CHECK(w, WIRE_MAGIC);
	w->frame_max = frame_max;
	w->in.max = frame_max + READ_TURNS * CHUNK + PARCEL_HEADER;
}

void
wire_finish(struct wire *w, const char *why)
{
	OBJ_CHECK(w, WIRE_MAGIC);
	w->finishing = true;
	w->end = why;
	if (!w->open || w->out.len == w->sent)
		break_off(w, why);
}

X509 *
wire_peer(const struct wire *w)
{
	OBJ_CHECK(w, WIRE_MAGIC);
	return SSL_get1_peer_certificate(w->ssl);
}

static void
send_parts(struct wire *w, enum message_type type, const void *head, size_t head_len,
    const void *body, size_t len)
{
	uint8_t header[PARCEL_HEADER];
	const bool idle = w->out.len == 0;

	OBJ_CHECK(w, WIRE_MAGIC);
	if (w->broken != NULL || w->finishing)
		return;
	if (w->sent > KEEP_MAX && w->sent > w->out.len / 2) {
		buf_drop(&w->out, w->sent);
		w->sent = 0;
	}
	parcel_head((uint8_t)type, head_len + len, header);
	buf_put(&w->out, header, sizeof(header));
	buf_put(&w->out, head, head_len);
	buf_put(&w->out, body, len);
	if (w->out.overflow)
		break_off(w, "the peer does not read");
	else if (idle && w->open)
		flush(w);
	watch(w);
}

void
wire_send(struct wire *w, enum message_type type, const void *body, size_t len)
{
	send_parts(w, type, "", 0, body, len);
}

void
wire_send_json(struct wire *w, enum message_type type, const json_t *body)
{
	char *text = json_text(body);

	send_parts(w, type, "", 0, text, strlen(text));
	free(text);
}

void
wire_send_id(struct wire *w, enum message_type type, uint32_t id, const json_t *body)
{
	const uint8_t head[4] = { (uint8_t)(id >> 24), (uint8_t)(id >> 16), (uint8_t)(id >> 8),
		(uint8_t)id };
	char *text = json_text(body);

	send_parts(w, type, head, sizeof(head), text, strlen(text));
	free(text);
}
