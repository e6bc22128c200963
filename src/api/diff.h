/* SPDX-License-Identifier: GPL-3.0-or-later */
/* diff -- what differs between two JSON values, for people and the audit. Pure. */
#pragma once

#include "base/json.h"

/* [{path, from?, to?}], in the order of `to`; an absent side is an absent member. New reference. */
json_t *diff_values(const json_t *from, const json_t *to);
