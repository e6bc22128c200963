/* SPDX-License-Identifier: GPL-3.0-or-later */
/* zone_origin -- names in zone files: relative to an origin, or saying it. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "dns/name.h"

/* "@", "www", "www.example.com.". False, and `out` as it was, if the name is none. */
MUST_USE bool
zone_origin_resolve(const char *name, const uint8_t *origin, uint8_t out[NAME_MAX_LEN]);
/*
 * What zone text calls itself: its first $ORIGIN, or the owner of the SOA that comes first. To
 * free; NULL if it says neither.
 */
MUST_USE char *zone_origin_find(const char *text, size_t len);
