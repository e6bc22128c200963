/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rand -- randomness: the kernel's for secrets, xoshiro256** for spreading and tests. */
#pragma once

#include <stddef.h>
#include <stdint.h>

void rand_bytes(void *out, size_t len); /* getrandom(2); dies if the kernel has none */
uint64_t rand_u64(void);                /* likewise */
void rand_hex(char *out, size_t bytes); /* writes 2 * bytes digits and a NUL */

struct rand_state {
	uint64_t s[4];
};
void rand_seed(struct rand_state *r, uint64_t seed); /* repeatable */
uint64_t rand_next(struct rand_state *r);
uint64_t rand_below(struct rand_state *r, uint64_t bound); /* unbiased, bound > 0 */
