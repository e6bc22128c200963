/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/thread.h"
#include "verdict/word.h"

static void
test_slots_keep_their_words(void **state)
{
	struct word_table *t = word_table_new();

	(void)state;
	for (uint32_t i = 0; i < 5000; i++) { /* several blocks */
		const uint32_t slot = word_take(t);

		assert_int_equal(slot, i);
		assert_int_equal(word_load(t, slot), WORD_UNKNOWN);
		word_store(t, slot, i);
	}
	for (uint32_t i = 0; i < 5000; i++)
		assert_int_equal(word_load(t, i), i);
	word_table_free(&t);
	assert_null(t);
	word_table_free(&t);
}

static void
test_a_given_slot_starts_unknown(void **state)
{
	struct word_table *t = word_table_new();
	const uint32_t a = word_take(t), b = word_take(t);

	(void)state;
	word_store(t, a, WORD_DOWN | 7);
	word_store(t, b, 9);
	word_give(t, a);
	assert_int_equal(word_take(t), a);
	assert_int_equal(word_load(t, a), WORD_UNKNOWN);
	assert_int_equal(word_load(t, b), 9);
	word_table_free(&t);
}

#define ROUNDS 200000u

static void *
count_edges(void *arg)
{
	for (uint32_t i = 1; i <= ROUNDS; i++)
		word_store(arg, 0, (i & 1 ? WORD_DOWN : 0) | i);
	return NULL;
}

/* A reader sees whole words in the order they were written, while the owner grows the table. */
static void
test_reader_beside_writer(void **state)
{
	struct word_table *t = word_table_new();
	uint32_t last = 0;
	pthread_t writer;

	(void)state;
	word_store(t, word_take(t), 0);
	thread_start(&writer, "writer", count_edges, t);
	while (last < ROUNDS) {
		const uint32_t w = word_load(t, 0), edges = w & WORD_EDGES;

		assert_true(edges >= last);
		assert_int_equal((w & WORD_DOWN) != 0, edges & 1);
		if (edges / 64 > last / 64)
			(void)word_take(t);
		last = edges;
	}
	thread_join(writer);
	word_table_free(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slots_keep_their_words),
		cmocka_unit_test(test_a_given_slot_starts_unknown),
		cmocka_unit_test(test_reader_beside_writer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
