/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The short way against the long way: random queries, whole and spoilt, over the zones of hosted.c.
 * What respond_hot answers must be what respond_any says, octet for octet, and be counted alike.
 */
#include "serve/respond.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <urcu/urcu-qsbr.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/rand.h"
#include "dns/query.h"
#include "dns/rrtype.h"
#include "hosted.h"

#define ROUNDS 400000

static const char *const hosts[] = { "www", "alias", "chain1", "mail", "ns1", "gtm", "down", "cdn",
	"hidden", "x.gtm", "sub", "www.sub", "child", "a.child", "ent", "b.ent", "a.b.ent", "wild",
	"a.wild", "b.a.wild", "a.wildc", "dn", "host.dn", "big", "svc", "nullmx", "empty", "host",
	"nothing", "*", "*.wild", "ns.sub" };
static const char *const apexes[] = { "example.com", "example.com", "example.com",
	"child.example.com", "other.test", "hub.test", "nsec.test", "nsec3.test", "com", "" };
static const uint16_t types[] = { RRTYPE_A, RRTYPE_A, RRTYPE_A, RRTYPE_AAAA, RRTYPE_AAAA,
	RRTYPE_TXT, RRTYPE_MX, RRTYPE_NS, RRTYPE_SOA, RRTYPE_CNAME, RRTYPE_HTTPS, RRTYPE_DS,
	RRTYPE_RRSIG, RRTYPE_NSEC, RRTYPE_ANY, RRTYPE_SRV, RRTYPE_AXFR, RRTYPE_IXFR, RRTYPE_OPT,
	300 };

struct bench {
	struct zones *zones;
	struct serve_options *options;
	const struct serve_options *published;
	struct respond_counters hot, any;
	struct rand_state dice;
	unsigned answered;
};

static bool
one_in(struct bench *b, unsigned n)
{
	return rand_below(&b->dice, n) == 0;
}

#define PICK(b, list) ((list)[rand_below(&(b)->dice, ARRAY_LEN(list))])

static void
put_name(struct bench *b, struct buf *out)
{
	char text[600] = "";
	uint8_t wire[NAME_MAX_LEN];
	const char *apex = PICK(b, apexes);
	int len;

	if (one_in(b, 8)) /* long, or deep */
		for (uint64_t n = rand_below(&b->dice, 40); n > 0; n--)
			strcat(text, one_in(b, 2) ? "a." : "longerlabel.");
	if (!one_in(b, 10)) {
		strcat(text, PICK(b, hosts));
		strcat(text, ".");
	}
	strcat(text, apex);
	len = name_parse(*text == '\0' ? "." : text, wire);
	if (len < 0) {
		put_name(b, out);
		return;
	}
	for (int i = 0; i < len; i++)
		if (wire[i] >= 'a' && wire[i] <= 'z' && one_in(b, 4))
			wire[i] = (uint8_t)(wire[i] - 0x20);
	buf_put(out, wire, (size_t)len);
}

static void
put_ecs(struct bench *b, struct buf *out)
{
	const bool v6 = one_in(b, 3);
	const uint8_t source = one_in(b, 6) ? 0 : (uint8_t)rand_below(&b->dice, v6 ? 129 : 33);
	const unsigned octets = (source + 7u) / 8;

	buf_put_u16(out, 8);
	buf_put_u16(out, (uint16_t)(4 + octets));
	buf_put_u16(out, source == 0 && one_in(b, 3) ? 0 : v6 ? 2 : 1);
	buf_put_u8(out, source);
	buf_put_u8(out, one_in(b, 20) ? 1 : 0);
	for (unsigned i = 0; i < octets; i++) {
		const uint8_t v = (uint8_t)rand_below(&b->dice, 256);
		const bool last = i + 1 == octets && source % 8 != 0 && !one_in(b, 10);

		buf_put_u8(out, last ? (uint8_t)(v & 0xff00 >> source % 8) : v);
	}
}

static void
put_opt(struct bench *b, struct buf *out)
{
	static const uint16_t sizes[] = { 0, 511, 512, 600, 1232, 4096 };
	struct buf options;

	buf_init(&options, 512);
	if (one_in(b, 3))
		put_ecs(b, &options);
	if (one_in(b, 8)) { /* a cookie, NSID, or one that nobody knows */
		const uint16_t code = (uint16_t[]){ 10, 3, 12, 65001 }[rand_below(&b->dice, 4)];

		buf_put_u16(&options, code);
		buf_put_u16(&options, code == 10 ? 8 : 0);
		if (code == 10)
			buf_put_u64(&options, 0x1122334455667788);
	}
	buf_put_u8(out, one_in(b, 60));
	buf_put_u16(out, one_in(b, 60) ? RRTYPE_A : RRTYPE_OPT);
	buf_put_u16(out, PICK(b, sizes));
	buf_put_u8(out, one_in(b, 60));
	buf_put_u8(out, one_in(b, 60));
	buf_put_u16(out, one_in(b, 3) ? 0x8000 : one_in(b, 30) ? 0x4001 : 0);
	buf_put_u16(out, (uint16_t)options.len);
	buf_put(out, options.data, options.len);
	buf_fini(&options);
}

static void
make_query(struct bench *b, struct buf *out)
{
	const bool edns = !one_in(b, 3);

	buf_put_u16(out, (uint16_t)rand_below(&b->dice, 65536));
	buf_put_u8(out, one_in(b, 40) ? (uint8_t)rand_below(&b->dice, 256)
				      : (uint8_t)(one_in(b, 2) | one_in(b, 9) << 1));
	buf_put_u8(out, one_in(b, 9) ? (uint8_t)rand_below(&b->dice, 256) : 0);
	buf_put_u16(out, one_in(b, 80) ? (uint16_t)rand_below(&b->dice, 3) : 1);
	buf_put_u16(out, one_in(b, 80));
	buf_put_u16(out, one_in(b, 80));
	buf_put_u16(out, one_in(b, 80) ? (uint16_t)rand_below(&b->dice, 3) : edns);
	put_name(b, out);
	buf_put_u16(out, PICK(b, types));
	buf_put_u16(out, one_in(b, 40) ? DNS_CLASS_CH : DNS_CLASS_IN);
	if (edns)
		put_opt(b, out);
	if (one_in(b, 60)) /* something behind it, or not all of it */
		buf_put_u8(out, 0);
	if (one_in(b, 60))
		out->len = rand_below(&b->dice, out->len);
}

static void
check_counters(const struct bench *b)
{
	assert_memory_equal(&b->hot, &b->any, sizeof(b->hot));
}

static void
ask_both(struct bench *b, const uint8_t *in, size_t len, const struct addr *peer)
{
	static uint8_t hot[RESPOND_MAX], any[RESPOND_MAX];
	const struct respond_client from = {
		.transport = one_in(b, 4) ? RESPOND_TCP : RESPOND_UDP,
		.peer = peer,
	};
	struct respond r = {
		.zones = b->zones,
		.edns_udp_size = 1232,
		.options = &b->published,
		.counters = &b->hot,
	};
	const size_t cap = from.transport == RESPOND_UDP ? 1232 : RESPOND_MAX;
	const struct respond_counters before = b->hot;
	const size_t n = respond_hot(&r, &from, in, len, hot, cap);

	if (n == 0) {
		assert_memory_equal(&before, &b->hot, sizeof(before));
		return;
	}
	b->answered++;
	r.counters = &b->any;
	assert_int_equal(respond_any(&r, &from, in, len, any, cap), n);
	assert_memory_equal(hot, any, n);
}

static int
set_up(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	urcu_qsbr_register_thread();
	b->zones = hosted_new();
	b->options = serve_options_new();
	b->published = b->options;
	rand_seed(&b->dice, 7);
	*state = b;
	return 0;
}

static int
tear_down(void **state)
{
	struct bench *b = *state;

	serve_options_free(&b->options);
	urcu_qsbr_barrier();
	hosted_free(&b->zones);
	urcu_qsbr_unregister_thread();
	free(b);
	return 0;
}

static void
says_what_the_long_way_says(void **state)
{
	struct bench *b = *state;
	struct addr peers[2];

	assert_int_equal(addr_parse(&peers[0], "198.51.100.7:5300", 0), 0);
	assert_int_equal(addr_parse(&peers[1], "[2001:db8::7]:5300", 0), 0);
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct buf query;

		buf_init(&query, 2048);
		make_query(b, &query);
		/* At its end, so that a sanitizer sees who reads on. */
		uint8_t *exact = malloc(query.len + 1);

		memcpy(exact + 1, query.data, query.len);
		ask_both(b, exact + 1, query.len, &peers[i % 2]);
		free(exact);
		buf_fini(&query);
	}
	check_counters(b);
	/* It is there for most of what is asked; of these a lot is odd. */
	assert_true(b->answered > ROUNDS / 4);
}

static void
leaves_the_limited_alone(void **state)
{
	static const char query[] = "\0\1\0\0\0\1\0\0\0\0\0\0\3www\7example\3com\0\0\1\0\1";
	struct bench *b = *state;
	struct cidr all;
	struct addr peer;
	const unsigned before = b->answered;

	assert_int_equal(addr_parse(&peer, "198.51.100.7:5300", 0), 0);
	ask_both(b, (const uint8_t *)query, sizeof(query) - 1, &peer);
	assert_int_equal(b->answered, before + 1);
	b->options->rrl.rate = 5;
	ask_both(b, (const uint8_t *)query, sizeof(query) - 1, &peer);
	b->options->rrl.rate = 0;
	assert_int_equal(cidr_parse(&all, "0.0.0.0/0"), 0);
	serve_options_add(&b->options->allow, &all);
	ask_both(b, (const uint8_t *)query, sizeof(query) - 1, &peer);
	assert_int_equal(b->answered, before + 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(says_what_the_long_way_says, set_up, tear_down),
		cmocka_unit_test_setup_teardown(leaves_the_limited_alone, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
