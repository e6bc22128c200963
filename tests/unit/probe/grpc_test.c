/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gRPC health checks against a server that answers stream 1 with HTTP/2 frames written out here. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/thread.h"
#include "net/sock.h"
#include "once.h"
#include "peer.h"
#include "probe/grpc_reply.h"
#include "tls_peer.h"

#define SETTINGS      "\0\0\0\4\0\0\0\0\0"
#define HEAD          "\0\0\1\1\4\0\0\0\1\x88" /* :status 200 */
#define HEAD_404      "\0\0\1\1\5\0\0\0\1\x8d"
#define DATA(n, text) "\0\0" n "\0\0\0\0\0\1" text
#define STATUS(code)  "\0\0\17\1\5\0\0\0\1\0\13grpc-status\1" code /* trailers, the end */
#define RESET         "\0\0\4\3\0\0\0\0\1\0\0\0\10"

#define SAYS(health) SETTINGS HEAD DATA("\7", "\0\0\0\0\2\10" health) STATUS("0")
#define REPLY(text)  text, sizeof(text) - 1

static struct once once;

static const struct template_spec grpc = {
	.protocol = PROTOCOL_GRPC,
	.interval_ms = 10000,
	.timeout_ms = 5000,
	.fall = 1,
	.rise = 1,
	.grpc = { .service = "shop.v1" },
	.tls = { .verify = true, .full_handshake_every = 1 },
};

struct server {
	struct addr addr;
	int listener;
	const char *reply;
	size_t reply_len;
	char heard[1024];
	size_t heard_len;
	pthread_t thread;
};

/* One connection. Reads on until they are gone, so that nothing of ours is lost by a reset. */
static void *
serve(void *arg)
{
	struct server *s = arg;
	const int fd = accept(s->listener, NULL, NULL);
	ssize_t n = recv(fd, s->heard, sizeof(s->heard), 0);

	send(fd, s->reply, s->reply_len, MSG_NOSIGNAL);
	shutdown(fd, SHUT_WR);
	while (n > 0) {
		s->heard_len += (size_t)n;
		n = recv(fd, s->heard + s->heard_len, sizeof(s->heard) - s->heard_len, 0);
	}
	close(fd);
	return NULL;
}

static void
serve_once(struct server *s, const char *reply, size_t len)
{
	memset(s, 0, sizeof(*s));
	s->reply = reply;
	s->reply_len = len;
	assert_int_equal(addr_parse(&s->addr, "127.0.0.1:0", 0), 0);
	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->listener, &s->addr.sa, s->addr.len), 0);
	assert_int_equal(listen(s->listener, 1), 0);
	assert_int_equal(sock_name(s->listener, &s->addr), 0);
	thread_start(&s->thread, "grpc", serve, s);
}

static void
test_outcomes(void **state)
{
	static const struct {
		const char *reply;
		size_t len;
		const char *cause, *text;
	} rows[] = {
		{ REPLY(SAYS("\1")), "", "serving" },
		{ REPLY(SAYS("\2")), "grpc_health", "not serving" },
		{ REPLY(SAYS("\3")), "grpc_health", "unknown service" },
		{ REPLY(SAYS("\0")), "grpc_health", "unknown" },
		{ REPLY(SETTINGS HEAD STATUS("5")), "grpc_status", "unknown service" },
		{ REPLY(SETTINGS HEAD STATUS("7")), "grpc_status", "the call failed" },
		{ REPLY(SETTINGS HEAD DATA("\4", "oops") STATUS("0")), "grpc_bad",
		    "malformed message" },
		{ REPLY(SETTINGS HEAD_404), "grpc_bad", "" },
		{ REPLY(SETTINGS HEAD RESET), "grpc_bad", "the stream was reset" },
		{ REPLY(SETTINGS HEAD), "grpc_bad", "closed before the reply was complete" },
		/* Said by what came, not by how the connection ends. */
		{ REPLY("HTTP/1.1 400 Bad Request\r\n\r\n"), "grpc_bad", "not HTTP/2" },
		{ REPLY("\0\1\2 this is no HTTP at all"), "grpc_bad", "not HTTP/2" },
		{ REPLY(HEAD), "grpc_bad", "not HTTP/2" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct server s;

		serve_once(&s, rows[i].reply, rows[i].len);
		once_assert(&once, &s.addr, "192.0.2.1", &grpc, rows[i].cause, rows[i].text);
		thread_join(s.thread);
		close(s.listener);
		assert_memory_equal(s.heard, "PRI * HTTP/2.0", 14);
		if (rows[i].cause[0] == '\0')
			assert_non_null(memmem(s.heard, s.heard_len, "\0\0\0\0\11\12\7shop.v1",
			    sizeof("\0\0\0\0\11\12\7shop.v1") - 1));
	}
}

static void
test_over_tls(void **state)
{
	struct template_spec t = grpc;
	struct identity own;
	struct tls_peer p;

	(void)state;
	identity_make(&own, "DNS:grpc.example", 30, NULL);
	tls_peer_start(&p, "127.0.0.1:0", &own, NULL, SAYS("\1"));
	p.reply_len = sizeof(SAYS("\1")) - 1;
	t.grpc.tls = true;
	t.tls.ca = own.cert_pem;
	t.tls.sni = "grpc.example";
	once_assert(&once, &p.addr, "192.0.2.1", &t, "", "serving");
	t.tls.sni = "other.example";
	once_assert(&once, &p.addr, "192.0.2.1", &t, "tls_cert", "wrong name");
	probe_forget(&once.runner.probe);
	tls_peer_stop(&p);
	identity_free(&own);
}

static void
test_no_connection(void **state)
{
	const struct addr refusing = peer_refusing();
	struct template_spec t = grpc;
	struct peer p;

	(void)state;
	once_assert(&once, &refusing, "", &t, "l4_refused", NULL);
	assert_true(peer_start(&p, "127.0.0.1:0", peer_hang));
	t.timeout_ms = 50;
	once_assert(&once, &p.addr, "", &t, "grpc_timeout", "no complete reply in time");
	peer_stop(&p);
}

static void
test_messages(void **state)
{
	static const struct {
		const char *data;
		size_t len;
		int health;
	} rows[] = {
		{ REPLY("\0\0\0\0\2\10\1"), GRPC_SERVING },
		{ REPLY("\0\0\0\0\0"), GRPC_UNKNOWN },
		{ REPLY("\0\0\0\0\7\22\3abc\10\2"), GRPC_NOT_SERVING },
		{ REPLY("\0\0\0\0\3\10\1"), -22 },
		{ REPLY("\1\0\0\0\2\10\1"), -22 },
		{ REPLY("\0\0\0\0\2\22\5"), -22 },
		{ REPLY("\0\0\0\0\1\13"), -22 },
		{ REPLY("\0\0"), -22 },
	};
	struct buf b;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(
		    grpc_reply_read((const uint8_t *)rows[i].data, rows[i].len), rows[i].health);
	buf_init(&b, 64);
	grpc_reply_ask(&b, "");
	assert_int_equal(b.len, 5);
	buf_fini(&b);
}

static int
set_up(void **state)
{
	(void)state;
	once_init(&once);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	once_fini(&once);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_outcomes),
		cmocka_unit_test(test_over_tls),
		cmocka_unit_test(test_no_connection),
		cmocka_unit_test(test_messages),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
