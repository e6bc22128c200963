/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * explain -- what the server would answer, and why, as a person reads it.
 *
 * Request {name, type, client?: whose address the query has, ecs?: its client subnet, overrides?
 * {address: "up"|"down"}, draws?}; reply {answer{rcode, ttl, rdata[]}, steered, lined, line,
 * scope, candidates[{pool, address, value, state, probability, because}], fallback,
 * decision[{step, text}], draws?{value: count}}. `because`: why it gets nothing, or is answered
 * whatever its health; null: it is as it should be. `lined`: a record set of the zone answers by
 * lines or weights; then candidates[{value, line, weight?, state, probability}]. Runs plan
 * compilation and plan_answer themselves on a private cursor: nothing of the running state moves.
 */
#pragma once

#include "base/diag.h"
#include "base/json.h"
#include "steer/tree.h"
#include "zone/zones.h"

/* New reference, or NULL with problems in d. Writer's thread. */
MUST_USE json_t *
explain(struct tree *t, const struct zones *zs, const json_t *request, struct diag *d);
