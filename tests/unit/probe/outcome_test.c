/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a probe finds, by protocol, against real sockets; and probes that somebody waits for. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "peer.h"
#include "world.h"

static void
test_tcp_accepts(void **state)
{
	static const char *const ips[] = { "127.0.0.1:0", "[::1]:0" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ips); i++) {
		struct peer p;

		if (!peer_start(&p, ips[i], NULL)) {
			assert_int_equal(i, 1); /* a machine without IPv6 */
			continue;
		}
		world_assert_single(&p.addr, &world_tcp, FLAP_UP, "", "connected");
		peer_stop(&p);
	}
}

static void
test_tcp_refused(void **state)
{
	const struct addr a = peer_refusing();
	struct template_spec t = world_tcp;

	(void)state;
	t.fall = 3;
	world_assert_single(&a, &t, FLAP_DOWN, "l4_refused", "Connection refused");
}

static void
test_tcp_no_answer(void **state)
{
	struct template_spec t = world_tcp;
	struct peer_deaf deaf;

	(void)state;
	peer_deaf_open(&deaf);
	t.fall = 2;
	t.timeout_ms = 50;
	world_assert_single(&deaf.addr, &t, FLAP_DOWN, "l4_timeout", "no connection in time");
	peer_deaf_close(&deaf);
}

static void
test_tcp_unreachable(void **state)
{
	struct addr a;

	(void)state;
	assert_int_equal(addr_parse(&a, "255.255.255.255:9", 0), 0);
	world_assert_single(&a, &world_tcp, FLAP_DOWN, "l4_unreachable", "Network is unreachable");
}

static void
test_http_outcomes(void **state)
{
	static const struct {
		const char *reply, *cause, *text;
	} rows[] = {
		{ OK_REPLY, "", "status 200" },
		{ "HTTP/1.0 302 Found\nLocation: /\n\n", "", "status 302" },
		{ SICK_REPLY, "http_status", "status 503" },
		{ "220 mail.example ESMTP\r\n", "http_bad", "not an HTTP/1 reply" },
		{ "HTTP/1.1 200 OK\r\nServ", "http_closed", "closed before the head was complete" },
		{ peer_hang, "http_timeout", "no complete reply in time" },
		{ peer_reset, "l4_reset", "Connection reset by peer" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct template_spec t = world_tcp;
		struct peer p;

		t.protocol = PROTOCOL_HTTP;
		t.timeout_ms = rows[i].reply == peer_hang ? 50 : 5000;
		assert_true(peer_start(&p, "127.0.0.1:0", rows[i].reply));
		world_assert_single(&p.addr, &t, rows[i].cause[0] == '\0' ? FLAP_UP : FLAP_DOWN,
		    rows[i].cause, rows[i].text);
		peer_stop(&p);
	}
}

#define CHUNKED "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

/* However the body is framed, cut or missing. */
static void
test_http_bodies(void **state)
{
	static const struct {
		const char *reply, *cause, *text;
	} rows[] = {
		{ "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nall good", "", "status 200" },
		{ "HTTP/1.1 200 OK\r\n\r\nall good", "", "status 200" },
		{ CHUNKED "4;x=y\r\nall \r\n4\r\ngood\r\n0\r\nT: x\r\n\r\n", "", "status 200" },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nall good", "http_body",
		    "the body does not match" },
		{ "HTTP/1.1 204 None\r\n\r\n", "http_body", "the body does not match" },
		{ CHUNKED "8\r\nall bad!\r\n0\r\n\r\n", "http_body", "the body does not match" },
		{ CHUNKED "all good", "http_bad", "malformed chunk" },
		{ CHUNKED "8\r\nall good\r\n", "http_closed",
		    "closed before the body was complete" },
		{ "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "http_bad",
		    "malformed Content-Length" },
		{ SICK_REPLY "all good", "http_status", "status 503" },
	};
	struct template_spec t = world_tcp;

	(void)state;
	t.protocol = PROTOCOL_HTTP;
	t.http.expect_body = "^all go{2}d$";
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct peer p;

		assert_true(peer_start(&p, "127.0.0.1:0", rows[i].reply));
		world_assert_single(&p.addr, &t, rows[i].cause[0] == '\0' ? FLAP_UP : FLAP_DOWN,
		    rows[i].cause, rows[i].text);
		peer_stop(&p);
	}
}

/* To itself for ever, elsewhere, and to another port of the same host, which decides. */
static void
test_http_redirects(void **state)
{
	struct template_spec t = world_tcp;
	struct peer from, to;
	char *reply;

	(void)state;
	t.protocol = PROTOCOL_HTTP;
	t.http.follow_redirect = true;
	assert_true(peer_start(&from, "127.0.0.1:0", "HTTP/1.1 302 x\r\nLocation: ?a\r\n\r\n"));
	world_assert_single(&from.addr, &t, FLAP_DOWN, "http_redirect", "more than 5 redirects");
	peer_reply(&from, "HTTP/1.1 302 x\r\nLocation: http://other.example/\r\n\r\n");
	world_assert_single(
	    &from.addr, &t, FLAP_DOWN, "http_redirect", "redirect to another host is not followed");

	assert_true(peer_start(&to, "127.0.0.1:0", SICK_REPLY));
	reply = xasprintf(
	    "HTTP/1.1 301 x\r\nLocation: http://127.0.0.1:%u/y#z\r\n\r\n", addr_port(&to.addr));
	peer_reply(&from, reply);
	world_assert_single(&from.addr, &t, FLAP_DOWN, "http_status", "status 503");
	peer_reply(&to, OK_REPLY);
	world_assert_single(&from.addr, &t, FLAP_UP, "", "status 200");
	peer_stop(&to);
	peer_stop(&from);
	free(reply);
}

static void
test_tcp_talks(void **state)
{
	static const struct {
		const char *send, *expect, *reply, *cause, *text;
	} rows[] = {
		{ "PING\\r\\n", "", "x", "", "connected" },
		{ "PING\\r\\n", "^\\+PONG\\r\\n$", "+PONG\r\n", "", "matched" },
		{ "PING\\r\\n", "^\\+PONG", "-ERR\r\n", "tcp_expect", "closed before it matched" },
		{ "PING\\r\\n", "^\\+PONG", peer_reset, "l4_reset", "Connection reset by peer" },
		{ "PING\\r\\n", "^\\+PONG", peer_hang, "tcp_timeout",
		    "nothing that matches in time" },
		{ "", "x", NULL, "tcp_expect", "closed before it matched" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct template_spec t = world_tcp;
		struct peer p;

		t.talk = (struct talk_spec){ rows[i].send, rows[i].expect };
		t.timeout_ms = rows[i].reply == peer_hang ? 50 : 5000;
		assert_true(peer_start(&p, "127.0.0.1:0", rows[i].reply));
		world_assert_single(&p.addr, &t, rows[i].cause[0] == '\0' ? FLAP_UP : FLAP_DOWN,
		    rows[i].cause, rows[i].text);
		peer_stop(&p);
	}
}

static void
test_http_refused_and_expected(void **state)
{
	const char *wanted[] = { "500-503" };
	const struct addr a = peer_refusing();
	struct template_spec t = world_tcp;
	struct peer p;

	(void)state;
	t.protocol = PROTOCOL_HTTP;
	t.http.expect_status = (struct field_list){ wanted, 1 };
	world_assert_single(&a, &t, FLAP_DOWN, "l4_refused", "Connection refused");

	assert_true(peer_start(&p, "127.0.0.1:0", SICK_REPLY));
	world_assert_single(&p.addr, &t, FLAP_UP, "", "status 503");
	peer_reply(&p, OK_REPLY);
	world_assert_single(&p.addr, &t, FLAP_DOWN, "http_status", "status 200");
	peer_stop(&p);
}

/* -- trying -- */

struct tried {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	json_t *result;
};

static void
tried(void *arg, json_t *result)
{
	struct tried *t = arg;

	pthread_mutex_lock(&t->lock);
	t->result = result;
	pthread_cond_signal(&t->changed);
	pthread_mutex_unlock(&t->lock);
}

static json_t *
try_once(struct world *w, const struct addr *target, const struct template_spec *t)
{
	struct tried got = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, NULL };
	const struct prober_job job = { .target = *target, .template = t };

	prober_try(w->prober, &job, tried, &got);
	pthread_mutex_lock(&got.lock);
	while (got.result == NULL)
		pthread_cond_wait(&got.changed, &got.lock);
	pthread_mutex_unlock(&got.lock);
	return got.result;
}

static void
test_trying(void **state)
{
	static struct world w;
	const struct addr nobody = peer_refusing();
	struct template_spec web = world_tcp, push = world_tcp;
	struct peer p;

	(void)state;
	web.protocol = PROTOCOL_HTTP;
	web.http.expect_body = "all is (well|good)";
	push.protocol = PROTOCOL_PUSH;
	assert_true(peer_start(&p, "127.0.0.1:0", OK_REPLY "all is well"));
	world_open(&w);
	prober_start(w.prober);

	json_t *good = try_once(&w, &p.addr, &web), *bad = try_once(&w, &nobody, &web);
	json_t *none = try_once(&w, &nobody, &push);

	assert_true(json_is_true(json_object_get(good, "passed")));
	assert_string_equal(world_text(good, "output"), "all is well");
	assert_true(json_is_number(json_object_get(good, "first_byte")));
	assert_true(json_is_false(json_object_get(bad, "passed")));
	assert_string_equal(world_text(bad, "cause"), "l4_refused");
	assert_true(json_is_null(json_object_get(bad, "first_byte")));
	assert_true(json_is_null(json_object_get(none, "passed")));
	json_decref(good);
	json_decref(bad);
	json_decref(none);
	world_close(&w);
	peer_stop(&p);
}

/* -- holding -- */

/* Tries go round through the same loop, so what had been asked of it would have come first. */
static void
test_held_begins_with_the_release(void **state)
{
	static struct world w;
	const struct addr nobody = peer_refusing();

	(void)state;
	world_open(&w);
	prober_start(w.prober);
	prober_hold(w.prober);
	prober_hold(w.prober);
	for (uint32_t i = 0; i < 100; i++)
		world_want(&w, i, &nobody, &world_tcp);
	world_drop(&w, 0);
	prober_release(w.prober);
	for (int i = 0; i < 20; i++)
		json_decref(try_once(&w, &nobody, &world_tcp));
	pthread_mutex_lock(&w.lock);
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(w.edges[i], 0);
	pthread_mutex_unlock(&w.lock);

	prober_release(w.prober);
	for (uint32_t i = 1; i < 100; i++)
		world_await_verdict(&w, i, 1, FLAP_DOWN, "l4_refused");
	assert_int_equal(w.edges[0], 0);
	world_close(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tcp_accepts),
		cmocka_unit_test(test_tcp_refused),
		cmocka_unit_test(test_tcp_no_answer),
		cmocka_unit_test(test_tcp_unreachable),
		cmocka_unit_test(test_http_outcomes),
		cmocka_unit_test(test_http_bodies),
		cmocka_unit_test(test_http_redirects),
		cmocka_unit_test(test_tcp_talks),
		cmocka_unit_test(test_http_refused_and_expected),
		cmocka_unit_test(test_trying),
		cmocka_unit_test(test_held_begins_with_the_release),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
