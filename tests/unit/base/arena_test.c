/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void
test_allocations_are_zeroed_aligned_and_apart(void **state)
{
	struct arena a;
	unsigned char *ptrs[1000];

	(void)state;
	arena_init(&a);
	for (size_t i = 0; i < 1000; i++) {
		const size_t size = i * 7 % 1500; /* small and larger than a chunk's quarter */

		ptrs[i] = arena_alloc(&a, size);
		assert_int_equal((uintptr_t)ptrs[i] % 16, 0);
		for (size_t j = 0; j < size; j++)
			assert_int_equal(ptrs[i][j], 0);
		memset(ptrs[i], (int)(i & 0xff), size);
	}
	for (size_t i = 0; i < 1000; i++) {
		for (size_t j = 0; j < i * 7 % 1500; j++)
			assert_int_equal(ptrs[i][j], i & 0xff);
	}
	arena_fini(&a);
}

static void
test_large_ones_do_not_waste_the_chunk(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a);
	arena_alloc(&a, 16);

	const size_t left = a.left;
	char *large = arena_alloc(&a, 1u << 20);

	memset(large, 1, 1u << 20);
	assert_int_equal(a.left, left);
	arena_fini(&a);
}

static void
test_usable_again_after_fini(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a);
	arena_strdup(&a, "before");
	arena_fini(&a);
	assert_string_equal(arena_strdup(&a, "after"), "after");
	arena_fini(&a);
	arena_fini(&a);
}

static void
test_text(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a);
	assert_null(arena_strdup(&a, NULL));
	assert_string_equal(arena_strdup(&a, ""), "");
	assert_string_equal(arena_strndup(&a, "hello", 3), "hel");
	assert_string_equal(arena_strndup(&a, "hi", 30), "hi");
	assert_memory_equal(arena_memdup(&a, "a\0b", 3), "a\0b", 3);
	assert_non_null(arena_memdup(&a, NULL, 0));
	assert_string_equal(arena_printf(&a, "%s-%d", "x", 42), "x-42");

	char *wide = arena_printf(&a, "%10000d", 7);

	assert_int_equal(strlen(wide), 10000);
	assert_int_equal(wide[9999], '7');
	arena_fini(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_allocations_are_zeroed_aligned_and_apart),
		cmocka_unit_test(test_large_ones_do_not_waste_the_chunk),
		cmocka_unit_test(test_usable_again_after_fini),
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
