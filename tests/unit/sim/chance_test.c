/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/chance.h"

#define N 200000

/* Mean and variance of a Poisson count are both its mean; also of the rejection method and at the
 * border. */
static void
test_counts(void **state)
{
	static const double means[] = { 0.01, 0.7, 5, 11.99, 12.01, 40, 3000 };
	struct rand_state r;

	(void)state;
	rand_seed(&r, 7);
	for (size_t i = 0; i < sizeof(means) / sizeof(means[0]); i++) {
		double sum = 0, squares = 0;

		for (int k = 0; k < N; k++) {
			const double v = (double)chance_count(&r, means[i]);

			sum += v;
			squares += v * v;
		}

		const double mean = sum / N, variance = squares / N - mean * mean;

		assert_true(fabs(mean - means[i]) < 5 * sqrt(means[i] / N));
		assert_true(fabs(variance / means[i] - 1) < 5 * sqrt((2 + 1 / means[i]) / N));
	}
	assert_int_equal(chance_count(&r, 0), 0);
	assert_int_equal(chance_count(&r, -1), 0);
}

static void
test_waits(void **state)
{
	struct rand_state r;
	double sum = 0;
	int late = 0;

	(void)state;
	rand_seed(&r, 8);
	for (int k = 0; k < N; k++) {
		const double w = chance_wait(&r, 4);

		assert_true(w > 0);
		sum += w;
		late += w > 0.5;
	}
	assert_true(fabs(sum / N - 0.25) < 5 * 0.25 / sqrt(N));
	assert_true(fabs((double)late / N - exp(-2)) < 0.004);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
