/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct item {
	int value;
	struct list link;
};

static int
sum(struct list *head)
{
	int digits = 0;

	LIST_EACH (it, tmp, head)
		digits = digits * 10 + LIST_ENTRY(it, struct item, link)->value;
	return digits;
}

static void
test_append_remove_move(void **state)
{
	struct item items[4] = { { .value = 1 }, { .value = 2 }, { .value = 3 }, { .value = 4 } };
	struct list head, other;

	(void)state;
	list_init(&head);
	list_move(&other, &head);
	assert_true(list_empty(&other));
	for (size_t i = 0; i < 4; i++)
		list_append(&head, &items[i].link);
	assert_int_equal(sum(&head), 1234);
	list_remove(&items[1].link);
	list_remove(&items[1].link);
	assert_int_equal(sum(&head), 134);
	list_move(&other, &head);
	assert_true(list_empty(&head));
	assert_int_equal(sum(&other), 134);
	LIST_EACH (it, tmp, &other)
		list_remove(it);
	assert_true(list_empty(&other));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_append_remove_move),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
