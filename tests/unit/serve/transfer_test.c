/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One request for a transfer: who may ask, what comes, and that large ones go by file. */
#include "serve/transfer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#define URCU_API_MAP
#include <urcu/urcu-qsbr.h>

#include "dns/rrtype.h"
#include "fake_steer.h"
#include "hosted.h"
#include "serve/transfer_policy.h"
#include "serve/transfer_view.h"

#define NOW 1767225600u

static struct zones *zones;
static struct keyring *keys;

static struct tsig_key
key_of(const char *name)
{
	struct tsig_key k = { .hash = TSIG_SHA256, .secret_len = 32 };

	memset(k.secret, name[0], 32);
	assert_true(name_parse_lower(name, k.name) > 0);
	return k;
}

static struct addr
ip(const char *text)
{
	struct addr a;

	assert_int_equal(addr_ip_parse(&a, text, AF_UNSPEC), 0);
	return a;
}

/* -- keyring, policy, spool -- */

static void
keys_by_name(void **state)
{
	static const char *const names[] = { "m", "a", "z", "b.a", "m" };
	struct keyring *k = keyring_new();
	struct tsig_key key = key_of("a");

	(void)state;
	assert_null(keyring_find(NULL, key.name));
	assert_null(keyring_find(k, key.name));
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		key = key_of(names[i]);
		key.secret[0] = (uint8_t)i;
		keyring_put(k, &key);
		assert_int_equal(keyring_find(k, key.name)->secret[0], i);
	}
	keyring_remove(k, key_of("a").name);
	keyring_remove(k, key_of("a").name);
	assert_null(keyring_find(k, key_of("a").name));
	for (size_t i = 2; i < ARRAY_LEN(names); i++)
		assert_int_equal(keyring_find(k, key_of(names[i]).name)->secret[0], i);
	keyring_free(&k);
}

static void
who_may(void **state)
{
	struct transfer_policy *p = transfer_policy_new(2);
	const struct tsig_key k = key_of("k"), l = key_of("l");
	const struct addr near = ip("192.0.2.7"), far = ip("203.0.113.7");

	(void)state;
	assert_int_equal(cidr_parse(&p->transfer[0].from, "192.0.2.0/24"), 0);
	assert_int_equal(cidr_parse(&p->transfer[1].from, "any"), 0);
	p->transfer[1].keyed = true;
	memcpy(p->transfer[1].key, k.name, sizeof(k.name));
	assert_true(transfer_policy_allows(p, &near, NULL));
	assert_true(transfer_policy_allows(p, &near, l.name));
	assert_false(transfer_policy_allows(p, &far, NULL));
	assert_false(transfer_policy_allows(p, &far, l.name));
	assert_true(transfer_policy_allows(p, &far, k.name));
	assert_false(transfer_policy_allows(NULL, &near, k.name));
	assert_true(transfer_policy_knows(p, &far));
	p->n_transfer = 1;
	assert_true(transfer_policy_knows(p, &near));
	assert_false(transfer_policy_knows(p, &far));
	assert_false(transfer_policy_knows(NULL, &near));
	free(p);
}

static void
spooled(unsigned count, bool by_file)
{
	static uint8_t msg[UINT16_MAX], out[UINT16_MAX];
	struct spool s;

	spool_init(&s, "/tmp");
	for (unsigned i = 0; i < count; i++) {
		memset(msg, (int)i, sizeof(msg));
		assert_int_equal(spool_put(&s, msg, (uint16_t)(1 + i * 7919 % 65535)), 0);
	}
	assert_int_equal(s.fd >= 0, by_file);
	for (unsigned i = 0; i < count; i++) {
		const int len = spool_get(&s, out);

		assert_int_equal(len, 1 + i * 7919 % 65535);
		assert_int_equal(out[0], i & 255);
		assert_int_equal(out[len - 1], i & 255);
	}
	assert_int_equal(spool_get(&s, out), 0);
	assert_int_equal(spool_get(&s, out), 0);
	spool_fini(&s);
}

static void
spools(void **state)
{
	struct spool s;
	uint8_t msg[UINT16_MAX] = { 0 };
	int rc = 0;

	(void)state;
	spooled(0, false);
	spooled(5, false);
	spooled(400, true);
	spool_init(&s, "/nowhere");
	for (unsigned i = 0; i < 8 && rc == 0; i++)
		rc = spool_put(&s, msg, UINT16_MAX);
	assert_true(rc < 0);
	spool_fini(&s);
}

/* -- requests -- */

/* A request for example.com; `authority`: an SOA with this serial. */
static size_t
ask(uint8_t out[512], uint16_t type, const char *authority, uint8_t serial)
{
	static const uint8_t apex[] = "\007example\003com";
	uint8_t *p = out;

	memset(out, 0, 512);
	out[1] = 7;
	out[5] = 1;
	p += 12;
	memcpy(p, apex, sizeof(apex));
	p += sizeof(apex);
	p[1] = (uint8_t)type;
	p[3] = 1;
	p += 4;
	if (authority == NULL)
		return (size_t)(p - out);
	out[9] = 1;
	memcpy(p, (const uint8_t[]){ 0xc0, 12, 0, 6, 0, 1, 0, 0, 0, 0, 0, 22 }, 12);
	p[17] = serial;
	return (size_t)(p - out) + 12 + 22;
}

struct outcome {
	int rcode, messages, records;
	const char *kind;
	bool is_signed;
};

static struct outcome
run(const uint8_t *msg, size_t len, const char *peer)
{
	static uint8_t out[UINT16_MAX];
	const struct transfer_env env = { zones, keys, "/tmp" };
	const struct addr from = ip(peer);
	struct outcome o = { .rcode = -1 };
	struct tsig_record r;
	struct transfer t;
	int n;

	transfer_prepare(&t, &env, msg, len, &from, NOW);
	while ((n = transfer_next(&t, out, NOW)) > 0) {
		o.rcode = out[3] & 15;
		o.messages++;
		o.records += out[6] << 8 | out[7];
		o.is_signed = tsig_find(out, (size_t)n, &r) == 1;
	}
	assert_int_equal(n, 0);
	o.kind = t.kind;
	transfer_fini(&t);
	return o;
}

static void
is(uint16_t type, int have, const char *peer, int rcode, const char *kind)
{
	uint8_t msg[512];
	const size_t len = ask(msg, type, have < 0 ? NULL : "", (uint8_t)have);
	const struct outcome o = run(msg, len, peer);

	assert_true(transfer_is_asked(msg, len));
	assert_string_equal(o.kind, kind);
	assert_int_equal(o.rcode, rcode);
	assert_int_equal(o.messages, 1);
}

static void
outcomes(void **state)
{
	uint8_t msg[512];
	size_t len;

	(void)state;
	is(RRTYPE_AXFR, -1, "192.0.2.1", RCODE_NOERROR, "AXFR");
	is(RRTYPE_AXFR, -1, "203.0.113.1", RCODE_REFUSED, "not allowed");
	is(RRTYPE_IXFR, 1, "192.0.2.1", RCODE_NOERROR, "up to date");
	is(RRTYPE_IXFR, 2, "192.0.2.1", RCODE_NOERROR, "up to date");
	is(RRTYPE_IXFR, 0, "192.0.2.1", RCODE_NOERROR, "IXFR as AXFR");
	is(RRTYPE_IXFR, -1, "192.0.2.1", RCODE_FORMERR, "no serial in the request");
	len = ask(msg, RRTYPE_AXFR, NULL, 0);
	msg[13] = 'x'; /* another zone */
	assert_int_equal(run(msg, len, "192.0.2.1").rcode, RCODE_NOTAUTH);
	assert_false(transfer_is_asked(msg, len - 1));
}

static void
signatures(void **state)
{
	struct tsig_key k = key_of("k");
	struct tsig_session s;
	uint8_t msg[1024];
	struct outcome o;
	size_t len;

	(void)state;
	for (int wrong = 0; wrong < 2; wrong++) {
		k.secret[0] ^= (uint8_t)wrong;
		tsig_start(&s, &k);
		len = tsig_sign(&s, msg, ask(msg, RRTYPE_AXFR, NULL, 0), sizeof(msg), NOW);
		o = run(msg, len, "203.0.113.1");
		assert_int_equal(o.rcode, wrong ? RCODE_NOTAUTH : RCODE_NOERROR);
		assert_true(o.is_signed);
		assert_string_equal(o.kind, wrong ? "bad signature" : "AXFR");
		tsig_end(&s);
	}
}

/* Whatever is cut or changed: an answer or none, never a crash. */
static void
strangers(void **state)
{
	struct tsig_key k = key_of("k");
	struct tsig_session s;
	uint8_t msg[1024], copy[1024];
	size_t len;

	(void)state;
	tsig_start(&s, &k);
	len = tsig_sign(&s, msg, ask(msg, RRTYPE_IXFR, "", 0), sizeof(msg), NOW);
	tsig_end(&s);
	for (size_t bit = 0; bit < 8 * len; bit++) {
		memcpy(copy, msg, len);
		copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
		run(copy, len, "192.0.2.1");
	}
	for (size_t n = 12; n < len; n++)
		run(msg, n, "192.0.2.1");
}

/* -- what a steered name shows -- */

static void
tell(void *arg, const struct zone_node *n, const struct rrset *set)
{
	char text[RRTYPE_TEXT_SIZE];

	(void)n;
	strcat(strcat(arg, rrtype_text(set->type, text)), set->ttl_s == 60 ? "! " : " ");
}

static void
shows(const char *own, struct fake_domain d, const char *want)
{
	static const uint8_t apex[] = "\001z", host[] = "\001a\001z";
	const void *overlay = fake_steer_new(&d);
	struct zone *z = zone_new(apex);
	char got[64] = "";

	for (; *own != '\0'; own++) {
		const uint16_t type = *own == 'A' ? RRTYPE_A : RRTYPE_TXT;
		const uint8_t data[] = { 0, 4, 3, 'a', 'b', 'c' };

		zone_put(z, host, rrset_new(type, 300, data, sizeof(data)));
	}
	zone_overlay(z, host, overlay);
	transfer_view_each(zone_find(z, host), true, tell, got);
	assert_string_equal(got, want);
	zone_overlay(z, host, NULL);
	fake_steer_free(overlay);
	zone_free(&z);
}

static void
views(void **state)
{
	const struct fake_domain a = { .type = RRTYPE_A, .rdata = { "192.0.2.1", "192.0.2.2" } };
	const struct fake_domain cname = { .type = RRTYPE_CNAME, .rdata = { "x.org." } };

	(void)state;
	shows("", a, "A! ");
	shows("A", a, "A! ");
	shows("AT", a, "A! TXT ");
	shows("AT", cname, "CNAME! ");
}

/* -- life -- */

static int
start(void **state)
{
	static const uint8_t apex[] = "\007example\003com";
	struct transfer_policy *p = transfer_policy_new(2);
	const struct tsig_key k = key_of("k");

	(void)state;
	urcu_qsbr_register_thread();
	zones = hosted_new();
	keys = keyring_new();
	keyring_put(keys, &k);
	assert_int_equal(cidr_parse(&p->transfer[0].from, "192.0.2.0/24"), 0);
	assert_int_equal(cidr_parse(&p->transfer[1].from, "any"), 0);
	p->transfer[1].keyed = true;
	memcpy(p->transfer[1].key, k.name, sizeof(k.name));
	zone_set_policy(zones_exact(zones, apex), p);
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	hosted_free(&zones);
	keyring_free(&keys);
	urcu_qsbr_thread_offline();
	rcu_barrier();
	urcu_qsbr_thread_online();
	urcu_qsbr_unregister_thread();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_by_name),
		cmocka_unit_test(who_may),
		cmocka_unit_test(spools),
		cmocka_unit_test(outcomes),
		cmocka_unit_test(signatures),
		cmocka_unit_test(strangers),
		cmocka_unit_test(views),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
