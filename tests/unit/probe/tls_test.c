/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TLS against a server with certificates good and bad. */
#include "probe/tls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "once.h"
#include "peer.h"
#include "probe/trust.h"
#include "tls_peer.h"

#define NAME     "www.example.com"
#define OK_REPLY "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood"

static struct identity ca, other_ca, good, expired, elsewhere, client;
static struct once once;

static const struct template_spec https = {
	.protocol = PROTOCOL_HTTPS,
	.interval_ms = 10000,
	.timeout_ms = 5000,
	.fall = 1,
	.rise = 1,
	.tls = { .verify = true, .full_handshake_every = 3, .expiry_warn_days = 14 },
};

static struct template_spec
trusting(const struct identity *who)
{
	struct template_spec t = https;

	t.tls.ca = who->cert_pem;
	return t;
}

static void
test_certificates(void **state)
{
	const struct {
		const struct identity *shown, *trusted;
		const char *host, *cause, *text;
	} rows[] = {
		{ &good, &ca, NAME, "", "" },
		{ &good, &ca, "127.0.0.1", "", "" },
		{ &good, &ca, "WWW.example.com", "", "" },
		{ &good, &ca, "a.example.com", "tls_cert", "wrong name" },
		{ &good, &ca, "127.0.0.2", "tls_cert", "wrong name" },
		{ &elsewhere, &ca, NAME, "tls_cert", "wrong name" },
		{ &expired, &ca, NAME, "tls_cert", "expired" },
		{ &good, &other_ca, NAME, "tls_cert", "unknown issuer" },
		{ &other_ca, &ca, NAME, "tls_cert", "self-signed" },
		{ &other_ca, &other_ca, NAME, "", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct template_spec t = trusting(rows[i].trusted);
		struct tls_peer p;

		tls_peer_start(
		    &p, i % 2 == 0 ? "127.0.0.1:0" : "[::1]:0", rows[i].shown, NULL, OK_REPLY);
		t.protocol = PROTOCOL_HTTPS;
		once_assert(&once, &p.addr, rows[i].host, &t, rows[i].cause, rows[i].text);
		assert_true(once.runner.probe.connect_us > 0);
		assert_int_equal(once.runner.probe.tls_us > 0, rows[i].cause[0] == '\0');
		t.protocol = PROTOCOL_TLS;
		once_assert(&once, &p.addr, rows[i].host, &t, rows[i].cause, NULL);
		t.tls.verify = false;
		once_assert(&once, &p.addr, rows[i].host, &t, "", NULL);
		probe_forget(&once.runner.probe);
		tls_peer_stop(&p);
	}
}

/* The name is the template's, then http.host, then the value. */
static void
test_names(void **state)
{
	struct template_spec t = trusting(&ca);
	struct tls_peer p;

	(void)state;
	tls_peer_start(&p, "127.0.0.1:0", &good, NULL, OK_REPLY);
	t.http.host = NAME ":8443";
	once_assert(&once, &p.addr, "other.example", &t, "", "");
	probe_forget(&once.runner.probe); /* as for any changed template */
	t.tls.sni = "other.example";
	once_assert(&once, &p.addr, NAME, &t, "tls_cert", "wrong name");
	t.tls.sni = NAME;
	t.http.host = "virtual.example";
	once_assert(&once, &p.addr, "other.example", &t, "", "");
	probe_forget(&once.runner.probe);
	tls_peer_stop(&p);
}

static void
test_http_over_tls(void **state)
{
	struct template_spec t = trusting(&ca);
	struct tls_peer p;

	(void)state;
	tls_peer_start(&p, "127.0.0.1:0", &good, NULL, OK_REPLY);
	t.http.expect_body = "^good$";
	once_assert(&once, &p.addr, NAME, &t, "", "");
	t.http.expect_body = "^bad$";
	once_assert(&once, &p.addr, NAME, &t, "http_body", NULL);
	t.protocol = PROTOCOL_TLS;
	t.talk = (struct talk_spec){ "x", "^HTTP" };
	once_assert(&once, &p.addr, NAME, &t, "", "matched");
	t.talk.expect = "^SMTP";
	once_assert(&once, &p.addr, NAME, &t, "tls_expect", "closed before it matched");
	probe_forget(&once.runner.probe);
	tls_peer_stop(&p);
}

/* Every third handshake is a full one; it shows until when the certificate is good. */
static void
test_sessions_are_resumed(void **state)
{
	const struct template_spec t = trusting(&ca);
	struct tls_peer p;

	(void)state;
	tls_peer_start(&p, "127.0.0.1:0", &good, NULL, OK_REPLY);
	for (int i = 0; i < 7; i++) {
		once_assert(&once, &p.addr, NAME, &t, "", "");
		assert_in_range(once.runner.probe.tls_memory->expires_s, time(NULL) + 30 * 86400,
		    time(NULL) + 31 * 86400);
	}
	assert_int_equal(p.full, 3);
	assert_int_equal(p.resumed, 4);
	probe_forget(&once.runner.probe);
	tls_peer_stop(&p);
}

static void
test_client_certificate(void **state)
{
	struct template_spec t = trusting(&ca);
	struct tls_peer p;

	(void)state;
	tls_peer_start(&p, "127.0.0.1:0", &good, &ca, OK_REPLY);
	once_run(&once, &p.addr, NAME, &t);
	assert_int_equal(once.step, PROBE_FAIL);
	t.tls.certificate = client.cert_pem;
	t.tls.key = client.key_pem;
	once_assert(&once, &p.addr, NAME, &t, "", "");
	t.tls.key = "nonsense"; /* no outcome: it is not the target's fault */
	assert_int_equal(once_run(&once, &p.addr, NAME, &t), PROBE_STARVED);
	probe_forget(&once.runner.probe);
	tls_peer_stop(&p);
}

static void
test_no_tls_there(void **state)
{
	const struct template_spec t = trusting(&ca);
	struct template_spec hasty = t;
	struct peer p;

	(void)state;
	hasty.timeout_ms = 50;
	assert_true(peer_start(&p, "127.0.0.1:0", "HTTP/1.1 400 Bad\r\n\r\n"));
	once_assert(&once, &p.addr, NAME, &t, "tls_handshake", "wrong version number");
	peer_reply(&p, NULL);
	once_run(&once, &p.addr, NAME, &t); /* closed or reset: a race of theirs */
	assert_int_equal(once.step, PROBE_FAIL);
	peer_reply(&p, peer_reset);
	once_assert(&once, &p.addr, NAME, &t, "l4_reset", NULL);
	peer_reply(&p, peer_hang);
	once_assert(&once, &p.addr, NAME, &hasty, "tls_timeout", "no complete handshake in time");
	probe_forget(&once.runner.probe);
	peer_stop(&p);
}

/* Loading CAs is dear: whoever trusts the same shares it. */
static void
test_trust_is_shared(void **state)
{
	const struct template_spec a = trusting(&ca), b = trusting(&other_ca);
	struct trust *one = trust_get(&a.tls), *two = trust_get(&a.tls), *three = trust_get(&b.tls);

	(void)state;
	assert_non_null(one);
	assert_ptr_equal(one, two);
	assert_ptr_not_equal(one, three);
	trust_put(&one);
	trust_put(&two);
	trust_put(&three);
}

static int
set_up(void **state)
{
	(void)state;
	once_init(&once);
	identity_make(&ca, "DNS:ca", 365, NULL);
	identity_make(&other_ca, "DNS:" NAME, 365, NULL);
	identity_make(&good, "DNS:" NAME ",IP:127.0.0.1", 30, &ca);
	identity_make(&expired, "DNS:" NAME, -2, &ca);
	identity_make(&elsewhere, "DNS:elsewhere.example", 30, &ca);
	identity_make(&client, "DNS:client", 30, &ca);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	once_fini(&once);
	identity_free(&ca);
	identity_free(&other_ca);
	identity_free(&good);
	identity_free(&expired);
	identity_free(&elsewhere);
	identity_free(&client);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_certificates),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_http_over_tls),
		cmocka_unit_test(test_sessions_are_resumed),
		cmocka_unit_test(test_client_certificate),
		cmocka_unit_test(test_no_tls_there),
		cmocka_unit_test(test_trust_is_shared),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
