/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * history_condense -- several steps as one (RFC 1995 section 5): what came and went again in
 * between is left out. Pure.
 */
#pragma once

#include "base/attr.h"
#include "zone/history.h"

/* To history_step_unref; NULL if nothing cancels out, so that the steps are as good. */
MUST_USE struct history_step *history_condense(struct history_step *const *steps, size_t n);
