/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/frame.h"

#include <arpa/inet.h>
#include <string.h>

#define MAC_LEN        6
#define ETHERNET_LEN   14
#define TAG_LEN        4
#define TYPE_AT        12
#define TYPE_IPV4      0x0800
#define TYPE_IPV6      0x86dd
#define TYPE_TAG       0x8100
#define TYPE_OUTER_TAG 0x88a8
#define IPV4_LEN       20
#define IPV6_LEN       40
#define UDP_LEN        8
#define PROTOCOL_UDP   17
#define HOPS           64

static uint16_t
load16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static void
store16(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* ---- the checksum of the internet (RFC 1071), in this machine's byte order ---- */

static uint64_t
add(uint64_t sum, const uint8_t *p, size_t len)
{
	for (; len >= 8; len -= 8, p += 8) {
		uint64_t v;

		memcpy(&v, p, sizeof(v));
		sum += (v & UINT32_MAX) + (v >> 32);
	}
	for (; len >= 2; len -= 2, p += 2) {
		uint16_t v;

		memcpy(&v, p, sizeof(v));
		sum += v;
	}
	if (len > 0) { /* as if a zero followed */
		uint16_t v = 0;

		memcpy(&v, p, 1);
		sum += v;
	}
	return sum;
}

static uint16_t
fold(uint64_t sum)
{
	while (sum >> 16 != 0)
		sum = (sum & UINT16_MAX) + (sum >> 16);
	return (uint16_t)sum;
}

/* Both addresses, the protocol and the length. The addresses follow each other in either header. */
static uint64_t
pseudo(const struct frame *f, const uint8_t *bytes, size_t udp_len)
{
	const uint64_t sum = htons(PROTOCOL_UDP) + (uint64_t)htons((uint16_t)udp_len);

	return f->v6 ? add(sum, bytes + f->ip_at + 8, 32) : add(sum, bytes + f->ip_at + 12, 8);
}

/* ---- apart ---- */

static bool
checks_out(const struct frame *f)
{
	const size_t udp_len = UDP_LEN + (size_t)f->data_len;
	const uint8_t *udp = f->bytes + f->udp_at;
	const uint64_t sum = pseudo(f, f->bytes, udp_len);
	uint16_t told;

	memcpy(&told, udp + 6, sizeof(told));
	if (told == 0)
		return !f->v6; /* RFC 8200 8.1: only IPv4 may go without */
	return fold(add(sum, udp, udp_len)) == UINT16_MAX || fold(sum) == told;
}

/* The kernel's stack would have dropped what comes from there. */
static bool
is_martian(const struct frame *f)
{
	const uint8_t *ip = f->bytes + f->ip_at;
	static const uint8_t none[16];

	if (load16(f->bytes + f->udp_at) == 0 || (f->bytes[MAC_LEN] & 1) != 0)
		return true;
	if (!f->v6)
		return ip[12] == 0 || ip[12] == 127 || ip[12] >= 224;
	return ip[8] == 0xff || (memcmp(ip + 8, none, 15) == 0 && ip[8 + 15] <= 1);
}

/* Lengths: of what remains of the frame from the IP header on, and of what IP carries. */
static enum frame_kind
parse_ipv4(struct frame *f, size_t left, size_t *carried)
{
	const uint8_t *ip = f->bytes + f->ip_at;

	if (left < IPV4_LEN)
		return FRAME_DAMAGED;
	if (ip[0] != 0x45 || ip[9] != PROTOCOL_UDP || (load16(ip + 6) & 0x3fff) != 0)
		return FRAME_OTHER;

	const size_t total = load16(ip + 2);

	if (total < IPV4_LEN || total > left || fold(add(0, ip, IPV4_LEN)) != UINT16_MAX)
		return FRAME_DAMAGED;
	*carried = total - IPV4_LEN;
	f->udp_at = (uint8_t)(f->ip_at + IPV4_LEN);
	return FRAME_UDP;
}

static enum frame_kind
parse_ipv6(struct frame *f, size_t left, size_t *carried)
{
	const uint8_t *ip = f->bytes + f->ip_at;

	if (left < IPV6_LEN)
		return FRAME_DAMAGED;
	if (ip[0] >> 4 != 6 || ip[6] != PROTOCOL_UDP)
		return FRAME_OTHER;
	*carried = load16(ip + 4);
	if (*carried > left - IPV6_LEN)
		return FRAME_DAMAGED;
	f->udp_at = (uint8_t)(f->ip_at + IPV6_LEN);
	return FRAME_UDP;
}

enum frame_kind
frame_parse(struct frame *f, const uint8_t *bytes, size_t len)
{
	size_t at = TYPE_AT, carried = 0;

	if (len < ETHERNET_LEN + TAG_LEN)
		return FRAME_DAMAGED;
	if (load16(bytes + at) == TYPE_TAG || load16(bytes + at) == TYPE_OUTER_TAG)
		at += TAG_LEN;

	const uint16_t type = load16(bytes + at);

	if (type != TYPE_IPV4 && type != TYPE_IPV6)
		return FRAME_OTHER;
	*f = (struct frame){ .bytes = bytes, .v6 = type == TYPE_IPV6, .ip_at = (uint8_t)(at + 2) };

	const enum frame_kind kind = f->v6 ? parse_ipv6(f, len - f->ip_at, &carried)
					   : parse_ipv4(f, len - f->ip_at, &carried);

	if (UNLIKELY(kind != FRAME_UDP))
		return kind;
	if (carried < UDP_LEN)
		return FRAME_DAMAGED;

	const size_t udp_len = load16(bytes + f->udp_at + 4);

	if (udp_len < UDP_LEN || udp_len > carried)
		return FRAME_DAMAGED;
	f->data_at = (uint8_t)(f->udp_at + UDP_LEN);
	f->data_len = (uint16_t)(udp_len - UDP_LEN);
	if (!checks_out(f))
		return FRAME_DAMAGED;
	return is_martian(f) ? FRAME_MARTIAN : FRAME_UDP;
}

void
frame_peer(const struct frame *f, unsigned ifindex, struct addr *peer)
{
	const uint8_t *ip = f->bytes + f->ip_at;

	addr_ip_set(peer, f->v6 ? AF_INET6 : AF_INET, f->v6 ? ip + 8 : ip + 12,
	    load16(f->bytes + f->udp_at));
	if (f->v6 && IN6_IS_ADDR_LINKLOCAL(&peer->in6.sin6_addr))
		peer->in6.sin6_scope_id = ifindex;
}

void
frame_local(const struct frame *f, struct addr *local)
{
	const uint8_t *ip = f->bytes + f->ip_at;

	addr_ip_set(local, f->v6 ? AF_INET6 : AF_INET, f->v6 ? ip + 24 : ip + 16,
	    load16(f->bytes + f->udp_at + 2));
}

/* ---- the answer ---- */

static void
write_ipv4(const uint8_t *in, uint8_t *out, uint16_t id, size_t udp_len)
{
	memset(out, 0, IPV4_LEN);
	out[0] = 0x45;
	store16(out + 2, IPV4_LEN + udp_len);
	store16(out + 4, id);
	out[8] = HOPS;
	out[9] = PROTOCOL_UDP;
	memcpy(out + 12, in + 16, 4);
	memcpy(out + 16, in + 12, 4);

	const uint16_t sum = (uint16_t)~fold(add(0, out, IPV4_LEN));

	memcpy(out + 10, &sum, sizeof(sum));
}

static void
write_ipv6(const uint8_t *in, uint8_t *out, size_t udp_len)
{
	memset(out, 0, 8);
	out[0] = 0x60;
	store16(out + 4, udp_len);
	out[6] = PROTOCOL_UDP;
	out[7] = HOPS;
	memcpy(out + 8, in + 24, 16);
	memcpy(out + 24, in + 8, 16);
}

static void
write_udp(const struct frame *f, uint8_t *out, size_t udp_len)
{
	const uint8_t *in = f->bytes + f->udp_at;
	uint8_t *udp = out + f->udp_at;

	memcpy(udp, in + 2, 2);
	memcpy(udp + 2, in, 2);
	store16(udp + 4, udp_len);
	store16(udp + 6, 0);

	uint16_t sum = (uint16_t)~fold(add(pseudo(f, out, udp_len), udp, udp_len));

	if (sum == 0) /* which would say: none */
		sum = UINT16_MAX;
	memcpy(udp + 6, &sum, sizeof(sum));
}

size_t
frame_answer(const struct frame *f, uint16_t id, uint8_t *out, size_t len)
{
	const size_t udp_len = UDP_LEN + len, total = f->data_at + len;

	memcpy(out, f->bytes + MAC_LEN, MAC_LEN);
	memcpy(out + MAC_LEN, f->bytes, MAC_LEN);
	memcpy(out + TYPE_AT, f->bytes + TYPE_AT, f->ip_at - (size_t)TYPE_AT); /* and the tag */
	if (f->v6)
		write_ipv6(f->bytes + f->ip_at, out + f->ip_at, udp_len);
	else
		write_ipv4(f->bytes + f->ip_at, out + f->ip_at, id, udp_len);
	write_udp(f, out, udp_len);
	if (total >= FRAME_MIN)
		return total;
	memset(out + total, 0, FRAME_MIN - total);
	return FRAME_MIN;
}
