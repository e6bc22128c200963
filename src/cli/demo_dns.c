/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/demo_dns.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/clock.h"
#include "dns/name.h"
#include "dns/query.h"
#include "dns/rrtype.h"
#include "net/sock.h"

int
demo_dns_open(uint16_t port)
{
	struct addr to;
	const int rc = addr_parse(&to, "127.0.0.1:0", 0);

	addr_port_set(&to, port);
	return rc != 0 ? rc : sock_udp_connect(&to, NULL);
}

#define ECS_OPTION 8

static void
put_u16(uint8_t *at, uint16_t v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

#define ECS_BITS  24
#define OPT_LEN   (11 + 4 + 4 + ECS_BITS / 8) /* record, option, family and lengths, network */
#define QUERY_MAX (DNS_HEADER_LEN + NAME_MAX_LEN + 4 + OPT_LEN)

/* An OPT record with the client's network (RFC 7871). */
static int
write_opt(uint8_t *out, const char *network)
{
	uint8_t ip[4];

	if (inet_pton(AF_INET, network, ip) != 1)
		return -EINVAL;
	memset(out, 0, OPT_LEN);
	put_u16(out + 1, RRTYPE_OPT);
	put_u16(out + 3, 1232); /* what we can take */
	put_u16(out + 9, OPT_LEN - 11);
	put_u16(out + 11, ECS_OPTION);
	put_u16(out + 13, OPT_LEN - 15);
	put_u16(out + 15, 1); /* IPv4 */
	out[17] = ECS_BITS;
	memcpy(out + 19, ip, ECS_BITS / 8);
	return OPT_LEN;
}

/* Header and question; returns the length or a negative errno. */
static int
write_query(uint8_t out[QUERY_MAX], uint16_t id, const char *name, uint16_t type)
{
	const int len = name_parse(name, out + DNS_HEADER_LEN);

	if (len < 0)
		return len;
	memset(out, 0, DNS_HEADER_LEN);
	put_u16(out, id);
	put_u16(out + 4, 1);
	put_u16(out + DNS_HEADER_LEN + len, type);
	put_u16(out + DNS_HEADER_LEN + len + 2, DNS_CLASS_IN);
	return DNS_HEADER_LEN + len + 4;
}

static void
write_rdata(char *out, size_t size, uint16_t type, const uint8_t *rdata, uint16_t len)
{
	if (type == RRTYPE_A && len == 4)
		inet_ntop(AF_INET, rdata, out, (socklen_t)size);
	else if (type == RRTYPE_AAAA && len == 16)
		inet_ntop(AF_INET6, rdata, out, (socklen_t)size);
	else if (type == RRTYPE_TXT && len > 0 && rdata[0] < len)
		snprintf(out, size, "%.*s", rdata[0], (const char *)rdata + 1);
	else
		snprintf(out, size, "(%u bytes)", len);
}

/* The scope in an OPT record's options; -1: it tells none. */
static int
read_scope(const uint8_t *rdata, uint16_t len)
{
	struct buf_reader r = { .data = rdata, .len = len };

	while (r.pos < len && !r.bad) {
		const uint16_t code = buf_read_u16(&r), size = buf_read_u16(&r);
		const uint8_t *option = buf_read_bytes(&r, size);

		if (code == ECS_OPTION && option != NULL && size >= 4)
			return option[3];
	}
	return -1;
}

static int
read_answer(const uint8_t *msg, size_t len, uint16_t type, struct demo_dns_answer *a)
{
	struct buf_reader r = { .data = msg, .len = len };
	uint8_t name[NAME_MAX_LEN];

	*a = (struct demo_dns_answer){
		.rcode = msg[3] & 0x0f, .aa = (msg[2] & 0x04) != 0, .scope = -1
	};
	r.pos = 4;
	unsigned questions = buf_read_u16(&r), answers = buf_read_u16(&r), others;

	others = buf_read_u16(&r);
	others += buf_read_u16(&r);

	r.pos = DNS_HEADER_LEN;
	while (questions-- > 0) {
		if (name_expand(msg, len, &r.pos, name) < 0)
			return -EBADMSG;
		(void)buf_read_u32(&r);
	}
	for (unsigned left = answers + others; left > 0; left--) {
		if (name_expand(msg, len, &r.pos, name) < 0)
			return -EBADMSG;
		const uint16_t rr = buf_read_u16(&r);

		(void)buf_read_u16(&r);
		const uint32_t ttl = buf_read_u32(&r);
		const uint16_t rdlen = buf_read_u16(&r);
		const uint8_t *rdata = buf_read_bytes(&r, rdlen);

		if (r.bad || rdata == NULL)
			return -EBADMSG;
		if (rr == RRTYPE_OPT)
			a->scope = read_scope(rdata, rdlen);
		if (left <= others || rr != type || a->n == DEMO_DNS_RDATA)
			continue;
		if (a->n == 0)
			a->ttl = ttl;
		write_rdata(a->rdata[a->n], sizeof(a->rdata[0]), type, rdata, rdlen);
		a->n++;
	}
	return 0;
}

static int
ask(int fd, const uint8_t *query, int len, uint16_t type, unsigned timeout_ms,
    struct demo_dns_answer *a)
{
	uint8_t reply[4096];
	const uint64_t deadline = clock_mono_ms() + timeout_ms;

	if (send(fd, query, (size_t)len, 0) != len)
		return -errno;
	for (;;) {
		const uint64_t now = clock_mono_ms();
		struct pollfd p = { .fd = fd, .events = POLLIN };

		if (now >= deadline)
			return -ETIMEDOUT;
		if (poll(&p, 1, (int)(deadline - now)) < 0)
			return -errno;
		const ssize_t n = recv(fd, reply, sizeof(reply), MSG_DONTWAIT);

		if (n < 0 && errno != EAGAIN)
			return -errno;
		/* a late answer to an earlier question is passed over */
		if (n >= DNS_HEADER_LEN && memcmp(reply, query, 2) == 0)
			return read_answer(reply, (size_t)n, type, a);
	}
}

static uint16_t last_id;

int
demo_dns_ask(
    int fd, const char *name, uint16_t type, unsigned timeout_ms, struct demo_dns_answer *a)
{
	uint8_t query[QUERY_MAX];
	const int len = write_query(query, ++last_id, name, type);

	return len < 0 ? len : ask(fd, query, len, type, timeout_ms, a);
}

int
demo_dns_ask_from(int fd, const char *name, uint16_t type, const char *network, unsigned timeout_ms,
    struct demo_dns_answer *a)
{
	uint8_t query[QUERY_MAX];
	const int len = write_query(query, ++last_id, name, type);
	const int opt = len < 0 ? len : write_opt(query + len, network);

	if (opt < 0)
		return opt;
	put_u16(query + 10, 1); /* additional records */
	return ask(fd, query, len + opt, type, timeout_ms, a);
}
