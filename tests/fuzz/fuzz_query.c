/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A request as it comes from a stranger, and an answer made of it: the first byte picks the limit
 * and what is answered, the rest is the message. The answer must keep to the limit and be one
 * that a resolver can read: its names expand, its counts hold.
 */
#include <string.h>

#include "base/check.h"
#include "dns/answer.h"
#include "dns/rrtype.h"
#include "target.h"

static size_t
u16(const uint8_t *p)
{
	return (size_t)(p[0] << 8 | p[1]);
}

static void
check_answer(const uint8_t *msg, size_t len)
{
	size_t records = u16(msg + 6) + u16(msg + 8) + u16(msg + 10);
	uint8_t name[NAME_MAX_LEN];
	size_t pos = DNS_HEADER_LEN;

	if (u16(msg + 4) == 1) {
		CHECK(name_expand(msg, len, &pos, name) > 0);
		pos += 4;
	}
	for (; records > 0; records--) {
		CHECK(name_expand(msg, len, &pos, name) > 0 && pos + 10 <= len);
		pos += 10 + u16(msg + pos + 8);
		CHECK(pos <= len);
	}
	CHECK(pos == len);
}

static void
write_records(struct answer *a, const struct query *q, uint8_t how)
{
	static const uint8_t address[] = { 192, 0, 2, 1 };
	static const uint8_t tail[] = { 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1 };
	const uint8_t *qname = q->has_question ? q->qname : (const uint8_t *)"";
	/* Suffixes of the question as owners and targets: what compression is about. */
	const uint8_t *up = name_skip(qname, q->path.labels / 2u);
	unsigned n = how >> 3;

	answer_rr(a, qname, RRTYPE_CNAME, 60, q->qname_wire, (uint16_t)(n > 0 ? q->path.len : 0));
	for (; n > 0; n--) {
		struct answer_mark mark = answer_mark(a);

		if (n == 20)
			answer_section(a, ANSWER_AUTHORITY);
		if (n == 10)
			answer_section(a, ANSWER_ADDITIONAL);
		mark = answer_mark(a);
		answer_rr(a, up, RRTYPE_NS, 60, qname, (uint16_t)name_len(qname));
		if (!answer_rr(a, qname, RRTYPE_A, 60, address, sizeof(address)))
			answer_rollback(a, mark);
		answer_rr_tail(a, name_skip(up, name_labels(up) / 2), tail, sizeof(tail));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t buf[4096];
	size_t cap, len;
	struct answer a;
	struct query q;

	if (size == 0 || query_parse(data + 1, size - 1, &q) == QUERY_DROP)
		return 0;
	if (q.has_question)
		CHECK(name_len(q.qname) == q.path.len && name_labels(q.qname) == q.path.labels);
	cap = data[0] & 1 ? 512 : data[0] & 2 ? 1232 : sizeof(buf);
	answer_init(&a, buf, cap, &q);
	if (data[0] & 4)
		answer_option(&a, 10, "0123456789abcdef01234567", 24);
	a.ede = data[0] & 8;
	write_records(&a, &q, data[0]);
	len = answer_finish(&a);
	CHECK(len <= cap);
	check_answer(buf, len);
	return 0;
}
