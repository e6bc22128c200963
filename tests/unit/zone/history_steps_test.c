/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Steps of a history: several as one, as bytes and back, and a chain that is recalled. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#define URCU_API_MAP
#include <urcu/urcu-qsbr.h>

#include "base/rand.h"
#include "dns/rrtype.h"
#include "zone/history_codec.h"
#include "zone/history_condense.h"

#define NAMES  6
#define ROUNDS 300
#define BYTES  100000

static const uint8_t apex[] = "\001z";
static struct rand_state rng;

static void
serial(struct zone *z, uint32_t to)
{
	uint8_t soa[24] = { 0, 22, 0, 0 };

	for (int i = 0; i < 4; i++)
		soa[4 + i] = (uint8_t)(to >> (24 - 8 * i));
	if (zone_history(z) != NULL)
		history_touch(zone_history(z), z, apex, RRTYPE_SOA);
	zone_put(z, apex, rrset_new(RRTYPE_SOA, 60, soa, sizeof(soa)));
}

static const uint8_t *
owner_of(unsigned i)
{
	static uint8_t name[] = "\001a\001z";

	name[1] = (uint8_t)('a' + i);
	return name;
}

/* Addresses 192.0.2.n for the bits of `set`; none: the set goes. */
static void
put(struct zone *z, unsigned name, uint16_t type, uint32_t ttl_s, unsigned set)
{
	uint8_t data[8 * 6];
	size_t n = 0;

	if (zone_history(z) != NULL)
		history_touch(zone_history(z), z, owner_of(name), type);
	for (unsigned bit = 0; bit < 8; bit++) {
		if ((set >> bit & 1) == 0)
			continue;
		memcpy(data + n, (const uint8_t[]){ 0, 4, 192, 0, 2, (uint8_t)bit }, 6);
		n += 6;
	}
	if (n == 0)
		zone_del(z, owner_of(name), type);
	else
		zone_put(z, owner_of(name), rrset_new(type, ttl_s, data, n));
}

static struct zone *
start(void)
{
	struct zone *z = zone_new(apex);

	serial(z, 1);
	zone_set_history(z, history_new(BYTES));
	return z;
}

/* Also known as TXT and A: the type says nothing about what is in them here. */
static uint16_t
some_type(void)
{
	return rand_below(&rng, 2) ? RRTYPE_A : RRTYPE_TXT;
}

static void
change_some(struct zone *z, uint32_t to)
{
	for (uint64_t n = 1 + rand_below(&rng, 3); n > 0; n--)
		put(z, (unsigned)rand_below(&rng, NAMES), some_type(),
		    rand_below(&rng, 4) ? 60 : 30,
		    rand_below(&rng, 3) ? (unsigned)rand_below(&rng, 256) : 0);
	serial(z, to);
	assert_int_equal(history_commit(zone_history(z), z, NULL), HISTORY_STEP);
}

/* -- what a secondary does with a step -- */

static struct rrset *
without(const struct rrset *from, const struct rrset *what)
{
	uint8_t data[8 * 6];
	const uint8_t *rdata, *other;
	uint32_t pos = 0, at;
	uint16_t len;
	size_t n = 0;
	bool gone;

	while (from != NULL && (rdata = rrset_next(from, &pos, &len)) != NULL) {
		gone = false;
		at = 0;
		while (what != NULL && (other = rrset_next(what, &at, &len)) != NULL)
			gone |= memcmp(other, rdata, 4) == 0;
		if (!gone) {
			memcpy(data + n, rdata - 2, 6);
			n += 6;
		}
	}
	return n > 0 ? rrset_new(from->type, from->ttl_s, data, n) : NULL;
}

static const struct rrset *
find(const struct zone *z, const uint8_t *owner, uint16_t type)
{
	const struct zone_node *n = zone_find(z, owner);

	return n != NULL ? zone_node_find(n, type) : NULL;
}

static void
replace(struct zone *z, const uint8_t *owner, uint16_t type, struct rrset *set)
{
	if (set != NULL)
		zone_put(z, owner, set);
	else
		zone_del(z, owner, type);
}

static void
follow(struct zone *z, const struct history_step *s)
{
	for (size_t i = 0; i < s->n_gone; i++) {
		const struct history_item *g = &s->gone[i];
		const struct rrset *old = find(z, g->owner, g->set->type);
		struct rrset *left = without(old, g->set);

		/* Everything that goes was there, with this TTL. */
		assert_non_null(old);
		assert_int_equal(old->ttl_s, g->set->ttl_s);
		assert_int_equal(old->count - g->set->count, left != NULL ? left->count : 0);
		replace(z, g->owner, g->set->type, left);
	}
	for (size_t i = 0; i < s->n_come; i++) {
		const struct history_item *c = &s->come[i];
		const struct rrset *old = find(z, c->owner, c->set->type);
		uint8_t data[16 * 6];
		size_t n = old != NULL ? old->size : 0;

		assert_true(old == NULL || old->ttl_s == c->set->ttl_s);
		if (old != NULL)
			memcpy(data, old->data, n);
		memcpy(data + n, c->set->data, c->set->size);
		n += c->set->size;
		replace(z, c->owner, c->set->type, rrset_new(c->set->type, c->set->ttl_s, data, n));
		/* Nothing that comes was there. */
		assert_int_equal(find(z, c->owner, c->set->type)->size, n);
	}
	serial(z, s->to);
}

static void
same_node(const struct zone_node *n, void *other)
{
	for (unsigned i = 0; i < n->n_rrsets; i++)
		assert_true(rrset_equal(n->rrsets[i], find(other, n->name, n->rrsets[i]->type)));
}

static void
same(const struct zone *a, const struct zone *b)
{
	assert_int_equal(zone_names(a), zone_names(b));
	assert_int_equal(zone_bytes(a), zone_bytes(b));
	zone_walk(a, same_node, (void *)(uintptr_t)b);
}

/* As bytes and back. */
static struct history_step *
through_bytes(const struct history_step *s)
{
	struct history_step *again;
	struct buf_reader r;
	struct buf b;

	buf_init(&b, SIZE_MAX);
	history_codec_put(&b, s);
	r = (struct buf_reader){ .data = b.data, .len = b.len };
	again = history_codec_take(&r);
	assert_non_null(again);
	assert_int_equal(r.pos, b.len);
	assert_int_equal(again->bytes, s->bytes);
	buf_fini(&b);
	return again;
}

static void
one_step_does_what_many_do(void **state)
{
	struct zone *z = start(), *apart = zone_new(apex), *at_once = zone_new(apex);
	unsigned condensed = 0;
	uint32_t at = 1;

	(void)state;
	serial(apart, 1);
	serial(at_once, 1);
	for (int round = 0; round < ROUNDS; round++) {
		struct history_step **steps, *one;
		const uint32_t from = at;

		for (uint64_t n = 1 + rand_below(&rng, 6); n > 0; n--)
			change_some(z, ++at);

		const size_t n = history_since(zone_history(z), from, &steps);

		assert_int_equal(n, at - from);
		one = history_condense(steps, n);
		for (size_t i = 0; i < n; i++) {
			struct history_step *again = through_bytes(steps[i]);

			follow(apart, again);
			history_step_unref(&again);
		}
		if (one != NULL) {
			size_t bytes = 0;

			for (size_t i = 0; i < n; i++)
				bytes += steps[i]->bytes;
			assert_true(one->bytes < bytes);
			assert_int_equal(one->from, from);
			assert_int_equal(one->to, at);
			follow(at_once, one);
			condensed++;
		}
		for (size_t i = 0; i < n && one == NULL; i++)
			follow(at_once, steps[i]);
		same(apart, z);
		same(at_once, z);
		history_step_unref(&one);
		history_release(steps, n);
		urcu_qsbr_quiescent_state();
	}
	assert_true(condensed > ROUNDS / 4 && condensed < ROUNDS);
	zone_free(&z);
	zone_free(&apart);
	zone_free(&at_once);
}

static void
nothing_is_left(void **state)
{
	struct history_step **steps, *one;
	struct zone *z = start();

	(void)state;
	put(z, 0, RRTYPE_A, 60, 3);
	serial(z, 2);
	history_commit(zone_history(z), z, NULL);
	put(z, 0, RRTYPE_A, 60, 0);
	serial(z, 3);
	history_commit(zone_history(z), z, NULL);
	assert_int_equal(history_since(zone_history(z), 1, &steps), 2);
	one = history_condense(steps, 2);
	assert_int_equal(one->n_gone + one->n_come, 0);
	assert_int_equal(history_serial(one->old_soa), 1);
	assert_int_equal(history_serial(one->new_soa), 3);
	history_step_unref(&one);
	assert_null(history_condense(steps, 1)); /* as it is */
	history_release(steps, 2);
	zone_free(&z);
}

/* Cut anywhere, or bent, it is refused or at least a step. */
static void
broken_bytes(void **state)
{
	struct zone *z = start();
	struct buf b;

	(void)state;
	change_some(z, 2);
	buf_init(&b, SIZE_MAX);
	history_codec_put(&b, history_latest(zone_history(z)));
	for (size_t len = 0; len < b.len; len++) {
		struct buf_reader r = { .data = b.data, .len = len };

		assert_null(history_codec_take(&r));
	}
	for (int i = 0; i < 20000; i++) {
		const size_t at = rand_below(&rng, b.len);
		const uint8_t was = b.data[at];
		struct buf_reader r = { .data = b.data, .len = b.len };
		struct history_step *s;

		b.data[at] = (uint8_t)rand_next(&rng);
		s = history_codec_take(&r);
		history_step_unref(&s);
		b.data[at] = was;
	}
	buf_fini(&b);
	zone_free(&z);
}

static struct history_step *
step(uint32_t from, uint32_t to)
{
	struct zone *z = start();
	struct history_step *s;

	serial(z, from);
	history_drop(zone_history(z));
	serial(z, to);
	history_commit(zone_history(z), z, NULL);
	s = through_bytes(history_latest(zone_history(z)));
	zone_free(&z);
	return s;
}

/* "1>2 2>3 " */
static void
chain(struct history *h, uint32_t from, const char *want)
{
	struct history_step **steps;
	const size_t n = history_since(h, from, &steps);
	char got[200] = "";

	for (size_t i = 0; i < n; i++)
		sprintf(got + strlen(got), "%u>%u ", steps[i]->from, steps[i]->to);
	assert_string_equal(got, want);
	history_release(steps, n);
}

static void
recalled(void **state)
{
	struct history *h = history_new(BYTES);

	(void)state;
	for (uint32_t i = 1; i < 6; i++)
		history_recall(h, step(i, i + 1));
	chain(h, 1, "1>2 2>3 3>4 4>5 5>6 ");
	history_recall(h, step(4, 7)); /* what was written after 4 did not come to be */
	chain(h, 1, "1>2 2>3 3>4 4>7 ");
	history_settle(h, 7);
	chain(h, 2, "2>3 3>4 4>7 ");
	history_settle(h, 3); /* the zone is older than its steps */
	chain(h, 1, "1>2 2>3 ");
	history_recall(h, step(8, 9)); /* a gap */
	chain(h, 1, "");
	chain(h, 8, "8>9 ");
	history_settle(h, 1000);
	chain(h, 8, "");
	history_free(&h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_step_does_what_many_do),
		cmocka_unit_test(nothing_is_left),
		cmocka_unit_test(broken_bytes),
		cmocka_unit_test(recalled),
	};
	int failed;

	rand_seed(&rng, 1995);
	urcu_qsbr_register_thread();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	urcu_qsbr_thread_offline();
	rcu_barrier();
	urcu_qsbr_thread_online();
	urcu_qsbr_unregister_thread();
	return failed;
}
