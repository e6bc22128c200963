/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/chance.h"

#include <math.h>

/* Below this mean the product method is quicker than the rejection method, which is exact only
 * above 10. */
#define MANY 12.0

double
chance_unit(struct rand_state *r)
{
	return ((double)(rand_next(r) >> 11) + 0.5) * 0x1p-53;
}

double
chance_wait(struct rand_state *r, double rate)
{
	return -log(chance_unit(r)) / rate;
}

/* Knuth: how many uniform factors until the product falls below e^-mean. */
static uint64_t
count_few(struct rand_state *r, double mean)
{
	const double limit = exp(-mean);
	double product = chance_unit(r);
	uint64_t n = 0;

	for (; product > limit; n++)
		product *= chance_unit(r);
	return n;
}

/* Hoermann's transformed rejection PTRS (1993): exact, about 1.1 rounds. */
static uint64_t
count_many(struct rand_state *r, double mean)
{
	const double root = sqrt(mean), log_mean = log(mean);
	const double b = 0.931 + 2.53 * root, a = -0.059 + 0.02483 * b;
	const double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
	const double quick = 0.9277 - 3.6224 / (b - 2);

	for (;;) {
		const double u = chance_unit(r) - 0.5, v = chance_unit(r);
		const double us = 0.5 - fabs(u);
		const double k = floor((2 * a / us + b) * u + mean + 0.43);
		int sign;

		if (us >= 0.07 && v <= quick)
			return (uint64_t)k;
		if (k < 0 || (us < 0.013 && v > us))
			continue;
		if (log(v) + log(inverse_alpha) - log(a / (us * us) + b) <=
		    k * log_mean - mean - lgamma_r(k + 1, &sign))
			return (uint64_t)k;
	}
}

uint64_t
chance_count(struct rand_state *r, double mean)
{
	if (!(mean > 0))
		return 0;
	return mean < MANY ? count_few(r, mean) : count_many(r, mean);
}
