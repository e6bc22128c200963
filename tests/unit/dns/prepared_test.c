/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A prepared SOA says, after any question below the apex, what the answer writer would. */
#include "dns/prepared.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rand.h"
#include "dns/answer.h"
#include "dns/rrtype.h"

#define TIMERS 20

static const char *const apexes[] = { ".", "com", "example.com", "a.b.example.com",
	"a-label-that-is-quite-long-as-labels-go.example.org" };
static const char *const names[] = { ".", "ns1", "ns1.example.com", "NS1.Example.Com",
	"host.ns1.example.com", "ns.other.net", "host.other.net", "b.example.com" };
static const char *const below[] = { "", "www.", "x.y.z.", "ns1.", "a.host.ns1.",
	"a-label-of-sixty-octets-and-a-few-which-is-nearly-the-longest-x." };

struct record {
	uint8_t owner[NAME_MAX_LEN], mname[NAME_MAX_LEN], rname[NAME_MAX_LEN];
	uint8_t rest[8 + TIMERS]; /* type, class, ttl; the timers */
};

/* The record at `pos`, decompressed; it ends the message. */
static void
read_record(const uint8_t *msg, size_t len, size_t pos, struct record *r)
{
	memset(r, 0, sizeof(*r));
	assert_true(name_expand(msg, len, &pos, r->owner) > 0);
	memcpy(r->rest, msg + pos, 8);
	assert_int_equal(msg[pos + 8] << 8 | msg[pos + 9], len - pos - 10);
	pos += 10;
	assert_true(name_expand(msg, len, &pos, r->mname) > 0);
	assert_true(name_expand(msg, len, &pos, r->rname) > 0);
	assert_int_equal(len - pos, TIMERS);
	memcpy(r->rest + 8, msg + pos, TIMERS);
	name_lower(r->owner);
	name_lower(r->mname);
	name_lower(r->rname);
}

static size_t
make_question(uint8_t *out, const char *prefix, const char *apex)
{
	char text[300];
	int len;

	snprintf(text, sizeof(text), "%s%s", prefix, strcmp(apex, ".") == 0 && *prefix ? "" : apex);
	memset(out, 0, DNS_HEADER_LEN);
	out[5] = 1;
	len = name_parse(text, out + DNS_HEADER_LEN);
	assert_true(len > 0);
	memcpy(out + DNS_HEADER_LEN + len, "\0\1\0\1", 4);
	return DNS_HEADER_LEN + (size_t)len + 4;
}

static void
check(const char *apex_text, const uint8_t *rdata, uint16_t rdlen, const char *prefix)
{
	uint8_t apex[NAME_MAX_LEN], question[600], want[1232], got[1232];
	const size_t len = make_question(question, prefix, apex_text);
	struct record a, b;
	struct prepared *p;
	struct answer answer;
	struct query q;

	assert_true(name_parse_lower(apex_text, apex) > 0);
	assert_int_equal(query_parse(question, len, &q), QUERY_OK);
	answer_init(&answer, want, sizeof(want), &q);
	assert_true(answer_rr(&answer, apex, RRTYPE_SOA, 60, rdata, rdlen));
	read_record(want, answer.len, len, &a);

	p = prepared_new(apex, RRTYPE_SOA, 60, rdata, rdlen);
	assert_non_null(p);
	memcpy(got, question, len);
	prepared_put(p, got + len, q.path.len);
	read_record(got, len + p->len, len, &b);
	assert_memory_equal(&a, &b, sizeof(a));
	free(p);
}

static void
after_any_question(void **state)
{
	(void)state;
	for (size_t a = 0; a < ARRAY_LEN(apexes); a++)
		for (size_t m = 0; m < ARRAY_LEN(names) * ARRAY_LEN(names); m++) {
			uint8_t rdata[2 * NAME_MAX_LEN + TIMERS];
			int n = name_parse(names[m % ARRAY_LEN(names)], rdata);

			n += name_parse(names[m / ARRAY_LEN(names)], rdata + n);
			memset(rdata + n, 7, TIMERS);
			for (size_t b = 0; b < ARRAY_LEN(below); b++)
				check(apexes[a], rdata, (uint16_t)(n + TIMERS), below[b]);
		}
}

static void
what_is_no_soa(void **state)
{
	(void)state;
	assert_null(
	    prepared_new((const uint8_t *)"\3com", RRTYPE_SOA, 60, (const uint8_t *)"\5a", 2));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(after_any_question),
		cmocka_unit_test(what_is_no_soa),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
