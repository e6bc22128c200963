/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/strmap.h"

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

static void
test_put_find_remove(void **state)
{
	struct strmap m;
	char one[] = "1", two[] = "2", key[] = "key";

	(void)state;
	strmap_init(&m);
	assert_null(strmap_find(&m, "key"));
	assert_null(strmap_remove(&m, "key"));
	assert_null(strmap_put(&m, key, one));
	key[0] = 'X'; /* keys are copied */
	assert_ptr_equal(strmap_find(&m, "key"), one);
	assert_ptr_equal(strmap_put(&m, "key", two), one);
	assert_int_equal(m.count, 1);
	assert_ptr_equal(strmap_remove(&m, "key"), two);
	assert_null(strmap_find(&m, "key"));
	assert_int_equal(m.count, 0);
	assert_null(strmap_put(&m, "", one));
	assert_ptr_equal(strmap_find(&m, ""), one);
	strmap_fini(&m);
	STRMAP_EACH (&m, e)
		fail();
}

/* The obvious definition: an array in insertion order. */
struct oracle {
	struct {
		char *key;
		void *value;
	} items[512];
	size_t count;
};

static size_t
oracle_at(const struct oracle *o, const char *key)
{
	size_t i = 0;

	while (i < o->count && strcmp(o->items[i].key, key) != 0)
		i++;
	return i;
}

static void *
oracle_remove(struct oracle *o, const char *key)
{
	const size_t at = oracle_at(o, key);

	if (at == o->count)
		return NULL;

	void *old = o->items[at].value;

	free(o->items[at].key);
	memmove(&o->items[at], &o->items[at + 1], (o->count - at - 1) * sizeof(o->items[0]));
	o->count--;
	return old;
}

static void *
oracle_put(struct oracle *o, const char *key, void *value)
{
	const size_t at = oracle_at(o, key);
	void *old = at < o->count ? o->items[at].value : NULL;

	if (at == o->count) {
		o->items[at].key = xstrdup(key);
		o->count++;
	}
	o->items[at].value = value;
	return old;
}

static void
assert_same_walk(const struct strmap *m, const struct oracle *o)
{
	size_t i = 0;

	assert_int_equal(m->count, o->count);
	STRMAP_EACH (m, e) {
		assert_string_equal(e->key, o->items[i].key);
		assert_ptr_equal(e->value, o->items[i].value);
		i++;
	}
	assert_int_equal(i, o->count);
}

/* `keys` different ones. */
static void
compare(unsigned keys)
{
	static struct oracle o;
	struct rand_state r;
	struct strmap m;

	strmap_init(&m);
	rand_seed(&r, 1);
	for (int i = 0; i < 40000; i++) {
		char key[16];

		snprintf(key, sizeof(key), "k%u", (unsigned)rand_below(&r, keys));
		/* Waves: mostly putting, then mostly removing. */
		if (rand_below(&r, 100) < (i / 2000 % 2 == 0 ? 80u : 20u)) {
			void *value = (void *)(uintptr_t)(i + 1);

			assert_ptr_equal(strmap_put(&m, key, value), oracle_put(&o, key, value));
		} else {
			assert_ptr_equal(strmap_remove(&m, key), oracle_remove(&o, key));
		}
		if (i % 100 == 0)
			assert_same_walk(&m, &o);
	}
	while (o.count > 0)
		oracle_remove(&o, o.items[0].key);
	strmap_fini(&m);
}

static void
test_against_the_oracle(void **state)
{
	(void)state;
	compare(2);
	compare(9); /* with and without an index */
	compare(20);
	compare(300);
}

/* There are millions of such maps. */
static void
test_few_need_no_index(void **state)
{
	struct strmap m;

	(void)state;
	strmap_init(&m);
	strmap_put(&m, "one", &m);
	assert_int_equal(m.cap, 1);
	for (int i = 0; i < 100; i++) { /* holes do not add up */
		strmap_put(&m, "two", &m);
		strmap_remove(&m, "two");
	}
	assert_int_equal(m.n_slots, 0);
	assert_true(m.cap <= 8);
	assert_ptr_equal(strmap_find(&m, "one"), &m);
	strmap_fini(&m);
}

static void
test_removing_during_a_walk(void **state)
{
	struct strmap m;
	size_t seen = 0;

	(void)state;
	strmap_init(&m);
	for (int i = 0; i < 100; i++) {
		char key[16];

		snprintf(key, sizeof(key), "%d", i);
		strmap_put(&m, key, &m);
	}
	STRMAP_EACH (&m, e) {
		if (++seen % 2 == 0)
			assert_ptr_equal(strmap_remove(&m, e->key), &m);
	}
	assert_int_equal(seen, 100);
	assert_int_equal(m.count, 50);
	assert_ptr_equal(strmap_find(&m, "0"), &m);
	assert_null(strmap_find(&m, "1"));
	strmap_fini(&m);
}

static void
test_churn_does_not_grow(void **state)
{
	struct strmap m;

	(void)state;
	strmap_init(&m);
	for (int i = 0; i < 100000; i++) {
		char key[16];

		snprintf(key, sizeof(key), "%d", i);
		strmap_put(&m, key, &m);
		strmap_remove(&m, key);
	}
	assert_true(m.n_slots <= 16 && m.cap <= 16);
	strmap_fini(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_put_find_remove),
		cmocka_unit_test(test_against_the_oracle),
		cmocka_unit_test(test_few_need_no_index),
		cmocka_unit_test(test_removing_during_a_walk),
		cmocka_unit_test(test_churn_does_not_grow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
