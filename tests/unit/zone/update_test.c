/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Messages written down by hand for the rules of form; random messages against an oracle: a flat
 * list of records and the pseudocode of RFC 2136, word by word.
 */
#include "zone/update.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/rand.h"
#include "dns/query.h"
#include "dns/rdata.h"
#include "dns/rrtype.h"

#define ROUNDS    8000
#define MAX_BYTES (1u << 24)
#define LIST_MAX  256

/* ---- the universe ---- */

static const char *const names[] = { "example", "a.example", "b.a.example", "*.w.example" };

struct kind_of_data {
	uint16_t type;
	const char *text[3];
	const char *shout; /* as text[0], in other letters */
};

static const struct kind_of_data kinds[] = {
	{ RRTYPE_A, { "192.0.2.1", "192.0.2.2", "192.0.2.3" }, "192.0.2.1" },
	{ RRTYPE_TXT, { "one", "two", "three" }, "one" },
	{ RRTYPE_CNAME, { "a.example.", "b.example.", "c.example." }, "A.EXAMPLE." },
	{ RRTYPE_NS, { "ns1.example.", "ns2.example.", "ns3.example." }, "NS1.Example." },
	{ RRTYPE_MX, { "65 mx.example.", "97 mx.example.", "65 my.example." }, "65 MX.example." },
	{ RRTYPE_DNAME, { "a.example.", "b.example.", "c.example." }, "a.example." },
	{ RRTYPE_SOA,
	    { "ns1.example. h.example. 5 1 1 1 1", "ns1.example. h.example. 6 1 1 1 1",
		"ns2.example. h.example. 7 1 1 1 1" },
	    "ns1.example. h.example. 5 1 1 1 1" },
};

#define N_NAMES ARRAY_LEN(names)
#define N_KINDS ARRAY_LEN(kinds)

struct item {
	unsigned name, kind, data;
	uint32_t ttl_s;
};

struct list {
	struct item items[LIST_MAX];
	size_t n;
};

static void
put_text(struct buf *out, uint16_t type, const char *text)
{
	const char *why = NULL;

	if (rdata_parse(type, text, "example.", out, &why) != 0)
		fail_msg("%s: %s", text, why);
}

static void
put_wire(struct buf *out, const char *text)
{
	uint8_t name[NAME_MAX_LEN];
	const int len = name_parse(text, name);

	assert_true(len > 0);
	buf_put(out, name, (size_t)len);
}

static struct rand_state dice;

static uint32_t
pick(uint32_t n)
{
	return (uint32_t)rand_below(&dice, n);
}

/* ---- messages ---- */

struct message {
	struct buf body;
	unsigned prerequisites, changes, additional;
	uint16_t ztype, zclass, zones;
};

static void
open_message(struct message *m)
{
	*m = (struct message){ .ztype = RRTYPE_SOA, .zclass = DNS_CLASS_IN, .zones = 1 };
	buf_init(&m->body, 65535);
}

/* `text` NULL: no rdata. */
static void
put_record(struct message *m, const char *owner, uint16_t type, uint16_t class, uint32_t ttl_s,
    const char *text)
{
	struct buf rdata;

	buf_init(&rdata, 65535);
	if (text != NULL)
		put_text(&rdata, type, text);
	put_wire(&m->body, owner);
	buf_put_u16(&m->body, type);
	buf_put_u16(&m->body, class);
	buf_put_u32(&m->body, ttl_s);
	buf_put_u16(&m->body, (uint16_t)rdata.len);
	if (rdata.len > 0)
		buf_put(&m->body, rdata.data, rdata.len);
	buf_fini(&rdata);
}

static uint16_t
parse(struct message *m, struct update *u)
{
	struct buf b;

	buf_init(&b, 65535);
	buf_put_u16(&b, 1);
	buf_put_u16(&b, OPCODE_UPDATE << 11);
	buf_put_u16(&b, m->zones);
	buf_put_u16(&b, (uint16_t)m->prerequisites);
	buf_put_u16(&b, (uint16_t)m->changes);
	buf_put_u16(&b, (uint16_t)m->additional);
	put_wire(&b, "EXAMPLE");
	buf_put_u16(&b, m->ztype);
	buf_put_u16(&b, m->zclass);
	if (m->body.len > 0)
		buf_put(&b, m->body.data, m->body.len);

	const uint16_t rcode = update_parse(b.data, b.len, u);

	/* Cut anywhere, it is malformed, and nothing worse. */
	for (size_t len = 0; len < b.len; len += 1 + pick(16)) {
		struct update cut;

		assert_int_not_equal(update_parse(b.data, len, &cut), RCODE_NOERROR);
		update_fini(&cut);
	}
	buf_fini(&b);
	buf_fini(&m->body);
	return rcode;
}

/* ---- rules of form ---- */

struct form {
	const char *what;
	bool prerequisite;
	const char *owner;
	uint16_t type, class;
	uint32_t ttl_s;
	const char *text;
	uint16_t rcode;
};

#define IN   DNS_CLASS_IN
#define ANY  UPDATE_CLASS_ANY
#define NONE UPDATE_CLASS_NONE

static const struct form forms[] = {
	{ "a set is there", true, "a.example", RRTYPE_A, ANY, 0, NULL, RCODE_NOERROR },
	{ "a name is there", true, "a.example", RRTYPE_ANY, ANY, 0, NULL, RCODE_NOERROR },
	{ "a set is this", true, "a.example", RRTYPE_A, IN, 0, "192.0.2.1", RCODE_NOERROR },
	{ "no set", true, "a.example", RRTYPE_A, NONE, 0, NULL, RCODE_NOERROR },
	{ "no name", true, "a.example", RRTYPE_ANY, NONE, 0, NULL, RCODE_NOERROR },
	{ "a TTL", true, "a.example", RRTYPE_A, ANY, 1, NULL, RCODE_FORMERR },
	{ "a TTL", true, "a.example", RRTYPE_A, NONE, 1, NULL, RCODE_FORMERR },
	{ "a TTL", true, "a.example", RRTYPE_A, IN, 1, "192.0.2.1", RCODE_FORMERR },
	{ "rdata", true, "a.example", RRTYPE_A, ANY, 0, "192.0.2.1", RCODE_FORMERR },
	{ "rdata", true, "a.example", RRTYPE_A, NONE, 0, "192.0.2.1", RCODE_FORMERR },
	{ "no rdata", true, "a.example", RRTYPE_A, IN, 0, NULL, RCODE_FORMERR },
	{ "a class", true, "a.example", RRTYPE_A, 3, 0, NULL, RCODE_FORMERR },
	{ "outside", true, "a.test", RRTYPE_A, ANY, 0, NULL, RCODE_NOTZONE },
	{ "any type has no value", true, "a.example", RRTYPE_ANY, IN, 0, NULL, RCODE_FORMERR },
	{ "add", false, "a.example", RRTYPE_A, IN, 300, "192.0.2.1", RCODE_NOERROR },
	{ "delete a set", false, "a.example", RRTYPE_A, ANY, 0, NULL, RCODE_NOERROR },
	{ "delete a name", false, "a.example", RRTYPE_ANY, ANY, 0, NULL, RCODE_NOERROR },
	{ "delete a record", false, "a.example", RRTYPE_A, NONE, 0, "192.0.2.1", RCODE_NOERROR },
	{ "outside", false, "a.test", RRTYPE_A, IN, 300, "192.0.2.1", RCODE_NOTZONE },
	{ "above", false, ".", RRTYPE_A, ANY, 0, NULL, RCODE_NOTZONE },
	{ "a class", false, "a.example", RRTYPE_A, 3, 0, "192.0.2.1", RCODE_FORMERR },
	{ "add of any", false, "a.example", RRTYPE_ANY, IN, 300, NULL, RCODE_FORMERR },
	{ "add of AXFR", false, "a.example", RRTYPE_AXFR, IN, 300, NULL, RCODE_FORMERR },
	{ "add of TSIG", false, "a.example", RRTYPE_TSIG, IN, 300, NULL, RCODE_FORMERR },
	{ "add of nothing", false, "a.example", RRTYPE_A, IN, 300, NULL, RCODE_FORMERR },
	{ "a TTL", false, "a.example", RRTYPE_A, ANY, 1, NULL, RCODE_FORMERR },
	{ "rdata", false, "a.example", RRTYPE_A, ANY, 0, "192.0.2.1", RCODE_FORMERR },
	{ "delete of AXFR", false, "a.example", RRTYPE_AXFR, ANY, 0, NULL, RCODE_FORMERR },
	{ "delete of MAILB", false, "a.example", 253, ANY, 0, NULL, RCODE_FORMERR },
	{ "a TTL", false, "a.example", RRTYPE_A, NONE, 1, "192.0.2.1", RCODE_FORMERR },
	{ "one of any", false, "a.example", RRTYPE_ANY, NONE, 0, NULL, RCODE_FORMERR },
};

static void
test_forms(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		const struct form *f = &forms[i];
		struct message m;
		struct update u;

		open_message(&m);
		put_record(&m, f->owner, f->type, f->class, f->ttl_s, f->text);
		m.prerequisites = f->prerequisite;
		m.changes = !f->prerequisite;

		const uint16_t rcode = parse(&m, &u);

		if (rcode != f->rcode)
			fail_msg("%zu (%s): rcode %u", i, f->what, rcode);
		assert_int_equal(u.apex[0], 7);
		update_fini(&u);
	}
}

static uint16_t
zone_rcode(uint16_t zones, uint16_t type, uint16_t class)
{
	struct message m;
	struct update u;
	uint16_t rcode;

	open_message(&m);
	m.zones = zones;
	m.ztype = type;
	m.zclass = class;
	rcode = parse(&m, &u);
	update_fini(&u);
	return rcode;
}

static void
test_zone_section(void **state UNUSED)
{
	assert_int_equal(zone_rcode(1, RRTYPE_SOA, DNS_CLASS_IN), RCODE_NOERROR);
	assert_int_equal(zone_rcode(0, RRTYPE_SOA, DNS_CLASS_IN), RCODE_FORMERR);
	assert_int_equal(zone_rcode(2, RRTYPE_SOA, DNS_CLASS_IN), RCODE_FORMERR);
	assert_int_equal(zone_rcode(1, RRTYPE_A, DNS_CLASS_IN), RCODE_FORMERR);
	assert_int_equal(zone_rcode(1, RRTYPE_SOA, DNS_CLASS_CH), RCODE_NOTAUTH);
}

static void
test_edns(void **state UNUSED)
{
	for (unsigned n = 1; n <= 2; n++) {
		struct message m;
		struct update u;

		open_message(&m);
		for (unsigned i = 0; i < n; i++)
			put_record(&m, ".", RRTYPE_OPT, 1232, 1u << 16, NULL);
		m.additional = n;
		assert_int_equal(parse(&m, &u), n == 1 ? RCODE_NOERROR : RCODE_FORMERR);
		assert_true(u.has_edns);
		assert_int_equal(u.edns_version, 1);
		update_fini(&u);
	}
}

/* ---- the oracle ---- */

static bool
oracle_has(const struct list *l, unsigned name, int kind)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->items[i].name == name && (kind < 0 || l->items[i].kind == (unsigned)kind))
			return true;
	return false;
}

static void
oracle_remove(struct list *l, size_t i)
{
	memmove(&l->items[i], &l->items[i + 1], (--l->n - i) * sizeof(l->items[0]));
}

static bool
is_type(unsigned kind, uint16_t type)
{
	return kinds[kind].type == type;
}

static bool
only_cname(const struct list *l, unsigned name, bool cname)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->items[i].name == name && is_type(l->items[i].kind, RRTYPE_CNAME) != cname)
			return false;
	return true;
}

/* RFC 2136 3.4.2.2, and a set has one TTL (RFC 2181 5.2), DNAME is single (RFC 6672 2.4). */
static void
oracle_add(struct list *l, struct item n)
{
	const bool single = is_type(n.kind, RRTYPE_SOA) || is_type(n.kind, RRTYPE_CNAME) ||
			    is_type(n.kind, RRTYPE_DNAME);
	bool soa = false;

	if (!only_cname(l, n.name, is_type(n.kind, RRTYPE_CNAME)))
		return;
	for (size_t i = 0; i < l->n; i++)
		if (l->items[i].name == n.name && is_type(l->items[i].kind, RRTYPE_SOA))
			soa |= l->items[i].data < n.data; /* serials rise with the data */
	if (is_type(n.kind, RRTYPE_SOA) && !soa)
		return;
	for (size_t i = 0; i < l->n;) {
		struct item *o = &l->items[i];

		if (o->name != n.name || o->kind != n.kind) {
			i++;
		} else if (single || o->data == n.data) {
			oracle_remove(l, i);
		} else {
			o->ttl_s = n.ttl_s;
			i++;
		}
	}
	assert_true(l->n < LIST_MAX);
	l->items[l->n++] = n;
}

static bool
is_apex_kept(const struct item *o)
{
	return o->name == 0 && (is_type(o->kind, RRTYPE_SOA) || is_type(o->kind, RRTYPE_NS));
}

static void
oracle_drop(struct list *l, unsigned name, int kind)
{
	for (size_t i = 0; i < l->n;) {
		const struct item *o = &l->items[i];

		if (o->name == name && (kind < 0 || o->kind == (unsigned)kind) && !is_apex_kept(o))
			oracle_remove(l, i);
		else
			i++;
	}
}

static void
oracle_drop_one(struct list *l, struct item n)
{
	size_t same = 0, at = LIST_MAX;

	for (size_t i = 0; i < l->n; i++) {
		if (l->items[i].name != n.name || l->items[i].kind != n.kind)
			continue;
		same++;
		if (l->items[i].data == n.data)
			at = i;
	}
	if (at < LIST_MAX && !is_type(n.kind, RRTYPE_SOA) && !(is_apex_kept(&n) && same == 1))
		oracle_remove(l, at);
}

/* ---- random rounds ---- */

static struct item
random_item(void)
{
	return (struct item){ pick(N_NAMES), pick(N_KINDS), pick(3), 1 + pick(3) };
}

static void
random_zone(struct list *l)
{
	l->n = 0;
	l->items[l->n++] = (struct item){ 0, N_KINDS - 1, 0, 1 }; /* SOA */
	l->items[l->n++] = (struct item){ 0, 3, 0, 1 };           /* NS */
	for (unsigned i = pick(12); i > 0; i--)
		oracle_add(l, random_item());
}

static const char *
text_of(struct item n)
{
	const struct kind_of_data *k = &kinds[n.kind];

	return n.data == 0 && pick(2) ? k->shout : k->text[n.data];
}

/* One prerequisite; what the oracle says of it, values aside. */
static uint16_t
random_prerequisite(struct message *m, const struct list *zone)
{
	const struct item n = random_item();
	const uint16_t type = kinds[n.kind].type;

	m->prerequisites++;
	switch (pick(4)) {
	case 0:
		put_record(m, names[n.name], RRTYPE_ANY, ANY, 0, NULL);
		return oracle_has(zone, n.name, -1) ? RCODE_NOERROR : RCODE_NXDOMAIN;
	case 1:
		put_record(m, names[n.name], type, ANY, 0, NULL);
		return oracle_has(zone, n.name, (int)n.kind) ? RCODE_NOERROR : RCODE_NXRRSET;
	case 2:
		put_record(m, names[n.name], RRTYPE_ANY, NONE, 0, NULL);
		return oracle_has(zone, n.name, -1) ? RCODE_YXDOMAIN : RCODE_NOERROR;
	default:
		put_record(m, names[n.name], type, NONE, 0, NULL);
		return oracle_has(zone, n.name, (int)n.kind) ? RCODE_YXRRSET : RCODE_NOERROR;
	}
}

/* A whole set by value: as it is, or (half of the time) with one record changed. */
static uint16_t
random_value(struct message *m, const struct list *zone)
{
	const struct item n = random_item();
	bool sent[3] = { false }, there[3] = { false }, any = false;

	for (size_t i = 0; i < zone->n; i++)
		if (zone->items[i].name == n.name && zone->items[i].kind == n.kind)
			there[zone->items[i].data] = sent[zone->items[i].data] = any = true;
	if (!any)
		return RCODE_NOERROR;
	if (pick(2))
		sent[n.data] = !sent[n.data];
	any = false;
	for (unsigned i = 0; i < 3; i++)
		for (unsigned times = sent[i] ? 1 + pick(2) : 0; times > 0; times--) {
			put_record(m, names[n.name], kinds[n.kind].type, IN, 0,
			    text_of((struct item){ n.name, n.kind, i, 0 }));
			m->prerequisites++;
			any = true;
		}
	return !any || memcmp(sent, there, sizeof(sent)) == 0 ? RCODE_NOERROR : RCODE_NXRRSET;
}

static uint16_t
random_prerequisites(struct message *m, const struct list *zone)
{
	uint16_t rcode = RCODE_NOERROR;

	for (unsigned i = pick(3); i > 0; i--) {
		const uint16_t one = random_prerequisite(m, zone);

		rcode = rcode != RCODE_NOERROR ? rcode : one;
	}

	const uint16_t value = random_value(m, zone);

	return rcode != RCODE_NOERROR ? rcode : value;
}

static void
random_change(struct message *m, struct list *zone)
{
	const struct item n = random_item();
	const uint16_t type = kinds[n.kind].type;

	m->changes++;
	switch (pick(6)) {
	case 0:
		put_record(m, names[n.name], RRTYPE_ANY, ANY, 0, NULL);
		oracle_drop(zone, n.name, -1);
		break;
	case 1:
		put_record(m, names[n.name], type, ANY, 0, NULL);
		oracle_drop(zone, n.name, (int)n.kind);
		break;
	case 2:
		put_record(m, names[n.name], type, NONE, 0, text_of(n));
		oracle_drop_one(zone, n);
		break;
	default:
		put_record(m, names[n.name], type, IN, n.ttl_s, text_of(n));
		oracle_add(zone, n);
	}
}

/* ---- the zone under the draft ---- */

static struct rrset *
make_set(const struct list *l, unsigned name, unsigned kind)
{
	struct buf data;
	struct rrset *set = NULL;
	uint32_t ttl_s = 0;

	buf_init(&data, 65535);
	for (size_t i = 0; i < l->n; i++) {
		struct buf one;

		if (l->items[i].name != name || l->items[i].kind != kind)
			continue;
		buf_init(&one, 65535);
		put_text(&one, kinds[kind].type, kinds[kind].text[l->items[i].data]);
		buf_put_u16(&data, (uint16_t)one.len);
		buf_put(&data, one.data, one.len);
		ttl_s = l->items[i].ttl_s;
		buf_fini(&one);
	}
	if (data.len > 0)
		set = rrset_new(kinds[kind].type, ttl_s, data.data, data.len);
	buf_fini(&data);
	return set;
}

static int
load(void *arg, const uint8_t *owner, struct draft *d)
{
	const struct list *l = arg;
	uint8_t name[NAME_MAX_LEN];

	for (unsigned n = 0; n < N_NAMES; n++) {
		assert_true(name_parse(names[n], name) > 0);
		for (unsigned k = 0; name_equal(name, owner) && k < N_KINDS; k++) {
			struct rrset *set = make_set(l, n, k);

			if (set != NULL)
				draft_have(d, set->type, set->ttl_s, set->data, set->size);
			rrset_free(&set);
		}
	}
	return 0;
}

/* Same records and TTL; the case of names in the data is the sender's. */
static bool
same_set(const struct rrset *a, const struct rrset *b)
{
	char x[4096] = "", y[4096] = "";
	const struct rrset *sets[] = { a, b };
	char *texts[] = { x, y };

	if (a == NULL || b == NULL)
		return a == b;
	for (int s = 0; s < 2; s++) {
		uint32_t pos = 0;
		uint16_t len;
		const uint8_t *rdata;
		char *lines[8];
		size_t n = 0;

		while ((rdata = rrset_next(sets[s], &pos, &len)) != NULL) {
			struct buf text;

			buf_init(&text, 65535);
			rdata_text(sets[s]->type, rdata, len, &text);
			lines[n] = strdup(buf_str(&text));
			for (char *c = lines[n]; *c != '\0'; c++)
				*c = *c >= 'A' && *c <= 'Z' ? (char)(*c + 32) : *c;
			n++;
			buf_fini(&text);
		}
		for (size_t i = 0; i < n; i++)
			for (size_t k = i + 1; k < n; k++)
				if (strcmp(lines[i], lines[k]) > 0) {
					char *swap = lines[i];

					lines[i] = lines[k];
					lines[k] = swap;
				}
		for (size_t i = 0; i < n; i++) {
			strcat(strcat(texts[s], lines[i]), "\n");
			free(lines[i]);
		}
	}
	return a->ttl_s == b->ttl_s && strcmp(x, y) == 0;
}

/* Everything the draft says has changed is as the oracle has it; the rest was so before. */
struct compare {
	const struct list *before, *after;
	bool told[N_NAMES][N_KINDS];
};

static void
compare(void *arg, const uint8_t *owner, uint16_t type, const struct rrset *set)
{
	struct compare *c = arg;
	uint8_t name[NAME_MAX_LEN];

	for (unsigned n = 0; n < N_NAMES; n++)
		for (unsigned k = 0; k < N_KINDS; k++) {
			assert_true(name_parse(names[n], name) > 0);
			if (!name_equal(name, owner) || kinds[k].type != type)
				continue;

			struct rrset *want = make_set(c->after, n, k);

			if (!same_set(want, set))
				fail_msg("%s type %u differs", names[n], type);
			rrset_free(&want);
			c->told[n][k] = true;
		}
}

static void
compare_all(const struct draft *d, struct compare *c)
{
	draft_each(d, compare, c);
	for (unsigned n = 0; n < N_NAMES; n++)
		for (unsigned k = 0; k < N_KINDS; k++) {
			struct rrset *was = make_set(c->before, n, k);
			struct rrset *is = make_set(c->after, n, k);

			if (!c->told[n][k] && !same_set(was, is))
				fail_msg("%s kind %u should have changed", names[n], k);
			rrset_free(&was);
			rrset_free(&is);
		}
}

static void
test_random_updates(void **state UNUSED)
{
	unsigned held = 0;

	for (int round = 0; round < ROUNDS; round++) {
		struct list before, after;
		struct message m;
		struct update u;
		const uint8_t *owner;
		uint16_t type;

		random_zone(&before);
		after = before;
		open_message(&m);

		const uint16_t want = random_prerequisites(&m, &before);

		for (unsigned i = pick(6); i > 0; i--)
			random_change(&m, &after);
		assert_int_equal(parse(&m, &u), RCODE_NOERROR);

		const struct draft_source source = { load, &before };
		struct draft *d = draft_new(u.apex, MAX_BYTES, &source);

		assert_int_equal(update_require(&u, d), want);
		held += want == RCODE_NOERROR;
		assert_null(update_apply(&u, d));
		assert_null(draft_check(d, &owner, &type));
		compare_all(d, &(struct compare){ .before = &before, .after = &after });
		draft_free(&d);
		update_fini(&u);
	}
	assert_in_range(held, ROUNDS / 10, ROUNDS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_zone_section),
		cmocka_unit_test(test_edns),
		cmocka_unit_test(test_random_updates),
	};

	rand_seed(&dice, 2136);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
