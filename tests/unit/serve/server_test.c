/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The server on loopback sockets: what clients see of it, polite and rude ones. */
#include "serve/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <urcu/urcu-qsbr.h>

#include <cmocka.h>

#include "base/diag.h"
#include "dns/rrtype.h"
#include "hosted.h"
#include "net/sock.h"
#include "wire.h"

#define WORKERS 2
#define ADDRS   2
#define WAIT_MS 5000
#define WWW     "NOERROR aa | www.example.com 300 A 192.0.2.10, www.example.com 300 A 192.0.2.11 | | |"

struct fixture {
	struct zones *zones;
	struct server *server;
	int udp[WORKERS * ADDRS], tcp[ADDRS];
	struct addr udp_addr[ADDRS], tcp_addr[ADDRS];
};

/* 127.0.0.1 as itself, and all addresses, where the answer's source is for us to choose. */
static void
open_sockets(struct fixture *f)
{
	static const char *const texts[ADDRS] = { "127.0.0.1:0", "0.0.0.0:0" };
	struct diag d;

	diag_init(&d);
	for (int i = 0; i < ADDRS; i++) {
		struct addr a;
		int group[WORKERS];

		assert_int_equal(addr_parse(&a, texts[i], 0), 0);
		assert_int_equal(sock_udp_bind_group(&a, group, WORKERS, &d), 0);
		for (int w = 0; w < WORKERS; w++)
			f->udp[w * ADDRS + i] = group[w];
		f->tcp[i] = sock_tcp_listen(&a, &d);
		assert_true(f->tcp[i] >= 0);
		assert_int_equal(sock_name(group[0], &f->udp_addr[i]), 0);
		assert_int_equal(sock_name(f->tcp[i], &f->tcp_addr[i]), 0);
	}
	diag_fini(&d);
}

static struct fixture *
start_with(unsigned max_clients, unsigned idle_ms, struct handover_hook handover)
{
	static struct fixture f;

	urcu_qsbr_register_thread();
	f.zones = hosted_new();
	open_sockets(&f);
	f.server = server_new(
	    &(struct server_config){
		.workers = WORKERS,
		.n_addrs = ADDRS,
		.udp_fds = f.udp,
		.tcp_fds = f.tcp,
		.tcp_max_clients = max_clients,
		.tcp_idle_ms = idle_ms,
		.handover = handover,
	    },
	    f.zones);
	server_start(f.server);
	urcu_qsbr_thread_offline(); /* the test sleeps in sockets from now on */
	return &f;
}

static struct fixture *
start(unsigned max_clients, unsigned idle_ms)
{
	return start_with(max_clients, idle_ms, (struct handover_hook){ 0 });
}

static void
stop(struct fixture *f)
{
	server_free(&f->server);
	urcu_qsbr_thread_online();
	hosted_free(&f->zones);
	urcu_qsbr_unregister_thread();
	for (int i = 0; i < WORKERS * ADDRS; i++)
		close(f->udp[i]);
	for (int i = 0; i < ADDRS; i++)
		close(f->tcp[i]);
}

static bool
wait_for(int fd, short events)
{
	struct pollfd p = { fd, events, 0 };

	return poll(&p, 1, WAIT_MS) == 1;
}

static int
dial(const struct addr *to)
{
	const int fd = sock_tcp_connect(to, NULL);

	assert_true(fd >= 0);
	assert_true(wait_for(fd, POLLOUT));
	assert_int_equal(sock_error(fd), 0);
	return fd;
}

static size_t
query(uint8_t *out, uint16_t id, const char *name, uint16_t type)
{
	return wire_query(out, id, name, type, (struct wire_edns){ 0 });
}

/* With its length in front. */
static size_t
tcp_query(uint8_t *out, uint16_t id, const char *name, uint16_t type)
{
	const size_t len = query(out + 2, id, name, type);

	out[0] = (uint8_t)(len >> 8);
	out[1] = (uint8_t)len;
	return 2 + len;
}

static void
write_all(int fd, const uint8_t *data, size_t len)
{
	while (len > 0) {
		const ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n > 0) {
			data += n;
			len -= (size_t)n;
		} else {
			assert_int_equal(errno, EAGAIN);
			assert_true(wait_for(fd, POLLOUT));
		}
	}
}

/* false at the end of the stream. */
static bool
read_all(int fd, uint8_t *data, size_t len)
{
	while (len > 0) {
		const ssize_t n = recv(fd, data, len, 0);

		if (n > 0) {
			data += n;
			len -= (size_t)n;
		} else if (n == 0 || errno == ECONNRESET) {
			return false;
		} else {
			assert_int_equal(errno, EAGAIN);
			assert_true(wait_for(fd, POLLIN));
		}
	}
	return true;
}

/* Returns the id; *text is the caller's. */
static uint16_t
tcp_answer(int fd, char **text)
{
	static uint8_t msg[65535];
	uint8_t head[2];

	assert_true(read_all(fd, head, 2));

	const size_t len = (size_t)(head[0] << 8 | head[1]);

	assert_true(read_all(fd, msg, len));
	*text = wire_text(msg, len);
	return (uint16_t)(msg[0] << 8 | msg[1]);
}

static void
assert_answers(int fd)
{
	uint8_t q[512];
	char *text;

	write_all(fd, q, tcp_query(q, 77, "www.example.com", RRTYPE_A));
	assert_int_equal(tcp_answer(fd, &text), 77);
	assert_string_equal(text, WWW);
	free(text);
}

static void
assert_closed(int fd)
{
	uint8_t byte;

	assert_true(wait_for(fd, POLLIN));
	assert_false(read_all(fd, &byte, 1));
}

static json_int_t
counter(const struct fixture *f, const char *name)
{
	json_t *all = server_counters(f->server);
	const json_t *rcodes = json_object_get(all, "rcodes");
	const json_t *one = json_object_get(all, name);
	const json_int_t n = json_integer_value(one != NULL ? one : json_object_get(rcodes, name));

	json_decref(all);
	return n;
}

/* Bursts over both addresses; the connected sockets take answers only from where they asked. */
static void
test_udp_bursts(void **state)
{
	enum { BURST = 100 };
	struct fixture *f = start(0, 0);
	static const char *const asked[] = { "127.0.0.1", "127.0.0.1", "127.0.0.77" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
		struct addr to;
		bool seen[BURST] = { false };

		assert_int_equal(addr_parse(&to, asked[i], 0), 0);
		addr_port_set(&to, addr_port(&f->udp_addr[i > 0]));

		const int fd = sock_udp_connect(&to, NULL);

		for (uint16_t n = 0; n < BURST; n++) {
			uint8_t q[512];
			const size_t len = query(q, n, "www.example.com", RRTYPE_A);

			assert_int_equal(send(fd, q, len, 0), len);
		}
		for (int n = 0; n < BURST; n++) {
			uint8_t msg[1232];

			assert_true(wait_for(fd, POLLIN));

			const ssize_t len = recv(fd, msg, sizeof(msg), 0);

			assert_true(len > 12);

			char *text = wire_text(msg, (size_t)len);

			assert_string_equal(text, WWW);
			assert_false(seen[msg[1]]);
			seen[msg[1]] = true;
			free(text);
		}
		close(fd);
	}
	assert_int_equal(counter(f, "queries"), 3 * BURST);
	assert_int_equal(counter(f, "NOERROR"), 3 * BURST);
	assert_int_equal(counter(f, "dropped"), 0);
	stop(f);
}

/* All IPv6 addresses: the answer comes from the one asked. */
static void
test_udp_ipv6(void **state)
{
	struct zones *zones;
	struct server *server;
	struct addr any, to;
	struct diag d;
	uint8_t q[512], msg[1232];

	(void)state;
	diag_init(&d);
	assert_int_equal(addr_parse(&any, "[::]:0", 0), 0);

	const int udp = sock_udp_bind(&any, &d), tcp = sock_tcp_listen(&any, &d);

	diag_fini(&d);
	if (udp < 0 || tcp < 0)
		skip(); /* a machine without IPv6 */
	urcu_qsbr_register_thread();
	zones = hosted_new();
	server = server_new(
	    &(struct server_config){ .workers = 1, .n_addrs = 1, .udp_fds = &udp, .tcp_fds = &tcp },
	    zones);
	server_start(server);
	urcu_qsbr_thread_offline();
	assert_int_equal(sock_name(udp, &any), 0);
	assert_int_equal(addr_parse(&to, "::1", 0), 0);
	addr_port_set(&to, addr_port(&any));

	const int fd = sock_udp_connect(&to, NULL);
	const size_t len = query(q, 1, "www.example.com", RRTYPE_A);

	assert_true(fd >= 0);
	assert_int_equal(send(fd, q, len, 0), len);
	assert_true(wait_for(fd, POLLIN));
	assert_int_equal(recv(fd, msg, sizeof(msg), 0), len + 2 * 16);
	close(fd);
	server_free(&server);
	urcu_qsbr_thread_online();
	hosted_free(&zones);
	urcu_qsbr_unregister_thread();
	close(udp);
	close(tcp);
}

/* ---- messages that others answer ---- */

struct office {
	pthread_mutex_t lock;
	struct list waiting;
	unsigned n, room;
};

static bool
take(void *arg, struct handover *h)
{
	struct office *o = arg;

	pthread_mutex_lock(&o->lock);
	const bool has_room = o->n < o->room;

	if (has_room) {
		list_append(&o->waiting, &h->item);
		o->n++;
	}
	pthread_mutex_unlock(&o->lock);
	return has_room;
}

static struct handover *
await(struct office *o)
{
	for (unsigned ms = 0; ms < WAIT_MS; ms++) {
		struct handover *h = NULL;

		pthread_mutex_lock(&o->lock);
		if (!list_empty(&o->waiting)) {
			h = LIST_ENTRY(o->waiting.next, struct handover, item);
			list_remove(&h->item);
			o->n--;
		}
		pthread_mutex_unlock(&o->lock);
		if (h != NULL)
			return h;
		usleep(1000);
	}
	fail();
	return NULL;
}

/* Back to where it came from: the message itself, as a response. */
static void
echo(struct fixture *f, struct handover *h)
{
	uint8_t msg[512];
	const size_t len = h->len;

	memcpy(msg, h->message, len);
	msg[2] |= 0x80;
	server_reply(f->server, h, msg, len);
}

static void
open_office(struct office *o, unsigned room)
{
	*o = (struct office){ .room = room };
	pthread_mutex_init(&o->lock, NULL);
	list_init(&o->waiting);
}

static size_t
update(uint8_t *out, uint16_t id)
{
	const size_t len = query(out, id, "example.com", RRTYPE_SOA);

	out[2] = 5 << 3;
	return len;
}

static void
test_udp_handover(void **state UNUSED)
{
	static const char *const asked[] = { "127.0.0.1", "127.0.0.77" };
	struct office o;

	open_office(&o, 1);

	struct fixture *f = start_with(0, 0, (struct handover_hook){ &o, take });

	for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
		struct addr to, from;
		uint8_t q[512], got[512];
		const size_t len = update(q, 5);

		assert_int_equal(addr_parse(&to, asked[i], 0), 0);
		addr_port_set(&to, addr_port(&f->udp_addr[i > 0]));

		const int fd = sock_udp_connect(&to, NULL);

		assert_int_equal(send(fd, q, len, 0), len);

		struct handover *h = await(&o);

		assert_int_equal(sock_name(fd, &from), 0);
		assert_true(addr_equal(&h->peer, &from));
		assert_false(h->tcp);
		echo(f, h);
		assert_true(wait_for(fd, POLLIN));
		assert_int_equal(recv(fd, got, sizeof(got), 0), len);
		assert_int_equal(got[2], 0x80 | 5 << 3);
		close(fd);
	}
	assert_int_equal(counter(f, "handed_over"), 2);
	stop(f);
}

/* Queries behind it are answered first, as RFC 7766 allows; the client may have said all. */
static void
test_tcp_handover(void **state UNUSED)
{
	struct office o;
	uint8_t q[512];
	char *text;

	open_office(&o, 1);

	struct fixture *f = start_with(0, 0, (struct handover_hook){ &o, take });
	const int fd = dial(&f->tcp_addr[0]), gone = dial(&f->tcp_addr[0]);
	const size_t len = update(q + 2, 9);

	q[0] = 0;
	q[1] = (uint8_t)len;
	write_all(fd, q, 2 + len);

	struct handover *h = await(&o);

	assert_true(h->tcp);
	assert_answers(fd);
	write_all(gone, q, 2 + len);

	struct handover *late = await(&o);

	close(gone);
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	usleep(20000);
	echo(f, late);
	echo(f, h);
	assert_int_equal(tcp_answer(fd, &text), 9);
	free(text);
	assert_closed(fd);
	close(fd);
	stop(f);
}

/* One that finds no room gets SERVFAIL; one that gets no answer does not hold its connection. */
static void
test_handover_without_answer(void **state UNUSED)
{
	struct office o;
	uint8_t q[512];
	char *text;

	open_office(&o, 1);

	struct fixture *f = start_with(0, 0, (struct handover_hook){ &o, take });
	const int fd = dial(&f->tcp_addr[0]);
	const size_t len = update(q + 2, 9);

	q[0] = 0;
	q[1] = (uint8_t)len;
	write_all(fd, q, 2 + len);
	write_all(fd, q, 2 + len);
	assert_int_equal(tcp_answer(fd, &text), 9);
	assert_string_equal(text, "SERVFAIL | | | |");
	free(text);
	server_reply(f->server, await(&o), NULL, 0);
	assert_answers(fd);
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	assert_closed(fd);
	close(fd);
	stop(f);
}

/* Rubbish, and queries longer than any we would read, get an error or nothing, and hurt nobody. */
static void
test_udp_rubbish(void **state)
{
	struct fixture *f = start(0, 0);
	static uint8_t junk[4000];
	const int fd = sock_udp_connect(&f->udp_addr[0], NULL);
	uint8_t msg[1232];

	(void)state;
	assert_int_equal(send(fd, junk, 0, 0), 0);
	assert_int_equal(send(fd, junk, 5, 0), 5);
	junk[2] = 0x80;
	assert_int_equal(send(fd, junk, 500, 0), 500);

	const size_t len = query(junk, 1, "www.example.com", RRTYPE_A);

	assert_int_equal(send(fd, junk, sizeof(junk), 0), sizeof(junk));
	assert_true(wait_for(fd, POLLIN));
	assert_int_equal(recv(fd, msg, sizeof(msg), 0), len);
	assert_int_equal(msg[3] & 15, 1); /* FORMERR */
	assert_int_equal(counter(f, "dropped"), 3);
	close(fd);
	stop(f);
}

static void
test_tcp_pipelining(void **state)
{
	enum { QUERIES = 100 };
	struct fixture *f = start(0, 0);
	const int fd = dial(&f->tcp_addr[1]);
	uint8_t q[QUERIES * 64];
	size_t len = 0;

	(void)state;
	for (uint16_t i = 0; i < QUERIES; i++)
		len += tcp_query(q + len, i, "www.example.com", RRTYPE_A);
	write_all(fd, q, len);
	for (uint16_t i = 0; i < QUERIES; i++) {
		char *text;

		assert_int_equal(tcp_answer(fd, &text), i);
		assert_string_equal(text, WWW);
		free(text);
	}
	assert_int_equal(counter(f, "tcp_queries"), QUERIES);
	close(fd);
	stop(f);
}

/* Byte by byte, then the end of the stream right behind a query and a half. */
static void
test_tcp_halves(void **state)
{
	struct fixture *f = start(0, 0);
	const int fd = dial(&f->tcp_addr[0]);
	uint8_t q[1024];
	char *text;
	size_t len = tcp_query(q, 5, "www.example.com", RRTYPE_A);

	(void)state;
	for (size_t i = 0; i < len; i++) {
		write_all(fd, q + i, 1);
		if (i % 8 == 0)
			usleep(1000);
	}
	assert_int_equal(tcp_answer(fd, &text), 5);
	free(text);
	len += tcp_query(q + len, 6, "www.example.com", RRTYPE_A);
	write_all(fd, q, len - 9);
	shutdown(fd, SHUT_WR);
	assert_int_equal(tcp_answer(fd, &text), 5);
	assert_string_equal(text, WWW);
	free(text);
	assert_closed(fd);
	close(fd);
	stop(f);
}

static void
test_tcp_bad_length(void **state)
{
	struct fixture *f = start(0, 0);
	const int fd = dial(&f->tcp_addr[0]);
	uint8_t q[512];
	size_t len = tcp_query(q, 5, "www.example.com", RRTYPE_A);
	char *text;

	(void)state;
	q[len++] = 0;
	q[len++] = 11;
	write_all(fd, q, len);
	assert_int_equal(tcp_answer(fd, &text), 5); /* what came before it is answered */
	free(text);
	assert_closed(fd);
	close(fd);
	stop(f);
}

/* 20000 queries, 13 MB of answers, and nobody reads: bounded here; read at last, all are there. */
static void
test_tcp_slow_reader(void **state)
{
	enum { QUERIES = 20000 };
	struct fixture *f = start(0, 0);
	const int fd = dial(&f->tcp_addr[0]);
	uint8_t q[512];
	const size_t len = tcp_query(q, 0, "big.example.com", RRTYPE_TXT);
	int sent = 0;
	json_int_t answered = -1;

	(void)state;
	while (sent < QUERIES && wait_for(fd, POLLOUT)) {
		const ssize_t n = send(fd, q, len, MSG_NOSIGNAL);

		if (n < 0) {
			/* Full: does the server still read? */
			usleep(20000);
			if (counter(f, "tcp_queries") == answered)
				break;
			answered = counter(f, "tcp_queries");
			continue;
		}
		if ((size_t)n < len)
			write_all(fd, q + n, len - (size_t)n);
		sent++;
	}
	for (int i = 0; i < sent; i++) {
		char *text;

		assert_int_equal(tcp_answer(fd, &text), 0);
		assert_memory_equal(text, "NOERROR aa | big", 16);
		free(text);
	}
	assert_answers(fd);
	close(fd);
	stop(f);
}

static void
test_tcp_idle(void **state)
{
	struct fixture *f = start(0, 100);
	const int idle = dial(&f->tcp_addr[0]), half = dial(&f->tcp_addr[0]);
	const uint8_t begun[] = { 0, 40, 1 };

	(void)state;
	write_all(half, begun, sizeof(begun));
	assert_closed(idle);
	assert_closed(half); /* a query begun is no sign of life */
	close(idle);
	close(half);

	const int fresh = dial(&f->tcp_addr[0]);

	assert_answers(fresh);
	close(fresh);
	stop(f);
}

/* One source has its share and no more; it cannot drive out others. */
static void
test_tcp_source_cap(void **state)
{
	enum { CAP = 16 };
	struct fixture *f = start(100, 0);
	int fds[CAP];
	struct addr other;

	(void)state;
	for (int i = 0; i < CAP; i++) {
		fds[i] = dial(&f->tcp_addr[0]);
		assert_answers(fds[i]);
	}

	const int excess = dial(&f->tcp_addr[0]);

	assert_answers(excess);
	assert_closed(fds[0]);
	close(fds[0]);
	fds[0] = excess;

	assert_int_equal(addr_parse(&other, "127.0.0.9", 0), 0);

	const int neighbour = sock_tcp_connect(&f->tcp_addr[0], &other);

	assert_true(neighbour >= 0);
	assert_true(wait_for(neighbour, POLLOUT));
	assert_answers(neighbour);
	close(neighbour);
	for (int i = 0; i < CAP; i++) {
		assert_answers(fds[i]);
		close(fds[i]);
	}
	stop(f);
}

/* Options change while it runs, for connections that are there already, too. */
static void
test_set_options(void **state UNUSED)
{
	struct fixture *f = start(0, 0);
	const int fd = dial(&f->tcp_addr[0]);
	struct serve_options *o = serve_options_new();
	struct cidr far;
	uint8_t q[64];
	char *text;

	assert_answers(fd);
	assert_int_equal(cidr_parse(&far, "192.0.2.0/24"), 0);
	serve_options_add(&o->allow, &far);
	server_set_options(f->server, o);
	write_all(fd, q, tcp_query(q, 3, "www.example.com", RRTYPE_A));
	assert_int_equal(tcp_answer(fd, &text), 3);
	assert_string_equal(text, "REFUSED | | | |");
	free(text);
	server_set_options(f->server, serve_options_new());
	assert_answers(fd);
	close(fd);
	stop(f);
}

/* A full house: the one that was silent for longest leaves. */
static void
test_tcp_eviction(void **state)
{
	enum { MAX = 4 };
	struct fixture *f = start(MAX, 0);
	int fds[MAX];

	(void)state;
	for (int i = 0; i < MAX; i++) {
		fds[i] = dial(&f->tcp_addr[0]);
		assert_answers(fds[i]);
	}
	assert_answers(fds[0]);

	const int late = dial(&f->tcp_addr[0]);

	assert_answers(late);
	assert_closed(fds[1]);
	assert_answers(fds[0]);
	assert_answers(fds[2]);
	assert_answers(fds[3]);
	close(late);
	for (int i = 0; i < MAX; i++)
		close(fds[i]);
	stop(f);
}

/* Zones change while queries run: readers see the old or the new, and reclamation gets on. */
static void
test_changes_under_load(void **state)
{
	struct fixture *f = start(0, 0);
	const int udp = sock_udp_connect(&f->udp_addr[0], NULL), tcp = dial(&f->tcp_addr[0]);
	static const uint8_t owner[] = "\3www\7example\3com";
	static const uint8_t addresses[] = { 0, 4, 192, 0, 2, 10, 0, 4, 192, 0, 2, 11 };

	(void)state;
	for (int i = 0; i < 200; i++) {
		uint8_t q[512], msg[1232];
		const size_t len = query(q, 9, "www.example.com", RRTYPE_A);

		assert_int_equal(send(udp, q, len, 0), len);
		write_all(tcp, q, tcp_query(q, 9, "www.example.com", RRTYPE_A));
		urcu_qsbr_thread_online();
		zone_put(zones_find(f->zones, owner), owner,
		    rrset_new(RRTYPE_A, 300, addresses, sizeof(addresses)));
		urcu_qsbr_thread_offline();
		assert_true(wait_for(udp, POLLIN));
		assert_int_equal(recv(udp, msg, sizeof(msg), 0), 33 + 2 * 16);

		char *text;

		assert_int_equal(tcp_answer(tcp, &text), 9);
		assert_string_equal(text, WWW);
		free(text);
	}
	urcu_qsbr_synchronize_rcu(); /* would hang if a worker slept online */
	close(udp);
	close(tcp);
	stop(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_udp_bursts),
		cmocka_unit_test(test_udp_ipv6),
		cmocka_unit_test(test_udp_rubbish),
		cmocka_unit_test(test_tcp_pipelining),
		cmocka_unit_test(test_tcp_halves),
		cmocka_unit_test(test_tcp_bad_length),
		cmocka_unit_test(test_tcp_slow_reader),
		cmocka_unit_test(test_tcp_idle),
		cmocka_unit_test(test_tcp_source_cap),
		cmocka_unit_test(test_tcp_eviction),
		cmocka_unit_test(test_set_options),
		cmocka_unit_test(test_udp_handover),
		cmocka_unit_test(test_tcp_handover),
		cmocka_unit_test(test_handover_without_answer),
		cmocka_unit_test(test_changes_under_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
