/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Transfers come as lists of records written down by hand, or made of random edits; messages are
 * cut at random places. What a transfer does to a zone is compared with the zone built from
 * scratch.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rand.h"
#include "dns/rdata.h"
#include "dns/rrtype.h"
#include "zone/xfr_in.h"

#define ID        4711
#define MAX_BYTES (1u << 24)

static const char apex_text[] = "example";

/* -- messages -- */

struct line { /* one record, as text */
	const char *owner, *type, *rdata;
};

static void
put_name(struct buf *b, const char *text)
{
	uint8_t name[NAME_MAX_LEN];
	const int len = name_parse(text, name);

	assert_true(len > 0);
	buf_put(b, name, (size_t)len);
}

static void
put_line(struct buf *b, const struct line *l)
{
	struct buf rdata;
	const char *why = NULL;
	uint16_t type;

	assert_int_equal(rrtype_parse(l->type, &type), 0);
	buf_init(&rdata, SIZE_MAX);
	if (rdata_parse(type, l->rdata, "example.", &rdata, &why) != 0)
		fail_msg("%s: %s", l->rdata, why);
	put_name(b, l->owner);
	buf_put_u16(b, type);
	buf_put_u16(b, 1);
	buf_put_u32(b, 300);
	buf_put_u16(b, (uint16_t)rdata.len);
	buf_put(b, rdata.data, rdata.len);
	buf_fini(&rdata);
}

static void
put_header(struct buf *b, uint16_t qtype, bool question, size_t count)
{
	buf_put_u16(b, ID);
	buf_put_u16(b, 0x8400);
	buf_put_u16(b, question);
	buf_put_u16(b, (uint16_t)count);
	buf_put_u32(b, 0);
	if (!question)
		return;
	put_name(b, "EXAMPLE");
	buf_put_u16(b, qtype);
	buf_put_u16(b, 1);
}

/* Feed `n` lines, at most `per` in a message. */
static enum xfr_in_state
feed(struct xfr_in *x, uint16_t qtype, const struct line *lines, size_t n, size_t per)
{
	enum xfr_in_state state = XFR_IN_MORE;

	for (size_t i = 0; i < n && state == XFR_IN_MORE; i += per) {
		const size_t count = n - i < per ? n - i : per;
		struct buf b;

		buf_init(&b, SIZE_MAX);
		put_header(&b, qtype, i == 0, count);
		for (size_t k = 0; k < count; k++)
			put_line(&b, &lines[i + k]);
		state = xfr_in_feed(x, b.data, b.len);
		buf_fini(&b);
	}
	return state;
}

static struct xfr_question
question(uint16_t type, uint32_t serial)
{
	struct xfr_question q = { .type = type, .id = ID, .serial = serial };

	assert_true(name_parse_lower(apex_text, q.apex) > 0);
	return q;
}

/* -- what a zone holds, as sorted text -- */

struct contents {
	char *lines[4096];
	size_t n;
};

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
contents_fini(struct contents *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->lines[i]);
	c->n = 0;
}

static void
key_of(const uint8_t *owner, uint16_t type, char *out, size_t size)
{
	char name[NAME_TEXT_SIZE], text[RRTYPE_TEXT_SIZE];

	snprintf(out, size, "%s %s ", name_text(owner, name), rrtype_text(type, text));
}

static void
drop_set(struct contents *c, const char *key)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++) {
		if (strncmp(c->lines[i], key, strlen(key)) == 0)
			free(c->lines[i]);
		else
			c->lines[n++] = c->lines[i];
	}
	c->n = n;
}

static void
visit(void *arg, const uint8_t *owner, uint16_t type, const struct rrset *set)
{
	struct contents *c = arg;
	char key[NAME_TEXT_SIZE + 32];
	const uint8_t *rdata;
	uint32_t pos = 0;
	uint16_t len;

	key_of(owner, type, key, sizeof(key));
	drop_set(c, key);
	while (set != NULL && (rdata = rrset_next(set, &pos, &len)) != NULL) {
		struct buf b;

		buf_init(&b, SIZE_MAX);
		buf_puts(&b, key);
		rdata_text(type, rdata, len, &b);
		assert_true(c->n < ARRAY_LEN(c->lines));
		c->lines[c->n++] = xstrdup(buf_str(&b));
		buf_fini(&b);
	}
}

/* The zone as it is now, for the source: one draft holds it. */
struct zone_now {
	struct xfr_in *whole;
	struct draft *to;
	const uint8_t *owner;
};

static void
give(void *arg, const uint8_t *owner, uint16_t type, const struct rrset *set)
{
	struct zone_now *z = arg;

	if (name_equal(owner, z->owner))
		draft_have(z->to, type, set->ttl_s, set->data, set->size);
}

static int
load(void *arg, const uint8_t *owner, struct draft *d)
{
	struct zone_now *z = arg;

	z->to = d;
	z->owner = owner;
	xfr_in_each(z->whole, give, z);
	return 0;
}

/* -- tables -- */

#define SOA(n)                                                                                     \
	{                                                                                          \
		"example", "SOA", "ns host " #n " 2 3 4 5"                                         \
	}
#define NS                                                                                         \
	{                                                                                          \
		"example", "NS", "ns"                                                              \
	}
#define A(o, n)                                                                                    \
	{                                                                                          \
		o ".example", "A", "192.0.2." #n                                                   \
	}
#define OLD SOA(1), NS, A("a", 1), A("b", 2)

static const struct line old[] = { OLD, SOA(1) };

static const struct {
	const char *what, *why; /* NULL: taken */
	uint16_t type;
	struct line lines[16];
	size_t n;
	enum xfr_in_state state;
	size_t left; /* records of the zone afterwards */
} cases[] = {
	{ "whole", NULL, RRTYPE_AXFR, { OLD, SOA(1) }, 5, XFR_IN_WHOLE, 4 },
	{ "whole for differences", NULL, RRTYPE_IXFR, { SOA(3), NS, SOA(3) }, 3, XFR_IN_WHOLE, 2 },
	{ "up to date", NULL, RRTYPE_IXFR, { SOA(1) }, 1, XFR_IN_CURRENT, 4 },
	{ "primary behind", NULL, RRTYPE_IXFR, { SOA(0) }, 1, XFR_IN_CURRENT, 4 },
	{ "one difference", NULL, RRTYPE_IXFR,
	    { SOA(2), SOA(1), A("a", 1), SOA(2), A("a", 9), SOA(2) }, 6, XFR_IN_CHANGES, 4 },
	{ "only additions", NULL, RRTYPE_IXFR, { SOA(2), SOA(1), SOA(2), A("c", 3), SOA(2) }, 5,
	    XFR_IN_CHANGES, 5 },
	{ "a chain", NULL, RRTYPE_IXFR,
	    { SOA(3), SOA(1), A("a", 1), SOA(2), A("c", 3), SOA(2), A("c", 3), SOA(3), A("a", 7),
		SOA(3) },
	    10, XFR_IN_CHANGES, 4 },
	{ "to a CNAME", NULL, RRTYPE_IXFR,
	    { SOA(2), SOA(1), A("a", 1), SOA(2), { "a.example", "CNAME", "b" }, SOA(2) }, 6,
	    XFR_IN_CHANGES, 4 },
	{ "a name in another case", NULL, RRTYPE_IXFR,
	    { SOA(2), SOA(1), { "example", "NS", "NS.Example." }, SOA(2),
		{ "example", "NS", "other" }, SOA(2) },
	    6, XFR_IN_CHANGES, 4 },
	{ "no SOA first", "does not begin", RRTYPE_AXFR, { NS, SOA(1) }, 2, XFR_IN_REFUSED, 4 },
	{ "SOA of another zone", "does not begin", RRTYPE_AXFR,
	    { { "other", "SOA", "ns host 1 2 3 4 5" }, NS }, 2, XFR_IN_REFUSED, 4 },
	{ "other SOA last", "another SOA", RRTYPE_AXFR, { SOA(1), NS, SOA(2) }, 3, XFR_IN_REFUSED,
	    4 },
	{ "records after the end", "follow the end", RRTYPE_AXFR, { SOA(1), NS, SOA(1), NS }, 4,
	    XFR_IN_REFUSED, 4 },
	{ "outside", "outside", RRTYPE_AXFR, { SOA(1), NS, { "x.test", "A", "192.0.2.1" } }, 3,
	    XFR_IN_REFUSED, 4 },
	{ "no NS", "no NS", RRTYPE_AXFR, { SOA(1), A("a", 1), SOA(1) }, 3, XFR_IN_REFUSED, 4 },
	{ "CNAME in company", "CNAME", RRTYPE_AXFR,
	    { SOA(1), NS, A("a", 1), { "a.example", "CNAME", "b" }, SOA(1) }, 5, XFR_IN_REFUSED,
	    4 },
	{ "two CNAMEs", "only one CNAME", RRTYPE_AXFR,
	    { SOA(1), NS, { "a.example", "CNAME", "c" }, { "a.example", "CNAME", "b" }, SOA(1) }, 5,
	    XFR_IN_REFUSED, 4 },
	{ "SOA below", "apex only", RRTYPE_AXFR,
	    { SOA(1), NS, { "a.example", "SOA", "ns host 1 2 3 4 5" } }, 3, XFR_IN_REFUSED, 4 },
	{ "deletes what is not there", "not there", RRTYPE_IXFR,
	    { SOA(2), SOA(1), A("a", 2), SOA(2), SOA(2) }, 5, XFR_IN_REFUSED, 4 },
	{ "deletes the last NS", "no NS", RRTYPE_IXFR, { SOA(2), SOA(1), NS, SOA(2), SOA(2) }, 5,
	    XFR_IN_REFUSED, 4 },
	{ "starts elsewhere", "our version", RRTYPE_IXFR, { SOA(3), SOA(2), SOA(3), SOA(3) }, 4,
	    XFR_IN_REFUSED, 4 },
	{ "goes back", "do not rise", RRTYPE_IXFR, { SOA(3), SOA(1), SOA(0) }, 3, XFR_IN_REFUSED,
	    4 },
	{ "does not connect", "do not connect", RRTYPE_IXFR, { SOA(4), SOA(1), SOA(2), SOA(3) }, 4,
	    XFR_IN_REFUSED, 4 },
	{ "CNAME beside what is there", "CNAME", RRTYPE_IXFR,
	    { SOA(2), SOA(1), SOA(2), { "a.example", "CNAME", "b" }, SOA(2) }, 5, XFR_IN_REFUSED,
	    4 },
	{ "not at its end", NULL, RRTYPE_AXFR, { SOA(1), NS }, 2, XFR_IN_MORE, 4 },
};

static struct xfr_in *
take_whole(const struct line *lines, size_t n)
{
	const struct xfr_question q = question(RRTYPE_AXFR, 0);
	struct xfr_in *x = xfr_in_new(&q, MAX_BYTES, NULL);

	if (feed(x, RRTYPE_AXFR, lines, n, 3) != XFR_IN_WHOLE)
		fail_msg("%s", xfr_in_why(x));
	return x;
}

/* Apply what came to what was. */
static void
settle(struct contents *c, enum xfr_in_state state, const struct xfr_in *x)
{
	if (state == XFR_IN_WHOLE)
		contents_fini(c);
	if (state == XFR_IN_WHOLE || state == XFR_IN_CHANGES)
		xfr_in_each(x, visit, c);
	qsort(c->lines, c->n, sizeof(c->lines[0]), by_text);
}

static void
tables(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		for (size_t per = 1; per <= cases[i].n; per++) {
			struct zone_now now = { .whole = take_whole(old, ARRAY_LEN(old)) };
			const struct draft_source have = { load, &now };
			const struct xfr_question q = question(cases[i].type, 1);
			struct xfr_in *x = xfr_in_new(&q, MAX_BYTES, &have);
			struct contents c = { .n = 0 };

			/* A last record of its own comes too late to be refused. */
			if (strcmp(cases[i].what, "records after the end") == 0)
				per = cases[i].n;

			const enum xfr_in_state s =
			    feed(x, cases[i].type, cases[i].lines, cases[i].n, per);

			if (s != cases[i].state)
				fail_msg("%s: %d, %s", cases[i].what, s, xfr_in_why(x));
			if (cases[i].why != NULL && strstr(xfr_in_why(x), cases[i].why) == NULL)
				fail_msg("%s: %s", cases[i].what, xfr_in_why(x));
			settle(&c, XFR_IN_WHOLE, now.whole);
			settle(&c, s, x);
			if (c.n != cases[i].left)
				fail_msg("%s: %zu records", cases[i].what, c.n);
			contents_fini(&c);
			xfr_in_free(&x);
			xfr_in_free(&now.whole);
		}
	}
}

/* -- single messages -- */

static void
messages(void **state)
{
	static const struct {
		const char *why;
		size_t at;
		uint8_t byte;
	} flips[] = {
		{ "another id", 0, 0 },
		{ "not the answer", 2, 0x04 },
		{ "not the answer", 2, 0xa4 },
		{ "truncated", 2, 0x86 },
		{ "REFUSED", 3, 0x05 },
		{ "NOTAUTH", 3, 0x09 },
		{ "does not repeat", 5, 0 },
		{ "does not repeat", 5, 2 },
		{ "is empty", 7, 0 },
		{ "within a record", 7, 9 },
		{ "another question", 13, 'x' },
		{ "another question", 22, 0 },
		{ "class IN", 24 + 12, 3 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(flips); i++) {
		const struct xfr_question q = question(RRTYPE_AXFR, 0);
		struct xfr_in *x = xfr_in_new(&q, MAX_BYTES, NULL);
		struct buf b;

		buf_init(&b, SIZE_MAX);
		put_header(&b, RRTYPE_AXFR, true, 2);
		for (size_t k = 0; k < 2; k++)
			put_line(&b, &old[k]);
		b.data[flips[i].at] = flips[i].byte;
		assert_int_equal(xfr_in_feed(x, b.data, b.len), XFR_IN_REFUSED);
		if (strstr(xfr_in_why(x), flips[i].why) == NULL)
			fail_msg("%zu: %s", i, xfr_in_why(x));
		xfr_in_free(&x);
		/* Cut anywhere, it is refused and nothing is read beyond its end. */
		b.data[flips[i].at] = flips[i].byte;
		for (size_t len = 0; len < b.len; len++) {
			uint8_t *copy = xmemdup(b.data, len > 0 ? len : 1);

			x = xfr_in_new(&q, MAX_BYTES, NULL);
			assert_int_equal(xfr_in_feed(x, copy, len), XFR_IN_REFUSED);
			xfr_in_free(&x);
			free(copy);
		}
		buf_fini(&b);
	}
}

/* Names in rdata arrive compressed, in types of RFC 1035 and in SRV. */
static void
compressed(void **state)
{
	static const uint8_t message[] = "\x12\x67\x84\0\0\1\0\4\0\0\0\0"
					 "\7example\0\0\374\0\1"
					 "\300\14\0\6\0\1\0\0\0\1\0\35\2ns\300\14\1h\300\14"
					 "\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5"
					 "\300\14\0\2\0\1\0\0\0\1\0\2\300\45"
					 "\300\14\0\41\0\1\0\0\0\1\0\10\0\1\0\2\0\3\300\45"
					 "\300\14\0\6\0\1\0\0\0\1\0\35\2ns\300\14\1h\300\14"
					 "\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5";
	struct xfr_question q = question(RRTYPE_AXFR, 0);
	struct contents c = { .n = 0 };

	(void)state;
	q.id = 0x1267;

	struct xfr_in *x = xfr_in_new(&q, MAX_BYTES, NULL);

	if (xfr_in_feed(x, message, sizeof(message) - 1) != XFR_IN_WHOLE)
		fail_msg("%s", xfr_in_why(x));
	settle(&c, XFR_IN_WHOLE, x);
	assert_int_equal(c.n, 3);
	assert_string_equal(c.lines[0], "example NS ns.example.");
	assert_string_equal(c.lines[2], "example SRV 1 2 3 ns.example.");
	contents_fini(&c);
	xfr_in_free(&x);
}

static void
bounded(void **state)
{
	const struct xfr_question q = question(RRTYPE_AXFR, 0);
	struct xfr_in *x = xfr_in_new(&q, 2000, NULL);
	struct line lines[100] = { SOA(1), NS };

	(void)state;
	for (size_t i = 2; i < ARRAY_LEN(lines); i++)
		lines[i] = (struct line)A("a", 1);
	assert_int_equal(feed(x, RRTYPE_AXFR, lines, ARRAY_LEN(lines), 10), XFR_IN_REFUSED);
	assert_non_null(strstr(xfr_in_why(x), "memory"));
	xfr_in_free(&x);
}

/* -- random edits: differences give what building afresh gives -- */

#define OWNERS   6
#define VALUES   4
#define VERSIONS 6

struct version {
	bool has[OWNERS][2][VALUES]; /* A, TXT */
};

static char text_store[8192][40];
static size_t texts;

static const char *
keep(const char *before, unsigned n, const char *after)
{
	assert_true(texts < ARRAY_LEN(text_store));

	char *out = text_store[texts++];

	snprintf(out, sizeof(text_store[0]), "%s%u%s", before, n, after);
	return out;
}

static struct line
record(unsigned o, unsigned t, unsigned v)
{
	static const char *const owners[OWNERS] = { "example", "a.example", "b.a.example",
		"*.example", "c.example", "D.example" };

	return (struct line){ owners[o], t == 0 ? "A" : "TXT",
		keep(t == 0 ? "192.0.2." : "value", v, "") };
}

static struct line
soa(unsigned serial)
{
	return (struct line){ "example", "SOA", keep("ns host ", serial, " 2 3 4 5") };
}

static size_t
put_delta(struct line *out, const struct version *from, const struct version *to)
{
	size_t n = 0;

	for (unsigned o = 0; o < OWNERS; o++)
		for (unsigned t = 0; t < 2; t++)
			for (unsigned v = 0; v < VALUES; v++)
				if (from->has[o][t][v] && !to->has[o][t][v])
					out[n++] = record(o, t, v);
	return n;
}

static size_t
put_whole(struct line *out, const struct version *v, unsigned serial)
{
	static const struct version none;
	size_t n = 0;

	out[n++] = soa(serial);
	out[n++] = (struct line)NS;
	n += put_delta(out + n, v, &none);
	out[n++] = soa(serial);
	return n;
}

static size_t
put_differences(struct line *out, const struct version *v, unsigned versions)
{
	size_t n = 0;

	out[n++] = soa(versions);
	for (unsigned i = 0; i + 1 < versions; i++) {
		out[n++] = soa(i + 1);
		n += put_delta(out + n, &v[i], &v[i + 1]);
		out[n++] = soa(i + 2);
		n += put_delta(out + n, &v[i + 1], &v[i]);
	}
	out[n++] = soa(versions);
	return n;
}

static void
random_edits(void **state)
{
	struct rand_state r;
	struct line lines[1024];

	(void)state;
	rand_seed(&r, 20261122);
	for (int round = 0; round < 300; round++) {
		struct version v[VERSIONS] = { 0 };
		const unsigned versions = 2 + (unsigned)rand_below(&r, VERSIONS - 1);

		texts = 0;
		for (unsigned i = 0; i < versions; i++) {
			if (i > 0)
				v[i] = v[i - 1];
			for (uint64_t k = rand_below(&r, i == 0 ? 30 : 8); k > 0; k--) {
				bool *at = &v[i].has[rand_below(&r, OWNERS)][rand_below(&r, 2)]
						    [rand_below(&r, VALUES)];
				*at = !*at;
			}
		}

		struct contents want = { .n = 0 }, got = { .n = 0 };
		struct zone_now now = {
			.whole = take_whole(lines, put_whole(lines, &v[0], 1)),
		};
		const struct draft_source have = { load, &now };
		const struct xfr_question q = question(RRTYPE_IXFR, 1);
		struct xfr_in *x = xfr_in_new(&q, MAX_BYTES, &have);
		const size_t n = put_differences(lines, v, versions);
		const enum xfr_in_state s = feed(x, RRTYPE_IXFR, lines, n, 1 + rand_below(&r, n));

		if (s != XFR_IN_CHANGES)
			fail_msg("round %d: %s", round, xfr_in_why(x));
		settle(&got, XFR_IN_WHOLE, now.whole);
		settle(&got, s, x);

		struct xfr_in *fresh =
		    take_whole(lines, put_whole(lines, &v[versions - 1], versions));

		settle(&want, XFR_IN_WHOLE, fresh);
		assert_int_equal(got.n, want.n);
		for (size_t i = 0; i < want.n; i++)
			assert_string_equal(got.lines[i], want.lines[i]);
		contents_fini(&want);
		contents_fini(&got);
		xfr_in_free(&fresh);
		xfr_in_free(&x);
		xfr_in_free(&now.whole);
	}
}

static void
asks(void **state)
{
	const struct xfr_question q = question(RRTYPE_IXFR, 7);
	uint8_t out[XFR_QUESTION_SIZE];
	static const uint8_t want[] = "\x12\x67\0\0\0\1\0\0\0\1\0\0\7example\0\0\373\0\1"
				      "\7example\0\0\6\0\1\0\0\0\0\0\26\0\0\0\0\0\7"
				      "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

	(void)state;
	assert_int_equal(xfr_message_ask(&q, out), sizeof(want));
	assert_memory_equal(out, want, sizeof(want) - 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables),
		cmocka_unit_test(messages),
		cmocka_unit_test(compressed),
		cmocka_unit_test(bounded),
		cmocka_unit_test(random_edits),
		cmocka_unit_test(asks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
