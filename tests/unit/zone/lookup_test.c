/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Random changes to a zone over a small universe of names, compared after every few steps with
 * a zone built afresh from a flat list of what should be there, and with an oracle that answers
 * from that list by the words of the RFCs and knows neither nodes nor hashes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#define URCU_API_MAP
#include <urcu/urcu-qsbr.h>

#include "base/rand.h"
#include "dns/name.h"
#include "dns/rrtype.h"
#include "zone/zone.h"

#define STEPS            40000
#define LOOKUPS_PER_STEP 8
#define FACTS_MAX        256

static const uint8_t *const apex = (const uint8_t *)"\2ex";
static const uint16_t types[] = { RRTYPE_A, RRTYPE_NS, RRTYPE_DNAME, RRTYPE_TXT, RRTYPE_DS };
static const uint8_t overlay_mark;

/* The flat list: (owner, type) with a payload; type 0 is an overlay. */
static struct fact {
	uint8_t owner[NAME_MAX_LEN];
	uint16_t type;
	uint32_t payload;
} facts[FACTS_MAX];
static unsigned n_facts;
static struct rand_state rng;

static void
random_name(uint8_t *out, unsigned max_depth)
{
	static const char *const labels[] = { "\1a", "\1b", "\1*", "\1c" };
	size_t len = 0;

	for (uint64_t n = rand_below(&rng, max_depth + 1); n > 0; n--) {
		memcpy(out + len, labels[rand_below(&rng, 4)], 2);
		len += 2;
	}
	memcpy(out + len, apex, 4);
}

static struct fact *
find_fact(const uint8_t *owner, uint16_t type)
{
	for (unsigned i = 0; i < n_facts; i++)
		if (facts[i].type == type && name_equal(facts[i].owner, owner))
			return &facts[i];
	return NULL;
}

static struct rrset *
make_set(const struct fact *f)
{
	uint8_t data[6] = { 0, 4 };

	memcpy(data + 2, &f->payload, 4);
	return rrset_new(f->type, 300, data, sizeof(data));
}

static void
put_fact(struct zone *z, const struct fact *f)
{
	if (f->type == 0)
		zone_overlay(z, f->owner, &overlay_mark);
	else
		zone_put(z, f->owner, make_set(f));
}

static void
step_put(struct zone *z, const uint8_t *owner, uint16_t type)
{
	struct fact *f = find_fact(owner, type);

	if (f == NULL) {
		f = &facts[n_facts++];
		memcpy(f->owner, owner, name_len(owner));
		f->type = type;
	}
	f->payload = (uint32_t)rand_next(&rng);
	put_fact(z, f);
}

static void
step_del(struct zone *z, const uint8_t *owner, uint16_t type)
{
	struct fact *f = find_fact(owner, type);

	if (type == 0)
		assert_ptr_equal(zone_overlay(z, owner, NULL), f != NULL ? &overlay_mark : NULL);
	else
		zone_del(z, owner, type);
	if (f != NULL)
		*f = facts[--n_facts];
}

/* Steers the size up and down, so that zones get both crowded and nearly empty. */
static void
step(struct zone *z, int i)
{
	unsigned target = i / 500 % 2 ? 8 : 60;
	uint16_t type = rand_below(&rng, 6) == 0 ? 0 : types[rand_below(&rng, 5)];
	uint8_t owner[NAME_MAX_LEN];

	random_name(owner, 4);
	/* Cuts and DNAMEs hide what is below: rare enough that the rest is seen. */
	if ((type == RRTYPE_NS || type == RRTYPE_DNAME) && rand_below(&rng, 3) != 0)
		type = RRTYPE_A;
	if (n_facts > target && rand_below(&rng, 3) != 0) {
		struct fact f = facts[rand_below(&rng, n_facts)];

		step_del(z, f.owner, f.type);
	} else if (rand_below(&rng, 5) == 0) {
		step_del(z, owner, type);
	} else {
		step_put(z, owner, type);
	}
}

/* RFC 4592 section 2.2: a name exists if it or any name below it owns something. */
static bool
exists(const uint8_t *name)
{
	if (name_equal(name, apex))
		return true;
	for (unsigned i = 0; i < n_facts; i++)
		if (name_below(facts[i].owner, name))
			return true;
	return false;
}

struct verdict {
	enum lookup_kind kind;
	uint8_t node[NAME_MAX_LEN];     /* empty non-terminals included; for NXDOMAIN unused */
	uint8_t encloser[NAME_MAX_LEN]; /* wildcard and NXDOMAIN */
	bool wildcard;
};

/* RFC 1034 4.3.2 3b and RFC 6672 3.2, walking down from the apex. */
static bool
oracle_barrier(const uint8_t *qname, uint16_t qtype, struct verdict *v)
{
	for (unsigned skip = name_labels(qname) - 1 + 1; skip-- > 0;) {
		const uint8_t *at = name_skip(qname, skip);

		if (!name_below(at, apex))
			continue;
		v->kind = LOOKUP_DELEGATION;
		memcpy(v->node, at, name_len(at));
		if (!name_equal(at, apex) && find_fact(at, RRTYPE_NS) != NULL &&
		    !(skip == 0 && qtype == RRTYPE_DS))
			return true;
		v->kind = LOOKUP_DNAME;
		if (skip > 0 && find_fact(at, RRTYPE_DNAME) != NULL)
			return true;
	}
	return false;
}

static void
oracle(const uint8_t *qname, uint16_t qtype, struct verdict *v)
{
	const uint8_t *up = qname;
	uint8_t star[NAME_MAX_LEN] = { 1, '*' };

	memset(v, 0, sizeof(*v));
	if (oracle_barrier(qname, qtype, v))
		return;
	v->kind = LOOKUP_NAME;
	memcpy(v->node, qname, name_len(qname));
	if (exists(qname))
		return;
	while (!exists(up))
		up = name_skip(up, 1);
	memcpy(v->encloser, up, name_len(up));
	memcpy(star + 2, up, name_len(up));
	v->wildcard = exists(star);
	v->kind = v->wildcard ? LOOKUP_NAME : LOOKUP_NXDOMAIN;
	memcpy(v->node, star, name_len(star));
}

static void
check_content(const struct zone_node *n)
{
	unsigned found = 0;

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		const struct rrset *s = zone_node_find(n, types[i]);
		const struct fact *f = find_fact(n->name, types[i]);

		assert_int_equal(s != NULL, f != NULL);
		if (s == NULL)
			continue;
		found++;
		assert_memory_equal(s->data + 2, &f->payload, 4);
	}
	assert_int_equal(n->n_rrsets, found);
	assert_ptr_equal(n->overlay, find_fact(n->name, 0) != NULL ? &overlay_mark : NULL);
}

static void
compare_lookup(const struct zone *z, const uint8_t *qname, uint16_t qtype)
{
	struct verdict v;
	struct lookup l;

	oracle(qname, qtype, &v);
	lookup(z, qname, qtype, &l);
	if (l.kind != v.kind || l.wildcard != v.wildcard) {
		char text[NAME_TEXT_SIZE];

		fail_msg("%s %u: kind %d want %d, wildcard %d want %d", name_text(qname, text),
		    qtype, l.kind, v.kind, l.wildcard, v.wildcard);
	}
	if (l.kind != LOOKUP_NXDOMAIN) {
		assert_true(name_equal(l.node->name, v.node));
		check_content(l.node);
	}
	if (l.wildcard || l.kind == LOOKUP_NXDOMAIN)
		assert_true(name_equal(l.encloser->name, v.encloser));
}

static void
compare_node(const struct zone_node *n, void *other)
{
	const struct zone_node *m = zone_find(other, n->name);

	assert_non_null(m);
	assert_int_equal(m->flags, n->flags);
	assert_int_equal(m->n_children, n->n_children);
	assert_int_equal(m->n_rrsets, n->n_rrsets);
	assert_ptr_equal(m->overlay, n->overlay);
	for (unsigned i = 0; i < n->n_rrsets; i++)
		assert_true(rrset_equal(n->rrsets[i], m->rrsets[i]));
}

static void
compare_rebuilt(struct zone *z)
{
	struct zone *fresh = zone_new(apex);

	for (unsigned i = n_facts; i-- > 0;)
		put_fact(fresh, &facts[i]);
	assert_int_equal(zone_names(z), zone_names(fresh));
	zone_walk(z, compare_node, fresh);
	zone_free(&fresh);
}

static void
random_changes(void **state)
{
	struct zone *z = zone_new(apex);

	(void)state;
	rand_seed(&rng, 2026);
	for (int i = 0; i < STEPS; i++) {
		step(z, i);
		if (i % 16 == 0)
			compare_rebuilt(z);
		for (int k = 0; k < LOOKUPS_PER_STEP; k++) {
			uint8_t qname[NAME_MAX_LEN];

			random_name(qname, 6);
			compare_lookup(z, qname, types[rand_below(&rng, 5)]);
		}
		rcu_quiescent_state();
	}
	while (n_facts > 0)
		step_del(z, facts[0].owner, facts[0].type);
	assert_int_equal(zone_names(z), 1); /* the apex stays */
	zone_free(&z);
}

static struct rrset *
some_set(uint16_t type)
{
	return rrset_new(type, 1, (const uint8_t *)"\0\1x", 3);
}

/* The examples of RFC 4592 section 2.2.1. */
static void
rfc4592_examples(void **state)
{
	static const struct {
		const char *qname;
		enum lookup_kind kind;
		bool wildcard;
	} rows[] = {
		{ "host3.example", LOOKUP_NAME, true },
		{ "foo.bar.example", LOOKUP_NAME, true },
		{ "host1.example", LOOKUP_NAME, false },
		{ "sub.*.example", LOOKUP_NAME, false },
		{ "_telnet._tcp.host1.example", LOOKUP_NXDOMAIN, false },
		{ "host.subdel.example", LOOKUP_DELEGATION, false },
		{ "ghost.*.example", LOOKUP_NXDOMAIN, false },
		{ "_tcp.host1.example", LOOKUP_NAME, false }, /* empty non-terminal */
		{ "x._tcp.host1.example", LOOKUP_NXDOMAIN, false },
	};
	static const char *const owners[] = { "*.example", "sub.*.example", "host1.example",
		"_ssh._tcp.host1.example", "_ssh._tcp.host2.example" };
	uint8_t name[NAME_MAX_LEN];
	struct zone *z;

	(void)state;
	assert_true(name_parse("example", name) > 0);
	z = zone_new(name);
	for (size_t i = 0; i < sizeof(owners) / sizeof(owners[0]); i++) {
		assert_true(name_parse(owners[i], name) > 0);
		zone_put(z, name, some_set(RRTYPE_TXT));
	}
	assert_true(name_parse("subdel.example", name) > 0);
	zone_put(z, name, some_set(RRTYPE_NS));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct lookup l;

		assert_true(name_parse(rows[i].qname, name) > 0);
		lookup(z, name, RRTYPE_MX, &l);
		if (l.kind != rows[i].kind || l.wildcard != rows[i].wildcard)
			fail_msg("%s: kind %d wildcard %d", rows[i].qname, l.kind, l.wildcard);
	}
	zone_free(&z);
}

/* 127 labels: the depth bits' second word, and bisection, at their limits. */
static void
deepest_names(void **state)
{
	uint8_t name[NAME_MAX_LEN];
	struct zone *z = zone_new((const uint8_t *)"");
	struct lookup l;

	(void)state;
	for (int i = 0; i < 127; i++)
		memcpy(name + 2 * i, "\1a", 2);
	name[254] = 0;
	zone_put(z, name, some_set(RRTYPE_A));
	assert_int_equal(zone_names(z), 128);
	lookup(z, name, RRTYPE_A, &l);
	assert_int_equal(l.kind, LOOKUP_NAME);
	for (int cut = 1; cut < 127; cut++) {
		zone_put(z, name + 2 * (127 - cut), some_set(RRTYPE_NS));
		lookup(z, name, RRTYPE_A, &l);
		assert_int_equal(l.kind, LOOKUP_DELEGATION);
		assert_int_equal(name_labels(l.node->name), cut);
		zone_del(z, name + 2 * (127 - cut), RRTYPE_NS);
		name[2 * (127 - cut) - 1] = 'b';
		lookup(z, name, RRTYPE_A, &l);
		assert_int_equal(l.kind, LOOKUP_NXDOMAIN);
		assert_int_equal(name_labels(l.encloser->name), cut);
		name[2 * (127 - cut) - 1] = 'a';
	}
	zone_del(z, name, RRTYPE_A);
	assert_int_equal(zone_names(z), 1);
	zone_free(&z);
}

static int
online(void **state)
{
	(void)state;
	rcu_register_thread();
	return 0;
}

/* Wait for what was retired, so that leaks are leaks. */
static int
offline(void **state)
{
	(void)state;
	rcu_barrier();
	rcu_unregister_thread();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_changes),
		cmocka_unit_test(rfc4592_examples),
		cmocka_unit_test(deepest_names),
	};

	return cmocka_run_group_tests_name("lookup", tests, online, offline);
}
