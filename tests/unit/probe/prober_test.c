/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Against real sockets. Waits for events, never for time to pass. */
#include "probe/prober.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "peer.h"
#include "tls_peer.h"

#define PATIENCE_S 20
#define HOUR_MS    3600000u
#define SLOTS      512
#define OK_REPLY   "HTTP/1.1 200 OK\r\n\r\n"
#define SICK_REPLY "HTTP/1.1 503 Sick\r\n\r\n"

struct world {
	struct word_table *words;
	struct prober *prober;
	const struct prober_settings *settings;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned edges[SLOTS], rounds;
	enum flap_verdict verdict[SLOTS];
	const char *cause[SLOTS];
	bool word_was_stale;
	unsigned warnings, late, short_of;
	int64_t expires_ms;
};

static const struct template_spec tcp = {
	.protocol = PROTOCOL_TCP,
	.interval_ms = HOUR_MS,
	.timeout_ms = 5000,
	.recheck_ms = 10,
	.fall = 1,
	.rise = 1,
};

static uint32_t
word_of(enum flap_verdict verdict, unsigned edges)
{
	return (verdict == FLAP_DOWN ? WORD_DOWN : 0) |
	       (verdict == FLAP_UNKNOWN ? WORD_UNKNOWN : 0) | edges;
}

static void
edge(void *arg, const char *key, uint32_t slot, enum flap_verdict verdict, const char *cause)
{
	struct world *w = arg;
	char expected[16];

	snprintf(expected, sizeof(expected), "job%u", slot);
	pthread_mutex_lock(&w->lock);
	w->edges[slot]++;
	w->verdict[slot] = verdict;
	w->cause[slot] = cause;
	if (word_load(w->words, slot) != word_of(verdict, w->edges[slot]) ||
	    strcmp(key, expected) != 0)
		w->word_was_stale = true;
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
}

static void
first_round(void *arg)
{
	struct world *w = arg;

	pthread_mutex_lock(&w->lock);
	w->rounds++;
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
}

static void
expiring(void *arg, const char *key UNUSED, uint32_t slot UNUSED, int64_t expires_ms)
{
	struct world *w = arg;

	pthread_mutex_lock(&w->lock);
	w->warnings++;
	w->expires_ms = expires_ms;
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
}

static void
trouble(void *arg, const char *kind, const char *text)
{
	struct world *w = arg;

	assert_true(text[0] != '\0');
	pthread_mutex_lock(&w->lock);
	if (strcmp(kind, "probe.late") == 0)
		w->late++;
	else if (strcmp(kind, "probe.resources") == 0)
		w->short_of++;
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
}

static void
open_world_with(struct world *w, const struct prober_settings *settings)
{
	const struct prober_hooks hooks = { w, edge, first_round, expiring, trouble };

	memset(w, 0, sizeof(*w));
	w->settings = settings;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->changed, NULL);
	w->words = word_table_new();
	w->prober = prober_new(w->words, &hooks, w->settings);
	for (uint32_t i = 0; i < SLOTS; i++)
		assert_int_equal(word_take(w->words), i);
}

static void
open_world(struct world *w)
{
	open_world_with(w, NULL);
}

static void
close_world(struct world *w)
{
	prober_free(&w->prober);
	word_table_free(&w->words);
	assert_false(w->word_was_stale);
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->changed);
}

static void
want_from(struct world *w, uint32_t slot, const struct addr *target, const struct template_spec *t,
    enum flap_verdict start)
{
	char key[16];

	snprintf(key, sizeof(key), "job%u", slot);
	prober_want(w->prober, &(struct prober_job){
				   .key = key,
				   .slot = slot,
				   .target = *target,
				   .template = t,
				   .start = start,
			       });
}

static void
want(struct world *w, uint32_t slot, const struct addr *target, const struct template_spec *t)
{
	want_from(w, slot, target, t, FLAP_UNKNOWN);
}

static void
drop(struct world *w, uint32_t slot)
{
	char key[16];

	snprintf(key, sizeof(key), "job%u", slot);
	prober_drop(w->prober, key);
}

static void
await(struct world *w, const unsigned *counter, unsigned n)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_S;
	pthread_mutex_lock(&w->lock);
	while (*counter < n)
		assert_int_equal(pthread_cond_timedwait(&w->changed, &w->lock, &until), 0);
	pthread_mutex_unlock(&w->lock);
}

static void
await_verdict(
    struct world *w, uint32_t slot, unsigned edges, enum flap_verdict verdict, const char *cause)
{
	await(w, &w->edges[slot], edges);
	assert_int_equal(w->edges[slot], edges);
	assert_int_equal(w->verdict[slot], verdict);
	assert_string_equal(w->cause[slot], cause);
}

static json_t *
observe(struct world *w, uint32_t slot)
{
	char key[16];

	snprintf(key, sizeof(key), "job%u", slot);
	return prober_observe(w->prober, key);
}

static const char *
text_of(const json_t *j, const char *name)
{
	return json_string_value(json_object_get(j, name));
}

/* The verdict of a single check, its edge, its observations. */
static void
assert_single(const struct addr *target, const struct template_spec *t, enum flap_verdict verdict,
    const char *cause, const char *text)
{
	static struct world w;

	open_world(&w);
	prober_start(w.prober);
	want(&w, 3, target, t);
	await_verdict(&w, 3, 1, verdict, cause);
	assert_int_equal(word_load(w.words, 3), word_of(verdict, 1));

	json_t *seen = observe(&w, 3), *list = json_object_get(seen, "observations");
	const json_t *last = json_array_get(list, 0);
	const unsigned needed = verdict == FLAP_UP ? 1 : t->fall;

	assert_string_equal(text_of(seen, "verdict"), verdict == FLAP_UP ? "up" : "down");
	assert_string_equal(text_of(seen, "interval"), "1h");
	assert_in_range(
	    json_array_size(list), needed, needed + 1); /* + 1: its slot came just now */
	assert_int_equal(json_is_true(json_object_get(last, "passed")), verdict == FLAP_UP);
	assert_string_equal(text_of(last, "cause"), cause);
	if (text != NULL)
		assert_string_equal(text_of(last, "text"), text);
	assert_true(json_real_value(json_object_get(last, "total")) > 0.0);
	json_decref(seen);
	close_world(&w);
}

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
		assert_single(&p.addr, &tcp, FLAP_UP, "", "connected");
		peer_stop(&p);
	}
}

static void
test_tcp_refused(void **state)
{
	const struct addr a = peer_refusing();
	struct template_spec t = tcp;

	(void)state;
	t.fall = 3;
	assert_single(&a, &t, FLAP_DOWN, "l4_refused", "Connection refused");
}

static void
test_tcp_no_answer(void **state)
{
	struct template_spec t = tcp;
	struct peer_deaf deaf;

	(void)state;
	peer_deaf_open(&deaf);
	t.fall = 2;
	t.timeout_ms = 50;
	assert_single(&deaf.addr, &t, FLAP_DOWN, "l4_timeout", "no connection in time");
	peer_deaf_close(&deaf);
}

static void
test_tcp_unreachable(void **state)
{
	struct addr a;

	(void)state;
	assert_int_equal(addr_parse(&a, "255.255.255.255:9", 0), 0);
	assert_single(&a, &tcp, FLAP_DOWN, "l4_unreachable", "Network is unreachable");
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
		struct template_spec t = tcp;
		struct peer p;

		t.protocol = PROTOCOL_HTTP;
		t.timeout_ms = rows[i].reply == peer_hang ? 50 : 5000;
		assert_true(peer_start(&p, "127.0.0.1:0", rows[i].reply));
		assert_single(&p.addr, &t, rows[i].cause[0] == '\0' ? FLAP_UP : FLAP_DOWN,
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
	struct template_spec t = tcp;

	(void)state;
	t.protocol = PROTOCOL_HTTP;
	t.http.expect_body = "^all go{2}d$";
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct peer p;

		assert_true(peer_start(&p, "127.0.0.1:0", rows[i].reply));
		assert_single(&p.addr, &t, rows[i].cause[0] == '\0' ? FLAP_UP : FLAP_DOWN,
		    rows[i].cause, rows[i].text);
		peer_stop(&p);
	}
}

/* To itself for ever, elsewhere, and to another port of the same host, which decides. */
static void
test_http_redirects(void **state)
{
	struct template_spec t = tcp;
	struct peer from, to;
	char *reply;

	(void)state;
	t.protocol = PROTOCOL_HTTP;
	t.http.follow_redirect = true;
	assert_true(peer_start(&from, "127.0.0.1:0", "HTTP/1.1 302 x\r\nLocation: ?a\r\n\r\n"));
	assert_single(&from.addr, &t, FLAP_DOWN, "http_redirect", "more than 5 redirects");
	peer_reply(&from, "HTTP/1.1 302 x\r\nLocation: http://other.example/\r\n\r\n");
	assert_single(
	    &from.addr, &t, FLAP_DOWN, "http_redirect", "redirect to another host is not followed");

	assert_true(peer_start(&to, "127.0.0.1:0", SICK_REPLY));
	reply = xasprintf(
	    "HTTP/1.1 301 x\r\nLocation: http://127.0.0.1:%u/y#z\r\n\r\n", addr_port(&to.addr));
	peer_reply(&from, reply);
	assert_single(&from.addr, &t, FLAP_DOWN, "http_status", "status 503");
	peer_reply(&to, OK_REPLY);
	assert_single(&from.addr, &t, FLAP_UP, "", "status 200");
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
		struct template_spec t = tcp;
		struct peer p;

		t.talk = (struct talk_spec){ rows[i].send, rows[i].expect };
		t.timeout_ms = rows[i].reply == peer_hang ? 50 : 5000;
		assert_true(peer_start(&p, "127.0.0.1:0", rows[i].reply));
		assert_single(&p.addr, &t, rows[i].cause[0] == '\0' ? FLAP_UP : FLAP_DOWN,
		    rows[i].cause, rows[i].text);
		peer_stop(&p);
	}
}

/* A certificate that ends soon is told once, and shown. */
static void
test_certificate_expires(void **state)
{
	static struct world w;
	struct template_spec t = tcp;
	struct identity own;
	struct tls_peer p;

	(void)state;
	identity_make(&own, "IP:127.0.0.1", 5, NULL);
	tls_peer_start(&p, "127.0.0.1:0", &own, NULL, OK_REPLY);
	t.protocol = PROTOCOL_HTTPS;
	t.interval_ms = 20;
	t.timeout_ms = 10000;
	t.tls = (struct tls_spec){
		.verify = true, .ca = own.cert_pem, .expiry_warn_days = 6, .full_handshake_every = 2
	};
	open_world(&w);
	prober_start(w.prober);
	want(&w, 0, &p.addr, &t);
	await(&w, &w.warnings, 1);
	await_verdict(&w, 0, 1, FLAP_UP, "");
	while (atomic_load(&p.full) < 4)
		usleep(1000);

	json_t *seen = observe(&w, 0), *cert = json_object_get(seen, "certificate");
	const json_t *last = json_array_get(json_object_get(seen, "observations"), 0);

	assert_int_equal(json_integer_value(json_object_get(cert, "days")), 5);
	assert_true(json_real_value(json_object_get(last, "tls")) > 0);
	json_decref(seen);

	const struct prober_certificates all = prober_certificates(w.prober);

	assert_int_equal(all.seen, 1);
	assert_int_equal(all.expiring, 1);
	assert_int_equal(all.days_min, 5);
	assert_in_range(w.expires_ms - clock_real_ms(), 5 * 86400000LL, 6 * 86400000LL);
	close_world(&w);
	assert_int_equal(w.warnings, 1);
	tls_peer_stop(&p);
	identity_free(&own);
}

static void
test_http_refused_and_expected(void **state)
{
	const char *wanted[] = { "500-503" };
	const struct addr a = peer_refusing();
	struct template_spec t = tcp;
	struct peer p;

	(void)state;
	t.protocol = PROTOCOL_HTTP;
	t.http.expect_status = (struct field_list){ wanted, 1 };
	assert_single(&a, &t, FLAP_DOWN, "l4_refused", "Connection refused");

	assert_true(peer_start(&p, "127.0.0.1:0", SICK_REPLY));
	assert_single(&p.addr, &t, FLAP_UP, "", "status 503");
	peer_reply(&p, OK_REPLY);
	assert_single(&p.addr, &t, FLAP_DOWN, "http_status", "status 200");
	peer_stop(&p);
}

/* Sick and well again: rechecks follow each other quickly, and edges are counted in the word. */
static void
test_verdict_follows(void **state)
{
	static struct world w;
	struct template_spec t = tcp;
	struct peer p;

	(void)state;
	t.protocol = PROTOCOL_HTTP;
	t.interval_ms = 100;
	t.timeout_ms = 90;
	t.fall = 3;
	t.rise = 2;
	assert_true(peer_start(&p, "127.0.0.1:0", OK_REPLY));
	open_world(&w);
	prober_start(w.prober);
	want(&w, 0, &p.addr, &t);
	await_verdict(&w, 0, 1, FLAP_UP, "");
	peer_reply(&p, SICK_REPLY);
	await_verdict(&w, 0, 2, FLAP_DOWN, "http_status");
	peer_reply(&p, OK_REPLY);
	await_verdict(&w, 0, 3, FLAP_UP, "");
	close_world(&w);
	peer_stop(&p);
}

static void
test_probes_keep_the_interval(void **state)
{
	static struct world w;
	struct template_spec t = tcp;
	struct peer p;

	(void)state;
	t.interval_ms = 50;
	t.timeout_ms = 40;
	assert_true(peer_start(&p, "127.0.0.1:0", NULL));
	open_world(&w);
	prober_start(w.prober);
	want(&w, 0, &p.addr, &t);

	/* Between the 2nd (in its slot) and the 12th are ten intervals. */
	peer_await_accepted(&p, 2);
	const uint64_t begin_ms = clock_mono_ms();

	peer_await_accepted(&p, 12);
	assert_true(clock_mono_ms() - begin_ms >= 10 * 50 - 45); /* we may have been told late */

	json_t *seen = observe(&w, 0);

	assert_in_range(json_array_size(json_object_get(seen, "observations")), 11, 16);
	json_decref(seen);
	assert_int_equal(w.edges[0], 1);
	close_world(&w);
	peer_stop(&p);
}

/* The dead one needs all its failures before the round is over. */
static void
test_first_round(void **state)
{
	static struct world w;
	const struct addr closed = peer_refusing();
	struct template_spec dead = tcp, slow = tcp;
	struct peer_deaf deaf;
	struct peer p;

	(void)state;
	dead.fall = 5;
	slow.timeout_ms = 60;
	peer_deaf_open(&deaf);
	assert_true(peer_start(&p, "127.0.0.1:0", NULL));
	open_world(&w);
	want(&w, 0, &p.addr, &tcp);
	want(&w, 1, &closed, &dead);
	want(&w, 2, &deaf.addr, &slow);
	want_from(&w, 3, &closed, &tcp, FLAP_DOWN);
	prober_first_round(w.prober);
	prober_start(w.prober);
	await(&w, &w.rounds, 1);
	assert_int_equal(word_load(w.words, 0), word_of(FLAP_UP, 1));
	assert_int_equal(word_load(w.words, 1), word_of(FLAP_DOWN, 1));
	assert_int_equal(word_load(w.words, 2), word_of(FLAP_DOWN, 1));
	assert_int_equal(word_load(w.words, 3), word_of(FLAP_DOWN, 0));

	prober_first_round(w.prober); /* nothing pending */
	await(&w, &w.rounds, 2);
	slow.timeout_ms = HOUR_MS - 1;
	want(&w, 4, &deaf.addr, &slow); /* never */
	prober_first_round(w.prober);
	drop(&w, 4);
	await(&w, &w.rounds, 3);
	close_world(&w);
	assert_int_equal(w.rounds, 3);
	peer_stop(&p);
	peer_deaf_close(&deaf);
}

/* At once, before the first probe: answers may be given by now. */
static void
test_restored_verdicts_are_in_the_word(void **state)
{
	static struct world w;
	const struct addr closed = peer_refusing();

	(void)state;
	open_world(&w);
	want_from(&w, 0, &closed, &tcp, FLAP_DOWN);
	want_from(&w, 1, &closed, &tcp, FLAP_UP);
	want(&w, 2, &closed, &tcp);
	assert_int_equal(word_load(w.words, 0), word_of(FLAP_DOWN, 0));
	assert_int_equal(word_load(w.words, 1), word_of(FLAP_UP, 0));
	assert_int_equal(word_load(w.words, 2), word_of(FLAP_UNKNOWN, 0));
	prober_start(w.prober);
	await_verdict(&w, 1, 1, FLAP_DOWN, "l4_refused");
	await_verdict(&w, 2, 1, FLAP_DOWN, "l4_refused");
	assert_int_equal(w.edges[0], 0);
	close_world(&w);
}

/* A new template probes anew, however long the old interval; the verdict stays. */
static void
test_change_in_place(void **state)
{
	static struct world w;
	struct template_spec t = tcp;
	struct peer p;

	(void)state;
	assert_true(peer_start(&p, "127.0.0.1:0", NULL));
	open_world(&w);
	prober_start(w.prober);
	want(&w, 0, &p.addr, &tcp);
	await_verdict(&w, 0, 1, FLAP_UP, "");

	json_t *before = observe(&w, 0);
	const size_t probes = json_array_size(json_object_get(before, "observations"));

	want(&w, 0, &p.addr, &tcp); /* no change: nothing happens */
	t.interval_ms = HOUR_MS / 2;
	want(&w, 0, &p.addr, &t);
	peer_await_accepted(&p, probes + 1);
	assert_int_equal(word_load(w.words, 0), word_of(FLAP_UP, 1));

	/* A new target likewise; the verdict changes by its outcomes. */
	const struct addr closed = peer_refusing();

	want(&w, 0, &closed, &t);
	await_verdict(&w, 0, 2, FLAP_DOWN, "l4_refused");

	json_t *after = observe(&w, 0);

	assert_string_equal(text_of(after, "interval"), "30m");
	json_decref(before);
	json_decref(after);
	assert_null(observe(&w, 1));
	close_world(&w);
	peer_stop(&p);
}

/* The far side sees the socket of a dropped probe go, and nobody hears of it again. */
static void
test_drop_in_flight(void **state)
{
	static struct world w;
	struct template_spec t = tcp;
	struct peer p;

	(void)state;
	t.protocol = PROTOCOL_HTTP;
	t.timeout_ms = HOUR_MS - 1;
	assert_true(peer_start(&p, "127.0.0.1:0", peer_hang));
	open_world(&w);
	prober_start(w.prober);
	want(&w, 0, &p.addr, &t);
	peer_await_accepted(&p, 1);
	drop(&w, 0);
	assert_null(observe(&w, 0));
	word_store(w.words, 0, 0x1234u);
	peer_await_closed(&p, 1);
	close_world(&w);
	assert_int_equal(w.edges[0], 0);
	peer_stop(&p);
}

/* Dropped at any moment of probes that end at once: the slot's next owner finds its own word. */
static void
test_nothing_is_written_after_drop(void **state)
{
	static struct world w;
	const struct addr closed = peer_refusing();
	struct template_spec t = tcp;

	(void)state;
	t.interval_ms = 1;
	t.timeout_ms = 1;
	open_world(&w);
	prober_start(w.prober);
	for (unsigned i = 0; i < 3000; i++) {
		pthread_mutex_lock(&w.lock);
		w.edges[0] = 0;
		pthread_mutex_unlock(&w.lock);
		want(&w, 0, &closed, &t);
		if (i % 8 == 0)
			await(&w, &w.edges[0], 1);
		drop(&w, 0);
		word_store(w.words, 0, i);
		for (unsigned look = 0; look < 200; look++)
			assert_int_equal(word_load(w.words, 0), i);
	}
	close_world(&w);
}

static size_t
open_files(void)
{
	DIR *d = opendir("/proc/self/fd");
	size_t n = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

/* The peer closes what it has accepted when it comes to it. */
static bool
files_come_down_to(size_t n)
{
	const uint64_t until_ms = clock_mono_ms() + 10000;

	while (open_files() != n && clock_mono_ms() < until_ms)
		sched_yield();
	return open_files() == n;
}

static void
test_no_descriptor_is_lost(void **state)
{
	static struct world w;
	const struct addr closed = peer_refusing();
	struct template_spec web = tcp, slow = tcp;
	struct peer_deaf deaf;
	struct peer p;

	(void)state;
	web.protocol = PROTOCOL_HTTP;
	slow.timeout_ms = HOUR_MS - 1;
	assert_true(peer_start(&p, "127.0.0.1:0", OK_REPLY));
	peer_deaf_open(&deaf);

	const size_t before = open_files();

	open_world(&w);
	prober_start(w.prober);
	for (uint32_t i = 0; i < 500; i++) {
		switch (i % 5) {
		case 0:
			want(&w, i, &deaf.addr, &slow);
			break;
		case 1:
			want(&w, i, &closed, &tcp);
			break;
		default:
			want(&w, i, &p.addr, i % 2 ? &web : &tcp);
		}
	}
	for (uint32_t i = 0; i < 500; i++) {
		if (i % 5 != 0)
			await(&w, &w.edges[i], 1);
		if (i % 10 == 0)
			drop(&w, i);
	}
	prober_free(&w.prober);
	assert_true(files_come_down_to(before));
	close_world(&w);
	peer_deaf_close(&deaf);
	peer_stop(&p);
}

/* Our want of descriptors is told to the log, not held against the target. */
static void
test_starving_is_no_failure(void **state)
{
	static struct world w;
	struct rlimit before, none;
	char line[512] = "";
	struct peer p;
	int out[2];

	(void)state;
	assert_true(peer_start(&p, "127.0.0.1:0", NULL));
	open_world(&w);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	const int stderr_fd = dup(STDERR_FILENO);

	dup2(out[1], STDERR_FILENO);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	want(&w, 0, &p.addr, &tcp);
	prober_start(w.prober);
	const ssize_t n = read(out[0], line, sizeof(line) - 1);

	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	dup2(stderr_fd, STDERR_FILENO);
	assert_true(n > 0);
	assert_non_null(strstr(line, "Too many open files"));
	await_verdict(&w, 0, 1, FLAP_UP, "");
	close_world(&w);
	close(stderr_fd);
	close(out[0]);
	close(out[1]);
	peer_stop(&p);
}

/* -- caps -- */

/* 60 checks of one host, 20 a second and 20 at once: the last one waits for two seconds, and nobody
 * fails for it. */
static void
test_a_cap_delays_and_never_fails(void **state)
{
	enum { N = 60 };
	static struct world w;
	const struct prober_settings settings = { .host_rate = 20 };
	struct template_spec t = tcp;
	struct peer p;

	(void)state;
	t.fall = 1;
	t.timeout_ms = 1500; /* shorter than what the last ones wait */
	assert_true(peer_start(&p, "127.0.0.1:0", NULL));
	open_world_with(&w, &settings);
	prober_start(w.prober);

	const uint64_t began = clock_mono_ms();

	for (uint32_t i = 0; i < N; i++)
		want(&w, i, &p.addr, &t);
	for (uint32_t i = 0; i < N; i++)
		await_verdict(&w, i, 1, FLAP_UP, "");
	assert_true(clock_mono_ms() - began >= (N - 20) * 1000 / 20 - 50);
	await(&w, &w.late, 1);

	json_t *metrics = prober_metrics(w.prober);

	assert_true(json_integer_value(json_object_get(metrics, "probes_delayed")) >= N - 21);
	json_decref(metrics);
	close_world(&w);
	peer_stop(&p);
}

/* Four connections at most, all of them held by somebody silent: others wait, then pass. */
static void
test_connections_are_capped(void **state)
{
	enum { SILENT = 4, N = 12 };
	static struct world w;
	const struct prober_settings settings = { .connections = SILENT };
	struct template_spec t = tcp, slow = tcp;
	struct peer_deaf deaf;
	struct peer p;

	(void)state;
	slow.timeout_ms = 400;
	assert_true(peer_start(&p, "127.0.0.1:0", NULL));
	peer_deaf_open(&deaf);
	open_world_with(&w, &settings);
	for (uint32_t i = 0; i < SILENT; i++)
		want(&w, i, &deaf.addr, &slow);
	for (uint32_t i = SILENT; i < N; i++)
		want(&w, i, &p.addr, &t);
	prober_start(w.prober);
	for (uint32_t i = SILENT; i < N; i++)
		await_verdict(&w, i, 1, FLAP_UP, "");
	for (uint32_t i = 0; i < SILENT; i++)
		await_verdict(&w, i, 1, FLAP_DOWN, "l4_timeout");
	/* Dropped while it waits, while it flies: the others come to their turn. */
	for (uint32_t i = 0; i < N; i++)
		drop(&w, i);
	close_world(&w);
	peer_deaf_close(&deaf);
	peer_stop(&p);
}

/* -- heartbeats -- */

static int
beat(struct world *w, uint32_t slot, int64_t at_ms, int64_t until_ms)
{
	const struct prober_beat b = { at_ms, until_ms };
	char key[16];

	snprintf(key, sizeof(key), "job%u", slot);
	return prober_beat(w->prober, key, &b);
}

static void
test_heartbeats(void **state)
{
	static struct world w;
	const int64_t now_ms = clock_real_ms();
	struct template_spec t = tcp;
	struct peer p;

	(void)state;
	assert_true(peer_start(&p, "127.0.0.1:0", NULL));
	t.protocol = PROTOCOL_PUSH;
	t.fall = t.rise = 5; /* say nothing here */
	open_world(&w);
	prober_start(w.prober);
	want(&w, 1, &p.addr, &t);
	want(&w, 2, &p.addr, &tcp);
	assert_int_equal(beat(&w, 7, 1, INT64_MAX / 2), -ENOENT);
	assert_int_equal(beat(&w, 2, 1, INT64_MAX / 2), -ENOENT); /* it is probed */

	assert_int_equal(beat(&w, 1, now_ms, now_ms + HOUR_MS), 0);
	await_verdict(&w, 1, 1, FLAP_UP, "");
	assert_int_equal(beat(&w, 1, now_ms, now_ms + HOUR_MS), -EALREADY);
	/* "I end now" */
	assert_int_equal(beat(&w, 1, now_ms + 1, now_ms), 0);
	await_verdict(&w, 1, 2, FLAP_DOWN, "push_expired");
	/* The older one does not bring it back. */
	assert_int_equal(beat(&w, 1, now_ms, now_ms + HOUR_MS), -EALREADY);
	/* Nothing comes any more: down when its time is over, long before the next slot. */
	assert_int_equal(beat(&w, 1, now_ms + 2, clock_real_ms() + 300), 0);
	await_verdict(&w, 1, 4, FLAP_DOWN, "push_expired");
	assert_true(clock_real_ms() >= now_ms + 300);
	close_world(&w);
	peer_stop(&p);
}

/* Restored: what was promised before the restart holds; who has never said anything has an
 * interval. */
static void
test_heartbeats_over_a_restart(void **state)
{
	static struct world w;
	const struct addr a = peer_refusing();
	struct template_spec t = tcp, quick = tcp;

	(void)state;
	t.protocol = quick.protocol = PROTOCOL_PUSH;
	quick.interval_ms = 200;
	quick.timeout_ms = 100;
	open_world(&w);
	prober_want(w.prober, &(struct prober_job){
				  .key = "job1",
				  .slot = 1,
				  .target = a,
				  .template = &t,
				  .start = FLAP_DOWN,
				  .beat = { 1, clock_real_ms() + HOUR_MS },
			      });
	want_from(&w, 2, &a, &quick, FLAP_UP);
	prober_start(w.prober);
	await_verdict(&w, 1, 1, FLAP_UP, "");
	await_verdict(&w, 2, 1, FLAP_DOWN, "push_expired");
	close_world(&w);
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
	struct template_spec web = tcp, push = tcp;
	struct peer p;

	(void)state;
	web.protocol = PROTOCOL_HTTP;
	web.http.expect_body = "all is (well|good)";
	push.protocol = PROTOCOL_PUSH;
	assert_true(peer_start(&p, "127.0.0.1:0", OK_REPLY "all is well"));
	open_world(&w);
	prober_start(w.prober);

	json_t *good = try_once(&w, &p.addr, &web), *bad = try_once(&w, &nobody, &web);
	json_t *none = try_once(&w, &nobody, &push);

	assert_true(json_is_true(json_object_get(good, "passed")));
	assert_string_equal(text_of(good, "output"), "all is well");
	assert_true(json_is_number(json_object_get(good, "first_byte")));
	assert_true(json_is_false(json_object_get(bad, "passed")));
	assert_string_equal(text_of(bad, "cause"), "l4_refused");
	assert_true(json_is_null(json_object_get(bad, "first_byte")));
	assert_true(json_is_null(json_object_get(none, "passed")));
	json_decref(good);
	json_decref(bad);
	json_decref(none);
	close_world(&w);
	peer_stop(&p);
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
		cmocka_unit_test(test_certificate_expires),
		cmocka_unit_test(test_http_refused_and_expected),
		cmocka_unit_test(test_verdict_follows),
		cmocka_unit_test(test_probes_keep_the_interval),
		cmocka_unit_test(test_first_round),
		cmocka_unit_test(test_restored_verdicts_are_in_the_word),
		cmocka_unit_test(test_change_in_place),
		cmocka_unit_test(test_drop_in_flight),
		cmocka_unit_test(test_nothing_is_written_after_drop),
		cmocka_unit_test(test_no_descriptor_is_lost),
		cmocka_unit_test(test_starving_is_no_failure),
		cmocka_unit_test(test_a_cap_delays_and_never_fails),
		cmocka_unit_test(test_connections_are_capped),
		cmocka_unit_test(test_heartbeats),
		cmocka_unit_test(test_heartbeats_over_a_restart),
		cmocka_unit_test(test_trying),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
