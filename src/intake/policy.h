/* SPDX-License-Identifier: GPL-3.0-or-later */
/* policy -- who may change what of a zone: its `update` list. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "model/nouns.h"

/* Has `key` any right in this zone? */
MUST_USE bool policy_knows(const struct zone_spec *z, const char *key);
/*
 * May `key` change this set? Type ANY is the whole name: only for who may change any type. `apex`
 * and `owner` lower.
 */
MUST_USE bool policy_allows(const struct zone_spec *z, const uint8_t *apex, const char *key,
    const uint8_t *owner, uint16_t type);
