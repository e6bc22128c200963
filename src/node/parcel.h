/* SPDX-License-Identifier: GPL-3.0-or-later */
/* parcel -- one message of feed/message.h out of the octets that have come so far. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

#define PARCEL_HEADER 5

/* Points into the data. */
struct parcel {
	uint8_t type;
	const uint8_t *body;
	size_t len;   /* of the body */
	size_t whole; /* how much of the data it is */
};

/* 1: there is one. 0: not yet. -EINVAL: it says a length that is none, or above `max`. */
MUST_USE int parcel_take(const uint8_t *data, size_t len, size_t max, struct parcel *out);
/* The header of a message with so long a body. */
void parcel_head(uint8_t type, size_t len, uint8_t out[PARCEL_HEADER]);
