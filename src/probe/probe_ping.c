/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * probe_ping -- echo requests, all at once; passes as soon as enough have come back.
 *
 * By a datagram socket where net.ipv4.ping_group_range lets us, else by a raw one, which needs
 * CAP_NET_RAW. Where neither is allowed there is no outcome: our own want says nothing about the
 * target.
 */
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "probe/icmp.h"
#include "probe/protocol.h"

#define PACKETS_MAX 100
#define REPLY_MAX   256 /* an IPv4 header with options, and our packet */

static void
prepare(struct recipe *r, const char *host UNUSED, const struct template_spec *template)
{
	const uint32_t packets = template->ping.packets, rate = template->ping.loss_rate;
	uint32_t needed = packets;

	/* As few as leave the lost below the rate. */
	while (needed > 1 && (packets - needed + 1) * 100 < rate * packets)
		needed--;
	r->packets = (uint8_t)packets;
	r->packets_needed = (uint8_t)needed;
}

static bool
is_ip6(const struct probe *p)
{
	return p->recipe->target.sa.sa_family == AF_INET6;
}

static int
open_socket(struct probe *p, int type)
{
	const int flags = SOCK_NONBLOCK | SOCK_CLOEXEC;

	return is_ip6(p) ? socket(AF_INET6, type | flags, IPPROTO_ICMPV6)
			 : socket(AF_INET, type | flags, IPPROTO_ICMP);
}

/* Raw IPv6 sockets hear neighbour discovery and more; those of IPv4 have our filter below. */
static void
hear_replies_only(const struct probe *p)
{
	struct icmp6_filter only;

	if (!p->raw || !is_ip6(p))
		return;
	ICMP6_FILTER_SETBLOCKALL(&only);
	ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &only);
	setsockopt(p->fd, IPPROTO_ICMPV6, ICMP6_FILTER, &only, sizeof(only));
}

static enum probe_step
send_packets(struct probe *p)
{
	const struct recipe *r = p->recipe;
	uint8_t packet[ICMP_ECHO_SIZE];

	while (p->sent < r->packets) {
		icmp_request(is_ip6(p), p->id, (uint16_t)p->sent, p->cookie, packet);
		if (send(p->fd, packet, sizeof(packet), MSG_NOSIGNAL) < 0)
			return errno == EAGAIN || errno == ENOBUFS ? PROBE_WRITE
								   : probe_error(p, errno);
		p->sent++;
	}
	return PROBE_READ;
}

static enum probe_step
start(struct probe *p)
{
	struct addr target = recipe_target(p->recipe);

	p->fd = open_socket(p, SOCK_DGRAM);
	if (p->fd < 0 && (errno == EACCES || errno == EPERM || errno == EPROTONOSUPPORT)) {
		p->raw = true;
		p->fd = open_socket(p, SOCK_RAW);
	}
	if (p->fd < 0 && (errno == EACCES || errno == EPERM)) {
		p->text = "ping needs net.ipv4.ping_group_range to include us, or CAP_NET_RAW";
		return PROBE_STARVED;
	}
	if (p->fd < 0)
		return probe_error(p, errno);
	hear_replies_only(p);
	addr_port_set(&target, 0);
	if (connect(p->fd, &target.sa, target.len) < 0)
		return probe_error(p, errno);
	p->connected = true; /* there is no connection to wait for */
	p->cookie = (uint64_t)arc4random() << 32 | arc4random();
	p->id = (uint16_t)arc4random();
	return send_packets(p);
}

/* A reply to packet `sequence`; each counts once. */
static void
count(struct probe *p, int sequence)
{
	if (sequence < 0 || sequence >= (int)p->sent)
		return;

	const uint64_t bit = 1ull << (sequence % 64);

	if ((p->replied[sequence / 64] & bit) != 0)
		return;
	p->replied[sequence / 64] |= bit;
	p->n_replied++;
	probe_first_byte(p);
}

static enum probe_step
receive(struct probe *p)
{
	for (;;) {
		uint8_t data[REPLY_MAX];
		const ssize_t n = recv(p->fd, data, sizeof(data), 0);

		if (n < 0)
			return errno == EAGAIN ? PROBE_READ : probe_error(p, errno);
		count(p, icmp_reply(is_ip6(p), p->raw && !is_ip6(p), p->cookie, data, (size_t)n));
		if (p->n_replied >= p->recipe->packets_needed) {
			p->text = "replied";
			return PROBE_PASS;
		}
	}
}

/* One packet asks whether it lives; of several the loss is what is asked. */
static enum probe_step
again(struct probe *p)
{
	uint8_t packet[ICMP_ECHO_SIZE];

	if (p->recipe->packets > 1 || p->sent == 0)
		return p->sent < p->recipe->packets ? PROBE_WRITE : PROBE_READ;
	icmp_request(is_ip6(p), p->id, 0, p->cookie, packet);
	return probe_sent(p, send(p->fd, packet, sizeof(packet), MSG_NOSIGNAL));
}

static enum probe_step
on_io(struct probe *p)
{
	return p->sent < p->recipe->packets ? send_packets(p) : receive(p);
}

static enum probe_step
late(struct probe *p)
{
	if (p->n_replied == 0)
		return probe_fail(p, "ping_timeout", "no reply in time");
	return probe_fail(p, "ping_loss", "too many packets lost");
}

const struct protocol_row probe_ping = {
	.name = "ping",
	.prepare = prepare,
	.start = start,
	.on_io = on_io,
	.on_late = late,
	.again = again,
};
