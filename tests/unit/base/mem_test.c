/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
test_zero_sizes_are_objects(void **state)
{
	void *ptrs[] = { xmalloc(0), xcalloc(0, 8), xcalloc(8, 0), xrealloc(NULL, 0),
		xmemdup(NULL, 0), xrealloc(xmalloc(9), 0) };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ptrs); i++) {
		assert_non_null(ptrs[i]);
		free(ptrs[i]);
	}
}

static void
test_text(void **state)
{
	char *texts[] = { xstrdup("hello"), xstrndup("hello, world", 5), xstrndup("hello", 50),
		xasprintf("%s%c", "hell", 'o') };

	(void)state;
	assert_null(xstrdup(NULL));
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		assert_string_equal(texts[i], "hello");
		free(texts[i]);
	}
}

static void
test_grow_doubles_and_keeps(void **state)
{
	uint32_t *items = NULL;
	size_t cap = 0, grown = 0;

	(void)state;
	for (uint32_t i = 0; i < 100000; i++) {
		const size_t before = cap;

		MEM_GROW(&items, &cap, i + 1);
		assert_true(cap > i);
		grown += cap != before;
		items[i] = i;
	}
	assert_true(grown < 20);
	for (uint32_t i = 0; i < 100000; i++)
		assert_int_equal(items[i], i);
	MEM_GROW(&items, &cap, 1000000);
	assert_int_equal(cap, 1000000);
	free(items);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zero_sizes_are_objects),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_grow_doubles_and_keeps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
