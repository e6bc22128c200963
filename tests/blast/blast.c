/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * blast -- the same DNS question over UDP, as fast as one core can, for tests and benchmarks.
 *
 *   blast IP PORT NAME [count N] [seconds S] [window W] [rate QPS] [cpu C] [flows F]
 *
 * Up to W questions are under way at a time; they leave in batches, each one a system call
 * (UDP_SEGMENT). Every reply must be the first one byte for byte, the ID aside. A question is lost
 * when nothing at all has come for two seconds. Prints one JSON object:
 *
 *   sent answered wrong late lost seconds, gap_ms: the longest time without a reply while some were
 *   due, p50_us p99_us
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

#define BATCH     32
#define FLOWS_MAX 64
#define QUERY_MAX 300
#define REPLY_MAX 2048
#define LOST_NS   2000000000u
#define BUCKETS   100000 /* of a microsecond each */
#define BUFFER    (8 << 20)

struct flow {
	int fd;
	unsigned under_way;
	uint16_t next_id;
	uint64_t sent_ns[65536]; /* 0: not under way */
};

struct blast {
	unsigned n_flows, window;
	uint64_t count, seconds, rate;
	bool gso;
	struct flow *flows;
	uint8_t query[QUERY_MAX];
	size_t query_len;
	uint8_t reply[REPLY_MAX];
	size_t reply_len;
	struct pollfd polls[FLOWS_MAX];

	unsigned under_way, turn;
	uint64_t sent, answered, wrong, late, lost, longest_ns, heard_ns, began_ns;
	uint32_t latency[BUCKETS];
	struct mmsghdr in[BATCH];
	struct iovec iov[BATCH];
	uint8_t replies[BATCH][REPLY_MAX];
};

static uint64_t
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void
die(const char *what)
{
	fprintf(stderr, "blast: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void
make_query(struct blast *b, const char *name)
{
	static const uint8_t header[12] = { 0, 0, 0, 0, 0, 1 }, tail[5] = { 0, 0, 1, 0, 1 };
	uint8_t *p = b->query + sizeof(header);

	memcpy(b->query, header, sizeof(header));
	while (*name != '\0') {
		const size_t len = strcspn(name, ".");

		if (len == 0 || len > 63 || p + len + 8 > b->query + QUERY_MAX)
			die("bad name");
		*p++ = (uint8_t)len;
		memcpy(p, name, len);
		p += len;
		name += len + (name[len] == '.');
	}
	memcpy(p, tail, sizeof(tail));
	b->query_len = (size_t)(p + sizeof(tail) - b->query);
}

static void
open_flows(struct blast *b, const char *ip, uint16_t port)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	const bool is_v4 = inet_pton(AF_INET, ip, &v4.sin_addr) == 1;
	const int segment = (int)b->query_len, size = BUFFER;

	if (!is_v4 && inet_pton(AF_INET6, ip, &v6.sin6_addr) != 1)
		die("bad address");
	b->flows = calloc(b->n_flows, sizeof(*b->flows));
	for (unsigned i = 0; b->flows != NULL && i < b->n_flows; i++) {
		const int fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0);

		if (fd < 0 || (is_v4 ? connect(fd, (struct sockaddr *)&v4, sizeof(v4))
				     : connect(fd, (struct sockaddr *)&v6, sizeof(v6))) != 0)
			die("socket");
		if (b->gso && setsockopt(fd, SOL_UDP, UDP_SEGMENT, &segment, sizeof(segment)) != 0)
			die("UDP_SEGMENT");
		if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) != 0)
			setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
		b->flows[i].fd = fd;
		b->polls[i] = (struct pollfd){ .fd = fd, .events = POLLIN };
	}
}

/* The answer that all others must be. */
static void
ask_first(struct blast *b)
{
	for (int try = 0; try < 20; try++) {
		if (send(b->polls[0].fd, b->query, b->query_len, 0) < 0)
			die("send");
		if (poll(b->polls, 1, 250) == 1) {
			const ssize_t n = recv(b->polls[0].fd, b->reply, sizeof(b->reply), 0);

			if (n >= 12) {
				b->reply_len = (size_t)n;
				return;
			}
		}
	}
	errno = ETIMEDOUT;
	die("no first answer");
}

/* How many went. */
static unsigned
put(const struct blast *b, const struct flow *f, uint8_t *out, unsigned n)
{
	struct mmsghdr m[BATCH] = { 0 };
	struct iovec iov[BATCH];
	int sent;

	if (b->gso)
		return send(f->fd, out, n * b->query_len, 0) >= 0 ? n : 0;
	for (unsigned i = 0; i < n; i++) {
		iov[i] = (struct iovec){ out + i * b->query_len, b->query_len };
		m[i].msg_hdr.msg_iov = &iov[i];
		m[i].msg_hdr.msg_iovlen = 1;
	}
	sent = sendmmsg(f->fd, m, n, 0);
	return sent > 0 ? (unsigned)sent : 0;
}

static void
send_batch(struct blast *b, unsigned n)
{
	static uint8_t out[BATCH * QUERY_MAX];
	struct flow *f = &b->flows[b->turn++ % b->n_flows];
	const uint64_t at_ns = now();
	unsigned i;

	for (i = 0; i < n && f->sent_ns[f->next_id] == 0; i++) {
		uint8_t *q = out + i * b->query_len;

		memcpy(q, b->query, b->query_len);
		q[0] = (uint8_t)(f->next_id >> 8);
		q[1] = (uint8_t)f->next_id;
		f->sent_ns[f->next_id++] = at_ns;
	}
	if (i == 0)
		return;
	const unsigned left = i - put(b, f, out, i);

	if (left > 0) {
		if (errno != EAGAIN && errno != ENOBUFS && errno != ECONNREFUSED)
			die("send");
		for (unsigned k = 0; k < left; k++)
			f->sent_ns[--f->next_id] = 0;
		i -= left;
	}
	if (b->under_way == 0)
		b->heard_ns = at_ns;
	f->under_way += i;
	b->under_way += i;
	b->sent += i;
}

static void
take(struct blast *b, struct flow *f, const uint8_t *reply, size_t len, uint64_t at_ns)
{
	const unsigned id = (unsigned)(reply[0] << 8 | reply[1]);
	const uint64_t us = len < 2 ? 0 : (at_ns - f->sent_ns[id]) / 1000;

	if (len < 2 || f->sent_ns[id] == 0) {
		b->late++;
		return;
	}
	f->sent_ns[id] = 0;
	f->under_way--;
	b->under_way--;
	b->answered++;
	b->latency[us < BUCKETS ? us : BUCKETS - 1]++;
	if (len != b->reply_len || memcmp(reply + 2, b->reply + 2, len - 2) != 0)
		b->wrong++;
}

static bool
receive(struct blast *b, struct flow *f)
{
	const int n = recvmmsg(f->fd, b->in, BATCH, MSG_DONTWAIT, NULL);
	const uint64_t at_ns = now();

	for (int i = 0; i < n; i++)
		take(b, f, b->replies[i], b->in[i].msg_len, at_ns);
	if (n <= 0)
		return false;
	if (at_ns - b->heard_ns > b->longest_ns)
		b->longest_ns = at_ns - b->heard_ns;
	b->heard_ns = at_ns;
	return true;
}

static bool
receive_all(struct blast *b)
{
	bool any = false;

	for (unsigned i = 0; i < b->n_flows; i++)
		if (b->flows[i].under_way > 0)
			any |= receive(b, &b->flows[i]);
	return any;
}

static void
give_up(struct blast *b)
{
	b->lost += b->under_way;
	if (now() - b->heard_ns > b->longest_ns)
		b->longest_ns = now() - b->heard_ns;
	for (unsigned i = 0; i < b->n_flows; i++) {
		memset(b->flows[i].sent_ns, 0, sizeof(b->flows[i].sent_ns));
		b->flows[i].under_way = 0;
	}
	b->under_way = 0;
}

/* How many may be sent now. */
static unsigned
allowance(const struct blast *b, uint64_t at_ns)
{
	uint64_t n = b->window > b->under_way ? b->window - b->under_way : 0;

	if (b->rate > 0) {
		const uint64_t due = (at_ns - b->began_ns) / 1000 * b->rate / 1000000;

		if (n > due - b->sent)
			n = due > b->sent ? due - b->sent : 0;
	}
	if (n > b->count - b->sent)
		n = b->count - b->sent;
	return n < BATCH ? (unsigned)n : BATCH;
}

static void
run(struct blast *b)
{
	for (unsigned i = 0; i < BATCH; i++) {
		b->iov[i] = (struct iovec){ b->replies[i], REPLY_MAX };
		b->in[i].msg_hdr.msg_iov = &b->iov[i];
		b->in[i].msg_hdr.msg_iovlen = 1;
	}
	b->began_ns = b->heard_ns = now();
	for (;;) {
		const uint64_t at_ns = now();
		const bool over =
		    b->sent >= b->count || at_ns - b->began_ns >= b->seconds * 1000000000u;
		const unsigned n = over ? 0 : allowance(b, at_ns);

		if (n > 0)
			send_batch(b, n);
		if (receive_all(b))
			continue;
		if (over && b->under_way == 0)
			break;
		if (b->under_way > 0 && now() - b->heard_ns > LOST_NS)
			give_up(b);
		if (n == 0)
			poll(b->polls, b->n_flows, b->rate > 0 ? 0 : 1);
	}
}

static unsigned
quantile(const struct blast *b, double q)
{
	uint64_t sum = 0;

	for (unsigned us = 0; us < BUCKETS; us++) {
		sum += b->latency[us];
		if ((double)sum >= q * (double)b->answered)
			return us;
	}
	return BUCKETS;
}

static void
pin(unsigned cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) != 0)
		die("cpu");
}

int
main(int argc, char **argv)
{
	static struct blast b = {
		.count = UINT64_MAX, .seconds = 3600, .window = 512, .n_flows = 16
	};

	if (argc < 4 || argc % 2 != 0) {
		fprintf(stderr,
		    "usage: blast IP PORT NAME [count|seconds|window|rate|cpu|flows|gso N]...\n");
		return 2;
	}
	for (int i = 4; i + 1 < argc; i += 2) {
		const uint64_t n = strtoull(argv[i + 1], NULL, 10);

		if (strcmp(argv[i], "count") == 0)
			b.count = n;
		else if (strcmp(argv[i], "seconds") == 0)
			b.seconds = n;
		else if (strcmp(argv[i], "window") == 0)
			b.window = (unsigned)n;
		else if (strcmp(argv[i], "rate") == 0)
			b.rate = n;
		else if (strcmp(argv[i], "gso") == 0)
			b.gso = n != 0;
		else if (strcmp(argv[i], "cpu") == 0)
			pin((unsigned)n);
		else if (strcmp(argv[i], "flows") == 0 && n >= 1 && n <= FLOWS_MAX)
			b.n_flows = (unsigned)n;
		else
			return 2;
	}
	make_query(&b, argv[3]);
	open_flows(&b, argv[1], (uint16_t)atoi(argv[2]));
	ask_first(&b);
	run(&b);
	printf("{\"sent\": %ju, \"answered\": %ju, \"wrong\": %ju, \"late\": %ju, \"lost\": %ju, "
	       "\"seconds\": %.6f, \"gap_ms\": %.3f, \"p50_us\": %u, \"p99_us\": %u}\n",
	    (uintmax_t)b.sent, (uintmax_t)b.answered, (uintmax_t)b.wrong, (uintmax_t)b.late,
	    (uintmax_t)b.lost, (double)(now() - b.began_ns) / 1e9, (double)b.longest_ns / 1e6,
	    quantile(&b, 0.5), quantile(&b, 0.99));
	return 0;
}
