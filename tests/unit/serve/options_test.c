/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is configured: cookies, who we are, who may ask, how often. */
#include "serve/serve_options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <urcu/urcu-qsbr.h>

#include <cmocka.h>

#include "dns/query.h"
#include "dns/rrtype.h"
#include "hosted.h"
#include "serve/respond.h"
#include "wire.h"

#define NOW_S 1000000
#define MAIL  "NOERROR aa | mail.example.com 300 A 192.0.2.25 | | | 1232"
#define HEAD  12

struct fixture {
	struct zones *zones;
	struct serve_options *options;
	struct rrl *rrl;
	struct respond_counters counters;
	struct respond respond;
	struct respond_client from;
	struct addr peer;
	uint8_t query[512], answer[RESPOND_MAX];
	size_t len, answer_len;
};

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	urcu_qsbr_register_thread();
	f->zones = hosted_new();
	f->options = serve_options_new();
	f->rrl = rrl_new();
	f->respond = (struct respond){
		.zones = f->zones,
		.edns_udp_size = 1232,
		.tcp_idle_ms = 10000,
		.options = (const struct serve_options *const *)&f->options,
		.rrl = f->rrl,
		.counters = &f->counters,
	};
	assert_int_equal(addr_parse(&f->peer, "192.0.2.1", 53), 0);
	f->from = (struct respond_client){ .peer = &f->peer, .now_s = NOW_S, .now_ms = 1 };
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	hosted_free(&f->zones);
	serve_options_free(&f->options);
	rrl_free(&f->rrl);
	urcu_qsbr_unregister_thread();
	free(f);
	return 0;
}

static void
ask(struct fixture *f, const char *name, uint16_t type)
{
	f->len = wire_query(f->query, 7, name, type, (struct wire_edns){ 1232, false, 0 });
}

/* The last of the query is OPT, which ends in the length of its options. */
static void
add_option(struct fixture *f, uint8_t code, const void *data, uint8_t len)
{
	uint8_t *p = f->query + f->len;

	f->query[HEAD + 22 + 10] = (uint8_t)(f->query[HEAD + 22 + 10] + 4 + len);
	p[0] = p[2] = 0;
	p[1] = code;
	p[3] = len;
	memcpy(p + 4, data, len);
	f->len += 4u + len;
}

static void
assert_said(struct fixture *f, const char *want)
{
	const size_t cap = f->from.transport == RESPOND_UDP ? 1232 : RESPOND_MAX;
	char *t;

	f->answer_len = respond(&f->respond, &f->from, f->query, f->len, f->answer, cap);
	if (want == NULL) {
		assert_int_equal(f->answer_len, 0);
		return;
	}
	t = wire_text(f->answer, f->answer_len);
	assert_string_equal(t, want);
	free(t);
}

/* A cookie is the last option of an answer to a query that had one. */
static const uint8_t *
cookie(const struct fixture *f)
{
	return f->answer + f->answer_len - COOKIE_LEN;
}

/* The names below are of 16 bytes, so that OPT is always at the same place. */
static void
ask_mail(struct fixture *f)
{
	ask(f, "mail.example.com", RRTYPE_A);
	assert_int_equal(f->len, HEAD + 22 + 11);
}

static void
test_cookies(void **state)
{
	struct fixture *f = *state;
	uint8_t ours[COOKIE_LEN];

	ask_mail(f);
	add_option(f, 10, "12345678", 8);
	assert_said(f, MAIL " cookie=24");
	assert_memory_equal(cookie(f), "12345678", 8);
	memcpy(ours, cookie(f), COOKIE_LEN);

	/* A good one comes back as it is; an aged one does not. */
	ask_mail(f);
	add_option(f, 10, ours, COOKIE_LEN);
	f->from.now_s += 60;
	assert_said(f, MAIL " cookie=24");
	assert_memory_equal(cookie(f), ours, COOKIE_LEN);
	f->from.now_s += 3000;
	assert_said(f, MAIL " cookie=24");
	assert_memory_not_equal(cookie(f), ours, COOKIE_LEN);

	f->options->cookies = false;
	assert_said(f, MAIL);
	ask_mail(f);
	add_option(f, 10, "1234567", 7);
	assert_said(f, "FORMERR | | | | 1232");
}

/* RFC 7873 5.4. */
static void
test_cookie_alone(void **state)
{
	static const uint8_t bare[] = { 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 41, 4, 208, 0, 0,
		0, 0, 0, 12, 0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8 };
	struct fixture *f = *state;

	memcpy(f->query, bare, sizeof(bare));
	f->len = sizeof(bare);
	assert_said(f, "NOERROR | | | | 1232 cookie=24");
	f->options->cookies = false;
	assert_said(f, "FORMERR | | | | 1232");
}

static void
test_nsid(void **state)
{
	struct fixture *f = *state;

	ask_mail(f);
	add_option(f, 3, "", 0);
	assert_said(f, MAIL);
	strcpy(f->options->nsid, "node-1");
	assert_said(f, MAIL " nsid=node-1");
	ask_mail(f);
	assert_said(f, MAIL);
}

static void
test_keepalive(void **state)
{
	struct fixture *f = *state;

	ask_mail(f);
	add_option(f, 11, "", 0);
	assert_said(f, MAIL);
	f->from.transport = RESPOND_TCP;
	assert_said(f, MAIL " keepalive=100");
	ask_mail(f);
	add_option(f, 11, "\0\1", 2);
	assert_said(f, "FORMERR | | | | 1232");
	f->from.transport = RESPOND_UDP;
	assert_said(f, MAIL);
}

static void
ask_chaos(struct fixture *f, const char *name, uint16_t type)
{
	f->len = wire_query(f->query, 7, name, type, (struct wire_edns){ 0, false, 0 });
	f->query[f->len - 1] = DNS_CLASS_CH;
}

static void
test_chaos(void **state)
{
	struct fixture *f = *state;

	ask_chaos(f, "version.bind", RRTYPE_TXT);
	assert_said(f, "REFUSED | | | |");
	strcpy(f->options->version, "opengtm");
	strcpy(f->options->id, "node-1");
	assert_said(f, "NOERROR aa | version.bind 0 TXT \"opengtm\" | | |");
	ask_chaos(f, "Version.Server", RRTYPE_TXT);
	assert_said(f, "NOERROR aa | Version.Server 0 TXT \"opengtm\" | | |");
	ask_chaos(f, "id.server", RRTYPE_TXT);
	assert_said(f, "NOERROR aa | id.server 0 TXT \"node-1\" | | |");
	ask_chaos(f, "hostname.bind", RRTYPE_ANY);
	assert_said(f, "NOERROR aa | hostname.bind 0 TXT \"node-1\" | | |");
	ask_chaos(f, "hostname.bind", RRTYPE_A);
	assert_said(f, "NOERROR aa | | | |");
	ask_chaos(f, "www.example.com", RRTYPE_TXT);
	assert_said(f, "REFUSED | | | |");
}

static void
allow(struct serve_ranges *r, const char *text)
{
	struct cidr c;

	assert_int_equal(cidr_parse(&c, text), 0);
	serve_options_add(r, &c);
}

static void
test_allow(void **state)
{
	struct fixture *f = *state;

	ask_mail(f);
	allow(&f->options->allow, "198.51.100.0/24");
	assert_said(f, "REFUSED | | | | 1232 ede=18");
	f->options->drop = true;
	assert_said(f, NULL);
	assert_int_equal(f->counters.dropped, 1);
	allow(&f->options->allow, "192.0.2.1");
	assert_said(f, MAIL);
}

/* One answer a second and every second of the others cut; each case begins with a new table. */
static struct fixture *
limited(void **state)
{
	struct fixture *f = *state;

	f->options->rrl.rate = 1;
	return f;
}

static void
test_limit(void **state)
{
	struct fixture *f = limited(state);

	ask_mail(f);
	assert_said(f, MAIL);
	assert_said(f, "NOERROR tc | | | | 1232");
	assert_said(f, NULL);
	assert_said(f, "NOERROR tc | | | | 1232");
	assert_int_equal(f->counters.limited, 3);
	f->from.transport = RESPOND_TCP;
	assert_said(f, MAIL);
	f->from.transport = RESPOND_UDP;
	allow(&f->options->rrl_spare, "192.0.2.0/24");
	assert_said(f, MAIL);
}

/* Random names below a zone, a wildcard or a cut are one thing. */
static void
test_limit_random_names(void **state)
{
	static const char *const names[][3] = {
		{ "a.example.com", "b.example.com", "c.d.example.com" },
		{ "a.wild.example.com", "b.wild.example.com", "*.wild.example.com" },
		{ "a.sub.example.com", "b.sub.example.com", "sub.example.com" },
		{ "a.elsewhere.net", "b.elsewhere.net", "elsewhere.org" },
	};
	struct fixture *f = limited(state);

	f->options->rrl.slip = 0;
	for (size_t i = 0; i < 4; i++)
		for (size_t k = 0; k < 3; k++) {
			ask(f, names[i][k], RRTYPE_A);
			assert_int_equal(
			    respond(&f->respond, &f->from, f->query, f->len, f->answer, 1232) > 0,
			    k == 0);
		}
}

static void
test_limit_and_cookies(void **state)
{
	struct fixture *f = limited(state);
	uint8_t ours[COOKIE_LEN];

	ask_mail(f);
	add_option(f, 10, "12345678", 8);
	assert_said(f, MAIL " cookie=24");
	assert_said(f, "RCODE23 | | | | 1232 cookie=24");
	memcpy(ours, cookie(f), COOKIE_LEN);
	assert_said(f, "RCODE23 | | | | 1232 cookie=24");
	ask_mail(f);
	add_option(f, 10, ours, COOKIE_LEN);
	assert_said(f, MAIL " cookie=24");
	assert_int_equal(f->counters.rcodes[RCODE_BADCOOKIE], 2);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_cookies),
		CASE(test_cookie_alone),
		CASE(test_nsid),
		CASE(test_keepalive),
		CASE(test_chaos),
		CASE(test_allow),
		CASE(test_limit),
		CASE(test_limit_random_names),
		CASE(test_limit_and_cookies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
