/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Signed queries as a client of dns/tsig sees them. */
#include "serve/respond_signed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <urcu/urcu-qsbr.h>

#include <cmocka.h>

#include "dns/query.h"
#include "dns/rrtype.h"
#include "hosted.h"
#include "wire.h"

#define NOW 1700000000u

static const struct tsig_key key = {
	.name = "\3key", .hash = TSIG_SHA256, .secret_len = 6, .secret = "secret"
};

struct fixture {
	struct zones *zones;
	struct respond_counters counters;
	struct respond respond;
	struct serve_options *options;
	uint8_t out[RESPOND_SIGNED_MAX];
	size_t len;
	struct tsig_session session;
};

static int
set_up(void **state)
{
	static struct fixture f;

	urcu_qsbr_register_thread();
	f.zones = hosted_new();
	f.options = serve_options_new();
	f.respond = (struct respond){
		.zones = f.zones,
		.edns_udp_size = 1232,
		.options = (const struct serve_options *const *)&f.options,
		.counters = &f.counters,
	};
	*state = &f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	hosted_free(&f->zones);
	serve_options_free(&f->options);
	urcu_qsbr_unregister_thread();
	return 0;
}

/* Ask with `mine`; the server has `theirs`. The rcode of the header. */
static unsigned
ask(struct fixture *f, enum respond_transport transport, const char *name, uint16_t type,
    const struct tsig_key *mine, const struct tsig_key *theirs, uint32_t at)
{
	uint8_t msg[512 + TSIG_ROOM];
	const struct addr peer = { .len = 0 };
	const struct respond_client from = { .transport = transport, .peer = &peer, .now_s = NOW };
	struct tsig_record sig;
	size_t len = wire_query(msg, 99, name, type, (struct wire_edns){ 0 });

	tsig_start(&f->session, mine);
	len = tsig_sign(&f->session, msg, len, sizeof(msg), at);
	assert_true(len > 0);
	assert_int_equal(tsig_find(msg, len, &sig), 1);
	f->len = respond_signed(&f->respond, &from, msg, &sig, theirs, f->out);
	assert_true(f->len > DNS_HEADER_LEN);
	return f->out[3] & 15;
}

static int
check(struct fixture *f, uint16_t *error)
{
	const int rc = tsig_check(&f->session, f->out, f->len, NOW, error);

	tsig_end(&f->session);
	return rc;
}

static void
test_answers_are_signed(void **state)
{
	struct fixture *f = *state;
	uint16_t error;

	for (int t = RESPOND_UDP; t <= RESPOND_TCP; t++) {
		assert_int_equal(ask(f, t, "www.example.com", RRTYPE_A, &key, &key, NOW), 0);
		assert_int_equal(f->out[7], 2);
		assert_int_equal(check(f, &error), 0);
		assert_int_equal(
		    ask(f, t, "nowhere.example.com", RRTYPE_A, &key, &key, NOW), RCODE_NXDOMAIN);
		assert_int_equal(check(f, &error), 0);
	}
}

/* What is too long with its signature says so, under a good signature. */
static void
test_truncated(void **state)
{
	struct fixture *f = *state;
	uint16_t error;

	assert_int_equal(ask(f, RESPOND_UDP, "big.example.com", RRTYPE_TXT, &key, &key, NOW), 0);
	assert_true((f->out[2] & 2) != 0);
	assert_true(f->len <= 512);
	assert_int_equal(check(f, &error), 0);
	assert_int_equal(ask(f, RESPOND_TCP, "big.example.com", RRTYPE_TXT, &key, &key, NOW), 0);
	assert_int_equal(f->out[2] & 2, 0);
	assert_int_equal(check(f, &error), 0);
}

static void
test_errors(void **state)
{
	struct fixture *f = *state;
	struct tsig_key wrong = key;
	uint16_t error;

	wrong.secret[0] ^= 1;
	assert_int_equal(
	    ask(f, RESPOND_UDP, "www.example.com", RRTYPE_A, &key, NULL, NOW), RCODE_NOTAUTH);
	assert_true(check(f, &error) < 0);
	assert_int_equal(error, TSIG_BADKEY);
	assert_int_equal(
	    ask(f, RESPOND_UDP, "www.example.com", RRTYPE_A, &key, &wrong, NOW), RCODE_NOTAUTH);
	assert_true(check(f, &error) < 0);
	assert_int_equal(error, TSIG_BADSIG);
	assert_int_equal(
	    ask(f, RESPOND_UDP, "www.example.com", RRTYPE_A, &key, &key, NOW - 301), RCODE_NOTAUTH);
	assert_true(check(f, &error) < 0);
	assert_int_equal(error, TSIG_BADTIME);
	assert_int_equal(f->out[7], 0); /* no answer */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers_are_signed),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
