/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A fetch against peers that answer well, badly, slowly, half, or not at all. A peer is a thread
 * with a blocking socket and a script; the fetch is in the loop of the test's thread.
 */
#include "intake/fetch.h"

#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/thread.h"
#include "dns/rrtype.h"

#define SILENCE_MS 150
#define LONG_MS    20000

/* -- the peer -- */

struct peer {
	bool tcp;
	int listener, fd;
	struct addr at;
	struct sockaddr_in from; /* UDP */
	const struct tsig_key *key;
	struct tsig_session session;
	uint8_t question[1024];
	size_t question_len;
	void (*script)(struct peer *p);
	pthread_t thread;
};

static void
read_all(int fd, uint8_t *to, size_t len)
{
	for (size_t at = 0; at < len;) {
		const ssize_t n = recv(fd, to + at, len - at, 0);

		if (n <= 0)
			return;
		at += (size_t)n;
	}
}

static void
put_bytes(struct peer *p, const void *data, size_t len)
{
	/* The fetch may have gone. */
	if (p->tcp)
		(void)!send(p->fd, data, len, MSG_NOSIGNAL);
	else
		(void)!sendto(p->fd, data, len, 0, (struct sockaddr *)&p->from, sizeof(p->from));
}

static void
put_message(struct peer *p, const uint8_t *msg, size_t len)
{
	uint8_t framed[4096] = { (uint8_t)(len >> 8), (uint8_t)len };

	memcpy(framed + 2, msg, len);
	put_bytes(p, p->tcp ? framed : msg, p->tcp ? len + 2 : len);
}

/* Without a record more than the question; `mark` is in a byte that nobody looks at. */
static size_t
make_answer(const struct peer *p, uint8_t *out, uint8_t mark)
{
	memcpy(out, p->question, 12 + 3 + 4); /* question: "z." and type, class */
	out[2] = 0x84;
	out[3] = mark;
	memset(out + 6, 0, 6);
	return 12 + 3 + 4;
}

static void
answer(struct peer *p, uint8_t mark)
{
	uint8_t msg[1024];

	put_message(p, msg, make_answer(p, msg, mark));
}

static void
answer_signed(struct peer *p, uint8_t mark)
{
	uint8_t msg[1024];
	const size_t len = make_answer(p, msg, mark);

	put_message(p, msg,
	    tsig_sign(&p->session, msg, len, sizeof(msg), (uint64_t)clock_real_ms() / 1000));
}

static void
accept_signature(struct peer *p)
{
	struct tsig_record r;

	CHECK(tsig_find(p->question, p->question_len, &r) == 1);
	CHECK(tsig_accept(&p->session, p->key, p->question, &r, (uint64_t)clock_real_ms() / 1000) ==
	      0);
}

static void
wait_end(struct peer *p)
{
	struct pollfd w = { p->fd, POLLIN, 0 };

	if (p->tcp)
		(void)poll(&w, 1, LONG_MS);
}

static void *
serve(void *arg)
{
	struct peer *p = arg;
	socklen_t len = sizeof(p->from);

	if (p->tcp) {
		uint8_t head[2];

		p->fd = accept(p->listener, NULL, NULL);
		read_all(p->fd, head, 2);
		p->question_len = (size_t)head[0] << 8 | head[1];
		read_all(p->fd, p->question, p->question_len);
	} else {
		p->fd = p->listener;
		p->question_len = (size_t)recvfrom(
		    p->fd, p->question, sizeof(p->question), 0, (struct sockaddr *)&p->from, &len);
	}
	p->script(p);
	if (p->tcp)
		close(p->fd);
	return NULL;
}

static void
peer_open(struct peer *p, bool tcp)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	char text[64];

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	*p = (struct peer){ .tcp = tcp };
	p->listener = socket(AF_INET, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(p->listener, (struct sockaddr *)&sin, len), 0);
	assert_int_equal(getsockname(p->listener, (struct sockaddr *)&sin, &len), 0);
	snprintf(text, sizeof(text), "127.0.0.1:%d", ntohs(sin.sin_port));
	assert_int_equal(addr_parse(&p->at, text, 53), 0);
	if (tcp)
		assert_int_equal(listen(p->listener, 4), 0);
}

static void
peer_start(struct peer *p, bool tcp, void (*script)(struct peer *p))
{
	peer_open(p, tcp);
	p->script = script;
	thread_start(&p->thread, "peer", serve, p);
}

static void
peer_stop(struct peer *p)
{
	thread_join(p->thread);
	close(p->listener);
	tsig_end(&p->session);
}

/* -- the fetch -- */

struct client {
	struct fetch fetch;
	struct loop *loop;
	unsigned want; /* messages */
	unsigned n;
	uint8_t marks[16];
	size_t len; /* of the latest */
	char why[100];
	uint64_t began_ms;
};

static enum fetch_verdict
on_message(struct fetch *f, const uint8_t *msg, size_t len)
{
	struct client *c = container_of(f, struct client, fetch);

	c->marks[c->n++ % sizeof(c->marks)] = len > 3 ? msg[3] : 0xff;
	c->len = len;
	if (c->n < c->want)
		return FETCH_MORE;
	fetch_stop(f);
	loop_stop(c->loop);
	return FETCH_DONE;
}

static void
on_failed(struct fetch *f, const char *why)
{
	struct client *c = container_of(f, struct client, fetch);

	assert_false(f->busy); /* idle again: another may be started from here */
	snprintf(c->why, sizeof(c->why), "%s", why);
	loop_stop(c->loop);
}

static const struct fetch_hooks hooks = { on_message, on_failed };
static const struct xfr_question question = { .apex = "\1z", .type = RRTYPE_SOA, .id = 0x1234 };

static struct tsig_key
key_of(const char *name, char secret)
{
	struct tsig_key k = { .hash = TSIG_SHA256, .secret_len = 32 };

	memset(k.secret, secret, 32);
	assert_true(name_parse_lower(name, k.name) > 0);
	return k;
}

static void
client_run(struct client *c, const struct peer *p, const struct tsig_key *key, unsigned want,
    unsigned silence_ms, unsigned whole_ms)
{
	const struct fetch_request r = { .to = p->at,
		.key = key,
		.question = &question,
		.tcp = p->tcp,
		.silence_ms = silence_ms,
		.whole_ms = whole_ms };

	*c = (struct client){ .want = want, .began_ms = clock_mono_ms() };
	c->loop = loop_new();
	fetch_start(&c->fetch, c->loop, &hooks, &r);
	assert_int_equal(c->n, 0); /* nothing comes back before the loop runs */
	assert_string_equal(c->why, "");
	loop_run(c->loop);
	fetch_stop(&c->fetch); /* harmless */
	loop_free(&c->loop);
}

static void
run(struct client *c, bool tcp, void (*script)(struct peer *p), unsigned want)
{
	struct peer p;

	peer_start(&p, tcp, script);
	client_run(c, &p, NULL, want, LONG_MS, LONG_MS);
	peer_stop(&p);
}

/* -- unsigned, by TCP -- */

static void
three_in_pieces(struct peer *p)
{
	uint8_t all[256], one[64];
	size_t n = 0;

	for (uint8_t mark = 1; mark <= 3; mark++) {
		const size_t len = make_answer(p, one, mark);

		all[n++] = 0;
		all[n++] = (uint8_t)len;
		memcpy(all + n, one, len);
		n += len;
	}
	/* In pieces that end within a length, within a message, and hold one and a half. */
	for (size_t at = 0, piece = 1; at < n; at += piece, piece = piece * 7 % 31 + 1)
		put_bytes(p, all + at, piece < n - at ? piece : n - at);
	wait_end(p);
}

static void
test_messages_in_pieces(void **state UNUSED)
{
	struct client c;

	run(&c, true, three_in_pieces, 3);
	assert_int_equal(c.n, 3);
	assert_memory_equal(c.marks, "\1\2\3", 3);
	assert_string_equal(c.why, "");
}

static void
half(struct peer *p)
{
	uint8_t msg[64];
	const size_t len = make_answer(p, msg, 1);

	put_message(p, msg, len);
	put_bytes(p, (const uint8_t[]){ 0, 200, 1, 2, 3 }, 5);
}

static void
test_closed_half_way(void **state UNUSED)
{
	struct client c;

	run(&c, true, half, 2);
	assert_int_equal(c.n, 1);
	assert_string_equal(c.why, "the primary closed the connection before the end");
}

static void
nothing(struct peer *p UNUSED)
{
}

static void
test_closed_at_once(void **state UNUSED)
{
	struct client c;

	run(&c, true, nothing, 1);
	assert_int_equal(c.n, 0);
	assert_string_equal(c.why, "the primary closed the connection before the end");
}

static void
garbage(struct peer *p)
{
	static const uint8_t empty[2],
	    noise[] = { 0, 9, 'H', 'T', 'T', 'P', '/', '1', '.', '1', 0 };

	put_bytes(p, empty, 2);
	put_bytes(p, noise, sizeof(noise));
	wait_end(p);
}

/* It hands over what is framed, of whatever length; what it means is for others to say. */
static void
test_garbage_is_handed_over(void **state UNUSED)
{
	struct client c;

	run(&c, true, garbage, 2);
	assert_int_equal(c.n, 2);
	assert_int_equal(c.marks[0], 0xff);
	assert_int_equal(c.len, 9);
}

static void
largest(struct peer *p)
{
	uint8_t *msg = calloc(1, 2 + 65535);

	msg[0] = msg[1] = 0xff;
	msg[5] = 7;
	for (size_t at = 0; at < 2 + 65535;) {
		const ssize_t n = send(p->fd, msg + at, 2 + 65535 - at, MSG_NOSIGNAL);

		if (n <= 0)
			break;
		at += (size_t)n;
	}
	answer(p, 8);
	free(msg);
	wait_end(p);
}

static void
test_the_largest_message(void **state UNUSED)
{
	struct client c;

	run(&c, true, largest, 2);
	assert_int_equal(c.n, 2);
	assert_memory_equal(c.marks, "\7\10", 2);
}

static void
test_silence(void **state UNUSED)
{
	for (int tcp = 0; tcp < 2; tcp++) {
		struct client c;
		struct peer p;

		peer_start(&p, tcp, wait_end);
		client_run(&c, &p, NULL, 1, SILENCE_MS, LONG_MS);
		peer_stop(&p);
		assert_string_equal(c.why, "the primary does not answer");
		assert_true(clock_mono_ms() - c.began_ms >= SILENCE_MS);
	}
}

/* A sign of life now and then, for ever. */
static void
trickle(struct peer *p)
{
	struct pollfd w = { p->fd, POLLIN | POLLRDHUP, 0 };

	put_bytes(p, "\xff\xff", 2);
	while (poll(&w, 1, 20) == 0)
		put_bytes(p, "", 1);
}

static void
test_a_trickle_is_cut_off(void **state UNUSED)
{
	struct client c;
	struct peer p;

	peer_start(&p, true, trickle);
	client_run(&c, &p, NULL, 1, 10 * SILENCE_MS, 3 * SILENCE_MS);
	peer_stop(&p);
	assert_string_equal(c.why, "the transfer takes too long");
	assert_int_equal(c.n, 0);
	assert_true(clock_mono_ms() - c.began_ms >= 3 * SILENCE_MS);
}

static void
test_nobody_there(void **state UNUSED)
{
	for (int tcp = 0; tcp < 2; tcp++) {
		struct client c;
		struct peer p;

		peer_open(&p, tcp);
		close(p.listener);
		client_run(&c, &p, NULL, 1, LONG_MS, LONG_MS);
		assert_string_equal(c.why, tcp ? "the primary refuses the connection"
					       : "no server listens at the primary's address");
		p.at = (struct addr){ .len = 0 };
		client_run(&c, &p, NULL, 1, LONG_MS, LONG_MS);
		assert_string_equal(c.why, "the primary cannot be reached");
	}
}

/* -- UDP -- */

static void
strangers_first(struct peer *p)
{
	const uint8_t id = p->question[0];

	put_bytes(p, "\x12", 1);
	put_bytes(p, "", 0);
	p->question[0] ^= 1;
	answer(p, 1);
	p->question[0] = id;
	answer(p, 2);
}

static void
test_udp_waits_for_the_right_id(void **state UNUSED)
{
	struct client c;

	run(&c, false, strangers_first, 1);
	assert_int_equal(c.n, 1);
	assert_int_equal(c.marks[0], 2);
}

/* -- signed -- */

static void
run_signed(struct client *c, bool tcp, void (*script)(struct peer *p),
    const struct tsig_key *theirs, unsigned want)
{
	const struct tsig_key ours = key_of("k", 'k');
	struct peer p;

	peer_open(&p, tcp);
	p.key = theirs;
	p.script = script;
	thread_start(&p.thread, "peer", serve, &p);
	client_run(c, &p, &ours, want, LONG_MS, LONG_MS);
	peer_stop(&p);
}

static void
well_signed(struct peer *p)
{
	accept_signature(p);
	answer_signed(p, 1);
	answer_signed(p, 2);
	wait_end(p);
}

static void
test_signed_well(void **state UNUSED)
{
	const struct tsig_key k = key_of("k", 'k');
	struct client c;

	run_signed(&c, true, well_signed, &k, 2);
	assert_string_equal(c.why, "");
	assert_memory_equal(c.marks, "\1\2", 2);
	assert_true(c.fetch.whole);
	run_signed(&c, false, well_signed, &k, 1);
	assert_int_equal(c.marks[0], 1);
}

static void
sign_and_refuse(struct peer *p)
{
	accept_signature(p);
	answer_signed(p, 9);
	wait_end(p);
}

static void
test_another_secret(void **state UNUSED)
{
	const struct tsig_key theirs = key_of("k", 'x');
	struct client c;

	run_signed(&c, true, sign_and_refuse, &theirs, 1);
	assert_int_equal(c.n, 0);
	assert_string_equal(
	    c.why, "the primary finds another signature: is the secret the same? (BADSIG)");
	run_signed(&c, true, sign_and_refuse, NULL, 1);
	assert_int_equal(c.n, 0);
	assert_string_equal(c.why, "the primary does not know the key (BADKEY)");
}

static void
unsigned_reply(struct peer *p)
{
	answer(p, 1);
	wait_end(p);
}

static void
test_an_unsigned_answer_is_none(void **state UNUSED)
{
	struct client c;

	run_signed(&c, true, unsigned_reply, NULL, 1);
	assert_int_equal(c.n, 0);
	assert_string_equal(c.why, "the answer is not signed as it must be");
}

static void
forged_bytes(struct peer *p)
{
	uint8_t msg[1024];
	size_t len = make_answer(p, msg, 1);

	accept_signature(p);
	len = tsig_sign(&p->session, msg, len, sizeof(msg), (uint64_t)clock_real_ms() / 1000);
	msg[3] = 2;
	put_message(p, msg, len);
	wait_end(p);
}

static void
test_a_bent_message(void **state UNUSED)
{
	const struct tsig_key k = key_of("k", 'k');
	struct client c;

	run_signed(&c, true, forged_bytes, &k, 1);
	assert_int_equal(c.n, 0);
	assert_string_equal(c.why, "the answer is not signed as it must be");
}

static void
forged_first(struct peer *p)
{
	uint8_t msg[1024];
	const size_t len = make_answer(p, msg, 1);

	accept_signature(p);
	put_message(p, msg, len); /* the right id, no signature */
	answer_signed(p, 2);
}

/* Over UDP anybody can send something before the primary does. */
static void
test_udp_waits_for_the_signed_one(void **state UNUSED)
{
	const struct tsig_key k = key_of("k", 'k');
	struct client c;

	run_signed(&c, false, forged_first, &k, 1);
	assert_string_equal(c.why, "");
	assert_int_equal(c.n, 1);
	assert_int_equal(c.marks[0], 2);
}

/* -- one after the other -- */

static struct peer second;

static void
start_another(struct fetch *f, const char *why)
{
	struct client *c = container_of(f, struct client, fetch);
	const struct fetch_request r = { .to = second.at,
		.question = &question,
		.tcp = true,
		.silence_ms = LONG_MS,
		.whole_ms = LONG_MS };

	snprintf(c->why, sizeof(c->why), "%s", why);
	fetch_start(f, c->loop, &hooks, &r);
}

static void
test_another_from_the_failure(void **state UNUSED)
{
	static const struct fetch_hooks again = { on_message, start_another };
	struct client c = { .want = 3 };
	const struct fetch_request r = { .to = { .len = 0 },
		.question = &question,
		.tcp = true,
		.silence_ms = LONG_MS,
		.whole_ms = LONG_MS };

	peer_start(&second, true, three_in_pieces);
	c.loop = loop_new();
	fetch_start(&c.fetch, c.loop, &again, &r);
	loop_run(c.loop);
	loop_free(&c.loop);
	peer_stop(&second);
	assert_string_equal(c.why, "the primary cannot be reached");
	assert_memory_equal(c.marks, "\1\2\3", 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages_in_pieces),
		cmocka_unit_test(test_closed_half_way),
		cmocka_unit_test(test_closed_at_once),
		cmocka_unit_test(test_garbage_is_handed_over),
		cmocka_unit_test(test_the_largest_message),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_a_trickle_is_cut_off),
		cmocka_unit_test(test_nobody_there),
		cmocka_unit_test(test_udp_waits_for_the_right_id),
		cmocka_unit_test(test_signed_well),
		cmocka_unit_test(test_another_secret),
		cmocka_unit_test(test_an_unsigned_answer_is_none),
		cmocka_unit_test(test_a_bent_message),
		cmocka_unit_test(test_udp_waits_for_the_signed_one),
		cmocka_unit_test(test_another_from_the_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
