/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Any sequence of changes leaves a zone as if it had been built afresh: single sets anywhere, the
 * apex's own above all (SOA, NS, DNAME, keys, the chain's parameters), whole subtrees that go and
 * come again in random order, names up to the deepest, empty non-terminals, wildcards, cuts, NSEC,
 * NSEC3, and overlays among all that. Compared with a rebuilt zone and the oracle of flat.h.
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

#include "base/attr.h"
#include "base/rand.h"
#include "dns/rrtype.h"
#include "flat.h"

#define STEPS 100000

static const uint8_t apex[] = "\2ex";
static const uint16_t types[] = { RRTYPE_A, RRTYPE_TXT, RRTYPE_DS, RRTYPE_NS, RRTYPE_DNAME,
	RRTYPE_NSEC, RRTYPE_NSEC3, RRTYPE_RRSIG, FLAT_OVERLAY };
static const uint16_t apex_types[] = { RRTYPE_SOA, RRTYPE_NS, RRTYPE_DNAME, RRTYPE_DNSKEY,
	RRTYPE_NSEC, RRTYPE_NSEC3, RRTYPE_NSEC3PARAM, RRTYPE_RRSIG, RRTYPE_A, FLAT_OVERLAY };
static struct rand_state rng;
static struct flat flat = { .apex = apex };
static unsigned n_subtrees, n_whole, n_crowded, n_empty;

static bool
one_in(unsigned n)
{
	return rand_below(&rng, n) == 0;
}

static size_t
random_labels(uint8_t *out, unsigned n)
{
	static const char *const labels[] = { "\1a", "\1b", "\1*", "\1c" };
	size_t len = 0;

	for (; n > 0; n--, len += 2)
		memcpy(out + len, labels[rand_below(&rng, 4)], 2);
	return len;
}

/* One of two long chains of labels, so that deep names share ancestors. */
static size_t
deep_labels(uint8_t *out)
{
	const unsigned branch = (unsigned)rand_below(&rng, 2),
		       n = 1 + (unsigned)rand_below(&rng, 123);
	size_t len = random_labels(out, one_in(2));

	for (unsigned depth = n; depth > 0; depth--, len += 2) {
		out[len] = 1;
		out[len + 1] = (uint8_t)('a' + (depth * (branch + 1)) % 3);
	}
	return len;
}

static void
random_name(uint8_t *out, unsigned max_depth)
{
	const bool deep = one_in(40);
	const size_t len =
	    deep ? deep_labels(out) : random_labels(out, (unsigned)rand_below(&rng, max_depth + 1));

	memcpy(out + len, apex, 4);
}

static uint16_t
random_type(const uint8_t *owner)
{
	uint16_t type = types[rand_below(&rng, ARRAY_LEN(types))];

	if (name_equal(owner, apex))
		type = apex_types[rand_below(&rng, ARRAY_LEN(apex_types))];
	/* Cuts and DNAMEs hide what is below, at the apex all: rare, so that the rest is seen. */
	if ((type == RRTYPE_NS || type == RRTYPE_DNAME) && !one_in(3))
		type = RRTYPE_A;
	return type;
}

static void
put(struct zone *z, const uint8_t *owner, uint16_t type)
{
	flat_put(&flat, z, owner, type, (uint32_t)rand_next(&rng));
}

/* The facts at and below a name out of the list, in random order. */
static unsigned
collect(const uint8_t *top, struct flat_fact *out)
{
	unsigned n = 0;

	for (unsigned i = 0; i < flat.n; i++) {
		const struct flat_fact *fact = &flat.facts[i];
		unsigned at;

		if (!name_below(fact->owner, top))
			continue;
		at = (unsigned)rand_below(&rng, n + 1);
		out[n++] = out[at];
		out[at] = *fact;
	}
	return n;
}

static void
look_around(struct zone *z, unsigned questions)
{
	uint8_t qname[NAME_MAX_LEN];

	while (questions-- > 0) {
		random_name(qname, 6);
		flat_compare_lookup(&flat, z, qname, types[rand_below(&rng, ARRAY_LEN(types) - 1)]);
		flat_compare_chain(&flat, z, qname);
	}
}

/* A subtree goes, most often comes again; both in random order, looked at half-way. */
static void
uproot(struct zone *z, const uint8_t *top)
{
	static struct flat_fact gone[FLAT_MAX];
	const unsigned n = collect(top, gone);

	n_subtrees++;
	n_whole += name_equal(top, apex);
	for (unsigned i = 0; i < n; i++) {
		flat_del(&flat, z, gone[i].owner, gone[i].type);
		if (i == n / 2)
			flat_compare_rebuilt(&flat, z);
	}
	flat_compare_rebuilt(&flat, z);
	look_around(z, 2);
	if (one_in(3))
		return;
	for (unsigned i = n; i-- > 0;) {
		const unsigned at = (unsigned)rand_below(&rng, i + 1);

		put(z, gone[at].owner, gone[at].type);
		gone[at] = gone[i];
		if (i == n / 2)
			flat_compare_rebuilt(&flat, z);
	}
	flat_compare_rebuilt(&flat, z);
}

/* An ancestor of something that is there: empty non-terminals among them, seldom the apex. */
static void
uproot_some(struct zone *z)
{
	const uint8_t *owner = flat.facts[rand_below(&rng, flat.n)].owner;
	const unsigned depth = name_labels(owner) - name_labels(apex);
	uint8_t top[NAME_MAX_LEN];
	unsigned skip = (unsigned)rand_below(&rng, depth + 1);

	if (skip == depth && !one_in(8))
		skip = 0;
	name_copy_lower(top, name_skip(owner, skip));
	uproot(z, top);
}

/* Steers the size up and down, so that zones get both crowded and nearly empty. */
static void
step(struct zone *z, unsigned i)
{
	const unsigned target = i / 500 % 2 ? 6 : 60;
	uint8_t owner[NAME_MAX_LEN];
	uint16_t type;

	random_name(owner, 4);
	if (one_in(8))
		memcpy(owner, apex, 4);
	type = random_type(owner);
	if (flat.n > 0 && one_in(60)) {
		uproot_some(z);
	} else if (flat.n > target && !one_in(3)) {
		const struct flat_fact f = flat.facts[rand_below(&rng, flat.n)];

		flat_del(&flat, z, f.owner, f.type);
	} else if (one_in(5)) {
		flat_del(&flat, z, owner, type);
	} else {
		put(z, owner, type);
	}
	n_crowded += flat.n > 55;
	n_empty += flat.n == 0;
}

static void
any_sequence(void **state)
{
	struct zone *z = zone_new(apex);

	(void)state;
	for (unsigned i = 0; i < STEPS; i++) {
		step(z, i);
		if (i % 32 == 0)
			flat_compare_rebuilt(&flat, z);
		look_around(z, 2);
		urcu_qsbr_quiescent_state();
	}
	/* It went where it was sent. */
	assert_true(n_subtrees > STEPS / 100 && n_whole > 10 && n_crowded > STEPS / 10);
	assert_true(n_empty > 0);
	uproot(z, apex);
	while (flat.n > 0)
		flat_del(&flat, z, flat.facts[0].owner, flat.facts[0].type);
	assert_int_equal(zone_names(z), 1); /* the apex stays */
	zone_free(&z);
}

static int
online(void **state)
{
	(void)state;
	urcu_qsbr_register_thread();
	rand_seed(&rng, 2026);
	return 0;
}

/* Wait for what was retired, so that leaks are leaks. */
static int
offline(void **state)
{
	(void)state;
	rcu_barrier();
	urcu_qsbr_unregister_thread();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_sequence),
	};

	return cmocka_run_group_tests_name("changes", tests, online, offline);
}
