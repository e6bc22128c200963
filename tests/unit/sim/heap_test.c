/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rand.h"
#include "sim/heap.h"

/* Few distinct times, so that equals are common: they come out in the order they went in. */
static void
test_order(void **state)
{
	struct rand_state r;
	struct heap h;
	double last = 0;
	uint32_t last_who = 0;

	(void)state;
	rand_seed(&r, 1);
	heap_init(&h);
	for (uint32_t i = 0; i < 5000; i++)
		heap_push(&h, (double)rand_below(&r, 50), 0, i);
	for (uint32_t i = 0; i < 5000; i++) {
		const struct heap_event e = heap_pop(&h);

		assert_true(e.at_s >= last);
		if (i > 0 && e.at_s <= last)
			assert_true(e.who > last_who);
		last = e.at_s;
		last_who = e.who;
	}
	assert_int_equal(h.count, 0);
	heap_fini(&h);
}

/* As a simulation uses it: what is popped is pushed again, later. */
static void
test_running(void **state)
{
	struct rand_state r;
	struct heap h;
	double now = 0;

	(void)state;
	rand_seed(&r, 2);
	heap_init(&h);
	for (uint32_t i = 0; i < 100; i++)
		heap_push(&h, 0, 0, i);
	for (int i = 0; i < 100000; i++) {
		const struct heap_event e = heap_pop(&h);

		assert_true(e.at_s >= now);
		now = e.at_s;
		heap_push(&h, now + (double)rand_below(&r, 1000) / 10, 0, e.who);
	}
	assert_int_equal(h.count, 100);
	heap_fini(&h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_running),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
