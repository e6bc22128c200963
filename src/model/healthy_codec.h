/* SPDX-License-Identifier: GPL-3.0-or-later */
/* healthy_codec -- `healthy_when` in JSON: "any_ok" ..., {"at_least": n}, {"percent": 1..100}. */
#pragma once

#include "model/field.h"

extern const struct field_codec healthy_codec;

#define HEALTHY_FIELD(spec)                                                                        \
	{                                                                                          \
		.name = "healthy_when", .offset = offsetof(spec, healthy_when),                    \
		.type = FIELD_CUSTOM, .codec = &healthy_codec,                                     \
		.prose = "when a failing part still leaves the whole healthy",                     \
	}
