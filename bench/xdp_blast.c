/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * xdp_blast -- tests/blast past the kernel's stack, so that the load is cheaper than what is
 * loaded.
 *
 *   xdp_blast INTERFACE MAC FROM TO NAME SECONDS WINDOW CPU      MAC: of the server, 12 hex digits
 *
 * IPv4, port 53, queue 0. Every reply must be the first one byte for byte, the ID aside. Prints
 * what blast prints, less the latencies.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/diag.h"
#include "net/frame.h"
#include "net/xdp_filter.h"
#include "net/xsk.h"

#define BATCH      64
#define FIRST_PORT 20000
#define PORTS      16
#define DATA_AT    42
#define LOST_MS    1000

static struct {
	struct xsk *xsk;
	uint8_t query[512];
	uint32_t query_len;
	uint8_t reply[2048];
	size_t reply_len;
	bool under_way[65536]; /* by ID */
	uint16_t id;
	unsigned n_under_way, window;
	uint64_t sent, answered, wrong, late, lost, heard_ms;
} b;

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

static void
put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static uint32_t
sum(const uint8_t *p, size_t len)
{
	uint32_t s = 0;

	for (size_t i = 0; i < len; i++)
		s += i % 2 == 0 ? (uint32_t)p[i] << 8 : p[i];
	return s;
}

static unsigned
folded(uint32_t s)
{
	while (s > 0xffff)
		s = (s & 0xffff) + (s >> 16);
	return 0xffff ^ s;
}

/* Everything but the port, the ID and the checksum of UDP. */
static void
make_query(
    const char *interface, const char *mac, const char *from, const char *to, const char *name)
{
	const int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct ifreq r = { 0 };
	uint8_t *q = b.query, *p = q + DATA_AT + 12;

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", interface);
	if (ioctl(fd, SIOCGIFHWADDR, &r) != 0)
		die(interface);
	close(fd);
	for (int i = 0; i < 6; i++)
		q[i] = (uint8_t)strtoul((char[]){ mac[2 * i], mac[2 * i + 1], 0 }, NULL, 16);
	memcpy(q + 6, r.ifr_hwaddr.sa_data, 6);
	put16(q + 12, 0x0800);
	q[DATA_AT + 5] = 1;
	while (*name != '\0') {
		const size_t len = strcspn(name, ".");

		*p++ = (uint8_t)len;
		memcpy(p, name, len);
		p += len;
		name += len + (name[len] == '.');
	}
	memcpy(p, "\0\0\1\0\1", 5);
	b.query_len = (uint32_t)(p + 5 - q);
	q[14] = 0x45;
	put16(q + 16, b.query_len - 14);
	q[22] = 64;
	q[23] = 17;
	if (inet_pton(AF_INET, from, q + 26) != 1 || inet_pton(AF_INET, to, q + 30) != 1)
		die("address");
	put16(q + 24, folded(sum(q + 14, 20)));
	put16(q + 36, 53);
	put16(q + 38, b.query_len - 34);
}

static void
open_socket(const char *interface, const char *from)
{
	struct xdp_filter *filter;
	struct addr a;
	struct diag d;

	diag_init(&d);
	filter = xdp_filter_open(interface, interface, &d);
	if (filter == NULL || addr_parse(&a, from, 0) != 0)
		die(diag_text(&d));
	for (uint16_t i = 0; i < PORTS; i++) {
		addr_port_set(&a, (uint16_t)(FIRST_PORT + i));
		if (xdp_filter_endpoint(filter, &a) != 0)
			die("endpoint");
	}
	if (xsk_open(&b.xsk) != 0)
		die("AF_XDP");
	/* The memory of the run before may not have quite gone. */
	for (int try = 0; xsk_bind(b.xsk, if_nametoindex(interface), 0) != 0; try++)
		if (try == 200 || usleep(10000) != 0)
			die("bind");
	if (xdp_filter_divert(filter, 0, xsk_fd(b.xsk)) != 0)
		die("divert");
}

static void
send_one(uint32_t fixed_sum)
{
	const unsigned port = FIRST_PORT + b.id % PORTS;
	uint8_t *out = xsk_frame(b.xsk);

	memcpy(out, b.query, b.query_len);
	put16(out + 34, port);
	put16(out + DATA_AT, b.id);
	put16(out + 40, folded(fixed_sum + port + b.id));
	b.under_way[b.id++] = true;
	b.n_under_way++;
	b.sent++;
	xsk_send(b.xsk, b.query_len);
}

static void
take(const struct xsk_packet *in)
{
	struct frame f;
	unsigned id;

	if (frame_parse(&f, in->bytes, in->len) != FRAME_UDP || f.data_len < 12) {
		b.wrong++;
		return;
	}
	id = (unsigned)(f.bytes[f.data_at] << 8 | f.bytes[f.data_at + 1]);
	if (!b.under_way[id]) {
		b.late++;
		return;
	}
	b.under_way[id] = false;
	b.n_under_way--;
	b.answered++;
	if (b.reply_len == 0) {
		b.reply_len = f.data_len;
		memcpy(b.reply, f.bytes + f.data_at, f.data_len);
	}
	if (f.data_len != b.reply_len ||
	    memcmp(f.bytes + f.data_at + 2, b.reply + 2, b.reply_len - 2) != 0)
		b.wrong++;
}

static unsigned
receive(void)
{
	struct xsk_packet in[BATCH];
	const unsigned n = xsk_receive(b.xsk, in, BATCH);

	for (unsigned i = 0; i < n; i++)
		take(&in[i]);
	xsk_release(b.xsk);
	if (n > 0)
		b.heard_ms = clock_mono_ms();
	return n;
}

static void
run(uint64_t until_ms)
{
	/* The pseudo-header, and all of UDP that stays the same. */
	const uint32_t fixed_sum =
	    sum(b.query + 26, 8) + 17 + (b.query_len - 34) + sum(b.query + 34, b.query_len - 34);
	struct pollfd p = { .fd = xsk_fd(b.xsk), .events = POLLIN };

	b.heard_ms = clock_mono_ms();
	for (;;) {
		const uint64_t now_ms = clock_mono_ms();
		const bool over = now_ms >= until_ms;
		const unsigned due =
		    over || b.n_under_way >= b.window ? 0 : b.window - b.n_under_way;
		const unsigned n = xsk_room(b.xsk, due < BATCH ? due : BATCH);

		for (unsigned i = 0; i < n; i++)
			send_one(fixed_sum);
		(void)xsk_flush(b.xsk);
		if (receive() > 0 || n > 0)
			continue;
		if (over && b.n_under_way == 0)
			return;
		if (clock_mono_ms() - b.heard_ms > LOST_MS) {
			b.lost += b.n_under_way;
			b.n_under_way = 0;
			memset(b.under_way, 0, sizeof(b.under_way));
			b.heard_ms = clock_mono_ms();
		}
		(void)poll(&p, 1, 1);
	}
}

int
main(int argc, char **argv)
{
	cpu_set_t set;
	uint64_t began_ms;

	if (argc != 9)
		return 2;
	CPU_ZERO(&set);
	CPU_SET((size_t)atoi(argv[8]), &set);
	if (sched_setaffinity(0, sizeof(set), &set) != 0)
		die("CPU");
	make_query(argv[1], argv[2], argv[3], argv[4], argv[5]);
	open_socket(argv[1], argv[3]);
	b.window = (unsigned)atoi(argv[7]);
	began_ms = clock_mono_ms();
	run(began_ms + (uint64_t)atoi(argv[6]) * 1000);
	printf("{\"sent\": %ju, \"answered\": %ju, \"wrong\": %ju, \"late\": %ju, \"lost\": %ju, "
	       "\"seconds\": %.3f}\n",
	    (uintmax_t)b.sent, (uintmax_t)b.answered, (uintmax_t)b.wrong, (uintmax_t)b.late,
	    (uintmax_t)b.lost, (double)(clock_mono_ms() - began_ms) / 1000);
	return 0;
}
