/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rand.h"
#include "dns/query.h"
#include "hex.h"

#define DROP                        (-1)
#define QNAME                       "03 577777 07 6578616d706c65 00" /* Www.example */
#define QUESTION                    QNAME "0001 0001"
#define HEAD(flags, qd, an, ns, ar) "1234" flags qd an ns ar
#define PLAIN                       HEAD("0100", "0001", "0000", "0000", "0000") QUESTION
#define WITH_AR(rest)               HEAD("0000", "0001", "0000", "0000", "0001") QUESTION rest
#define OPT(len, options)           "00 0029 04d0 00 00 8000" len options

/* What a message must become; `edns` and `question` tell what the answer can echo. */
static const struct row {
	const char *what;
	const char *hex;
	int rcode;
	bool question, edns;
} rows[] = {
	{ "plain", PLAIN, RCODE_NOERROR, true, false },
	{ "edns", WITH_AR(OPT("0000", "")), RCODE_NOERROR, true, true },
	{ "empty", "", DROP, false, false },
	{ "11 bytes", "1234 0100 0001 0000 0000 00", DROP, false, false },
	{ "a response", HEAD("8100", "0001", "0000", "0000", "0000") QUESTION, DROP, false, false },
	{ "header only", HEAD("0100", "0000", "0000", "0000", "0000"), RCODE_FORMERR, false,
	    false },
	{ "no question but a cookie",
	    HEAD("0100", "0000", "0000", "0000", "0001") OPT("000c", "000a 0008 0102030405060708"),
	    RCODE_NOERROR, false, true },
	{ "no question, no cookie", HEAD("0100", "0000", "0000", "0000", "0001") OPT("0000", ""),
	    RCODE_FORMERR, false, true },
	{ "no question, version 1",
	    HEAD("0100", "0000", "0000", "0000", "0001") "00 0029 04d0 00 01 0000 0000",
	    RCODE_BADVERS, false, true },
	{ "two questions", HEAD("0100", "0002", "0000", "0000", "0000") QUESTION QUESTION,
	    RCODE_FORMERR, false, false },
	{ "no question there", HEAD("0100", "0001", "0000", "0000", "0000"), RCODE_FORMERR, false,
	    false },
	{ "name cut", HEAD("0100", "0001", "0000", "0000", "0000") "03 7777", RCODE_FORMERR, false,
	    false },
	{ "class cut", HEAD("0100", "0001", "0000", "0000", "0000") QNAME "0001 00", RCODE_FORMERR,
	    false, false },
	{ "pointer in the question", HEAD("0100", "0001", "0000", "0000", "0000") "c00c 0001 0001",
	    RCODE_FORMERR, false, false },
	{ "label type 01", HEAD("0100", "0001", "0000", "0000", "0000") "41 61 00 0001 0001",
	    RCODE_FORMERR, false, false },
	{ "root", HEAD("0100", "0001", "0000", "0000", "0000") "00 0002 0001", RCODE_NOERROR, true,
	    false },
	{ "opcode 1", HEAD("0900", "0001", "0000", "0000", "0000") QUESTION, RCODE_NOTIMP, true,
	    false },
	{ "opcode 1, edns", HEAD("0900", "0001", "0000", "0000", "0001") QUESTION OPT("0000", ""),
	    RCODE_NOTIMP, true, true },
	{ "opcode 1, edns version 1",
	    HEAD("0900", "0001", "0000", "0000", "0001") QUESTION "00 0029 04d0 00 01 0000 0000",
	    RCODE_NOTIMP, true, true },
	{ "opcode 15, no question", HEAD("7900", "0000", "0000", "0000", "0000"), RCODE_NOTIMP,
	    false, false },
	{ "notify with a body", HEAD("2400", "0001", "0001", "0000", "0000") QUESTION "ff ff",
	    RCODE_NOERROR, true, false },
	{ "update with a body", HEAD("2800", "0001", "0001", "0002", "0003") QUESTION "01",
	    RCODE_NOERROR, true, false },
	{ "trailing byte", PLAIN "00", RCODE_FORMERR, true, false },
	{ "trailing after opt", WITH_AR(OPT("0000", "")) "00", RCODE_FORMERR, true, true },
	{ "ar counted, none there", WITH_AR(""), RCODE_FORMERR, true, false },
	{ "opt cut", WITH_AR("00 0029 04d0 00 00 80"), RCODE_FORMERR, true, false },
	{ "opt rdata cut", WITH_AR(OPT("0004", "0003 00")), RCODE_FORMERR, true, false },
	{ "signed",
	    HEAD("0000", "0001", "0000", "0000", "0002")
		QUESTION OPT("0000", "") "01 6b 00 00fa 00ff 00000000 0000",
	    RCODE_NOERROR, true, true },
	{ "not signed as the last",
	    HEAD("0000", "0001", "0000", "0000", "0002") QUESTION
	    "01 6b 00 00fa 00ff 00000000 0000" OPT("0000", ""),
	    RCODE_FORMERR, true, false },
	{ "signed twice",
	    HEAD("0000", "0001", "0000", "0000", "0002") QUESTION
	    "01 6b 00 00fa 00ff 00000000 0000"
	    "01 6b 00 00fa 00ff 00000000 0000",
	    RCODE_FORMERR, true, false },
	{ "signed in authority",
	    HEAD("0000", "0001", "0000", "0001", "0000") QUESTION
	    "01 6b 00 00fa 00ff 00000000 0000",
	    RCODE_FORMERR, true, false },
	{ "two opt",
	    HEAD("0000", "0001", "0000", "0000", "0002") QUESTION OPT("0000", "") OPT("0000", ""),
	    RCODE_FORMERR, true, true },
	{ "opt with an owner", WITH_AR("0161" OPT("0000", "")), RCODE_FORMERR, true, false },
	{ "opt owned by a pointer", WITH_AR("c018 0029 04d0 0000 8000 0000"), RCODE_FORMERR, true,
	    false },
	{ "opt in the answer",
	    HEAD("0000", "0001", "0001", "0000", "0000") QUESTION OPT("0000", ""), RCODE_FORMERR,
	    true, false },
	{ "opt in authority", HEAD("0000", "0001", "0000", "0001", "0000") QUESTION OPT("0000", ""),
	    RCODE_FORMERR, true, false },
	{ "version 1", WITH_AR("00 0029 04d0 00 01 0000 0000"), RCODE_BADVERS, true, true },
	{ "version 1, odd options", WITH_AR("00 0029 04d0 00 01 0000 0002 ffff"), RCODE_BADVERS,
	    true, true },
	{ "version 1 and trailing", WITH_AR("00 0029 04d0 00 01 0000 0000 00"), RCODE_FORMERR, true,
	    true },
	{ "option header cut", WITH_AR(OPT("0003", "0003 00")), RCODE_FORMERR, true, true },
	{ "option over the end", WITH_AR(OPT("0005", "0003 0002 00")), RCODE_FORMERR, true, true },
	{ "unknown option", WITH_AR(OPT("0005", "ffee 0001 00")), RCODE_NOERROR, true, true },
	{ "record before opt",
	    HEAD("0000", "0001", "0000", "0000", "0002") QUESTION
	    "c00c 0001 0001 00000000 0004 01020304" OPT("0000", ""),
	    RCODE_NOERROR, true, true },
	{ "soa in authority (ixfr)",
	    HEAD("0000", "0001", "0000", "0001", "0000") QUESTION "c00c 0006 0001 00000000 0001 00",
	    RCODE_NOERROR, true, false },
	{ "pointer owner cut", WITH_AR("c0"), RCODE_FORMERR, true, false },
	{ "ecs v4 /24", WITH_AR(OPT("000b", "0008 0007 0001 18 00 c00002")), RCODE_NOERROR, true,
	    true },
	{ "ecs v6 /56", WITH_AR(OPT("000f", "0008 000b 0002 38 00 20010db8000001")), RCODE_NOERROR,
	    true, true },
	{ "ecs v4 /0", WITH_AR(OPT("0008", "0008 0004 0001 00 00")), RCODE_NOERROR, true, true },
	{ "ecs family 0 /0", WITH_AR(OPT("0008", "0008 0004 0000 00 00")), RCODE_NOERROR, true,
	    true },
	{ "ecs family 0 /8", WITH_AR(OPT("0009", "0008 0005 0000 08 00 0a")), RCODE_FORMERR, true,
	    true },
	{ "ecs family 3", WITH_AR(OPT("0008", "0008 0004 0003 00 00")), RCODE_FORMERR, true, true },
	{ "ecs v4 /33", WITH_AR(OPT("000d", "0008 0009 0001 21 00 0102030480")), RCODE_FORMERR,
	    true, true },
	{ "ecs v6 /129",
	    WITH_AR(OPT("0019", "0008 0015 0002 81 00 00000000000000000000000000000000 80")),
	    RCODE_FORMERR, true, true },
	{ "ecs address short", WITH_AR(OPT("000a", "0008 0006 0001 18 00 c000")), RCODE_FORMERR,
	    true, true },
	{ "ecs address long", WITH_AR(OPT("000c", "0008 0008 0001 18 00 c0000200")), RCODE_FORMERR,
	    true, true },
	{ "ecs bits after /20", WITH_AR(OPT("000b", "0008 0007 0001 14 00 c00001")), RCODE_FORMERR,
	    true, true },
	{ "ecs scope", WITH_AR(OPT("000b", "0008 0007 0001 18 18 c00002")), RCODE_FORMERR, true,
	    true },
	{ "ecs of 3 bytes", WITH_AR(OPT("0007", "0008 0003 0001 00")), RCODE_FORMERR, true, true },
	{ "cookie 8", WITH_AR(OPT("000c", "000a 0008 0102030405060708")), RCODE_NOERROR, true,
	    true },
	{ "cookie 16", WITH_AR(OPT("0014", "000a 0010 01020304050607080102030405060708")),
	    RCODE_NOERROR, true, true },
	{ "cookie 7", WITH_AR(OPT("000b", "000a 0007 01020304050607")), RCODE_FORMERR, true, true },
	{ "cookie 9", WITH_AR(OPT("000d", "000a 0009 010203040506070809")), RCODE_FORMERR, true,
	    true },
	{ "cookie 15", WITH_AR(OPT("0013", "000a 000f 010203040506070801020304050607")),
	    RCODE_FORMERR, true, true },
	{ "cookie 41",
	    WITH_AR(OPT("002d", "000a 0029 0102030405060708 0102030405060708 0102030405060708"
				"0102030405060708 0102030405060708 01")),
	    RCODE_FORMERR, true, true },
};

static enum query_verdict
parse(const char *hex, uint8_t *msg, struct query *q)
{
	uint8_t *exact;
	size_t len = hex_bytes(hex, msg);
	enum query_verdict v;

	/* Twice: from a block of just that size, so that a sanitizer sees reading past the end. */
	exact = malloc(len + (len == 0));
	memcpy(exact, msg, len);
	v = query_parse(exact, len, q);
	free(exact);
	assert_int_equal(query_parse(msg, len, q), v);
	return v;
}

static void
table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t msg[600];
		struct query q;
		enum query_verdict v = parse(rows[i].hex, msg, &q);

		if (rows[i].rcode == DROP) {
			assert_int_equal(v, QUERY_DROP);
			continue;
		}
		if (v != QUERY_OK || q.rcode != rows[i].rcode || q.has_edns != rows[i].edns ||
		    q.has_question != rows[i].question)
			fail_msg("%s: verdict %d rcode %u question %d edns %d", rows[i].what, v,
			    q.rcode, q.has_question, q.has_edns);
		assert_int_equal(q.id, 0x1234);
	}
}

static void
fields(void **state)
{
	uint8_t msg[600];
	struct query q;

	(void)state;
	assert_int_equal(parse(PLAIN, msg, &q), QUERY_OK);
	assert_true(q.rd);
	assert_false(q.cd);
	assert_int_equal(q.qtype, 1);
	assert_int_equal(q.qclass, 1);
	assert_int_equal(q.path.labels, 2);
	assert_int_equal(q.path.len, 13);
	assert_memory_equal(q.qname, "\3www\7example", 13);
	assert_memory_equal(q.qname_wire, "\3Www\7example", 13);
	assert_int_equal(q.body_off, 29);
	assert_int_equal(q.udp_size, 512);
	assert_int_equal(parse(WITH_AR(OPT("001b", "0003 0000 0008 0007 0001 14 00 c00010"
						   "000a 0008 0102030405060708")),
			     msg, &q),
	    QUERY_OK);
	assert_int_equal(q.rcode, RCODE_NOERROR);
	assert_true(q.wants_nsid && q.dnssec_ok && q.has_ecs);
	assert_int_equal(q.udp_size, 1232);
	assert_int_equal(q.ecs.family, 1);
	assert_int_equal(q.ecs.source, 20);
	assert_memory_equal(q.ecs.addr, "\300\0\20\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	assert_int_equal(q.cookie_len, 8);
	assert_memory_equal(q.cookie, "\1\2\3\4\5\6\7\10", 8);
	assert_int_equal(parse(WITH_AR("00 0029 0010 00 00 0000 0000"), msg, &q), QUERY_OK);
	assert_int_equal(q.udp_size, 512);
	assert_false(q.dnssec_ok);
}

/* Cut and flipped messages: nothing to check but that it stays inside and says something sane. */
static void
mutations(void **state)
{
	struct rand_state r;

	(void)state;
	rand_seed(&r, 11);
	for (int i = 0; i < 50000; i++) {
		uint8_t msg[600];
		size_t len =
		    hex_bytes(rows[rand_below(&r, sizeof(rows) / sizeof(rows[0]))].hex, msg);
		uint8_t *exact;
		struct query q;

		for (uint64_t n = rand_below(&r, 4); n > 0 && len > 0; n--)
			msg[rand_below(&r, len)] = (uint8_t)rand_next(&r);
		if (len > 0 && rand_below(&r, 3) == 0)
			len = rand_below(&r, len);
		exact = malloc(len + (len == 0));
		memcpy(exact, msg, len);
		if (query_parse(exact, len, &q) == QUERY_OK && q.has_question)
			assert_int_equal(name_len(q.qname), q.path.len);
		free(exact);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table),
		cmocka_unit_test(fields),
		cmocka_unit_test(mutations),
	};

	return cmocka_run_group_tests_name("query", tests, NULL, NULL);
}
