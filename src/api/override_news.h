/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * override_news -- what a change set does to overrides, as events: override.set, .lifted (by hand,
 * or with its object) and .expired, with who, what and why. Pure.
 */
#pragma once

#include "base/json.h"
#include "model/model.h"

/* Before `m` knows of the set. An array of events as control_event takes them; NULL: none. */
MUST_USE json_t *override_news(const struct model *m, const struct change_set *set, int64_t now_ms);
