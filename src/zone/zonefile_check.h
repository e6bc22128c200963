/* SPDX-License-Identifier: GPL-3.0-or-later */
/* zonefile_check -- the rules about which records may live together; inside of room zone. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Why `count` records of `type` may not join `have` at the owner (static text), or NULL. */
const char *zonefile_check_rule(const uint8_t *apex, const uint8_t *owner, uint16_t type,
    size_t count, const uint16_t *have, size_t n_have);
