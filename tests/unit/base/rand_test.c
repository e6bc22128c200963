/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/rand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* The reference implementation's output from the state { 1, 2, 3, 4 }. */
static void
test_is_xoshiro256starstar(void **state)
{
	static const uint64_t expected[] = { 11520, 0, 1509978240, 1215971899390074240 };
	struct rand_state r = { { 1, 2, 3, 4 } };

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_true(rand_next(&r) == expected[i]);
}

static void
test_a_seed_repeats(void **state)
{
	struct rand_state a, b, c;

	(void)state;
	rand_seed(&a, 42);
	rand_seed(&b, 42);
	rand_seed(&c, 43);
	for (int i = 0; i < 100; i++) {
		const uint64_t v = rand_next(&a);

		assert_true(v == rand_next(&b));
		assert_true(v != rand_next(&c));
	}
}

/* Ten cells of 10000 each: 5 sigma are 475. */
static void
test_below_is_even(void **state)
{
	struct rand_state r;
	int cells[10] = { 0 };

	(void)state;
	rand_seed(&r, 1);
	for (int i = 0; i < 100000; i++)
		cells[rand_below(&r, 10)]++;
	for (size_t i = 0; i < 10; i++)
		assert_in_range(cells[i], 9525, 10475);

	for (int i = 0; i < 100; i++) {
		assert_true(rand_below(&r, 1) == 0);
		assert_true(rand_below(&r, UINT64_MAX) < UINT64_MAX);
	}
}

static void
test_the_kernels(void **state)
{
	unsigned char a[300] = { 0 }, b[300] = { 0 };
	char hex[2 * 16 + 1];

	(void)state;
	rand_bytes(a, sizeof(a));
	rand_bytes(b, sizeof(b));
	assert_memory_not_equal(a, b, sizeof(a));
	assert_true(rand_u64() != rand_u64());

	memset(hex, 'x', sizeof(hex));
	rand_hex(hex, 16);
	assert_int_equal(strlen(hex), 32);
	assert_int_equal(strspn(hex, "0123456789abcdef"), 32);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_is_xoshiro256starstar),
		cmocka_unit_test(test_a_seed_repeats),
		cmocka_unit_test(test_below_is_even),
		cmocka_unit_test(test_the_kernels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
