/* SPDX-License-Identifier: GPL-3.0-or-later */
/* explain_balance -- an explanation's part about balance traffic. Private to explain_*.c. */
#pragma once

#include "steer/explain_account.h"
#include "steer/plan_types.h"

/* Who asks, of which plan. */
struct explain_asker {
	const struct plan *plan;
	uint32_t variant;
	const struct position *at, *resolver; /* resolver of family 0: not told */
	bool by_subnet;
	unsigned scope;
};

/* What is learned from, and what becomes of this resolver; nothing for other plans. */
void explain_balance_tell(struct account *a, const struct explain_asker *e);
/* An answer; for other plans, or with nobody told, just as plan_answer_of. */
size_t
explain_balance_answer(const struct explain_asker *e, const struct plan_rr *out[PLAN_MAX_ANSWER]);
/* As plan_shares, for a resolver with a seat; false: it has none, plan_shares is right. */
bool explain_balance_shares(const struct explain_asker *e,
    void (*visit)(void *arg, uint32_t tag, double probability), void *arg);
