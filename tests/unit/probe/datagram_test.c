/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ping, udp and dns: to the kernel's own echo, and to servers that say what they are told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/thread.h"
#include "net/sock.h"
#include "once.h"
#include "peer.h"
#include "probe/dns_reply.h"
#include "probe/icmp.h"

static struct once once;

static const struct template_spec base = {
	.interval_ms = 10000,
	.timeout_ms = 5000,
	.fall = 1,
	.rise = 1,
	.ping = { 3, 50 },
	.dns = { .name = "www.Example.com", .type = "MX" },
};

/* -- a server of datagrams, and of the same over TCP with a length in front -- */

struct answer {
	const char *data; /* NULL: none */
	size_t len;
	bool id; /* the first two octets become those of the question */
};

struct server {
	struct addr addr;
	int udp, tcp;
	pthread_t threads[2];
	pthread_mutex_t lock; /* of the answers */
	struct answer by_udp, by_tcp;
	atomic_bool stop;
};

static void
say(struct server *s, struct answer *slot, struct answer a)
{
	pthread_mutex_lock(&s->lock);
	*slot = a;
	pthread_mutex_unlock(&s->lock);
}

static struct answer
heard(struct server *s, const struct answer *slot)
{
	pthread_mutex_lock(&s->lock);
	const struct answer a = *slot;

	pthread_mutex_unlock(&s->lock);
	return a;
}

static size_t
fill(const struct answer *a, const char *question, char *out)
{
	memcpy(out, a->data, a->len);
	if (a->id)
		memcpy(out, question, 2);
	return a->len;
}

static void *
serve_udp(void *arg)
{
	struct server *s = arg;

	while (!atomic_load(&s->stop)) {
		char question[512], out[512];
		struct addr from = { .len = sizeof(from.storage) };
		const ssize_t n =
		    recvfrom(s->udp, question, sizeof(question), 0, &from.sa, &from.len);

		const struct answer a = heard(s, &s->by_udp);

		if (n > 0 && a.data != NULL)
			sendto(s->udp, out, fill(&a, question, out), 0, &from.sa, from.len);
	}
	return NULL;
}

static void *
serve_tcp(void *arg)
{
	struct server *s = arg;

	for (;;) {
		const int fd = accept(s->tcp, NULL, NULL);
		char question[512], out[514];

		if (atomic_load(&s->stop))
			return close(fd), NULL;
		const ssize_t n = recv(fd, question, sizeof(question), 0);
		const struct answer a = heard(s, &s->by_tcp);

		if (n > 2 && a.data != NULL) {
			const size_t len = fill(&a, question + 2, out + 2);

			out[0] = 0;
			out[1] = (char)len;
			send(fd, out, 5, MSG_NOSIGNAL); /* in two pieces */
			usleep(1000);
			send(fd, out + 5, len - 3, MSG_NOSIGNAL);
		}
		close(fd);
	}
}

static int
bound(int type, const struct addr *at)
{
	const int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, &at->sa, at->len), 0);
	return fd;
}

static void
server_start(struct server *s)
{
	memset(s, 0, sizeof(*s));
	pthread_mutex_init(&s->lock, NULL);
	assert_int_equal(addr_parse(&s->addr, "127.0.0.1:0", 0), 0);
	s->tcp = bound(SOCK_STREAM, &s->addr);
	assert_int_equal(listen(s->tcp, 5), 0);
	assert_int_equal(sock_name(s->tcp, &s->addr), 0);
	s->udp = bound(SOCK_DGRAM, &s->addr);
	thread_start(&s->threads[0], "udp", serve_udp, s);
	thread_start(&s->threads[1], "tcp", serve_tcp, s);
}

static void
server_stop(struct server *s)
{
	atomic_store(&s->stop, true);

	const int tcp = sock_tcp_connect(&s->addr, NULL), udp = sock_udp_connect(&s->addr, NULL);

	assert_int_equal(send(udp, "", 1, 0), 1);
	thread_join(s->threads[0]);
	thread_join(s->threads[1]);
	close(tcp);
	close(udp);
	close(s->tcp);
	close(s->udp);
}

/* -- udp -- */

static void
test_udp(void **state)
{
	struct template_spec t = base;
	const struct addr refusing = peer_refusing();
	struct server s;

	(void)state;
	t.protocol = PROTOCOL_UDP;
	t.talk = (struct talk_spec){ "\\x00hello", "^\\xffwell" };
	server_start(&s);
	say(&s, &s.by_udp, (struct answer){ "\xffwell", 5, false });
	once_assert(&once, &s.addr, "", &t, "", "answered");
	assert_true(once.runner.probe.first_byte_us > 0);
	assert_int_equal(once.runner.probe.connect_us, 0);
	say(&s, &s.by_udp, (struct answer){ "\xffsick", 5, false });
	once_assert(&once, &s.addr, "", &t, "udp_expect", "the answer does not match");
	t.talk.expect = "";
	once_assert(&once, &s.addr, "", &t, "", "answered");
	once_assert(&once, &refusing, "", &t, "l4_refused", NULL);
	say(&s, &s.by_udp, (struct answer){ NULL, 0, false });
	t.timeout_ms = 50;
	once_assert(&once, &s.addr, "", &t, "udp_timeout", "no answer in time");
	server_stop(&s);
}

/* -- dns -- */

#define HEAD(flags, rcode, answers) "??" flags rcode "\0\1\0" answers "\0\0\0\0"
#define QUESTION                    "\3WWW\7example\3com\0\0\17\0\1"
#define MX(name)                    "\300\14\0\17\0\1\0\0\0\74\0\11\0\12\4" name "\300\20"
#define REPLY(text)                 ((struct answer){ text, sizeof(text) - 1, true })
#define GOOD                        HEAD("\204", "\0", "\1") QUESTION MX("mail")

static void
test_dns(void **state)
{
	const struct {
		struct answer udp, tcp;
		const char *cause, *text;
	} rows[] = {
		{ REPLY(GOOD), { 0 }, "", "rcode noerror" },
		{ REPLY(HEAD("\204", "\0", "\2") QUESTION MX("evil") MX("MAIL")), { 0 }, "",
		    "rcode noerror" },
		{ REPLY(HEAD("\204", "\0", "\1") QUESTION MX("evil")), { 0 }, "dns_answer",
		    "the expected answer is not in the reply" },
		{ REPLY(HEAD("\204", "\0", "\0") QUESTION), { 0 }, "dns_answer", NULL },
		{ REPLY(HEAD("\204", "\3", "\0") QUESTION), { 0 }, "dns_rcode", "rcode nxdomain" },
		{ REPLY("??\200\5\0\0\0\0\0\0\0\0"), { 0 }, "dns_rcode", "rcode refused" },
		{ REPLY(HEAD("\204", "\0", "\2") QUESTION MX("evil")), { 0 }, "dns_bad",
		    "malformed answer" },
		{ REPLY(HEAD("\206", "\0", "\0") QUESTION), REPLY(GOOD), "", "rcode noerror" },
		{ REPLY(HEAD("\206", "\0", "\0") QUESTION),
		    REPLY(HEAD("\204", "\2", "\0") QUESTION), "dns_rcode", "rcode servfail" },
		{ REPLY(HEAD("\206", "\0", "\0") QUESTION), REPLY("garbage"), "dns_bad",
		    "not a reply to the question" },
		{ REPLY(HEAD("\206", "\0", "\0") QUESTION), { 0 }, "dns_bad",
		    "closed before the reply was complete" },
		/* Not for us: another id, another question, a question. */
		{ { GOOD, sizeof(GOOD) - 1, false }, { 0 }, "dns_timeout", "no reply in time" },
		{ REPLY(HEAD("\204", "\0", "\0") "\3www\7example\3org\0\0\17\0\1"), { 0 },
		    "dns_timeout", NULL },
		{ REPLY(HEAD("\4", "\0", "\0") QUESTION), { 0 }, "dns_timeout", NULL },
	};
	struct template_spec t = base;
	const struct addr refusing = peer_refusing();

	(void)state;
	t.protocol = PROTOCOL_DNS;
	t.dns.expect_answer = "10 mail.example.com.";
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct server s;

		server_start(&s);
		say(&s, &s.by_udp, rows[i].udp);
		say(&s, &s.by_tcp, rows[i].tcp);
		t.timeout_ms = strcmp(rows[i].cause, "dns_timeout") == 0 ? 50 : 5000;
		once_assert(&once, &s.addr, "", &t, rows[i].cause, rows[i].text);
		server_stop(&s);
	}
	once_assert(&once, &refusing, "", &t, "l4_refused", NULL);
	t.dns.expect_rcode = 3;
	t.dns.expect_answer = "";
}

/* -- ping -- */

static void
test_icmp(void **state)
{
	uint8_t packet[64] = { 0x45 };

	(void)state;
	for (int ip6 = 0; ip6 < 2; ip6++) {
		icmp_request(ip6, 7, 300, 0x1122334455667788, packet + 20);
		assert_int_equal(icmp_reply(ip6, false, 0x1122334455667788, packet + 20, 16), -1);
		packet[20] = ip6 ? 129 : 0;
		assert_int_equal(icmp_reply(ip6, false, 0x1122334455667788, packet + 20, 16), 300);
		assert_int_equal(icmp_reply(ip6, true, 0x1122334455667788, packet, 36), 300);
		assert_int_equal(icmp_reply(ip6, true, 0x1122334455667788, packet, 35), -1);
		assert_int_equal(icmp_reply(ip6, false, 0x1122334455667789, packet + 20, 16), -1);
	}
	assert_int_equal(icmp_reply(false, true, 0, packet, 0), -1);
}

/* Where this machine does not let us there is no outcome, and the reason says what to do. */
static void
test_ping(void **state)
{
	static const char *const ips[] = { "127.0.0.1", "::1" };
	struct template_spec t = base;
	struct addr nobody;

	(void)state;
	t.protocol = PROTOCOL_PING;
	for (size_t i = 0; i < ARRAY_LEN(ips); i++) {
		struct addr a;

		assert_int_equal(addr_ip_parse(&a, ips[i], AF_UNSPEC), 0);
		addr_port_set(&a, 1);
		for (uint32_t packets = 1; packets <= 100; packets += 33) {
			t.ping.packets = packets;
			t.ping.loss_rate = 1;
			if (once_run(&once, &a, "", &t) == PROBE_STARVED) {
				assert_non_null(strstr(once.text, "CAP_NET_RAW"));
				continue;
			}
			if (i == 1 && strcmp(once.cause, "l4_unreachable") == 0)
				continue; /* a machine without IPv6 */
			assert_string_equal(once.cause, "");
			assert_int_equal(once.runner.probe.n_replied, packets);
			assert_true(once.runner.probe.first_byte_us > 0);
		}
	}
	/* 240.0.0.0/4 answers nobody; there may or may not be a route. */
	t.timeout_ms = 50;
	assert_int_equal(addr_ip_parse(&nobody, "240.0.0.1", AF_UNSPEC), 0);
	once_run(&once, &nobody, "", &t);
	assert_int_not_equal(once.step, PROBE_PASS);
}

static void
test_loss_rates(void **state)
{
	static const struct {
		uint32_t packets, rate, needed;
	} rows[] = { { 1, 1, 1 }, { 1, 100, 1 }, { 3, 50, 2 }, { 3, 34, 2 }, { 3, 33, 3 },
		{ 100, 1, 100 }, { 100, 100, 1 }, { 4, 50, 3 }, { 4, 51, 2 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct template_spec t = base;
		struct addr a;

		t.protocol = PROTOCOL_PING;
		t.ping = (struct ping_spec){ rows[i].packets, rows[i].rate };
		assert_int_equal(addr_ip_parse(&a, "192.0.2.1", AF_UNSPEC), 0);

		struct recipe *r = recipe_new(&a, "", &t, NULL);

		assert_int_equal(r->packets_needed, rows[i].needed);
		recipe_free(&r);
	}
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
		cmocka_unit_test(test_udp),
		cmocka_unit_test(test_dns),
		cmocka_unit_test(test_icmp),
		cmocka_unit_test(test_ping),
		cmocka_unit_test(test_loss_rates),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
