/* SPDX-License-Identifier: GPL-3.0-or-later */
/* time_codec -- a moment in JSON, RFC 3339; in C int64_t, ms since 1970. Echoed in UTC. */
#pragma once

#include "model/field.h"

extern const struct field_codec time_codec;

#define TIME_NEVER INT64_MAX /* not given; left out when written */
