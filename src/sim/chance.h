/* SPDX-License-Identifier: GPL-3.0-or-later */
/* chance -- random numbers of the shapes a simulation needs, repeatable by seed. Pure. */
#pragma once

#include <stdint.h>

#include "base/rand.h"

double chance_unit(struct rand_state *r);                 /* 0 < u < 1 */
double chance_wait(struct rand_state *r, double rate);    /* exponential; rate > 0 */
uint64_t chance_count(struct rand_state *r, double mean); /* Poisson; 0 for mean <= 0 */
