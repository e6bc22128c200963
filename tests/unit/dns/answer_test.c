/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rand.h"
#include "dns/answer.h"
#include "dns/rrtype.h"
#include "hex.h"

#define WIRE(s) (const uint8_t *)(s)
#define QUERY   "1234 0100 0001 0000 0000 0001 03 577777 07 6578616d706c65 00 0001 0001"
#define EDNS    QUERY "00 0029 0fa0 00 00 8000"

/* An answer taken apart by code that shares nothing with the writer but name_expand. */
struct seen {
	unsigned qd, counts[3];
	struct {
		uint8_t owner[NAME_MAX_LEN];
		uint16_t type, rdlen;
		uint32_t ttl;
		size_t rdata;
	} rr[64];
	unsigned n;
	bool opt;
	uint16_t opt_size;
	uint32_t opt_ttl;
	const uint8_t *options;
	uint16_t options_len;
};

static unsigned
u16(const uint8_t *p)
{
	return (unsigned)(p[0] << 8 | p[1]);
}

static void
take_apart(const uint8_t *msg, size_t len, struct seen *s)
{
	uint8_t name[NAME_MAX_LEN];
	size_t pos = 12;

	memset(s, 0, sizeof(*s));
	s->qd = u16(msg + 4);
	for (unsigned i = 0; i < s->qd; i++, pos += 4)
		assert_true(name_expand(msg, len, &pos, name) > 0);
	for (unsigned sec = 0; sec < 3; sec++) {
		s->counts[sec] = u16(msg + 6 + 2 * sec);
		for (unsigned i = 0; i < s->counts[sec]; i++) {
			uint16_t type, rdlen;

			assert_true(name_expand(msg, len, &pos, name) > 0);
			assert_true(pos + 10 <= len);
			type = (uint16_t)u16(msg + pos);
			rdlen = (uint16_t)u16(msg + pos + 8);
			if (type == RRTYPE_OPT) {
				assert_false(s->opt);
				s->opt = true;
				s->opt_size = (uint16_t)u16(msg + pos + 2);
				s->opt_ttl = u16(msg + pos + 4) << 16 | u16(msg + pos + 6);
				s->options = msg + pos + 10;
				s->options_len = rdlen;
			} else if (s->n < 64) {
				memcpy(s->rr[s->n].owner, name, sizeof(name));
				s->rr[s->n].type = type;
				s->rr[s->n].ttl = u16(msg + pos + 4) << 16 | u16(msg + pos + 6);
				s->rr[s->n].rdlen = rdlen;
				s->rr[s->n++].rdata = pos + 10;
			}
			pos += 10 + rdlen;
			assert_true(pos <= len);
		}
	}
	assert_int_equal(pos, len);
}

static void
query(const char *hex, struct query *q)
{
	static uint8_t msg[600];

	assert_int_equal(query_parse(msg, hex_bytes(hex, msg), q), QUERY_OK);
}

static void
minimal(void **state)
{
	uint8_t buf[512], want[64];
	struct answer a;
	struct query q;
	size_t n = hex_bytes("1234 8500 0001 0001 0000 0000 03577777 07 6578616d706c65 00 0001 0001"
			     "c00c 0001 0001 0000003c 0004 c0000201",
	    want);

	(void)state;
	query("1234 0100 0001 0000 0000 0000 03577777 07 6578616d706c65 00 0001 0001", &q);
	answer_init(&a, buf, sizeof(buf), &q);
	a.aa = true;
	assert_true(answer_rr(&a, q.qname, RRTYPE_A, 60, WIRE("\300\0\2\1"), 4));
	assert_int_equal(answer_finish(&a), n);
	assert_memory_equal(buf, want, n);
}

static void
compression(void **state)
{
	uint8_t buf[512], name[NAME_MAX_LEN];
	struct answer a;
	struct query q;
	struct seen s;
	size_t len, pos;

	(void)state;
	query(EDNS "0000", &q);
	answer_init(&a, buf, sizeof(buf), &q);
	assert_true(answer_rr(&a, q.qname, RRTYPE_CNAME, 1, WIRE("\1a\7EXAMPLE"), 11));
	assert_true(answer_rr(
	    &a, WIRE("\1a\7example"), RRTYPE_MX, 1u << 31, WIRE("\0\12\2mx\1a\7example"), 16));
	assert_true(answer_rr(
	    &a, WIRE("\1a\7example"), RRTYPE_SRV, 1, WIRE("\0\0\0\0\0\0\1a\7example"), 17));
	answer_section(&a, ANSWER_AUTHORITY);
	assert_true(answer_rr(&a, WIRE("\7example"), RRTYPE_SOA, 1,
	    WIRE("\2ns\7example\0\4host\2ns\7example\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5"),
	    49));
	answer_section(&a, ANSWER_ADDITIONAL);
	assert_true(
	    answer_rr_tail(&a, WIRE("\2NS\7example"), WIRE("\0\1\0\1\0\0\0\5\0\4\1\2\3\4"), 14));
	assert_true(answer_rr(&a, WIRE("\0"), RRTYPE_NS, 1, WIRE("\0"), 1));
	len = answer_finish(&a);
	take_apart(buf, len, &s);
	assert_int_equal(s.n, 6);
	assert_int_equal(s.rr[0].rdlen, 4); /* "a" and a pointer into the question */
	assert_true(name_equal(s.rr[1].owner, WIRE("\1a\7example")));
	assert_int_equal(s.rr[1].rdlen, 2 + 3 + 2);
	assert_int_equal(s.rr[1].ttl, 0); /* bit 31 */
	pos = s.rr[1].rdata + 2;
	assert_true(name_expand(buf, len, &pos, name) > 0);
	assert_true(name_equal(name, WIRE("\2mx\1a\7example")));
	assert_int_equal(s.rr[2].rdlen, 17); /* SRV: not of RFC 1035, never compressed */
	assert_int_equal(s.rr[3].rdlen, 3 + 2 + 5 + 2 + 20);
	pos = s.rr[3].rdata;
	assert_true(name_expand(buf, len, &pos, name) > 0);
	assert_true(name_equal(name, WIRE("\2ns\7example")));
	assert_true(name_expand(buf, len, &pos, name) > 0);
	assert_true(name_equal(name, WIRE("\4host\2ns\7example")));
	assert_int_equal(u16(buf + pos + 18), 5);
	assert_true(name_equal(s.rr[4].owner, WIRE("\2ns\7example")));
	assert_true(name_equal(s.rr[5].owner, WIRE("\0")));
	assert_true(s.opt);
}

static void
truncation(void **state)
{
	uint8_t buf[520], txt[101] = { 100 };
	struct answer_mark mark;
	struct answer a;
	struct query q;
	struct seen s;

	(void)state;
	query(EDNS "0000", &q);
	answer_init(&a, buf, sizeof(buf), &q);
	assert_true(answer_rr(&a, q.qname, RRTYPE_TXT, 1, txt, 101));
	mark = answer_mark(&a);
	for (int i = 0; i < 3; i++)
		assert_true(answer_rr(&a, q.qname, RRTYPE_TXT, 1, txt, 101));
	assert_false(answer_rr(&a, q.qname, RRTYPE_TXT, 1, txt, 101));
	answer_rollback(&a, mark);
	assert_true(a.tc);
	/* Nothing more, even if it were small. */
	assert_false(answer_rr(&a, q.qname, RRTYPE_A, 1, txt, 4));
	take_apart(buf, answer_finish(&a), &s);
	assert_int_equal(s.counts[0], 1);
	assert_true(s.opt);
	assert_int_equal(buf[2] & 2, 2);
	/* In the additional section a loss is no truncation, unless it was glue. */
	answer_init(&a, buf, sizeof(buf), &q);
	answer_section(&a, ANSWER_ADDITIONAL);
	for (int i = 0; i < 4; i++)
		assert_true(answer_rr(&a, q.qname, RRTYPE_TXT, 1, txt, 101));
	assert_false(answer_rr(&a, q.qname, RRTYPE_TXT, 1, txt, 101));
	assert_false(a.tc);
	assert_true(answer_rr(&a, q.qname, RRTYPE_A, 1, txt, 4));
	answer_require(&a);
	take_apart(buf, answer_finish(&a), &s);
	assert_int_equal(s.counts[2], 6);
	assert_int_equal(buf[2] & 2, 2);
}

static void
edns(void **state)
{
	static const char *const ecs = EDNS "000b 0008 0007 0001 14 00 c00010";
	uint8_t buf[512];
	struct answer a;
	struct query q;
	struct seen s;

	(void)state;
	query(ecs, &q);
	answer_init(&a, buf, sizeof(buf), &q);
	assert_true(answer_option(&a, 3, "me", 2));
	a.ecs_scope = 16;
	a.ede = 3 + 1;
	a.rcode = RCODE_BADCOOKIE;
	take_apart(buf, answer_finish(&a), &s);
	assert_true(s.opt);
	assert_int_equal(s.opt_size, 1232);
	assert_int_equal(s.opt_ttl, 0x01008000);
	assert_int_equal(buf[3], 7);
	assert_int_equal(s.options_len, 11 + 6 + 6);
	assert_memory_equal(s.options, "\0\10\0\7\0\1\24\20\300\0\20\0\17\0\2\0\3\0\3\0\2me", 23);
	answer_init(&a, buf, sizeof(buf), &q);
	a.echo_ecs = false;
	take_apart(buf, answer_finish(&a), &s);
	assert_int_equal(s.options_len, 0);
	/* Records come before EDE, which goes in if there is room left. */
	for (size_t spare = 5; spare <= 6; spare++) {
		static const uint8_t rdata[512];

		query(EDNS "0000", &q);
		answer_init(&a, buf, sizeof(buf), &q);
		a.ede = 4;
		assert_true(answer_rr(&a, q.qname, RRTYPE_TXT, 0, rdata,
		    (uint16_t)(sizeof(buf) - a.len - 2 - 10 - 11 - spare)));
		assert_int_equal(answer_finish(&a), sizeof(buf) - (spare < 6 ? spare : 0));
	}
	/* Its text likewise, whole or not at all. */
	for (size_t spare = 6; spare <= 10; spare++) {
		static const uint8_t rdata[512];

		query(EDNS "0000", &q);
		answer_init(&a, buf, sizeof(buf), &q);
		a.ede = 1;
		a.ede_text = "why";
		assert_true(answer_rr(&a, q.qname, RRTYPE_TXT, 0, rdata,
		    (uint16_t)(sizeof(buf) - a.len - 2 - 10 - 11 - spare)));
		assert_int_equal(
		    answer_finish(&a), sizeof(buf) - (spare < 9 ? spare - 6 : spare - 9));
	}
	/* No EDNS asked: none said. */
	query("1234 0100 0001 0000 0000 0000 00 0001 0001", &q);
	answer_init(&a, buf, sizeof(buf), &q);
	assert_false(answer_option(&a, 3, "me", 2));
	a.ede = 4;
	take_apart(buf, answer_finish(&a), &s);
	assert_false(s.opt);
	/* BADVERS is 16: lower bits in the header, upper in OPT. */
	query(QUERY "00 0029 0fa0 00 01 0000 0000", &q);
	answer_init(&a, buf, sizeof(buf), &q);
	take_apart(buf, answer_finish(&a), &s);
	assert_int_equal(buf[3], 0);
	assert_int_equal(s.opt_ttl, 0x01000000);
	/* No question understood: none echoed. */
	query("1234 0110 0000 0000 0000 0000", &q);
	answer_init(&a, buf, sizeof(buf), &q);
	assert_int_equal(answer_finish(&a), 12);
	assert_memory_equal(buf, "\22\64\201\1\0\0\0\0\0\0\0\0", 12);
}

static void
random_name(struct rand_state *r, uint8_t *out)
{
	static const char *const labels[] = { "\1a", "\2bc", "\1A", "\7example", "\3www", "\3Www" };
	size_t len = 0;

	for (uint64_t n = rand_below(r, 7); n > 0; n--) {
		const char *label = labels[rand_below(r, 6)];

		memcpy(out + len, label, (size_t)label[0] + 1);
		len += (size_t)label[0] + 1;
	}
	out[len] = 0;
}

/* Whatever names and sizes come: it decodes to what was accepted, within the limit. */
static void
random_answers(void **state)
{
	struct rand_state r;

	(void)state;
	rand_seed(&r, 5);
	for (int round = 0; round < 5000; round++) {
		static uint8_t owners[64][NAME_MAX_LEN], targets[64][NAME_MAX_LEN];
		size_t cap = 512 + rand_below(&r, 300), len;
		uint8_t *buf = malloc(cap);
		unsigned n = 0;
		struct answer a;
		struct query q;
		struct seen s;

		query(round % 2 ? EDNS "0000" : "1234 0100 0001 0000 0000 0000 00 0001 0001", &q);
		answer_init(&a, buf, cap, &q);
		answer_section(&a, ANSWER_ADDITIONAL);
		for (int i = 0; i < 60 && n < 64; i++) {
			random_name(&r, owners[n]);
			random_name(&r, targets[n]);
			n += answer_rr(&a, owners[n], RRTYPE_NS, 1, targets[n],
			    (uint16_t)name_len(targets[n]));
		}
		len = answer_finish(&a);
		assert_true(len <= cap);
		take_apart(buf, len, &s);
		assert_int_equal(s.n, n);
		for (unsigned i = 0; i < n; i++) {
			uint8_t name[NAME_MAX_LEN];
			size_t pos = s.rr[i].rdata;

			assert_true(name_equal(s.rr[i].owner, owners[i]));
			assert_true(name_expand(buf, len, &pos, name) > 0);
			assert_true(name_equal(name, targets[i]));
			assert_int_equal(pos, s.rr[i].rdata + s.rr[i].rdlen);
		}
		free(buf);
	}
}

/* Rdata that does not hold the names its type promises is left out, not read past. */
static void
bad_rdata(void **state)
{
	uint8_t buf[512];
	struct answer a;
	struct query q;

	(void)state;
	query(EDNS "0000", &q);
	answer_init(&a, buf, sizeof(buf), &q);
	answer_section(&a, ANSWER_ADDITIONAL);
	assert_false(answer_rr(&a, q.qname, RRTYPE_MX, 1, WIRE("\0"), 1));
	assert_false(answer_rr(&a, q.qname, RRTYPE_NS, 1, WIRE("\3ab"), 3));
	assert_false(answer_rr(&a, q.qname, RRTYPE_SOA, 1, WIRE("\0"), 1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(minimal),
		cmocka_unit_test(compression),
		cmocka_unit_test(truncation),
		cmocka_unit_test(edns),
		cmocka_unit_test(random_answers),
		cmocka_unit_test(bad_rdata),
	};

	return cmocka_run_group_tests_name("answer", tests, NULL, NULL);
}
