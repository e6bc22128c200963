/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * votes -- the verdict of a check from the verdicts of the nodes that look at it (2-model, rule 3).
 *
 *	up up DOWN (stale)  --add-->  { fresh 3, down 1 }  --failure_rate 50-->  up
 *
 * Only fresh votes count. Down when `down * 100 >= failure_rate * fresh` and at least one is; a
 * failure_rate of 0 is any node. Without a fresh vote the last verdict holds.
 *
 * Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "verdict/flap.h"

struct votes {
	uint32_t fresh, down;
};

/* A node that does not know yet has no vote. */
void votes_add(struct votes *v, enum flap_verdict verdict, bool fresh);
enum flap_verdict
votes_verdict(const struct votes *v, uint32_t failure_rate, enum flap_verdict held);
bool votes_differ(const struct votes *v); /* fresh ones say both */
