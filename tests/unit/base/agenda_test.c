/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/agenda.h"
#include "base/attr.h"
#include "base/rand.h"

#define ITEMS 64
#define STEPS 200000

/* The slow way: look at all of them. */
static int64_t
earliest(const int64_t due[ITEMS])
{
	int64_t min = AGENDA_NEVER;

	for (int i = 0; i < ITEMS; i++)
		min = due[i] < min ? due[i] : min;
	return min;
}

static void
test_random(void **state)
{
	struct agenda_item items[ITEMS] = { 0 };
	int64_t due[ITEMS];
	struct agenda h = { 0 };
	struct rand_state dice;

	(void)state;
	rand_seed(&dice, 7);
	for (int i = 0; i < ITEMS; i++)
		due[i] = AGENDA_NEVER;
	for (int step = 0; step < STEPS; step++) {
		const int i = (int)rand_below(&dice, ITEMS);

		due[i] = rand_below(&dice, 3) == 0 ? AGENDA_NEVER : (int64_t)rand_below(&dice, 100);
		agenda_set(&h, &items[i], due[i]);

		const struct agenda_item *first = agenda_first(&h);

		assert_true((first == NULL ? AGENDA_NEVER : first->due_ms) == earliest(due));
	}
	agenda_fini(&h);
}

static void
test_drain_in_order(void **state)
{
	struct agenda_item items[ITEMS] = { 0 }, *it;
	struct agenda h = { 0 };
	int64_t last = -1;
	int n = 0;

	(void)state;
	for (int i = 0; i < ITEMS; i++)
		agenda_set(&h, &items[i], (i * 37) % 50);
	for (; (it = agenda_first(&h)) != NULL; n++) {
		assert_true(it->due_ms >= last);
		last = it->due_ms;
		agenda_remove(&h, it);
		agenda_remove(&h, it);
	}
	assert_int_equal(n, ITEMS);
	agenda_fini(&h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_drain_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
