/* SPDX-License-Identifier: GPL-3.0-or-later */
/* probe_dns -- asks one question by UDP, again by TCP if truncated; rcode and answer decide. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/mem.h"
#include "dns/name.h"
#include "dns/rdata.h"
#include "dns/rrtype.h"
#include "net/sock.h"
#include "probe/conn.h"
#include "probe/dns_reply.h"
#include "probe/protocol.h"

#define QUERY_MAX 300 /* header, a name, type and class */
#define REPLY_MAX 65535
#define UDP_MAX   4096
#define CLASS_IN  1
#define RD        0x0100

static const char *const rcode_texts[16] = { "rcode noerror", "rcode formerr", "rcode servfail",
	"rcode nxdomain", "rcode notimp", "rcode refused", "rcode yxdomain", "rcode yxrrset",
	"rcode nxrrset", "rcode notauth", "rcode notzone", "rcode 11", "rcode 12", "rcode 13",
	"rcode 14", "rcode 15" };

/* The question, its id to be filled in. The model has checked the options. */
static void
prepare(struct recipe *r, const char *host UNUSED, const struct template_spec *template)
{
	const struct dns_spec *dns = &template->dns;
	uint8_t name[NAME_MAX_LEN];
	const char *why;
	struct buf b;
	int len = name_parse(dns->name, name);

	if (len < 0)
		len = name_parse(".", name);
	if (rrtype_parse(dns->type, &r->rrtype) < 0)
		r->rrtype = RRTYPE_A;
	r->rcode = (uint8_t)dns->expect_rcode;
	buf_init(&b, QUERY_MAX);
	buf_put_u16(&b, 0);
	buf_put_u16(&b, RD);
	buf_put_u16(&b, 1);
	buf_put(&b, "\0\0\0\0\0", 6);
	buf_put(&b, name, (size_t)len);
	buf_put_u16(&b, r->rrtype);
	buf_put_u16(&b, CLASS_IN);
	r->request = (char *)buf_take(&b, &r->request_len);
	if (dns->expect_answer == NULL || dns->expect_answer[0] == '\0')
		return;
	buf_init(&b, RDATA_MAX_LEN);
	if (rdata_parse(r->rrtype, dns->expect_answer, ".", &b, &why) == 0)
		r->rdata = buf_take(&b, &r->rdata_len);
	buf_fini(&b);
}

/* With the length in front, as TCP wants it. */
static size_t
query(const struct probe *p, uint8_t out[QUERY_MAX + 2])
{
	const size_t len = p->recipe->request_len;

	memcpy(out + 2, p->recipe->request, len);
	out[0] = (uint8_t)(len >> 8);
	out[1] = (uint8_t)len;
	out[2] = (uint8_t)(p->id >> 8);
	out[3] = (uint8_t)p->id;
	return len + 2;
}

/* `hops` says whether this is the second try, by TCP. */
static enum probe_step
start(struct probe *p)
{
	uint8_t text[QUERY_MAX + 2];

	p->id = (uint16_t)arc4random();
	buf_clear(&p->in);
	if (p->hops > 0)
		return probe_connect(p);

	const size_t len = query(p, text);
	const struct addr target = recipe_target(p->recipe);
	const int fd = sock_udp_connect(&target, p->recipe->source);

	if (fd < 0)
		return probe_error(p, -fd);
	p->fd = fd;
	p->connected = true; /* there is no connection to wait for */
	return send(fd, text + 2, len - 2, MSG_NOSIGNAL) < 0 ? probe_error(p, errno) : PROBE_READ;
}

/* The same question, id and all: whichever is answered. */
static enum probe_step
again(struct probe *p)
{
	uint8_t text[QUERY_MAX + 2];
	const size_t len = query(p, text);

	if (p->hops > 0)
		return PROBE_ANEW;
	return probe_sent(p, send(p->fd, text + 2, len - 2, MSG_NOSIGNAL));
}

static enum probe_step
judge(struct probe *p, const struct dns_reply *reply, const uint8_t *msg, size_t len)
{
	const struct recipe *r = p->recipe;

	p->text = rcode_texts[reply->rcode];
	if (reply->rcode != r->rcode)
		return probe_fail(p, "dns_rcode", p->text);
	if (r->rdata == NULL)
		return PROBE_PASS;
	switch (dns_reply_holds(reply, msg, len, r->rrtype, r->rdata, r->rdata_len)) {
	case 1:
		return PROBE_PASS;
	case 0:
		return probe_fail(p, "dns_answer", "the expected answer is not in the reply");
	default:
		return probe_fail(p, "dns_bad", "malformed answer");
	}
}

static enum probe_step
receive_udp(struct probe *p)
{
	uint8_t text[QUERY_MAX + 2], msg[UDP_MAX];
	const size_t len = query(p, text);
	struct dns_reply reply;
	ssize_t n;

	while ((n = recv(p->fd, msg, sizeof(msg), 0)) >= 0) {
		if (!dns_reply_read(&reply, text + 2, len - 2, msg, (size_t)n))
			continue;
		probe_first_byte(p);
		if (!reply.truncated)
			return judge(p, &reply, msg, (size_t)n);
		p->hops = 1;
		return PROBE_ANEW;
	}
	return errno == EAGAIN ? PROBE_READ : probe_error(p, errno);
}

/* Whether all of it is there, and then what it says. */
static enum probe_step
read_tcp(struct probe *p, const uint8_t *text, size_t text_len)
{
	const uint8_t *in = p->in.data;
	const size_t len = p->in.len < 2 ? 0 : (size_t)(in[0] << 8 | in[1]);
	struct dns_reply reply;

	if (p->in.len < 2 || p->in.len < len + 2)
		return PROBE_READ;
	if (!dns_reply_read(&reply, text + 2, text_len - 2, in + 2, len))
		return probe_fail(p, "dns_bad", "not a reply to the question");
	return judge(p, &reply, in + 2, len);
}

static enum probe_step
receive_tcp(struct probe *p, const uint8_t *text, size_t text_len)
{
	enum probe_step step = PROBE_READ;

	while (step == PROBE_READ) {
		uint8_t chunk[UDP_MAX];
		const size_t room = REPLY_MAX + 1 - p->in.len;
		const size_t n =
		    conn_receive(p, chunk, room < sizeof(chunk) ? room : sizeof(chunk), &step);

		if (n == 0 && step == PROBE_PASS)
			return probe_fail(p, "dns_bad", "closed before the reply was complete");
		if (n == 0)
			return step;
		buf_put(&p->in, chunk, n);
		step = read_tcp(p, text, text_len);
	}
	return step;
}

static enum probe_step
on_io(struct probe *p)
{
	uint8_t text[QUERY_MAX + 2];
	enum probe_step step;

	if (p->hops == 0)
		return receive_udp(p);

	const size_t len = query(p, text);

	step = conn_ready(p);
	if (step == PROBE_PASS)
		step = conn_request(p, (const char *)text, len);
	return step == PROBE_PASS ? receive_tcp(p, text, len) : step;
}

const struct protocol_row probe_dns = {
	.name = "dns",
	.late = "dns_timeout",
	.late_text = "no reply in time",
	.prepare = prepare,
	.start = start,
	.on_io = on_io,
	.again = again,
};
