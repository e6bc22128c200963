/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * duration -- "200ms", "5s", "1m", "1h" and back, in milliseconds.
 *
 * Text is the largest unit up to hours that is exact: 60000 -> "1m", 90000 -> "90s", 1500 ->
 * "1500ms". Parsing knows days, too.
 * Parsing takes one or more number+unit groups ("1m30s"); 0 needs a unit too ("0s").
 */
#pragma once

#include <stdint.h>

#include "base/attr.h"

#define DURATION_TEXT_SIZE 24
char *duration_text(uint64_t ms, char out[DURATION_TEXT_SIZE]);
/* 0; -EINVAL for anything else than a duration; -ERANGE beyond 10 years. */
MUST_USE int duration_parse(const char *text, uint64_t *ms);
